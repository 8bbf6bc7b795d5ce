"""When each dealer was last heard of, told honestly whatever the clocks say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.replication.dealers import Dealer
from app.replication.reports import NodeReport
from app.web.dealer_lines import DealerFigures, dealer_lines, dealer_state, heard, together_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FIGURES = DealerFigures({"D001": 3}, {"D001": 2}, {("D001", "2026-11"): 5}, ["2026-11", "2026-10"])


def dealer(last_sync: str = "", refused: int = 0, **fields: str) -> Dealer:
    nodes = (NodeReport("n", "Laptop", last_sync, 4, refused),) if last_sync else ()
    told = {"code": "D001", "name": "Hartmann", "added_at": "2026-11-24T12:00:00Z", "left_at": "", **fields}
    return Dealer(database="book-d001", user="dealer-d001", last_sync=last_sync, nodes=nodes, **told)


@pytest.mark.parametrize(
    ("last_sync", "tone", "words", "silent", "ago"),
    [
        ("2026-11-25T11:59:30Z", "good", "In sync", False, "just now"),
        ("2026-11-25T11:20:00Z", "good", "In sync", False, "40 minutes ago"),
        ("2026-11-25T11:00:00Z", "good", "In sync", False, "1\xa0hour ago"),
        ("2026-11-23T11:00:00Z", "warning", "Silent for 2\xa0days", False, "2 days ago"),
        ("2026-11-18T11:00:00Z", "bad", "Silent for 7\xa0days", True, "7 days ago"),
        ("2020-01-01T00:00:00Z", "bad", "Silent for 2,520\xa0days", True, "7 years ago"),
    ],
)
def test_a_dealer_is_told_silent_after_a_week(last_sync, tone, words, silent, ago):
    state = dealer_state(dealer(last_sync), NOW)
    assert (state.tone, state.words, state.silent) == (tone, words, silent)
    assert heard(dealer(last_sync), NOW) == ago


def test_a_dealer_who_never_synced_is_silent_a_week_after_it_was_admitted():
    fresh, old = dealer(), dealer(added_at="2026-11-01T12:00:00Z")
    assert (dealer_state(fresh, NOW).words, dealer_state(fresh, NOW).silent) == ("Never synced", False)
    assert (dealer_state(old, NOW).words, dealer_state(old, NOW).silent) == ("Never synced", True)
    assert heard(fresh, NOW) == "never"


def test_refused_documents_are_told_even_when_the_dealer_syncs():
    state = dealer_state(dealer("2026-11-25T11:59:30Z", refused=3), NOW)
    assert (state.tone, state.words, state.silent) == ("bad", "3\xa0documents refused", False)


def test_all_dealers_together_are_told_by_the_worst_of_those_who_are_admitted():
    well, quiet = dealer("2026-11-25T11:59:30Z"), dealer("2026-11-23T11:00:00Z")
    refusing, gone = (
        dealer("2026-11-25T11:59:30Z", refused=3),
        dealer("2020-01-01T00:00:00Z", left_at="2026-01-01T00:00:00Z"),
    )
    for given, tone, words in (
        ([], "", "No dealers yet"),
        ([gone], "", "No dealers yet"),
        ([well, well, gone], "good", "2\xa0dealers in sync"),
        ([well, quiet], "warning", "1 of 2 in sync"),
        ([well, quiet, refusing], "bad", "1 of 3 in sync"),
    ):
        together = together_of(given, NOW)
        assert (together.tone, together.words) == (tone, words)


def test_a_silent_dealer_keeps_its_refused_documents():
    (line,) = dealer_lines([dealer("2026-11-01T00:00:00Z", refused=2)], FIGURES, NOW, str, lambda name, **_: name)
    assert (line.silent, line.refused) == (True, 2)


def test_a_last_sync_in_the_future_is_not_taken_for_one_just_now():
    ahead = dealer("2026-11-29T12:00:00Z")
    state = dealer_state(ahead, NOW)
    assert (state.tone, state.words, state.silent) == ("warning", "Last sync unclear", False)
    assert heard(ahead, NOW) == "in 4 days by this computer's clock, which was set back"


def test_clocks_that_differ_by_seconds_are_no_matter():
    state = dealer_state(dealer("2026-11-25T12:01:00Z"), NOW)
    assert (state.words, state.days) == ("In sync", 0)
    assert heard(dealer("2026-11-25T12:01:00Z"), NOW) == "just now"


def test_a_removed_dealer_is_neither_silent_nor_in_sync():
    state = dealer_state(dealer("2026-01-01T00:00:00Z", left_at="2026-02-01T00:00:00Z"), NOW)
    assert (state.words, state.silent) == ("Removed", False)


def test_those_that_need_a_look_come_first():
    known = [
        dealer("2026-11-25T11:59:00Z", code="D001"),
        dealer("2026-11-10T00:00:00Z", code="D002"),
        dealer("2026-11-01T00:00:00Z", code="D003"),
        dealer(code="D004"),
    ]
    lines = dealer_lines(known, FIGURES, NOW, str, lambda name, **_: name)
    assert [line.code for line in lines] == ["D003", "D002", "D004", "D001"]
    assert (lines[-1].machines, lines[-1].customers, lines[-1].activities, lines[-1].activities_before) == (3, 2, 5, 0)
