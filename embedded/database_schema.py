"""The SQLite file of one database: its tables, and how an older file becomes a newer one.

`PRAGMA user_version` numbers the layout. A file from a newer program is refused, never guessed at.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import sys
from pathlib import Path

VERSION = 2
_LOG_BYTES = 32 * 1024 * 1024
"""What the write-ahead log is cut back to after a large write."""

_PAGES_BYTES = 32 * 1024 * 1024
"""About what all connections of the process hold of their files; beyond it they use their oldest pages again."""

_TABLES = """
CREATE TABLE properties (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (
    update_seq INTEGER NOT NULL, body_number INTEGER NOT NULL, documents INTEGER NOT NULL, deleted INTEGER NOT NULL,
    purge_seq INTEGER NOT NULL, body_bytes INTEGER NOT NULL
);
INSERT INTO counters VALUES (0, 0, 0, 0, 0, 0);
CREATE TABLE documents (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, rev TEXT NOT NULL, deleted INTEGER NOT NULL,
    leaves INTEGER NOT NULL, body INTEGER NOT NULL, tree TEXT NOT NULL
);
CREATE INDEX deleted_ids ON documents (id) WHERE deleted;
CREATE TABLE bodies (number INTEGER PRIMARY KEY, body TEXT NOT NULL, attachments TEXT);
CREATE TABLE contents (
    number INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE, md5 BLOB NOT NULL, length INTEGER NOT NULL,
    content BLOB NOT NULL
);
CREATE TABLE pieces (
    content INTEGER NOT NULL, place INTEGER NOT NULL, piece BLOB NOT NULL, PRIMARY KEY (content, place)
);
CREATE TABLE local_documents (id TEXT PRIMARY KEY, rev INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE purges (purge_seq INTEGER PRIMARY KEY, id TEXT NOT NULL, revs TEXT NOT NULL);
"""


_UPGRADES = {
    1: "CREATE TABLE pieces ("
    "content INTEGER NOT NULL, place INTEGER NOT NULL, piece BLOB NOT NULL, PRIMARY KEY (content, place))",
}
"""What makes a file of one format one of the next."""


class FileTooNewError(Exception):
    """The file was written by a newer program."""


def connect(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """A connection with the store's settings: write-ahead log, and with `durable` every commit on the disk.

    Transactions are begun by hand. May be used by any thread, by one at a time.
    """
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=256)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
    connection.execute(f"PRAGMA soft_heap_limit={_PAGES_BYTES}")
    connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    return connection


def create(path: Path, properties: dict[str, str]) -> None:
    """Make a new, empty file. Nothing is left behind when that fails half way: the file is made under another name."""
    unfinished = path.with_suffix(".creating")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished, isolation_level=None)
    try:
        # Nobody knows the file yet, so one sync at the end is enough.
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA page_size=8192")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN")
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        properties = {"uuid": secrets.token_hex(16), **properties}
        connection.executemany("INSERT INTO properties VALUES (?, ?)", properties.items())
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    finally:
        connection.close()
    with unfinished.open("rb+") as file:
        os.fsync(file.fileno())
    unfinished.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Bring a new or removed name onto the disk; where the system has no such call it does so by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def upgrade(connection: sqlite3.Connection) -> None:
    """Bring an older file to this version, in one transaction. Raises FileTooNewError."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise FileTooNewError(
            f"The database file has format {version}, this program knows formats up to {VERSION}. "
            "Nothing was changed; use the newer program."
        )
    if version == VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for older in range(version, VERSION):
            connection.execute(_UPGRADES[older])
        connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
