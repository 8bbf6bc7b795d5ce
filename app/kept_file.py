"""A file in SQLite beside the node's other data, for what one part of Ironbook keeps to itself: never replicated.

Whoever keeps one writes how far it has followed the databases in the same transaction as what it has read there, so
that a killed process loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_IDLE_CONNECTIONS = 2
_CACHE_KILOBYTES = 2048
_LOG_BYTES = 4 * 1024 * 1024
# What every such file has: values about itself.
_STATE = "CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"


class KeptFile:
    """One writing connection (the caller's lock guards it) and some for reading, each on one moment of the file."""

    def __init__(self, path: Path, format: int, tables: str) -> None:
        """`tables` are the statements that make it; `format` is another number whenever they change."""
        self.path = path
        self._format = format
        self._statements = _STATE + tables
        self._lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; rolled back when something is raised. A file that cannot be used is made anew before."""
        writer = self._open_writer()
        writer.execute("BEGIN IMMEDIATE")
        try:
            yield writer
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            raise
        writer.execute("COMMIT")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one moment of the file."""
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = _connect(self.path)
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if len(self._idle) < _IDLE_CONNECTIONS:
                self._idle.append(connection)
                return
        connection.close()

    def remove(self) -> None:
        """Deletes the file, for one that is broken; the next use makes it anew."""
        self.close()
        for suffix in ("-wal", "-shm", ""):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()
            writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def clear(self, connection: sqlite3.Connection) -> None:
        """Empties the file, whatever was in it, in the caller's transaction."""
        made = set(re.findall(r"CREATE TABLE (\w+)", self._statements))
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
            if name in made:
                connection.execute(f"DROP TABLE {name}")
        for statement in self._statements.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={self._format}")

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            try:
                self._writer = self._made()
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                # Not a database, or one that was cut off.
                self.remove()
                self._writer = self._made()
        return self._writer

    def _made(self) -> sqlite3.Connection:
        writer = _connect(self.path)
        try:
            if writer.execute("PRAGMA user_version").fetchone() != (self._format,):
                writer.execute("BEGIN IMMEDIATE")
                self.clear(writer)
                writer.execute("COMMIT")
        except sqlite3.DatabaseError:
            writer.close()
            raise
        return writer


def state(connection: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """A value that the file keeps about itself; `default` where it has none."""
    row = connection.execute("SELECT value FROM state WHERE name=?", (name,)).fetchone()
    return default if row is None else json.loads(row[0])


def set_state(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Keeps a value about the file itself."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    # What a power cut takes back is read again: the file never claims to have read more than it has.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KILOBYTES}")
    return connection
