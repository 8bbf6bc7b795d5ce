"""One sync over one connection: pull the catalog and the book, push the book, merge, push the merges.

Every replication is the store's own ``_replicate``: checkpointed, resumable, and done by CouchDB where CouchDB is the
store. A pass that is cut off anywhere leaves nothing half done; the next one goes on from the checkpoints.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.couch import Database, Store, StoreError, Unreachable
from app.errors import ConfigurationError, IronbookError
from app.replication import acquaintance, refusals, reports, small_first, sync_log
from app.replication.conflicts import MergeReport, merge_conflicts
from app.replication.connections import ALL_DOCUMENTS, Connection, is_the_manufacturers, password_of
from app.replication.failures import Failure, failure, failure_of, failure_of_replication, kind_of
from app.replication.pace import Pace
from app.replication.passwords import has_joined, reach
from app.replication.results import (
    PassResult,
    Progress,
    ProgressCallback,
    Step,
    failures_ever,
    session_counts,
    written_ever,
)
from app.replication.running import only_one, running
from app.replication.state import (
    State,
    change_state,
    changed_document,
    forget_unwritten,
    keep_unwritten,
    read_state,
    status_id,
)
from app.replication.watching import Show, watched

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

PULL_CATALOG = "Pull the catalog"
PULL_BOOK = "Pull the book"
PUSH_BOOK = "Push the book"
MERGE = "Merge conflicts"
PUSH_MERGES = "Push the merges"
# The pushes of a pass are one replication to the store, which counts them together.
_DIRECTIONS = {PULL_CATALOG: "catalog", PULL_BOOK: "pull", PUSH_BOOK: "push", PUSH_MERGES: "push"}
_PRUNED_EVERY = 50


class _Ended(IronbookError):  # noqa: N818
    """The pass cannot go on; says why."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.sentence)
        self.failure = why


def run_pass(
    node: Node,
    connection: Connection,
    progress: ProgressCallback | None = None,
    stop: threading.Event | None = None,
    wait: float = 0.0,
) -> PassResult:
    """Syncs once over `connection` and logs it. What went wrong is in the result's `failure`, not raised.

    `progress` is called from another thread while a step runs. Setting `stop` ends the pass soon; what was done
    stays. Raises AlreadyRunning when another sync of this connection is still under way after `wait` seconds.
    """
    with only_one(node, connection.name, wait):
        one = _Pass(node, connection, progress, stop or threading.Event())
        return one.run()


