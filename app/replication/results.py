"""What one sync did, as plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.replication.failures import Failure
from app.replication.pace import size_of, words_of


@dataclass(frozen=True)
class Step:
    """One replication of a pass. `name` is what a person reads; counts are documents of this run alone."""

    name: str
    read: int
    written: int
    failed: int
    seconds: float


@dataclass(frozen=True)
class Progress:
    """How far a running sync is: documents of the current step that are through, and how many are still to come.

    A step that was stopped goes on counting where it was. `remaining` is None while the store does not say;
    `bytes_moved` (over the network, in this step) where it does not count them; `seconds_left` until it can be told.
    """

    step: str
    done: int
    remaining: int | None
    bytes_moved: int | None = None
    seconds_left: float | None = None

    @property
    def words(self) -> str:
        """How far it is: ``1,200 done, 3,400 to go, 2.1 MB, about a minute left``; empty while nothing is known."""
        said = [f"{self.done:,} done"] if self.done or self.remaining else []
        if self.remaining:
            said.append(f"{self.remaining:,} to go")
        if self.bytes_moved:
            said.append(size_of(self.bytes_moved))
        if self.remaining and self.seconds_left is not None:
            said.append(f"{words_of(self.seconds_left)} left")
        return ", ".join(said)


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class PassResult:
    """One sync. Times are ISO 8601 UTC; `failure` is None when everything worked.

    `refused` counts the documents that one side does not take from the other, as listed after this pass. `note` is a
    sentence about what a person should know of a sync that worked, usually empty.
    """

    connection: str
    start: str
    end: str
    steps: tuple[Step, ...]
    merged: int
    disputes: int
    refused: int
    failure: Failure | None
    note: str = ""

    @property
    def read(self) -> int:
        """Documents read in all steps."""
        return sum(step.read for step in self.steps)

    @property
    def written(self) -> int:
        """Documents written in all steps."""
        return sum(step.written for step in self.steps)

    @property
    def failed(self) -> int:
        """Documents refused in all steps of this run."""
        return sum(step.failed for step in self.steps)

    @property
    def error(self) -> str:
        """The sentence that says what went wrong; empty when everything worked."""
        return self.failure.sentence if self.failure else ""

    @property
    def quiet(self) -> bool:
        """Whether there was nothing to do."""
        return self.failure is None and not self.note and not (self.read or self.written or self.failed or self.merged)


def session_counts(answer: Mapping[str, Any]) -> tuple[int, int, int]:
    """Documents read, written and refused by the run that gave this answer of ``_replicate``.

    The counts in ``history[0]`` add up over all sessions of one replication id (measured on CouchDB 3.5), so the
    session before is taken off; an answer with ``no_changes`` repeats an old session.
    """
    history = answer.get("history") or []
    if answer.get("no_changes") or not history:
        return 0, 0, 0
    before: Mapping[str, Any] = history[1] if len(history) > 1 else {}
    keys = ("docs_read", "docs_written", "doc_write_failures")
    read, written, failed = (int(history[0].get(key, 0)) - int(before.get(key, 0)) for key in keys)
    return max(read, 0), max(written, 0), max(failed, 0)


def written_ever(answer: Mapping[str, Any]) -> int:
    """Documents written in all sessions of this replication id so far."""
    history = answer.get("history") or []
    return int(history[0].get("docs_written", 0)) if history else 0


def failures_ever(answer: Mapping[str, Any]) -> int:
    """Documents refused in all sessions of this replication id so far."""
    history = answer.get("history") or []
    return int(history[0].get("doc_write_failures", 0)) if history else 0
