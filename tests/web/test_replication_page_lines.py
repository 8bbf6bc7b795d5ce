"""What the replication page says about connections and syncs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.replication.connections import Connection, schedule_words
from app.replication.results import Progress
from app.replication.state import State
from app.replication.status import ConnectionStatus
from app.replication.sync_log import Entry
from app.web.replication_page import connection_card, document_id_in, pass_lines, readable_times

CONNECTION = Connection("manufacturer", "http://127.0.0.1:5984", "dealer-d001")


def entry(**values: Any) -> Entry:
    given: dict[str, Any] = {
        "id": "sync:manufacturer:2026-11-25T10:00:00.000000Z",
        "connection": "manufacturer",
        "start": "2026-11-25T10:00:00.000000Z",
        "end": "2026-11-25T10:00:02.500000Z",
        "passes": 1,
        "ok": True,
        "failure": "",
        "sentence": "",
        "read": 0,
        "written": 0,
        "failed": 0,
        "merged": 0,
        "disputes": 0,
        "refused": 0,
        "steps": (),
    }
    return Entry(**{**given, **values})


@pytest.mark.parametrize(
    ("state", "unsent", "badge"),
    [
        (State(), 0, ("", "Never synced")),
        (State(last_success="2026-11-25T10:00:00Z"), 0, ("good", "In sync")),
        (State(last_success="2026-11-25T10:00:00Z"), 3, ("warning", "3\u00a0changes to send")),
        (State(last_success="2026-11-25T10:00:00Z", refused=1), 0, ("bad", "1\u00a0document refused")),
        (State(failing_since="2026-11-25T10:00:00Z", failures=2), 0, ("bad", "Not syncing")),
        (State(failing_since="2026-11-25T10:00:00Z", stopped=True), 0, ("bad", "Stopped: needs you")),
        (State(paused=True), 0, ("warning", "Paused")),
    ],
)
def test_the_badge_says_the_worst_there_is(state: State, unsent: int, badge: tuple[str, str]) -> None:
    card = connection_card(ConnectionStatus(CONNECTION, state, unsent, None, "…"), None)
    assert (card.tone, card.state) == badge


def test_a_running_sync_shows_how_far_it_is() -> None:
    running = ConnectionStatus(CONNECTION, State(), 0, Progress("Pull the book", 30, 70), "…")
    card = connection_card(running, datetime(2026, 11, 25, tzinfo=UTC))
    assert (card.state, card.done, card.total, card.next_run) == ("Syncing", 30, 100, None)


def test_intervals_are_told_in_words() -> None:
    assert [
        schedule_words(replace(CONNECTION, every_minutes=minutes)) for minutes in (0, 1, 15, 60, 90, 120, 1440)
    ] == [
        "only on request",
        "every minute",
        "every 15 minutes",
        "every hour",
        "every 90 minutes",
        "every 2 hours",
        "every day",
    ]
    assert schedule_words(replace(CONNECTION, at="18:30,6:00")) == "at 06:00 and 18:30"
    assert schedule_words(replace(CONNECTION, at="6:00", time_zone="Europe/Berlin")) == "at 06:00 (Europe/Berlin)"


def test_the_log_says_what_happened_in_a_sentence() -> None:
    quiet, busy, failed = pass_lines(
        [
            entry(passes=12),
            entry(read=4, written=3, merged=1, failed=1),
            entry(ok=False, sentence="http://127.0.0.1:5984 cannot be reached."),
        ]
    )
    assert quiet.sentence == "Nothing to do. 12 times."
    assert quiet.seconds is None
    assert busy.sentence == "3\u00a0documents brought over, 1\u00a0document merged, 1\u00a0document refused."
    assert busy.seconds == 2.5
    assert failed.sentence == "http://127.0.0.1:5984 cannot be reached."


@pytest.mark.parametrize(
    "pasted",
    [
        "D001:machine:ACME-12",
        " D001:machine:ACME-12 ",
        "http://127.0.0.1:8040/machines/D001:machine:ACME-12",
        "http://127.0.0.1:8040/documents/D001%3Amachine%3AACME-12/edit",
        "/machines/D001:machine:ACME-12?days=90",
    ],
)
def test_a_records_address_is_as_good_as_its_id(pasted: str) -> None:
    assert document_id_in(pasted) == "D001:machine:ACME-12"


def test_an_address_without_a_record_has_no_id() -> None:
    assert document_id_in("http://127.0.0.1:8040/replication") == ""


def test_times_in_a_sentence_are_shown_as_pages_show_them() -> None:
    told = readable_times("It was deleted by tom at 2026-11-25T10:04:05Z, and again at 2026-11-25T11:00:00.123456Z.")
    assert (
        told.replace("\u00a0", " ") == "It was deleted by tom at 25 Nov 2026, 10:04, and again at 25 Nov 2026, 11:00."
    )
