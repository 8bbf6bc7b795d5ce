"""How the syncs of this node are doing, cheap enough for every page.

What is kept between pages: the states, for a second or two, and the documents changed since the last push, which are
counted by following the changes from where they were counted last. The first count of a large book takes seconds: no
page waits for its end.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.replication.connections import Connection, connections
from app.replication.results import Progress
from app.replication.running import running
from app.replication.sequences import changes_from
from app.replication.state import State, read_states
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node

_KEY = "replication.status"
# Seconds for which what was read is good enough for the next page.
_FRESH = 2.0
_PAGE = 1000
# Beyond so many nobody needs to know exactly.
UNSENT_COUNTED = 20_000
# Seconds that a page waits for the count; usually it takes milliseconds.
_PATIENCE = 0.5
# Seconds: clocks of other computers are never quite the same.
_CLOCKS_DIFFER = 300


@dataclass(frozen=True)
class ConnectionStatus:
    """One connection: its settings and past, unsent changes (`more`: at least so many), and what runs now."""

    connection: Connection
    state: State
    unsent: int
    running: Progress | None
    sentence: str
    more: bool = False


@dataclass(frozen=True)
class Status:
    """How this node's syncs are doing together. Times are ISO 8601 UTC, empty for never.

    `unsent` counts documents changed here that the connection furthest behind has not sent; `refused` those that one
    side does not take; `failing_since` is the oldest. `sentence` says it all to a person.
    """

    last_success: str
    unsent: int
    refused: int
    running: Progress | None
    failing_since: str
    sentence: str
    connections: tuple[ConnectionStatus, ...]


@dataclass
class _Unsent:
    """The documents changed since a push, as far as they have been counted; `more`: there may be others."""

    pushed_seq: Any
    seen_seq: Any
    ids: set[str] = field(default_factory=set)
    more: bool = True


class _Count(threading.Thread):
    """Counts the unsent changes of every connection of a node, once."""

    def __init__(self, node: Node, kept: _Kept) -> None:
        super().__init__(name="unsent", daemon=True)
        self._of = (node, kept)
        self.error: Exception | None = None

    def run(self) -> None:
        node, kept = self._of
        try:
            for connection in kept.connections:
                _count_unsent(node, connection, kept)
        except Exception as error:  # whoever waits is told
            self.error = error


@dataclass
class _Kept:
    lock: threading.Lock = field(default_factory=threading.Lock)
    read_at: float = float("-inf")
    connections: list[Connection] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    unsent: dict[str, _Unsent] = field(default_factory=dict)
    count: _Count | None = None


def status(node: Node, fresh: bool = False) -> Status:
    """How the syncs of this node are doing; at most two seconds old, or read now when `fresh`."""
    kept = node.extensions.setdefault(_KEY, _Kept())
    assert isinstance(kept, _Kept)
    with kept.lock:
        if fresh or time.monotonic() - kept.read_at > _FRESH:
            _read(node, kept, fresh)
        register = running(node)
        now = datetime.now(UTC)
        each = tuple(
            _of_connection(connection, kept, register.get(connection.name), now) for connection in kept.connections
        )
    return _together(each, node.is_manufacturer)


def _read(node: Node, kept: _Kept, fresh: bool) -> None:
    kept.connections = connections(node)
    kept.states = read_states(node)
    names = {connection.name for connection in kept.connections}
    for gone in kept.unsent.keys() - names:
        del kept.unsent[gone]
    if not node.is_manufacturer:
        _count(node, kept, fresh)
    kept.read_at = time.monotonic()


def _count(node: Node, kept: _Kept, fresh: bool) -> None:
    """Counts what is unsent; unless `fresh`, goes on without the rest of a count that takes long."""
    if fresh and kept.count:
        # It may have looked before what is asked about was saved.
        kept.count.join()
    if kept.count is None or not kept.count.is_alive():
        kept.count = _Count(node, kept)
        kept.count.start()
        kept.count.join(None if fresh else _PATIENCE)
    if kept.count.error:
        error, kept.count = kept.count.error, None
        raise error


def _count_unsent(node: Node, connection: Connection, kept: _Kept) -> None:
    pushed = kept.states.get(connection.name, State()).pushed_seq
    counted = kept.unsent.get(connection.name)
    if counted is None or counted.pushed_seq != pushed:
        counted = kept.unsent[connection.name] = _Unsent(pushed, pushed)
    while len(counted.ids) < UNSENT_COUNTED:
        page = changes_from(node.book, counted.seen_seq, limit=_PAGE, selector=connection.book_selector)
        counted.ids.update(change["id"] for change in page.results)
        counted.seen_seq = page.last_seq
        if len(page.results) < _PAGE:
            counted.more = False
            return
        counted.more = True


def _of_connection(connection: Connection, kept: _Kept, progress: Progress | None, now: datetime) -> ConnectionStatus:
    state, found = kept.states.get(connection.name, State()), kept.unsent.get(connection.name)
    unsent, more = (len(found.ids), found.more) if found else (0, False)
    sentence = sentence_of(state, unsent, progress, now, more)
    return ConnectionStatus(connection, state, unsent, progress, sentence, more)


def _together(each: tuple[ConnectionStatus, ...], manufacturer: bool) -> Status:
    if not each:
        sentence = (
            "Dealers sync with this node; it has no upstream of its own."
            if manufacturer
            else "This node has no connection yet: what is saved stays on this computer."
        )
        return Status("", 0, 0, None, "", sentence, ())
    failing = sorted(one.state.failing_since for one in each if one.state.failing_since)
    # With several connections the sentence is about the one that needs attention most.
    worst = max(each, key=lambda one: (bool(one.state.failing_since), one.state.refused, one.unsent))
    return Status(
        last_success=max(one.state.last_success for one in each),
        unsent=max(one.unsent for one in each),
        refused=sum(one.state.refused for one in each),
        running=next((one.running for one in each if one.running), None),
        failing_since=failing[0] if failing else "",
        sentence=worst.sentence,
        connections=each,
    )


def sentence_of(state: State, unsent: int, progress: Progress | None, now: datetime, more: bool = False) -> str:
    """One connection's status in words; `now` is aware of its time zone, `more`: there may be more that is unsent."""
    words = []
    if progress:
        words.append(_running_words(progress))
    elif state.paused:
        words.append("Syncing is paused.")
    elif state.failing_since:
        words.append(f"Last synced {ago(state.last_success, now)}." if state.last_success else "Never synced yet.")
        words.append(state.sentence)
    elif state.last_success:
        words.append(f"Synced {ago(state.last_success, now)}.")
    else:
        words.append("Never synced yet.")
    if unsent:
        words.append(f"{'More than ' if more else ''}{counted(unsent, 'change')} not sent yet.")
    if state.refused:
        words.append(f"{counted(state.refused, 'document is', 'documents are')} refused.")
    return " ".join(words)


def _running_words(progress: Progress) -> str:
    return f"Syncing: {', '.join(filter(None, [progress.step.lower(), progress.words]))}."


def ago(time_text: str, now: datetime) -> str:
    """How long ago an ISO 8601 UTC time was, in words. A time to come says that the clock was set since."""
    then = datetime.fromisoformat(time_text.replace("Z", "+00:00"))
    seconds = (now - then).total_seconds()
    if seconds < -_CLOCKS_DIFFER:
        return "when this computer's clock was ahead"
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count:,} {word}{'s' if count > 1 else ''} ago"
    return "just now"
