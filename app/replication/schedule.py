"""When what runs: each connection on its interval, with back-off; on the manufacturer's node market and forecast.

Every run plans the next one, so a laptop that slept makes up for what it missed once, and a run that takes longer than
its interval is never run twice at a time. Changes of connections are noticed within seconds, without a restart; so is
a clock that was set, for what was planned by the old time might not come for years.
"""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_STOPPED

from app.clock_times import next_time, parse_times
from app.errors import IronbookError
from app.replication.backoff import delay_after_failure, delay_after_success, delay_until
from app.replication.conflicts import merge_conflicts
from app.replication.connections import Connection, connections, find_connection
from app.replication.members import settle_members
from app.replication.passes import run_pass, secrets_mark
from app.replication.running import AlreadyRunning
from app.replication.state import State, read_state, read_states

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

# Seconds. The tick looks for changed connections and for a network that is back.
TICK = 5.0
AGGREGATE = 15.0
MERGE = 60.0
# A clock that differs by so much from one tick to the next was set, or the computer slept.
_CLOCK_SET = 5.0
_PROBE_PATIENCE = 2.0
_WORKERS = 4


class Scheduler(BackgroundScheduler):  # type: ignore[misc]  # APScheduler 3 has no types
    """APScheduler 3 sets its state to stopped without the lock that its thread holds while it starts what is due.

    The thread then no longer finds the job it has just started, and would end with a traceback on the terminal.
    """

    def _process_jobs(self) -> float | None:
        try:
            wait: float | None = super()._process_jobs()
        except JobLookupError:
            if self.state != STATE_STOPPED:
                raise
            return None
        return wait


