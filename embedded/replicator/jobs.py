"""Replications that run: starting them, waiting for them, listing and cancelling them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from embedded import active_tasks
from embedded.http.errors import HttpError, not_found, unauthorized
from embedded.replicator.errors import Cancelled, ReplicationError
from embedded.replicator.http_transport import HttpTransport
from embedded.replicator.local_transport import LocalTransport, application_for
from embedded.replicator.peer import Peer
from embedded.replicator.request import Replication, Side
from embedded.replicator.session import Session
from embedded.replicator.transport import Transport
from embedded.store_identity import store_uuid

if TYPE_CHECKING:
    from embedded.security import User
    from embedded.server import Store

log = logging.getLogger("embedded.replicator")

_FIRST_BACK_OFF = 1.0
_LONGEST_BACK_OFF = 300.0
_ENDING_SECONDS = 1.0
_HOPELESS = ("replication_auth_error", "unauthorized", "forbidden", "db_not_found", "filter_fetch_error")
"""Errors after which a continuous replication ends: trying a wrong password again would lock its user out."""


@dataclass(slots=True)
class Job:
    """A replication that runs in a thread. `outcome` is set in the event loop when it is over."""

    id: str
    replication: Replication
    user: User
    outcome: asyncio.Future[dict[str, Any]]
    cancelled: threading.Event = field(default_factory=threading.Event)
    transports: list[Transport] = field(default_factory=list)

    def bytes_moved(self) -> dict[str, Any]:
        """What went over the network, as `_active_tasks` lists it: CouchDB has no such field."""
        return {"bytes_transferred": sum(transport.bytes_moved for transport in self.transports)}


class Replications:
    """All running replications of a store. Its methods are for the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jobs: dict[str, Job] = {}
        self._running: set[asyncio.Future[dict[str, Any]]] = set()
        store.endings.append(self.end)
        self.server = store_uuid(store.directory)
        self._tasks = active_tasks.of_store(store.shared)

    def start(self, replication: Replication, user: User) -> Job:
        """Start it; the same one that runs already is joined, not started twice."""
        id = replication.job_id(self.server)
        job = self._jobs.get(id)
        if job is None:
            job = Job(id, replication, user, self._store.loop.create_future())
            self._jobs[id] = job
            self._running.add(job.outcome)
            job.outcome.add_done_callback(self._running.discard)
            threading.Thread(target=self._run, args=(job,), name="replication", daemon=True).start()
        return job

    def cancel(self, id: str, user: User) -> None:
        """End a running replication. Raises 404 when it does not run, 401 when it is somebody else's."""
        job = self._jobs.get(id)
        if job is None:
            raise not_found()
        if not user.is_server_admin and user.name != job.user.name:
            raise unauthorized("Another user started this replication, so only that user or an admin can cancel it.")
        job.cancelled.set()
        del self._jobs[id]

    async def outcome(self, job: Job) -> dict[str, Any]:
        """CouchDB's answer when it is over. A caller that does not wait for the end does not end the replication.

        Raises ReplicationError, and 503 when the store ends first.
        """
        stopping = asyncio.ensure_future(self._store.stopping.wait())
        either: set[asyncio.Future[Any]] = {job.outcome, stopping}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        if not job.outcome.done():
            raise HttpError(503, "stopping", "The store ends; the next replication goes on from where this one was.")
        return job.outcome.result()

    async def end(self) -> None:
        """Stop all replications, so that nothing reads the databases any more. Peers that are silent are left alone."""
        jobs = list(self._jobs.values())
        for job in jobs:
            job.cancelled.set()
        if self._running:
            await asyncio.wait(self._running, timeout=_ENDING_SECONDS)
        for job in jobs:
            for transport in job.transports:
                transport.close()
        # Cancelled requests let go of their databases in the next turns of the loop.
        await asyncio.sleep(0.01)

    # --- in the job's thread

    def _run(self, job: Job) -> None:
        try:
            with self._tasks.running("replication", job.bytes_moved, **_task_fields(job)) as task:
                if job.replication.continuous:
                    self._run_for_ever(job, task)
                    raise Cancelled
                answer = self._run_once(job, task)
        except Exception as error:
            self._end(job, None, error)
        else:
            self._end(job, answer, None)

    def _run_for_ever(self, job: Job, task: active_tasks.Task) -> None:
        wait = _FIRST_BACK_OFF
        while not job.cancelled.is_set():
            started = time.monotonic()
            try:
                self._run_once(job, task)
            except ReplicationError as error:
                if error.error in _HOPELESS:
                    raise
                if time.monotonic() - started > _LONGEST_BACK_OFF:
                    wait = _FIRST_BACK_OFF
                log.warning("Replication %s pauses for %.0f s: %s", job.id, wait, error.reason)
            if job.cancelled.wait(wait):
                return
            wait = min(2 * wait, _LONGEST_BACK_OFF)

    def _run_once(self, job: Job, task: active_tasks.Task) -> dict[str, Any]:
        with contextlib.ExitStack() as stack:
            source, target = (self._peer(side, job) for side in (job.replication.source, job.replication.target))
            job.transports = [source.transport, target.transport]
            stack.callback(source.close)
            stack.callback(target.close)
            session = Session(
                job.replication, self.server, source, target, job.cancelled, lambda told: task.update(**told)
            )
            return session.run()

    def _peer(self, side: Side, job: Job) -> Peer:
        has_password, retries = side.password is not None, job.replication.retries
        return Peer(side.address, self._transport(side, job), has_password, job.cancelled, retries)

    def _transport(self, side: Side, job: Job) -> Transport:
        seconds = job.replication.timeout_seconds
        if side.database is None:
            return HttpTransport(side, seconds)
        if side.as_caller:
            return LocalTransport(application_for(self._store, job.user), side.database, {}, seconds)
        headers = {header.lower(): value for header, value in side.headers}
        if side.user is not None:
            headers["authorization"] = side.basic_header()
        return LocalTransport(application_for(self._store, None), side.database, headers, seconds)

    def _end(self, job: Job, answer: dict[str, Any] | None, error: Exception | None) -> None:
        if error is not None and not isinstance(error, (Cancelled, HttpError)):
            log.error("Replication %s failed", job.id, exc_info=error)
            error = ReplicationError("internal_error", "The replicator has a defect here; the store's log says where.")
        elif isinstance(error, ReplicationError) and job.replication.continuous:
            log.error("Replication %s has ended: %s", job.id, error.reason)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the store is ending
            self._store.loop.call_soon_threadsafe(self._settle, job, answer, error)

    def _settle(self, job: Job, answer: dict[str, Any] | None, error: Exception | None) -> None:
        if self._jobs.get(job.id) is job:
            del self._jobs[job.id]
        if job.outcome.done():
            return
        if answer is not None:
            job.outcome.set_result(answer)
        elif isinstance(error, Cancelled):
            job.outcome.set_result({"ok": True, "_local_id": job.id})
        else:
            assert error is not None
            job.outcome.set_exception(error)
            # Nobody may be waiting for it: a continuous one, or a client that has gone.
            job.outcome.exception()


def _task_fields(job: Job) -> dict[str, Any]:
    return {
        "database": None,
        "doc_id": None,
        "user": job.user.name,
        "replication_id": job.id,
        "source": job.replication.source.address,
        "target": job.replication.target.address,
        "continuous": job.replication.continuous,
        "checkpoint_interval": int(job.replication.checkpoint_seconds * 1000),
        "changes_pending": None,
        "docs_read": 0,
        "docs_written": 0,
        "doc_write_failures": 0,
    }


def of_store(store: Store) -> Replications:
    """The running replications of a store, kept in `Store.shared`."""
    replications: Replications | None = store.shared.get(__name__)
    if replications is None:
        replications = store.shared[__name__] = Replications(store)
    return replications
