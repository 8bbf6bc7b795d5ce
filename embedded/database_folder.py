"""All databases of one data folder: which exist, opening, creating, deleting."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, unquote

from embedded import database_schema
from embedded.database import Database, storage_error
from embedded.http.errors import HttpError, bad_request, no_database

_NAME = re.compile(r"[a-z][a-z0-9_$()+/-]*")
_SYSTEM_NAMES = ("_users", "_replicator", "_global_changes")
_LONGEST_FILE_NAME = 245
"""Characters; SQLite adds up to four, and file systems end at 255."""
_SUFFIX = ".sqlite"


def check_name(name: str) -> None:
    """Raises 400 `illegal_database_name` as CouchDB does."""
    if not _allowed(name):
        raise HttpError(
            400,
            "illegal_database_name",
            f"Name: '{name}'. Only lowercase characters (a-z), digits (0-9), and any of the characters "
            " _, $, (, ), +, -, and / are allowed. Must begin with a letter.",
        )
    if len(file_name(name)) > _LONGEST_FILE_NAME:
        raise bad_request(f"At least one path segment of `{name}` is too long.", "database_name_too_long")


def _allowed(name: str) -> bool:
    return name in _SYSTEM_NAMES or _NAME.fullmatch(name) is not None


def file_name(name: str) -> str:
    """The file of a database. The prefix keeps names such as `con` and `nul`, which Windows reserves, apart."""
    return "db-" + quote(name, safe="$()+") + _SUFFIX


_MOST_CONNECTIONS = 48
"""To all databases together. Each is up to three open files; some systems allow a process 256."""


class DatabaseFolder:
    """Opens each database once. Every method but `names` and `open_now` is for the event loop."""

    def __init__(self, directory: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.directory = directory
        self.readers = ThreadPoolExecutor(8, "read")
        self._writers = ThreadPoolExecutor(8, "write")
        self._slow = ThreadPoolExecutor(2, "slow")
        self._loop = loop
        self._open: dict[str, Database] = {}
        self._going: set[str] = set()
        self._lock = threading.Lock()
        self._changing = asyncio.Lock()

    def names(self) -> list[str]:
        found = [
            unquote(path.name.removeprefix("db-").removesuffix(_SUFFIX))
            for path in self.directory.glob(f"db-*{_SUFFIX}")
        ]
        return sorted(found)

    def exists(self, name: str) -> bool:
        if name in self._open:
            return True
        return _allowed(name) and len(file_name(name)) <= _LONGEST_FILE_NAME and self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self.directory / file_name(name)

    def open_now(self, name: str) -> Database:
        """In any thread: the open database. Raises 404 when there is none of that name."""
        with self._lock:
            database = self._open.get(name)
            return self._open_file(name) if database is None else database

    async def open(self, name: str) -> Database:
        """Raises 404 when there is no database of that name."""
        if name in self._open:
            return self._open[name]
        return await self._loop.run_in_executor(self.readers, self.open_now, name)

    def _open_file(self, name: str) -> Database:
        path = self.directory / file_name(name)
        if len(path.name) > _LONGEST_FILE_NAME or not _allowed(name) or not path.exists():
            raise no_database()
        if name in self._going:
            raise no_database()
        self._make_room()
        try:
            database = Database(name, path, self.readers, self._writers, self._slow, self._loop, self._make_room)
        except (sqlite3.Error, database_schema.FileTooNewError) as error:
            raise HttpError(503, "storage_error", str(error)) from None
        self._open[name] = database
        return database

    def _make_room(self) -> None:
        """Where too many files are open, close those of the databases that were not used for the longest time."""
        databases = list(self._open.values())
        too_many = sum(database.open_connections() for database in databases) - _MOST_CONNECTIONS
        if too_many < 0:
            return
        for database in sorted(databases, key=lambda one: one.last_used):
            before = database.open_connections()
            database.rest()
            too_many -= before - database.open_connections()
            if too_many < 0:
                return

    async def create(self, name: str, properties: dict[str, str] | None = None) -> Database:
        """Raises 400 for a name that is not allowed, 412 when it exists."""
        check_name(name)
        async with self._changing:
            if self.exists(name):
                raise HttpError(412, "file_exists", "The database could not be created, the file already exists.")
            path = self.directory / file_name(name)
            try:
                await self._loop.run_in_executor(self._writers, database_schema.create, path, properties or {})
            except (OSError, sqlite3.Error) as error:
                raise storage_error(error) from None
            return await self.open(name)

    async def delete(self, name: str) -> None:
        """Raises 404 when there is none."""
        async with self._changing:
            database = await self.open(name)
            with self._lock:
                # No request may open the file again while it goes.
                self._going.add(name)
                self._open.pop(name, None)
            try:
                await self._loop.run_in_executor(None, lambda: database.close(delete=True))
            finally:
                self._going.discard(name)

    def close(self) -> None:
        for database in self._open.values():
            database.close()
        self._slow.shutdown(wait=False, cancel_futures=True)
        self.readers.shutdown(wait=False, cancel_futures=True)
        self._writers.shutdown(wait=True)