@dataclass
class _Pass:
    node: Node
    connection: Connection
    progress: ProgressCallback | None
    stop: threading.Event
    steps: list[Step] = field(default_factory=list)
    merges: MergeReport = field(default_factory=MergeReport)
    refused: int = 0
    note: str = ""
    # Documents that each direction had written in all sessions: before this pass, and as far as it has come.
    counted: dict[str, int] = field(default_factory=dict)

    def run(self) -> PassResult:
        start = _now()
        mark = secrets_mark(self.node)
        before, reached = None, dict[str, Any]()
        try:
            before = read_state(self.node, self.connection.name)
            self.counted = dict(before.counted)
            reached = self._replicate_all(before)
            why = None
        except _Ended as ended:
            why = ended.failure
        except ConfigurationError as error:
            why = Failure("wrong_password", str(error))
        except StoreError as error:
            kind = "disk_full_here" if kind_of(f"{error.error} {error.reason}") == "disk_full" else "store"
            why = failure(kind, self.connection.url, reason=str(error))
            log.exception("The sync with %s met an error of this node's own store", self.connection.name)
        if why and before:
            self.refused = before.refused
        result = PassResult(
            self.connection.name, start, _now(), tuple(self.steps), self.merges.merged, self.merges.disputes,
            self.refused, why, self.note,
        )  # fmt: skip
        if before:
            self._remember(before, result, reached | {"secrets_mark": mark, "counted": self.counted})
        return result

    def _replicate_all(self, before: State) -> dict[str, Any]:
        with self._talking():
            there = reach(self.node, self.connection, password_of(self.node, self.connection))
            if self.connection.shares_all and is_the_manufacturers(there.database(self.connection.book)):
                raise _Ended(failure("beyond_the_dealership", self.connection.url))
            meeting = acquaintance.meet(self.node, self.connection, there.database(self.connection.book))
        self.note = meeting.reason
        up = there.endpoint
        self._step(PULL_CATALOG, up(self.connection.catalog), "catalog", meeting.selector(ALL_DOCUMENTS))
        catalog_changed = self.steps[-1].written > 0
        selector = meeting.selector(self.connection.book_selector)
        here, far = self.node.book, there.database(self.connection.book)
        # Where everything is compared again, so it is here.
        since = (0, 0) if self.note else (before.pulled_seq, before.pushed_seq)
        pulled = self._book_step(PULL_BOOK, (far, here), since[0], (up(far.name), "book"), selector)
        pushed = self._book_step(PUSH_BOOK, (here, far), since[1], ("book", up(far.name)), selector)
        self.merges = merge_conflicts(here, self._showing(MERGE), self.stop)
        if self.stop.is_set():
            raise _Ended(failure("stopped", self.connection.url))
        if self.merges.written:
            pushed = self._step(PUSH_MERGES, "book", up(self.connection.book), selector)
        self._ask_about_refusals(there, before, pulled, pushed)
        if catalog_changed:
            self._refresh_design()
        with self._talking():
            if any(step.read or step.written for step in self.steps):
                acquaintance.part(self.node, self.connection, there.database(self.connection.book), meeting)
            told = refusals.told_upstream(self.node, self.connection.name, reports.MOST_TOLD) if self.refused else ()
            reports.report_sync(self.node, there.database(self.connection.book), self.refused, told)
        return {
            "pulled_seq": pulled.get("source_last_seq", before.pulled_seq),
            "pushed_seq": pushed.get("source_last_seq", before.pushed_seq),
            "pull_failures": failures_ever(pulled),
            "push_failures": failures_ever(pushed),
        }

    def _refresh_design(self) -> None:
        """Compiles what forms and views came with the catalog. One that cannot work must not undo the sync."""
        from app.design import installing

        try:
            installing.install(self.node)
        except IronbookError as error:
            log.warning("The design that came from %s could not be installed: %s", self.connection.name, error)

    def _ask_about_refusals(self, there: Store, before: State, pulled: dict[str, Any], pushed: dict[str, Any]) -> None:
        # What a pass that was cut off met counts as well; after a restored backup the sums may have gone back.
        counted = self._failed(PUSH_BOOK, PUSH_MERGES) or failures_ever(pushed) not in (0, before.push_failures)
        missed = self._failed(PULL_BOOK) or failures_ever(pulled) not in (0, before.pull_failures)
        if not (counted or missed or before.refused):
            return
        here, far = self.node.book, there.database(self.connection.book)

        def looked_from(seq: Any) -> Any:
            return 0 if self.note else seq

        with self._talking():
            self.refused = refusals.refresh(
                self.node,
                self.connection,
                before.passes,
                refusals.Direction("push", here, far, looked_from(before.pushed_seq) if counted else None),
                refusals.Direction("pull", far, here, looked_from(before.pulled_seq) if missed else None),
            )

    def _failed(self, *names: str) -> bool:
        return any(step.failed for step in self.steps if step.name in names)

    def _book_step(
        self, name: str, books: tuple[Database, Database], since: Any, sides: tuple[Any, Any], selector: dict[str, Any]
    ) -> dict[str, Any]:
        """A step in which small documents go first when files are waiting; its counts are of both together.

        `books` and `sides` are the source and the target, as we ask them and as the replicator is told of them.
        """
        with self._talking():
            waiting = small_first.files_are_waiting(*books, since, selector)
        if not waiting:
            return self._step(name, *sides, selector)
        started = time.monotonic()
        shown = f"{name}: documents without files first"
        answer = self._replicate(shown, *sides, small_first.without_files(selector, since))
        counts = [session_counts(answer)]
        # A whole book is looked through once, not again for the few with files.
        there_to = small_first.everything_is_there_to(answer, since)
        if there_to is not None:
            counts.append(session_counts(self._replicate(name, *sides, small_first.with_files(selector, since))))
        answer = self._step(name, *sides, selector, None if counts[-1][2] else there_to)
        last = self.steps.pop()
        read, written = last.read + sum(one[0] for one in counts), last.written + sum(one[1] for one in counts)
        # What was refused at first was offered again, and is counted there.
        self.steps.append(Step(name, read, written, last.failed, round(time.monotonic() - started, 3)))
        return answer

    def _step(self, name: str, source: Any, target: Any, selector: dict[str, Any], since: Any = None) -> dict[str, Any]:
        """One replication with checkpoints; `since` when all before that is known to be there."""
        started = time.monotonic()
        direction = _DIRECTIONS[name]
        options = {"selector": selector} if since is None else {"selector": selector, "since_seq": since}
        answer = self._replicate(name, source, target, options, self.counted.get(direction, 0))
        self.counted[direction] = written_ever(answer)
        read, written, failed = session_counts(answer)
        self.steps.append(Step(name, read, written, failed, round(time.monotonic() - started, 3)))
        return answer

    def _replicate(
        self, shown: str, source: Any, target: Any, options: dict[str, Any], written_before: int = 0
    ) -> dict[str, Any]:
        """One replication, shown as `shown`; `written_before` counts what its former sessions wrote."""
        if self.stop.is_set():
            raise _Ended(failure("stopped", self.connection.url))
        show = self._showing(shown, written_before)
        with watched(self.node.store, source, target, options, show, self.stop), self._replicating():
            answer = self.node.store.replicate(source, target, **options)
        if self.stop.is_set():
            raise _Ended(failure("stopped", self.connection.url))
        return answer

    def _showing(self, shown: str, before: int = 0) -> Show:
        """Shows that a step begins; returns what shows how far it is, from how much was done `before` it began."""
        self._show(Progress(shown, 0, None))
        pace = Pace()

        def show(done: int, remaining: int | None, bytes_moved: int | None = None) -> None:
            # Fewer than before: the replication began anew, as after a restored backup.
            mine = done - before if done >= before else done
            self._show(Progress(shown, mine, remaining, bytes_moved, pace.left(time.monotonic(), remaining)))

        return show

    def _show(self, now: Progress) -> None:
        running(self.node).set(self.connection.name, now)
        if self.progress:
            self.progress(now)

    @contextlib.contextmanager
    def _talking(self) -> Iterator[None]:
        """Requests of our own to the upstream: an error is the upstream's."""
        try:
            yield
        except StoreError as error:
            joined = has_joined(self.node, self.connection.name)
            raise _Ended(failure_of(error, self.connection.url, self.connection.user, joined)) from error

    @contextlib.contextmanager
    def _replicating(self) -> Iterator[None]:
        """Requests to our own store about both: only an answer can be about the upstream."""
        try:
            yield
        except Unreachable as error:
            raise _Ended(failure("store", self.connection.url, reason=str(error))) from error
        except StoreError as error:
            if self.stop.is_set():
                raise _Ended(failure("stopped", self.connection.url)) from error
            log.warning("The sync with %s failed: %s", self.connection.name, error)
            url, user = self.connection.url, self.connection.user
            joined = has_joined(self.node, self.connection.name)
            raise _Ended(failure_of_replication(error, url, user, self.node.store.url, joined)) from error

    def _remember(self, before: State, result: PassResult, reached: dict[str, Any]) -> None:
        try:
            self._write_down(before, result, reached)
        except StoreError:
            # The disk is full, or the store was stopped or killed meanwhile. What is said here must be shown all the
            # same, and waited upon; the next pass finds out by itself what this one did.
            log.exception("The sync with %s could not be logged", self.connection.name)
            keep_unwritten(self.node, self.connection.name, _changes(before, result, reached))

    def _write_down(self, before: State, result: PassResult, reached: dict[str, Any]) -> None:
        """Writes the log's entry and the connection's state, in one request when nobody else writes meanwhile."""
        local, name = self.node.local, self.connection.name
        found = local.get_many([status_id(name), *([before.last_log] if before.last_log else [])])
        entry = sync_log.next_entry(result, found.get(before.last_log))
        changes = _changes(before, result, reached) | {"last_log": entry["_id"]}
        written = local.bulk([entry, changed_document(found.get(status_id(name)), name, changes)])
        if written[1].error:
            change_state(self.node, name, **changes)
        forget_unwritten(self.node, name)
        if entry["_id"] != before.last_log and before.passes % _PRUNED_EVERY == _PRUNED_EVERY - 1:
            sync_log.prune(self.node, name)


def _changes(before: State, result: PassResult, reached: dict[str, Any]) -> dict[str, Any]:
    """What a pass changes in the state of its connection."""
    changes: dict[str, Any] = {
        "last_start": result.start,
        "last_end": result.end,
        "passes": before.passes + 1,
        "refused": result.refused,
        "failure": result.failure.kind if result.failure else "",
        "sentence": result.error,
        "wait_seconds": result.failure.wait_seconds if result.failure else 0,
        **reached,
    }
    if result.failure is None:
        return changes | {"failures": 0, "failing_since": "", "stopped": False, "last_success": result.end}
    if result.failure.kind == "stopped":
        return changes
    return changes | {
        "failures": before.failures + 1,
        "failing_since": before.failing_since or result.start,
        "stopped": result.failure.needs_a_person,
    }


def secrets_mark(node: Node) -> str:
    """What changes whenever a password is kept here, whatever the computer's clock says."""
    try:
        found = node.secrets.path.stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}-{found.st_ino}-{found.st_size}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
