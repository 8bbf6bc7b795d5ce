"""Checkpoints: how far a replication has come, kept on both sides so that either may be lost or restored.

The format and the rules are those of the CouchDB replication protocol ("Calculate Changes Feed Starting Point").
Counts in a history add up over all sessions of a replication, as CouchDB's do. Pure.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

VERSION = 4
KEPT_SESSIONS = 50

COUNTS = (
    "missing_checked",
    "missing_found",
    "docs_read",
    "docs_written",
    "doc_write_failures",
    "bulk_get_docs",
    "bulk_get_attempts",
)


@dataclass(slots=True)
class Counts:
    """What a replication has done, in leaf revisions."""

    missing_checked: int = 0
    missing_found: int = 0
    docs_read: int = 0
    docs_written: int = 0
    doc_write_failures: int = 0
    bulk_get_docs: int = 0
    bulk_get_attempts: int = 0

    def add(self, other: Counts) -> None:
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_json(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNTS}


@dataclass(slots=True)
class Start:
    """Where a replication goes on: the source's sequence, and the history the two sides share."""

    since: Any = 0
    history: list[dict[str, Any]] = field(default_factory=list)

    def counts(self) -> Counts:
        if not self.history:
            return Counts()
        last = self.history[0]
        return Counts(**{name: value for name in COUNTS if type(value := last.get(name, 0)) is int})


def starting_point(source: dict[str, Any] | None, target: dict[str, Any] | None) -> Start:
    """The last point both sides have recorded; the beginning when they share none.

    A side that was restored from a backup has an older checkpoint: the newest session that both histories name tells
    what both still hold. Where a session recorded itself further on one side, because the backup was made while it ran,
    the lesser of the two is what both hold.
    """
    if source is None or target is None:
        return Start()
    source_history, target_history = _history(source), _history(target)
    session = source.get("session_id")
    if isinstance(session, str) and session == target.get("session_id"):
        since = lesser(source.get("source_last_seq", 0), target.get("source_last_seq", 0))
        if since is not None:
            return Start(since, source_history)
    known = {entry["session_id"]: entry.get("recorded_seq", 0) for entry in target_history}
    for index, entry in enumerate(source_history):
        if entry["session_id"] in known:
            since = lesser(entry.get("recorded_seq", 0), known[entry["session_id"]])
            if since is not None:
                return Start(since, source_history[index:])
    return Start()


def lesser(one: Any, other: Any) -> Any:
    """The earlier of two sequences of one database; None when nobody can say which that is."""
    if one == other:
        return one
    first, second = _number(one), _number(other)
    if first is None or second is None or first == second:
        return None
    return one if first < second else other


def _number(sequence: Any) -> int | None:
    """The number a sequence begins with, in CouchDB as here; what follows says of which database it is."""
    digits = str(sequence).partition("-")[0]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None


def _history(checkpoint: dict[str, Any]) -> list[dict[str, Any]]:
    history = checkpoint.get("history")
    if not isinstance(history, list):
        return []
    return [entry for entry in history if isinstance(entry, dict) and isinstance(entry.get("session_id"), str)]


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a replication. `start_since` is where it began in the source's sequence."""

    session_id: str
    started: datetime.datetime
    start: Start


def record(
    session: Session, now: datetime.datetime, through: Any, counts: Counts, flat: bool = False
) -> dict[str, Any]:
    """The checkpoint's fields once everything up to the sequence `through` is on the target.

    `flat`: with the counts beside the history as well, as CouchDB does for `doc_ids`.
    """
    times = {"start_time": _http_date(session.started), "end_time": _http_date(now)}
    entry = {
        "session_id": session.session_id,
        **times,
        "start_last_seq": session.start.since,
        "end_last_seq": through,
        "recorded_seq": through,
        **counts.as_json(),
    }
    # A long session records itself many times: only its last record stays.
    earlier = [old for old in session.start.history if old["session_id"] != session.session_id]
    told = counts.as_json()
    beside = {**times, **{name: told[name] for name in ("docs_read", "docs_written", "doc_write_failures")}}
    return {
        "session_id": session.session_id,
        "source_last_seq": through,
        "replication_id_version": VERSION,
        **(beside if flat else {}),
        "history": [entry, *earlier][:KEPT_SESSIONS],
    }


def _http_date(when: datetime.datetime) -> str:
    return when.astimezone(datetime.UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
