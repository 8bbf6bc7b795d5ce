from datetime import UTC, datetime

import pytest

from app.replication.results import Progress
from app.replication.state import State
from app.replication.status import ago, sentence_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        ("2026-11-25T11:59:30Z", "just now"),
        ("2026-11-25T11:59:00.250000Z", "just now"),
        ("2026-11-25T11:58:59Z", "1 minute ago"),
        ("2026-11-25T11:57:00Z", "3 minutes ago"),
        ("2026-11-25T10:00:00Z", "2 hours ago"),
        ("2026-11-18T11:00:00Z", "7 days ago"),
        ("2036-11-25T12:00:00Z", "when this computer's clock was ahead"),
        ("2026-11-25T12:04:00Z", "just now"),
    ],
)
def test_a_time_is_told_in_words(time: str, words: str) -> None:
    assert ago(time, NOW) == words


def test_everything_sent_is_one_short_sentence() -> None:
    assert sentence_of(State(last_success="2026-11-25T11:57:00Z"), 0, None, NOW) == "Synced 3 minutes ago."


def test_changes_that_were_not_sent_are_said() -> None:
    state = State(last_success="2026-11-25T11:57:00Z")
    assert sentence_of(state, 1, None, NOW) == "Synced 3 minutes ago. 1 change not sent yet."
    assert sentence_of(state, 2345, None, NOW) == "Synced 3 minutes ago. 2,345 changes not sent yet."


def test_a_failure_says_since_when_and_why() -> None:
    state = State(last_success="2026-11-25T10:00:00Z", failing_since="2026-11-25T10:15:00Z", sentence="No network.")
    assert sentence_of(state, 2, None, NOW) == "Last synced 2 hours ago. No network. 2 changes not sent yet."


def test_refused_documents_are_never_left_out() -> None:
    for state in (
        State(refused=3),
        State(refused=3, paused=True),
        State(refused=3, failing_since="2026-11-25T10:15:00Z"),
    ):
        assert "3 documents are refused." in sentence_of(state, 0, None, NOW)


def test_a_running_sync_says_how_far_it_is() -> None:
    words = sentence_of(State(), 0, Progress("Push the book", 1200, 3400), NOW)
    assert words == "Syncing: push the book, 1,200 done, 3,400 to go."
