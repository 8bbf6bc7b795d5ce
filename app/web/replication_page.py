"""What the replication page says about each connection and each sync (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from urllib.parse import unquote, urlsplit

from app.replication.connections import schedule_words
from app.replication.status import ConnectionStatus
from app.replication.sync_log import Entry
from app.web.ages import moment_of
from app.web.formatting import format_count, format_number, format_time


@dataclass(frozen=True)
class ConnectionCard:
    """One connection. `tone` and `state` are its badge; `next_run` is a moment, None when it does not run by itself."""

    name: str
    address: str
    user: str
    share: str
    every: str
    configured: bool
    tone: str
    state: str
    sentence: str
    running: bool
    done: int
    total: int
    paused: bool
    stopped: bool
    last_success: str
    failing_since: str
    failures: int
    unsent: int
    refused: int
    next_run: datetime | None


@dataclass(frozen=True)
class PassLine:
    """One line of the sync log."""

    id: str
    start: str
    seconds: float | None
    passes: int
    read: int
    written: int
    refused: int
    merged: int
    ok: bool
    sentence: str


def connection_card(found: ConnectionStatus, next_run: datetime | None) -> ConnectionCard:
    """The card of one connection; `next_run` is what the schedule plans."""
    connection, state, progress = found.connection, found.state, found.running
    tone, words = _badge(found)
    return ConnectionCard(
        name=connection.name,
        address=connection.url,
        user=connection.user,
        share="Everything, inside the dealership" if connection.shares_all else "What is shared with the manufacturer",
        every=schedule_words(connection),
        configured=connection.configured,
        tone=tone,
        state=words,
        sentence=found.sentence,
        running=progress is not None,
        done=progress.done if progress else 0,
        total=progress.done + progress.remaining if progress and progress.remaining is not None else 0,
        paused=state.paused,
        stopped=state.stopped,
        last_success=state.last_success,
        failing_since=state.failing_since,
        failures=state.failures,
        unsent=found.unsent,
        refused=state.refused,
        next_run=None if progress else next_run,
    )


def _badge(found: ConnectionStatus) -> tuple[str, str]:
    state = found.state
    if found.running:
        return "info", "Syncing"
    if state.paused:
        return "warning", "Paused"
    if state.stopped:
        return "bad", "Stopped: needs you"
    if state.failing_since:
        return "bad", "Not syncing"
    if state.refused:
        return "bad", f"{format_count(state.refused, 'document')} refused"
    if not state.last_success:
        return "", "Never synced"
    if found.unsent:
        return "warning", f"{format_count(found.unsent, 'change')} to send"
    return "good", "In sync"


def document_id_in(text: str) -> str:
    """The document id in what somebody pasted: the id itself, or the address of the document's page."""
    text = unquote(text.strip())
    if "//" in text or text.startswith("/"):
        text = urlsplit(text).path
        found = re.search(r"[^/]*:[^/]+(/.*)?$", text)
        text = found[0] if found else ""
        text = re.sub(r"/(edit|history)$", "", text)
    return text


def readable_times(sentence: str, zone: tzinfo | None = UTC) -> str:
    """A sentence with its times (ISO 8601 UTC) as pages show them, in the time zone `zone`."""
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", lambda found: format_time(found[0], zone), sentence)


def pass_lines(entries: Iterable[Entry]) -> list[PassLine]:
    """The lines of the sync log, in the order given."""
    return [
        PassLine(
            id=entry.id,
            start=entry.start,
            seconds=_seconds(entry),
            passes=entry.passes,
            read=entry.read,
            written=entry.written,
            refused=entry.failed,
            merged=entry.merged,
            ok=entry.ok,
            sentence=pass_sentence(entry),
        )
        for entry in entries
    ]


def _seconds(entry: Entry) -> float | None:
    """How long the pass took; None for a line that stands for several passes."""
    if entry.passes > 1:
        return None
    start, end = moment_of(entry.start), moment_of(entry.end)
    return max(0.0, (end - start).total_seconds()) if start and end else None


def pass_sentence(entry: Entry) -> str:
    """What happened, in words."""
    if not entry.ok:
        words = entry.sentence
    else:
        done = []
        if entry.read or entry.written:
            done.append(f"{format_count(entry.written, 'document')} brought over")
        if entry.merged:
            done.append(f"{format_count(entry.merged, 'document')} merged")
        if entry.disputes:
            done.append(f"{format_count(entry.disputes, 'difference')} to decide")
        if entry.failed:
            done.append(f"{format_count(entry.failed, 'document')} refused")
        words = (", ".join(done) or "nothing to do").capitalize() + "."
        if entry.sentence:
            words = f"{words} {entry.sentence}"
    return f"{words} {format_number(entry.passes)} times." if entry.passes > 1 else words
