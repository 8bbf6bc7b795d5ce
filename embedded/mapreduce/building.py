"""Bringing an index up to date with its database."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from embedded import collation, database_reading, partitions
from embedded.database import Database
from embedded.database_reading import DocumentChange
from embedded.http import json_text
from embedded.http.errors import HttpError
from embedded.javascript import Emitted, ScriptStoppedError
from embedded.mapreduce.index_file import State, pack_places, read_state, unpack_places, write_state
from embedded.mapreduce.tree import Tree

log = logging.getLogger("embedded.mapreduce")

DOCUMENTS_A_CALL: Final = 500
"""Documents handed to the map functions together."""
TEXT_A_CALL: Final = 2_000_000
"""Characters of them together, unless one alone is longer."""
DOCUMENTS_A_COMMIT: Final = 5_000
REBUILD_SHARE: Final = 4
"""When more than a quarter of the rows changes, all nodes are made anew instead of one by one."""

Placed = tuple[int, bytes, str, str, str]
"""Map function, place, document id, key and value as JSON texts."""


class Mapper(Protocol):
    """The map functions of an index: JavaScript, or the fields of a Mango index."""

    def map(self, documents: Sequence[str]) -> list[Emitted]: ...


@dataclass(slots=True)
class Update:
    """One update of one index. `make_tree` makes the tree of a map function on a connection.

    `marks`: only documents with one of these in their text can have rows (see `guards`); None: any can.
    """

    database: Database
    mapper: Mapper
    maps: int
    make_tree: Callable[[sqlite3.Connection, int], Tree]
    includes_design: bool = False
    includes_local_seq: bool = False
    partitioned: bool = False
    marks: tuple[str, ...] | None = None


def bring_up_to_date(connection: sqlite3.Connection, update: Update, progress: Callable[[int], None]) -> None:
    """Until the index is where its database was when this began, in commits of DOCUMENTS_A_COMMIT.

    `progress` is told the sequence number after each commit. Raises HttpError when the map function had to be stopped;
    what was committed stays.
    """
    state = read_state(connection)
    if state.seq > update.database.update_seq:
        raise sqlite3.DatabaseError("the index is ahead of its database")
    _remap_purged(connection, update, state)
    target = update.database.read(_update_seq)
    # A document is at its newest change only: none up to `target` has been in the index before when all begin here.
    is_first_build = state.seq == 0
    while state.seq < target:
        _one_commit(connection, update, state, target, is_first_build)
        progress(state.seq)


def _update_seq(connection: sqlite3.Connection) -> int:
    found: tuple[int] = connection.execute("SELECT update_seq FROM counters").fetchone()
    return found[0]


def _one_commit(
    connection: sqlite3.Connection, update: Update, state: State, target: int, is_first_build: bool
) -> None:
    # In the first build a document without rows is of no interest; later it may have had some.
    changes: list[DocumentChange] = update.database.read(
        database_reading.documents_since,
        state.seq,
        DOCUMENTS_A_COMMIT,
        include_deleted=not is_first_build,
        containing=update.marks if is_first_build else None,
    )
    changes = [change for change in changes if change.seq <= target]
    is_last = len(changes) < DOCUMENTS_A_COMMIT or changes[-1].seq == target
    connection.execute("BEGIN IMMEDIATE")
    try:
        writing = _Writing(connection, update, state)
        writing.replace(changes, known=not is_first_build)
        state.seq = target if is_last else changes[-1].seq
        writing.finish(is_last)
        write_state(connection, state)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _remap_purged(connection: sqlite3.Connection, update: Update, state: State) -> None:
    """What was purged is taken out; a document of which something is left is mapped again."""
    purges = update.database.read(lambda reading: list(database_reading.purges_since(reading, state.purge_seq)))
    if not purges:
        return
    if state.seq == 0:
        # Nothing of theirs is in the index yet, and the first build counts on that.
        state.purge_seq = purges[-1][0]
        return
    ids = sorted({id for _, id in purges})
    left = update.database.read(database_reading.documents_with_ids, ids)
    connection.execute("BEGIN IMMEDIATE")
    try:
        writing = _Writing(connection, update, state)
        gone = [DocumentChange(0, id, "", True, "") for id in ids if id not in left]
        writing.replace([*gone, *left.values()], known=True)
        state.purge_seq = purges[-1][0]
        writing.finish(is_last=True)
        write_state(connection, state)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


class _Writing:
    """The rows that change in one transaction, and the nodes above them."""

    def __init__(self, connection: sqlite3.Connection, update: Update, state: State) -> None:
        self._connection = connection
        self._update = update
        self._state = state
        self._touched: list[list[bytes]] = [[] for _ in range(update.maps)]

    def replace(self, changes: Sequence[DocumentChange], known: bool) -> None:
        """The rows of these documents take the place of those they had; `known` False: they had none."""
        if known:
            self._remove([change.id for change in changes])
        marks = self._update.marks
        mapped = [
            change
            for change in changes
            if not change.deleted
            and (self._update.includes_design or not change.id.startswith("_design/"))
            and (marks is None or any(mark in change.text for mark in marks))
        ]
        places: list[tuple[str, bytes]] = []
        rows: list[list[Placed]] = [[] for _ in range(self._update.maps)]
        for batch in _batches(mapped):
            for id, found in self._map(batch):
                places.append((id, pack_places([(row[0], row[1]) for row in found])))
                for row in found:
                    rows[row[0]].append(row)
        places.sort()
        self._connection.executemany("INSERT INTO documents VALUES (?, ?)", places)
        for number, placed in enumerate(rows):
            # In order, because neighbours then go into the same page.
            placed.sort(key=lambda row: row[1])
            self._connection.executemany(
                f"INSERT INTO rows_{number} VALUES (?, ?, ?, ?)",  # noqa: S608
                [row[1:] for row in placed],
            )
            self._touched[number] += [row[1] for row in placed]

    def _remove(self, ids: Iterable[str]) -> None:
        for id in ids:
            row = self._connection.execute("SELECT places FROM documents WHERE id=?", (id,)).fetchone()
            if row is None:
                continue
            self._connection.execute("DELETE FROM documents WHERE id=?", (id,))
            for number, place in unpack_places(row[0]):
                self._connection.execute(f"DELETE FROM rows_{number} WHERE place=?", (place,))  # noqa: S608
                self._touched[number].append(place)

    def _map(self, batch: list[DocumentChange]) -> list[tuple[str, list[Placed]]]:
        texts = [change.text for change in batch]
        if self._update.includes_local_seq:
            texts = [f'{change.text[:-1]},"_local_seq":{change.seq}}}' for change in batch]
        try:
            emitted = self._update.mapper.map(texts)
        except ScriptStoppedError as error:
            raise HttpError(500, "map_error", str(error)) from None
        by_document: dict[int, list[Emitted]] = {}
        for row in emitted:
            by_document.setdefault(row.document, []).append(row)
        return [
            (batch[at].id, _placed(batch[at].id, rows, self._update.partitioned)) for at, rows in by_document.items()
        ]

    def finish(self, is_last: bool) -> None:
        """Bring the trees up to date, or leave all of them to the last commit when too much changed."""
        trees = [self._update.make_tree(self._connection, number) for number in range(self._update.maps)]
        whole = not self._state.has_nodes or any(
            len(touched) > 256 and len(touched) * REBUILD_SHARE > tree.count((b"", None))
            for tree, touched in zip(trees, self._touched, strict=True)
        )
        if whole and not is_last:
            for tree in trees:
                tree.clear()
            self._state.has_nodes = False
        elif whole:
            for tree in trees:
                tree.build()
            self._state.has_nodes = True
        else:
            for tree, touched in zip(trees, self._touched, strict=True):
                tree.repair({tree.node_of(place) for place in touched})


def _placed(id: str, rows: Sequence[Emitted], partitioned: bool) -> list[Placed]:
    """The rows of one document. What it emits several times for one key is ordered by the values."""
    begin, end = partitions.prefix_of_id(id) if partitioned else b"", id.encode()
    found = [(row.view, begin + collation.encode(json_text.stored(row.key)) + end, row) for row in rows]
    if len(rows) > 1 and len({(view, place) for view, place, _ in found}) < len(rows):
        found.sort(key=lambda one: (one[0], one[1], value_order(json_text.stored(one[2].value))))
    return [
        (view, place + number.to_bytes(4, "big"), id, row.key, row.value)
        for number, (view, place, row) in enumerate(found)
    ]


def value_order(value: Any) -> tuple[Any, ...]:
    """The order of Erlang's terms, in which CouchDB keeps the values one document emits for one key."""
    if value is None or isinstance(value, bool):
        return (1, "null" if value is None else str(value).lower())
    if isinstance(value, (int, float)):
        return (0, value)
    if isinstance(value, dict):
        return (2, *((value_order(name), value_order(member)) for name, member in value.items()))
    if isinstance(value, list):
        return (3, *(value_order(element) for element in value))
    return (4, value.encode("utf-8", "surrogatepass"))


def _batches(changes: Sequence[DocumentChange]) -> Iterable[list[DocumentChange]]:
    batch: list[DocumentChange] = []
    size = 0
    for change in changes:
        if batch and (len(batch) == DOCUMENTS_A_CALL or size + len(change.text) > TEXT_A_CALL):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += len(change.text)
    if batch:
        yield batch