class Schedule:
    """The schedule of one node, in threads of this process. Start it once, stop it before the node is closed.

    `tick` and `aggregate` are in seconds: how often it looks for what changed, and how often the manufacturer's market
    is fed.
    """

    def __init__(self, node: Node, tick: float = TICK, aggregate: float = AGGREGATE) -> None:
        self._node = node
        self._every_tick = tick
        self._every_aggregate = aggregate
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        # APScheduler ends while it holds the lock that adding a job asks for, and waits for running jobs meanwhile: a
        # job that added its next run just then would wait for ever. Nothing is added while or after it ends.
        self._adding = threading.Lock()
        self._planned: dict[str, tuple[Connection, datetime]] = {}
        self._busy: set[str] = set()
        # Those that a person asked to be synced now and that have not begun: nothing but the stop takes that back.
        self._asked: set[str] = set()
        # What ends the running pass of each connection.
        self._ends: dict[str, threading.Event] = {}
        self._again: set[str] = set()
        # The connections whose upstream was seen to be off since their last sync.
        self._silent: set[str] = set()
        self._repeated: dict[str, Callable[[], None]] = {}
        self._clock = threading.Thread(target=self._watch_clock, name="clock of the schedule", daemon=True)
        self._scheduler = Scheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(_WORKERS)},
            job_defaults={"coalesce": True, "misfire_grace_time": None, "max_instances": 1},
        )

    def start(self) -> None:
        """Starts running what is due; every connection syncs once within seconds."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler.start()
        self._repeat("tick", self._tick, self._every_tick, 0.0)
        if self._node.is_manufacturer:
            self._repeat("aggregate", self._aggregate, self._every_aggregate, 0.0)
        else:
            self._repeat("merge", self._merge, MERGE, MERGE)
        self._clock.start()

    def stop(self) -> None:
        """Ends what runs as soon as it can be ended without harm, and returns then."""
        with self._adding:
            self._stopping.set()
        with self._lock:
            for end in self._ends.values():
                end.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
            self._clock.join()

    def run_soon(self, name: str) -> None:
        """Syncs the connection `name` now, paused or stopped ones too; after a running sync, once more.

        Raises UnknownConnection.
        """
        connection = find_connection(self._node, name)
        with self._lock:
            if name in self._busy:
                self._again.add(name)
                return
            self._asked.add(name)
            self._plan(connection, 0.0)

    def stop_running(self, name: str) -> bool:
        """Ends the running sync of `name` soon; the next one goes on from there. False when none runs here."""
        with self._lock:
            self._again.discard(name)
            end = self._ends.get(name)
            if end:
                end.set()
        return end is not None

    def next_run(self, name: str) -> datetime | None:
        """When the connection `name` syncs next by itself, UTC; None when it does not, or just now."""
        with self._lock:
            planned = self._planned.get(name)
            return planned[1] if planned else None

    def _repeat(self, name: str, work: Callable[[], None], every: float, first: float) -> None:
        def run() -> None:
            try:
                work()
            except IronbookError as error:
                log.warning("%s: %s", name, error)
            except Exception:
                log.exception("%s failed and is tried again in %s s", name, every)
            finally:
                self._add(name, run, every)

        self._repeated[name] = run
        self._add(name, run, first)

    def _watch_clock(self) -> None:
        """Plans everything anew when the clock was set. By the clock that nobody can set, so in a thread of its own."""
        before = _clock_ahead()
        while not self._stopping.wait(self._every_tick):
            now = _clock_ahead()
            if abs(now - before) > _CLOCK_SET:
                log.info("The clock was set by %.0f s: what is due is looked for anew.", now - before)
                with self._lock:
                    for name, (connection, _) in [*self._planned.items()]:
                        if name in self._asked:
                            self._plan(connection, 0.0)
                        else:
                            self._unplan(name)
                for name, run in self._repeated.items():
                    self._add(name, run, 0.0)
            before = now

    def _add(self, job: str, work: Callable[..., None], seconds: float, *arguments: Any) -> datetime:
        at = datetime.now(UTC) + timedelta(seconds=seconds)
        with self._adding:
            if not self._stopping.is_set():
                self._scheduler.add_job(work, "date", run_date=at, args=arguments, id=job, replace_existing=True)
        return at

    def _tick(self) -> None:
        states = read_states(self._node)
        known = {connection.name: connection for connection in connections(self._node)}
        with self._lock:
            for name in [*self._planned]:
                if name in self._asked:
                    continue
                if name not in known or not self._runs_by_itself(known[name], states.get(name)):
                    self._unplan(name)
            for name, connection in known.items():
                if name in self._busy or not self._runs_by_itself(connection, states.get(name)):
                    continue
                planned = self._planned.get(name)
                # Read again: a sync that ended since may have been told that its password is wrong.
                if (planned is None or planned[0] != connection) and self._runs_by_itself(
                    connection, read_state(self._node, name)
                ):
                    self._plan(connection, random.uniform(0.0, 1.0))  # noqa: S311 - spreads load, hides nothing
        for name, connection in known.items():
            state = states.get(name)
            if state and state.failure == "no_network" and self._waits_long(name) and self._is_back(connection):
                self.run_soon(name)

    def _is_back(self, connection: Connection) -> bool:
        """Whether its upstream answers again after it was silent.

        One that answered all along and fails nevertheless, on a line that cuts for example, is left to the back-off.
        """
        if not _answers(connection.url):
            self._silent.add(connection.name)
            return False
        return connection.name in self._silent

    def _runs_by_itself(self, connection: Connection, state: State | None) -> bool:
        if not connection.runs_by_itself or (state and state.paused):
            return False
        # Also when a person entered a password on the command line, which does not ask the store. By no clock: one that
        # was set back would offer a refused password again and again.
        return not (state and state.stopped) or secrets_mark(self._node) != state.secrets_mark

    def _waits_long(self, name: str) -> bool:
        at = self.next_run(name)
        return at is not None and at - datetime.now(UTC) > timedelta(seconds=self._every_tick)

    def _plan(self, connection: Connection, seconds: float) -> None:
        at = self._add(f"sync:{connection.name}", self._sync, seconds, connection.name)
        self._planned[connection.name] = (connection, at)

    def _unplan(self, name: str) -> None:
        self._planned.pop(name, None)
        with self._adding:
            if not self._stopping.is_set():
                with contextlib.suppress(JobLookupError):
                    self._scheduler.remove_job(f"sync:{name}")

    def _sync(self, name: str) -> None:
        with self._lock:
            self._planned.pop(name, None)
            self._asked.discard(name)
            if name in self._busy:
                self._again.add(name)
                return
            self._busy.add(name)
            self._silent.discard(name)
            end = self._ends[name] = threading.Event()
            if self._stopping.is_set():
                end.set()
        try:
            connection = find_connection(self._node, name)
            run_pass(self._node, connection, stop=end)
        except AlreadyRunning as error:
            log.info("%s", error)
        except IronbookError as error:
            log.warning("The sync with %s did not run: %s", name, error)
        finally:
            self._finished(name)

    def _finished(self, name: str) -> None:
        with self._lock:
            self._busy.discard(name)
            self._ends.pop(name, None)
            again = name in self._again
            self._again.discard(name)
        if self._stopping.is_set():
            return
        try:
            connection = find_connection(self._node, name)
            state = read_state(self._node, name)
            if state.failure == "no_network":
                self._is_back(connection)
            runs = self._runs_by_itself(connection, state)
            delay = 0.0 if again else self._next_delay(connection, state) if runs else None
        except IronbookError as error:
            # The tick plans it when the store answers again and the connection still exists.
            log.info("The connection %s is not planned: %s", name, error)
            return
        if delay is not None:
            with self._lock:
                self._plan(connection, delay)

    def _next_delay(self, connection: Connection, state: State) -> float | None:
        return next_delay(connection, state, random.random(), self._node.now())  # noqa: S311 - spreads load

    def _aggregate(self) -> None:
        from app.market.feed import feed_market
        from app.market.forecast import refresh_forecast
        from app.replication.dealers import note_syncs

        note_syncs(self._node)
        settle_members(self._node)
        feed_market(self._node, stop=self._stopping)
        refresh_forecast(self._node, stop=self._stopping)

    def _merge(self) -> None:
        merge_conflicts(self._node.book)
        settle_members(self._node)


def next_delay(connection: Connection, state: State, chance: float, now: datetime) -> float | None:
    """Seconds until the connection syncs next by itself, None for not at all.

    `chance` is random, from 0 to 1; `now` is in the time zone of clock times that name none of their own.
    """
    if not connection.runs_by_itself:
        return None
    if state.failures:
        # Also at clock times: what was missed is made up as soon as it can be.
        return max(delay_after_failure(state.failures, chance), state.wait_seconds)
    zone = ZoneInfo(connection.time_zone) if connection.time_zone else now.tzinfo
    moment = next_time(parse_times(connection.at), zone or UTC, now)
    return delay_until(moment, now, chance) if moment else delay_after_success(connection.every_minutes, chance)


def _clock_ahead() -> float:
    """Seconds by which the computer's clock is ahead of the one that nobody can set; only differences mean anything."""
    return datetime.now(UTC).timestamp() - time.monotonic()


def _answers(url: str) -> bool:
    """Whether something listens at this address: cheap, and harmless to an account."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "", port), timeout=_PROBE_PATIENCE):
            return True
    except OSError:
        return False
