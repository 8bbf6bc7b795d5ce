"""The file of the parts desk: what it knows, in SQLite, beside the node's other data.

Everything in it is derived from the book and the catalog: it may be deleted at any time and is then made anew. It keeps
how far it has followed them in the same transaction as what it has read, so a killed process loses nothing.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Another number where the tables, or what is put into them, change: an older file is then made anew.
FORMAT = 1
_IDLE_CONNECTIONS = 2
_CACHE_KILOBYTES = 2048
_LOG_BYTES = 4 * 1024 * 1024

_TABLES = """
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE catalog (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX catalog_kinds ON catalog (kind);
CREATE TABLE customers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, sorting TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE machines (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, make TEXT NOT NULL, customer TEXT NOT NULL,
    model TEXT NOT NULL, fitted REAL, stale INTEGER NOT NULL, body TEXT NOT NULL, usage TEXT
);
CREATE INDEX machines_of_customer ON machines (customer);
CREATE INDEX machines_of_model ON machines (model, fitted);
CREATE INDEX stale_machines ON machines (number) WHERE stale;
CREATE TABLE readings (machine TEXT, day TEXT, at TEXT, hours REAL, PRIMARY KEY (machine, day)) WITHOUT ROWID;
CREATE TABLE services (id TEXT PRIMARY KEY, machine TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX services_of_machine ON services (machine);
CREATE TABLE averages (model TEXT PRIMARY KEY, hours_per_day REAL, stale INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE parts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sold_id TEXT NOT NULL, sold TEXT NOT NULL, name TEXT NOT NULL,
    unit TEXT NOT NULL, price REAL, instead_of TEXT NOT NULL
);
CREATE TABLE lines (
    machine INTEGER, line INTEGER, line_id TEXT NOT NULL, title TEXT NOT NULL, part TEXT NOT NULL,
    overdue INTEGER NOT NULL, reason TEXT NOT NULL, visits TEXT NOT NULL, PRIMARY KEY (machine, line)
) WITHOUT ROWID;
CREATE TABLE visits (
    machine INTEGER, line INTEGER, day INTEGER, part INTEGER NOT NULL, quantity REAL NOT NULL, first INTEGER NOT NULL,
    overdue INTEGER NOT NULL, PRIMARY KEY (machine, line, day)
) WITHOUT ROWID;
"""
"""`lines`: the lines of a machine's plan that are due, with every time they are; `visits`: the same narrow and with
numbers for what has a part, for the totals. Days are ordinals. `parts`: those that plans name, as they are sold now."""
_NAMES = ("state", "catalog", "customers", "machines", "readings", "services", "averages", "parts", "lines", "visits")


class DeskFile:
    """One writing connection (the caller's lock guards it) and some for reading, each on one moment of the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
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

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            writer = _connect(self.path)
            try:
                if writer.execute("PRAGMA user_version").fetchone() != (FORMAT,):
                    writer.execute("BEGIN IMMEDIATE")
                    clear(writer)
                    writer.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                writer.close()
                if isinstance(error, sqlite3.OperationalError):
                    raise
                # Not a database, or one that was cut off: all that was in it can be read again.
                self.remove()
                return self._open_writer()
            self._writer = writer
        return self._writer


def clear(connection: sqlite3.Connection) -> None:
    """Empties the file, whatever was in it, in the caller's transaction."""
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        if name in _NAMES:
            connection.execute(f"DROP TABLE {name}")
    for statement in _TABLES.split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={FORMAT}")


def state(connection: sqlite3.Connection, name: str, default: Any = None) -> Any:
    """A value that the file keeps about itself; `default` where it has none."""
    row = connection.execute("SELECT value FROM state WHERE name=?", (name,)).fetchone()
    return default if row is None else json.loads(row[0])


def set_state(connection: sqlite3.Connection, name: str, value: Any) -> None:
    """Keeps a value about the file itself."""
    connection.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    # What a power cut takes back is read again: the file never claims more than it has.
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"PRAGMA cache_size=-{_CACHE_KILOBYTES}")
    return connection
