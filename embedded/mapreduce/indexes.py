"""The indexes of a running store: one `ViewIndex` a database and signature, and the updates that run."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from embedded import active_tasks, partitions
from embedded.active_tasks import Task
from embedded.database import Database
from embedded.http.errors import HttpError
from embedded.javascript import ViewFunctions
from embedded.mango.fields import FieldMapper
from embedded.mapreduce import guards
from embedded.mapreduce.building import Mapper, Update, bring_up_to_date
from embedded.mapreduce.definition import IndexDefinition, View, javascript_reduces, view_functions
from embedded.mapreduce.index_file import IndexFile, read_state
from embedded.mapreduce.reading import Index
from embedded.mapreduce.reducers import Reducer, reducer_for
from embedded.mapreduce.tree import Tree

log = logging.getLogger("embedded.mapreduce")

_CONTEXTS: Final = 16
"""Indexes whose scripts stay in memory."""
_OPEN: Final = 32
"""Indexes whose files stay open."""
_BUILDERS: Final = 2
"""Indexes brought up to date at the same time."""


class ViewIndex:
    """One index of one database. `name` is that of the design document it was last asked for by.

    Of the definition it uses what all with its signature share: the views' names are those of who asks.
    """

    def __init__(self, database: Database, definition: IndexDefinition, name: str) -> None:
        self.database = database
        self.definition = definition
        self.name = name
        self.updating: asyncio.Task[None] | None = None
        self.partitioned = partitions.is_partitioned(database.partitioned, definition.options)
        kind = ".partitioned" if self.partitioned else ""
        path = database.index_directory() / f"{definition.signature}{kind}.sqlite"
        self.file = IndexFile(path, len(definition.maps), database.uuid)

    @contextlib.contextmanager
    def reading(self, functions: ViewFunctions, view: View, with_documents: bool) -> Iterator[Index]:
        """A view at one moment, and the database where documents are wanted. In a worker thread."""
        with contextlib.ExitStack() as opened:
            connection = opened.enter_context(self.file.connection())
            documents = opened.enter_context(self.database.connection()) if with_documents else None
            tree = self._tree(connection, functions, view.rows)
            reducers = self._reducers(functions, view.rows)
            reducer = None if view.reduce is None else reducers[view.reduce]
            yield Index(connection, documents, view.rows, tree, reducer, view.reduce or 0)

    def missing(self) -> tuple[int, int] | None:
        """How far the database is (sequence, purges), when the index is not there yet. In a worker thread."""
        found = self.database.read(_how_far)
        state = self.file.state()
        # One that is ahead belongs to a file the database was put back to; the update makes it anew.
        return None if (state.seq, state.purge_seq) == found else found

    def is_at(self, wanted: tuple[int, int]) -> bool:
        """In a worker thread: whether the index shows all that was in the database when it was that far."""
        state = self.file.state()
        return state.seq >= wanted[0] and state.purge_seq >= wanted[1]

    def update(self, functions: ViewFunctions, task: Task) -> None:
        """Bring the index to where the database is. In a worker thread; one at a time."""
        try:
            self._update(functions, task)
        except sqlite3.OperationalError as error:
            raise HttpError(
                507 if "full" in str(error) else 503,
                "storage_error",
                f"The index could not be written ({error}). Nothing is lost: it goes on when there is space.",
            ) from None
        except sqlite3.DatabaseError as error:
            log.warning("%s: the index %s is made anew: %s", self.database.name, self.name, error)
            self.file.create()
            self._update(functions, task)

    def _update(self, functions: ViewFunctions, task: Task) -> None:
        definition = self.definition
        mapper: Mapper = FieldMapper(definition.maps) if definition.language == "query" else functions
        update = Update(
            self.database,
            mapper,
            len(definition.maps),
            lambda connection, number: self._tree(connection, functions, number),
            includes_design=definition.options.get("include_design") is True,
            includes_local_seq=definition.options.get("local_seq") is True,
            partitioned=self.partitioned,
            marks=None if definition.language == "query" else guards.marks(definition.maps),
        )
        total = max(1, self.database.update_seq)
        with self.file.building() as connection:
            bring_up_to_date(
                connection,
                update,
                lambda seq: task.update(changes_done=seq, progress=min(100, seq * 100 // total)),
            )

    def _tree(self, connection: sqlite3.Connection, functions: ViewFunctions, number: int) -> Tree:
        return Tree(connection, number, self._reducers(functions, number), read_state(connection).has_nodes)

    def _reducers(self, functions: ViewFunctions, number: int) -> list[Reducer]:
        scripts = javascript_reduces(self.definition)
        return [reducer_for(source, functions, scripts) for source in self.definition.reduces[number]]


class Indexes:
    """All indexes of a store that were asked for, and their updates."""

    def __init__(self, shared: dict[str, Any]) -> None:
        self._tasks = active_tasks.of_store(shared)
        self._known: dict[Database, dict[str, ViewIndex]] = {}
        self._functions: OrderedDict[int, tuple[ViewIndex, ViewFunctions]] = OrderedDict()
        self._recent: OrderedDict[int, ViewIndex] = OrderedDict()
        self._lock = threading.Lock()
        self._builders = ThreadPoolExecutor(_BUILDERS, "index")

    def index(self, database: Database, definition: IndexDefinition, name: str) -> ViewIndex:
        """In a worker thread: the index of a definition, its file made when there is none."""
        with self._lock:
            if database not in self._known:
                self._forget_closed()
            of_database = self._known.setdefault(database, {})
            found = of_database.get(definition.signature)
            if found is None:
                found = of_database[definition.signature] = ViewIndex(database, definition, name)
            found.name = name
            self._recent[id(found)] = found
            self._recent.move_to_end(id(found))
            while len(self._recent) > _OPEN:
                self._recent.popitem(last=False)[1].file.close()
            return found

    def _forget_closed(self) -> None:
        """Databases that were deleted since a new one was last asked for."""
        for database in [database for database in self._known if database.closed]:
            for index in self._known.pop(database).values():
                index.file.close()
                self._recent.pop(id(index), None)
                self._functions.pop(id(index), None)

    def functions(self, index: ViewIndex) -> ViewFunctions:
        """In a worker thread: the scripts of an index, compiled. Raises 400 `compilation_error`."""
        with self._lock:
            kept = self._functions.get(id(index))
            if kept is not None:
                self._functions.move_to_end(id(index))
                return kept[1]
        definition = index.definition
        where = f"_design/{index.name} of {index.database.name}"
        functions = ViewFunctions([]) if definition.language == "query" else view_functions(definition, where)
        with self._lock:
            self._functions[id(index)] = (index, functions)
            while len(self._functions) > _CONTEXTS:
                self._functions.popitem(last=False)
        return functions

    async def bring_up_to_date(self, index: ViewIndex) -> None:
        """From the event loop: returns when the index shows all that was in the database when this was called.

        Those who wait for the same index share one update, and no thread waits with them.
        """
        wanted = await index.database.reading_index(index.missing)
        while wanted is not None:
            await asyncio.shield(self.start_update(index))
            if await index.database.reading_index(index.is_at, wanted):
                return

    async def rebuild(self, index: ViewIndex, error: sqlite3.DatabaseError) -> None:
        """From the event loop: make an index anew whose file turned out to be broken."""
        log.warning("%s: the index of _design/%s is made anew: %s", index.database.name, index.name, error)
        await index.database.reading_index(index.file.create)
        await self.bring_up_to_date(index)

    def start_update(self, index: ViewIndex) -> asyncio.Task[None]:
        """From the event loop: bring the index up to date; the update that runs already when there is one."""
        if index.updating is None:
            index.updating = asyncio.get_running_loop().create_task(self._update(index))
            index.updating.add_done_callback(_log_failure)
        return index.updating

    async def _update(self, index: ViewIndex) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._builders, self._update_now, index)
        finally:
            index.updating = None

    def _update_now(self, index: ViewIndex) -> None:
        functions = self.functions(index)
        with self._tasks.running(
            "indexer",
            database=index.database.name,
            design_document=f"_design/{index.name}",
            total_changes=index.database.update_seq,
            changes_done=0,
            progress=0,
        ) as task:
            index.update(functions, task)

    def clean_up(self, database: Database, wanted: set[str]) -> None:
        """In a worker thread: delete the files of indexes that no design document wants any more."""
        with self._lock:
            of_database = self._known.get(database, {})
            for signature in list(of_database):
                if signature not in wanted and of_database[signature].updating is None:
                    of_database.pop(signature).file.close()
        directory = database.index_directory()
        if not directory.is_dir():
            return
        for path in directory.iterdir():
            if path.name.partition(".")[0] not in wanted | set(self._known.get(database, {})):
                with contextlib.suppress(OSError):  # still being read on Windows: the next cleaning takes it
                    path.unlink()


def _how_far(connection: sqlite3.Connection) -> tuple[int, int]:
    update_seq, purge_seq = connection.execute("SELECT update_seq, purge_seq FROM counters").fetchone()
    return update_seq, purge_seq


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        log.warning("An index could not be brought up to date: %s", task.exception())


def of_store(shared: dict[str, Any]) -> Indexes:
    """The indexes of a store, kept in `Store.shared`."""
    if "indexes" not in shared:
        shared["indexes"] = Indexes(shared)
    found: Indexes = shared["indexes"]
    return found
