"""The SQLite file of one index.

For each map function `n`: `rows_n`, ordered by `place` (encoded key, document id, a number), and `nodes_n`, a
tree of partial reductions over them (see `tree`). `documents` says which rows a document has, so that they can be taken
out when it changes. `state` says how far the index is; it changes in the same transaction as the rows.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from embedded import database_schema
from embedded.mapreduce.definition import FORMAT

_IDLE_CONNECTIONS: Final = 2
_PLACE: Final = struct.Struct(">HI")


@dataclass(slots=True)
class State:
    """`seq` and `purge_seq` are the database's, up to which the index is. `has_nodes`: the trees are complete."""

    database: str
    seq: int = 0
    purge_seq: int = 0
    has_nodes: bool = True


class IndexFile:
    """Opens connections to one file; makes it new when it is missing, broken, or of another database or format."""

    def __init__(self, path: Path, maps: int, database_uuid: str) -> None:
        self.path = path
        self.maps = maps
        self._uuid = database_uuid
        self._idle: list[sqlite3.Connection] = []
        self._builder: sqlite3.Connection | None = None
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._is_usable():
            self.create()

    @contextlib.contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that shows one moment of the index, for reading."""
        connection = self._idle.pop() if self._idle else database_schema.connect(self.path, durable=False)
        try:
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.close()
            raise
        if len(self._idle) < _IDLE_CONNECTIONS:
            self._idle.append(connection)
        else:
            connection.close()

    def state(self) -> State:
        """How far the index is. A file that cannot be read is made anew."""
        try:
            with self.connection() as connection:
                return read_state(connection)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            self.create()
            return State(self._uuid)

    @contextlib.contextmanager
    def building(self) -> Iterator[sqlite3.Connection]:
        """The connection of an update, which begins and commits by itself. Roomier than those for reading."""
        connection = self._builder
        self._builder = None
        if connection is None:
            connection = database_schema.connect(self.path, durable=False)
            connection.execute("PRAGMA cache_size=-16384")
        try:
            yield connection
            connection.execute("PRAGMA shrink_memory")
        except BaseException:
            connection.close()
            raise
        self._builder = connection

    def create(self) -> None:
        """An empty index, in place of what was there."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
        connection = sqlite3.connect(self.path, isolation_level=None)
        try:
            connection.execute("PRAGMA page_size=8192")
            connection.execute("BEGIN")
            connection.execute("CREATE TABLE state (database TEXT, seq INTEGER, purge_seq INTEGER, has_nodes INTEGER)")
            connection.execute("INSERT INTO state VALUES (?, 0, 0, 1)", (self._uuid,))
            connection.execute("CREATE TABLE documents (id TEXT PRIMARY KEY, places BLOB NOT NULL) WITHOUT ROWID")
            for number in range(self.maps):
                connection.execute(
                    f"CREATE TABLE rows_{number} (place BLOB PRIMARY KEY, id TEXT NOT NULL, key TEXT NOT NULL, "
                    "value TEXT NOT NULL) WITHOUT ROWID"
                )
                connection.execute(
                    f"CREATE TABLE nodes_{number} (level INTEGER, start BLOB, count INTEGER NOT NULL, "
                    "reductions TEXT NOT NULL, PRIMARY KEY (level, start)) WITHOUT ROWID"
                )
            connection.execute(f"PRAGMA user_version={FORMAT}")
            connection.execute("COMMIT")
        finally:
            connection.close()

    def _is_usable(self) -> bool:
        if not self.path.exists():
            return False
        connection = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            return bool(version == FORMAT and read_state(connection).database == self._uuid)
        except sqlite3.DatabaseError:
            return False
        finally:
            connection.close()

    def close(self) -> None:
        """Let go of the connections nobody uses; the next use opens new ones."""
        while self._idle:
            self._idle.pop().close()
        builder, self._builder = self._builder, None
        if builder is not None:
            builder.close()


def read_state(connection: sqlite3.Connection) -> State:
    database, seq, purge_seq, has_nodes = connection.execute("SELECT * FROM state").fetchone()
    return State(database, seq, purge_seq, bool(has_nodes))


def write_state(connection: sqlite3.Connection, state: State) -> None:
    connection.execute(
        "UPDATE state SET seq=?, purge_seq=?, has_nodes=?", (state.seq, state.purge_seq, int(state.has_nodes))
    )


def pack_places(places: list[tuple[int, bytes]]) -> bytes:
    """(map, place) of the rows of one document."""
    return b"".join([_PLACE.pack(number, len(place)) + place for number, place in places])


def unpack_places(packed: bytes) -> list[tuple[int, bytes]]:
    places = []
    at = 0
    while at < len(packed):
        number, length = _PLACE.unpack_from(packed, at)
        at += _PLACE.size
        places.append((number, packed[at : at + length]))
        at += length
    return places
