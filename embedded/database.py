"""One database: its file, its connections, and the one queue every write goes through.

Reading and writing functions take a connection (`reading`) or a `Writer` (`writing`) first; they run in worker threads,
so they may take their time. From the event loop: `await database.reading(function, *arguments)`. From a worker thread:
`database.read(function, *arguments)` and `database.write(function, *arguments)`.

Several writes that wait at the same time are committed together: one `fsync` for all. Each is a savepoint of its own,
so one that fails takes nothing with it. `writing` returns after the commit is on the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import shutil
import sqlite3
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from embedded import database_schema
from embedded.database_writer import Writer
from embedded.http import json_text
from embedded.http.errors import HttpError, no_database

P = ParamSpec("P")
T = TypeVar("T")

_IDLE_CONNECTIONS = 4
_WRITES_A_COMMIT = 128


@dataclass(slots=True)
class _Write:
    function: Callable[[Writer], Any]
    future: Future[Any]


class Database:
    """An open database. `uuid` is made with the file: a database deleted and made again is another one.

    `make_room` is called before a file is opened once more, so that there are never too many open at the same time.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        readers: Executor,
        writers: Executor,
        slow: Executor,
        loop: asyncio.AbstractEventLoop,
        make_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.path = path
        self.closed = False
        self.compacting = False
        self._make_room = make_room
        self._readers = readers
        self._writers = writers
        self._slow = slow
        self._loop = loop
        self._lock = threading.Condition()
        self._idle: list[sqlite3.Connection] = []
        self._in_use = 0
        self._queue: deque[_Write] = deque()
        self._draining = False
        self._waiting: set[asyncio.Future[None]] = set()
        self.cache: dict[str, Any] = {}
        """What other modules remember about this database (parsed design documents and the like), by their own keys."""
        self.last_used = time.monotonic()
        connection = database_schema.connect(path)
        try:
            database_schema.upgrade(connection)
        except BaseException:
            connection.close()
            raise
        self._writer = Writer(connection)
        self._writer_is_open = True
        self._writer.load()
        self.update_seq = self._writer.update_seq
        self.properties: dict[str, str] = dict(connection.execute("SELECT name, value FROM properties"))
        self.uuid = self.properties["uuid"]
        self.partitioned = self.properties.get("partitioned") == "true"

    # --- reading

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for reading. What is read inside is one moment: later commits do not show."""
        with self._lock:
            if self.closed:
                raise no_database()
            self._in_use += 1
            self.last_used = time.monotonic()
            connection = self._idle.pop() if self._idle else None
        try:
            if connection is None:
                self._make_room()
                connection = database_schema.connect(self.path)
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")
        finally:
            with self._lock:
                self._in_use -= 1
                if connection is not None and (self.closed or len(self._idle) >= _IDLE_CONNECTIONS):
                    connection.close()
                elif connection is not None:
                    self._idle.append(connection)
                self._lock.notify_all()

    def read(self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a worker thread: run `function(connection, …)`."""
        with self.connection() as connection:
            return function(connection, *args, **kwargs)

    async def reading(
        self, function: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """From the event loop: run `function(connection, …)` in a worker thread."""
        return await self._loop.run_in_executor(self._readers, lambda: self.read(function, *args, **kwargs))

    async def in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """From the event loop: run work that takes its time but no connection, where it keeps no read waiting."""
        return await self._loop.run_in_executor(self._slow, lambda: function(*args, **kwargs))

    async def reading_index(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """From the event loop: run what reads an index, among the reads of the database."""
        return await self._loop.run_in_executor(self._readers, lambda: function(*args, **kwargs))

    async def streaming(
        self, function: Callable[Concatenate[sqlite3.Connection, P], Iterator[T]], *args: P.args, **kwargs: P.kwargs
    ) -> AsyncIterator[T]:
        """From the event loop: what the generator `function(connection, …)` yields, on one snapshot.

        Each step runs in a worker thread, so what is yielded should be a piece worth the trip.
        """
        nothing = object()
        with self.connection() as connection:
            steps = function(connection, *args, **kwargs)
            try:
                while True:
                    running = self._loop.run_in_executor(self._readers, next, steps, nothing)
                    try:
                        step = await asyncio.shield(running)
                    except asyncio.CancelledError:
                        # The step still uses the connection; nobody else may before it ends.
                        await asyncio.wait([running])
                        raise
                    if step is nothing:
                        return
                    yield step  # type: ignore[misc]
            finally:
                if isinstance(steps, Generator):
                    steps.close()

    # --- writing

    def write(self, function: Callable[Concatenate[Writer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """In a worker thread: run `function(writer, …)` in a transaction; returns when it is on the disk."""
        return self._enqueue(lambda writer: function(writer, *args, **kwargs)).result()

    async def writing(self, function: Callable[Concatenate[Writer, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """From the event loop: run `function(writer, …)` in a transaction; returns when it is on the disk."""
        future = self._enqueue(lambda writer: function(writer, *args, **kwargs))
        return await asyncio.shield(asyncio.wrap_future(future))

    def _enqueue(self, function: Callable[[Writer], T]) -> Future[T]:
        write = _Write(function, Future())
        with self._lock:
            if self.closed:
                raise no_database()
            self.last_used = time.monotonic()
            self._queue.append(write)
            if self._draining:
                return write.future
            self._draining = True
        self._writers.submit(self._drain)
        return write.future

    def _drain(self) -> None:
        """Commit what waits, until nothing does. One thread at a time is in here."""
        while True:
            with self._lock:
                batch = [self._queue.popleft() for _ in range(min(len(self._queue), _WRITES_A_COMMIT))]
                if not batch:
                    self._draining = False
                    self._lock.notify_all()
                    return
            self._commit(batch)

    def _commit(self, batch: list[_Write]) -> None:
        writer = self._writer
        before = writer.counters()
        outcomes: list[tuple[_Write, Any, BaseException | None]] = []
        try:
            if not self._writer_is_open:
                self._make_room()
                writer.connection = database_schema.connect(self.path)
                self._writer_is_open = True
            writer.connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._run(write) for write in batch]
            if writer.counters() != before:
                writer.save()
            writer.connection.execute("COMMIT")
        except BaseException as error:
            self._recover()
            writer.restore(before)
            self.cache.clear()
            failure = storage_error(error)
            for write in batch:
                write.future.set_exception(failure)
            return
        changed = writer.update_seq != self.update_seq
        self.update_seq = writer.update_seq
        for write, result, problem in outcomes:
            if problem is not None:
                write.future.set_exception(problem)
            else:
                write.future.set_result(result)
        if changed:
            self._announce()

    def _recover(self) -> None:
        """After a failed transaction: roll back, or begin with a new connection where even that fails."""
        with contextlib.suppress(sqlite3.Error):
            if self._writer.connection.in_transaction:
                self._writer.connection.execute("ROLLBACK")
        if self._writer.connection.in_transaction:
            with contextlib.suppress(sqlite3.Error):
                self._writer.connection.close()
            self._writer_is_open = False

    def _run(self, write: _Write) -> tuple[_Write, Any, BaseException | None]:
        writer = self._writer
        before = writer.counters()
        writer.connection.execute("SAVEPOINT one_write")
        try:
            result = write.function(writer)
        except sqlite3.Error as error:
            if not writer.connection.in_transaction:
                raise
            problem: BaseException = storage_error(error)
        except Exception as error:
            problem = error
        else:
            writer.connection.execute("RELEASE one_write")
            return write, result, None
        writer.connection.execute("ROLLBACK TO one_write")
        writer.connection.execute("RELEASE one_write")
        writer.restore(before)
        self.cache.clear()
        return write, None, problem

    # --- waiting for changes

    def _announce(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: the store is ending
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(None)

    async def wait_for_change(self, after: int, seconds: float | None) -> bool:
        """Wait until there is a change after `after` (then True) or the time is over (False).

        Returns True at once when the database is closed or deleted while waiting: look at `closed`.
        """
        if self.update_seq > after or self.closed:
            return True
        future: asyncio.Future[None] = self._loop.create_future()
        self._waiting.add(future)
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(future)
        return True

    # --- properties

    def security(self) -> dict[str, Any]:
        """The `_security` object; CouchDB 3's default admits server admins only."""
        parsed: dict[str, Any] | None = self.cache.get("security")
        if parsed is None:
            default = '{"members":{"roles":["_admin"]},"admins":{"roles":["_admin"]}}'
            parsed = json_text.stored(self.properties.get("security", default))
            self.cache["security"] = parsed
        return parsed

    async def set_property(self, name: str, value: str) -> None:
        await self.writing(_set_property, name, value)
        self.properties[name] = value
        self.cache.clear()

    @property
    def revs_limit(self) -> int:
        return int(self.properties.get("revs_limit", "1000"))

    # --- sequences

    def sequence(self, number: int) -> str:
        """A sequence number as clients see it. The second half says of which database it is."""
        return f"{number}-{self.uuid[:16]}"

    def parse_since(self, given: str) -> int:
        """The number in a sequence a client gives back; 0 when it is of another database (deleted and made again)."""
        number, _, token = given.strip('"').partition("-")
        if not number.isascii() or not number.isdigit() or len(number) > 18 or (not token and int(number)):
            raise HttpError(400, "bad_request", "Malformed sequence supplied in 'since' parameter.")
        return int(number) if token == self.uuid[:16] else 0

    # --- files

    def index_directory(self) -> Path:
        """Where indexes of this database live; deleted with it. Indexes can always be built again."""
        return self.path.with_suffix(".indexes")

    def open_connections(self) -> int:
        return self._in_use + len(self._idle) + self._writer_is_open

    def rest(self) -> None:
        """Close the connections if nobody uses the database now; they are opened again when somebody does."""
        with self._lock:
            if self._in_use == 0 and not self._draining:
                self._close_connections()

    def _close_connections(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        if self._writer_is_open:
            self._writer.connection.close()
            self._writer_is_open = False

    def close(self, *, delete: bool = False) -> None:
        """In a worker thread: let running reads and writes end, close every connection, and with `delete` the files."""
        with self._lock:
            self.closed = True
            self._lock.wait_for(lambda: self._in_use == 0 and not self._draining, timeout=30)
            self._close_connections()
        self._announce()
        if delete:
            shutil.rmtree(self.index_directory(), ignore_errors=True)
            for suffix in ("-wal", "-shm", ""):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            database_schema.sync_directory(self.path.parent)


def _set_property(writer: Writer, name: str, value: str) -> None:
    writer.connection.execute("INSERT OR REPLACE INTO properties VALUES (?, ?)", (name, value))


def storage_error(error: BaseException) -> BaseException:
    """What a client is told when the disk does not do what it should; another error stays what it is."""
    if not isinstance(error, (sqlite3.Error, OSError)):
        return error
    if "full" in str(error) or getattr(error, "errno", None) == errno.ENOSPC:
        return HttpError(
            507, "insufficient_storage", "The disk is full. Nothing was saved; free some space and try again."
        )
    return HttpError(503, "storage_error", f"The database file could not be written ({error}). Nothing was saved.")
