"""Partial reductions over the rows of one map function, kept in the index file.

A node of level 1 covers a stretch of rows from its `start` to the next node's; one of level 2 a stretch of nodes of
level 1; and so on. The first node of every level starts at the empty place, so that together they cover everything.
`count` is the number of rows, `reductions` one JSON text a reduce function, as an array. A reduction over any range so
reads a few dozen nodes and rows however many rows there are, and a change touches one node a level.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from embedded.http import json_text
from embedded.mapreduce.reducers import Reducer, Row

CHILDREN: Final = 32
"""Rows or nodes a new node covers; one that covers more than twice as many is split."""
LEVELS: Final = 3
_AT_ONCE: Final = 32
"""New nodes whose reductions are worked out together."""

Range = tuple[bytes, bytes | None]
"""Places from the first, without the second; None for no end."""


@dataclass(slots=True)
class Pieces:
    """What a range consists of: reductions of whole nodes, and rows where it cuts through one."""

    count: int = 0
    reductions: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


class Tree:
    """The tree of map function `number`. `reducers`: its reduce functions in the order of the definition."""

    def __init__(
        self, connection: sqlite3.Connection, number: int, reducers: Sequence[Reducer], complete: bool
    ) -> None:
        self._connection = connection
        self._rows = f"rows_{number}"
        self._nodes = f"nodes_{number}"
        self._reducers = reducers
        self._top = LEVELS if complete else 0

    # --- reading

    def count(self, within: Range) -> int:
        """How many rows are in a range."""
        return self._collect(within, None).count

    def pieces(self, within: Range, reducer: int) -> Pieces:
        """What the reduction of a range by one reduce function is made of."""
        return self._collect(within, reducer)

    def _collect(self, within: Range, reducer: int | None) -> Pieces:
        pieces = Pieces()
        open_ranges: list[tuple[int, bytes, bytes | None, Range]] = [(self._top, b"", None, within)]
        while open_ranges:
            level, first, last, wanted = open_ranges.pop()
            if level == 0:
                self._add_rows(pieces, wanted, reducer)
                continue
            for start, end, count, reductions in self._nodes_between(level, first, last, wanted):
                if start >= wanted[0] and (wanted[1] is None or (end is not None and end <= wanted[1])):
                    pieces.count += count
                    if reducer is not None and count:
                        pieces.reductions.append(_reduction(reductions, reducer, len(self._reducers)))
                elif count:
                    open_ranges.append((level - 1, start, end, (max(start, wanted[0]), _earlier(end, wanted[1]))))
        return pieces

    def _nodes_between(
        self, level: int, first: bytes, last: bytes | None, wanted: Range
    ) -> list[tuple[bytes, bytes | None, int, str]]:
        """The nodes of a level from `first` (where one starts) up to `last` that hold part of what is wanted."""
        end = _earlier(last, wanted[1])
        (begin,) = self._connection.execute(
            f"SELECT max(start) FROM {self._nodes} WHERE level=? AND start<=?",  # noqa: S608
            (level, max(first, wanted[0])),
        ).fetchone()
        sql = f"SELECT start, count, reductions FROM {self._nodes} WHERE level=? AND start>=?"  # noqa: S608
        if end is None:
            found = self._connection.execute(sql + " ORDER BY start", (level, begin)).fetchall()
        else:
            found = self._connection.execute(sql + " AND start<? ORDER BY start", (level, begin, end)).fetchall()
        ends = [start for start, _, _ in found[1:]]
        if found and end is not None:
            ends.append(self._next_start(level, found[-1][0]))
        else:
            ends.append(None)
        return [(start, end, count, texts) for (start, count, texts), end in zip(found, ends, strict=False)]

    def _next_start(self, level: int, start: bytes) -> bytes | None:
        (found,) = self._connection.execute(
            f"SELECT min(start) FROM {self._nodes} WHERE level=? AND start>?",  # noqa: S608
            (level, start),
        ).fetchone()
        return found  # type: ignore[no-any-return]

    def _add_rows(self, pieces: Pieces, wanted: Range, reducer: int | None) -> None:
        what = "count(*)" if reducer is None else "id, key, value"
        sql = f"SELECT {what} FROM {self._rows} WHERE place>=?"  # noqa: S608
        bound: tuple[Any, ...] = (wanted[0],)
        if wanted[1] is not None:
            sql, bound = sql + " AND place<?", wanted
        if reducer is None:
            pieces.count += self._connection.execute(sql, bound).fetchone()[0]
            return
        rows = self._connection.execute(sql + " ORDER BY place", bound).fetchall()
        pieces.count += len(rows)
        pieces.rows += rows

    # --- writing

    def node_of(self, place: bytes) -> bytes:
        """Where the node of level 1 starts that a place belongs to."""
        (start,) = self._connection.execute(
            f"SELECT max(start) FROM {self._nodes} WHERE level=1 AND start<=?",  # noqa: S608
            (place,),
        ).fetchone()
        return b"" if start is None else start

    def clear(self) -> None:
        self._connection.execute(f"DELETE FROM {self._nodes}")  # noqa: S608

    def build(self) -> None:
        """All nodes, for all rows."""
        self.clear()
        for level in range(1, LEVELS + 1):
            self._renew(level, b"", None)

    def repair(self, changed: Iterable[bytes]) -> None:
        """After rows changed: the nodes of level 1 that start at `changed`, and those above them."""
        starts = sorted(set(changed))
        for level in range(1, LEVELS + 1):
            parents = set()
            for start in starts:
                for touched in (start, *self._renew(level, start, self._next_start(level, start))):
                    if level < LEVELS:
                        parents.add(self._start_before(level + 1, touched))
            starts = sorted(parents)

    def _start_before(self, level: int, place: bytes) -> bytes:
        (start,) = self._connection.execute(
            f"SELECT max(start) FROM {self._nodes} WHERE level=? AND start<=?",  # noqa: S608
            (level, place),
        ).fetchone()
        return b"" if start is None else start

    def _renew(self, level: int, start: bytes, end: bytes | None) -> list[bytes]:
        """Make the nodes of one stretch anew; returns where they start."""
        self._connection.execute(f"DELETE FROM {self._nodes} WHERE level=? AND start=?", (level, start))  # noqa: S608
        source = self._row_stretches(start, end) if level == 1 else self._node_stretches(level - 1, start, end)
        starts: list[bytes] = []
        batch: list[tuple[bytes, int, list[Any]]] = []
        for stretch in source:
            batch.append(stretch)
            if len(batch) == _AT_ONCE:
                starts += self._write_nodes(level, batch, start, not starts)
                batch = []
        starts += self._write_nodes(level, batch, start, not starts)
        if not starts and start == b"":
            empty = json_text.text([None] * len(self._reducers))
            self._connection.execute(f"INSERT INTO {self._nodes} VALUES (?, x'', 0, ?)", (level, empty))  # noqa: S608
            starts = [b""]
        return starts

    def _write_nodes(
        self, level: int, batch: list[tuple[bytes, int, list[Any]]], start: bytes, is_first: bool
    ) -> list[bytes]:
        if not batch:
            return []
        columns = [self._reduced(level, number, batch) for number in range(len(self._reducers))]
        # The first node keeps its start, which may be before its first row, so that nothing is left uncovered.
        starts = [begin for begin, _, _ in batch]
        if is_first and (level == 1 or start == b""):
            starts[0] = start
        texts = (
            ["[" + ",".join(texts) + "]" for texts in zip(*columns, strict=True)] if columns else ["[]"] * len(batch)
        )
        self._connection.executemany(
            f"INSERT OR REPLACE INTO {self._nodes} VALUES (?, ?, ?, ?)",  # noqa: S608
            [(level, begin, count, text) for begin, (_, count, _), text in zip(starts, batch, texts, strict=True)],
        )
        return starts

    def _reduced(self, level: int, number: int, batch: list[tuple[bytes, int, list[Any]]]) -> list[str]:
        reducer = self._reducers[number]
        if level == 1:
            return reducer.reduce([rows for _, _, rows in batch])
        parts = [[child[number] for child in children] for _, _, children in batch]
        return [part[0] if part else "null" for part in combine(reducer, parts)]

    def _row_stretches(self, start: bytes, end: bytes | None) -> Iterable[tuple[bytes, int, list[Any]]]:
        what = "place, id, key, value" if self._reducers else "place"
        sql = f"SELECT {what} FROM {self._rows} WHERE place>=?"  # noqa: S608
        bound: tuple[Any, ...] = (start,) if end is None else (start, end)
        cursor = self._connection.execute(
            sql + (" ORDER BY place" if end is None else " AND place<? ORDER BY place"), bound
        )
        for rows in _stretches(cursor, end is None):
            yield rows[0][0], len(rows), [row[1:] for row in rows]

    def _node_stretches(self, level: int, start: bytes, end: bytes | None) -> Iterable[tuple[bytes, int, list[Any]]]:
        sql = f"SELECT start, count, reductions FROM {self._nodes} WHERE level=? AND start>=?"  # noqa: S608
        bound: tuple[Any, ...] = (level, start) if end is None else (level, start, end)
        cursor = self._connection.execute(
            sql + (" ORDER BY start" if end is None else " AND start<? ORDER BY start"), bound
        )
        for nodes in _stretches(cursor, end is None):
            filled = [_reductions(texts, len(self._reducers)) for _, count, texts in nodes if count]
            yield nodes[0][0], sum(count for _, count, _ in nodes), filled


def _stretches(cursor: sqlite3.Cursor, open_end: bool) -> Iterable[list[Any]]:
    """In lists of CHILDREN; a stretch between two nodes stays whole up to twice that, so that nodes split seldom."""
    if not open_end:
        found = cursor.fetchall()
        if len(found) <= 2 * CHILDREN:
            yield from ([found] if found else [])
            return
        yield from (found[at : at + CHILDREN] for at in range(0, len(found), CHILDREN))
        return
    while found := cursor.fetchmany(CHILDREN):
        yield found


def combine(reducer: Reducer, parts: Sequence[list[str]]) -> list[list[str]]:
    """Each list of reductions as a list of one; empty lists stay empty, and one reduction alone is left as it is."""
    combined = iter(reducer.rereduce([part for part in parts if len(part) > 1]))
    return [[next(combined)] if len(part) > 1 else part for part in parts]


def _reductions(texts: str, count: int) -> list[str]:
    if count == 1:
        return [texts[1:-1]]
    return [json_text.text(value) for value in json_text.stored(texts)]


def _reduction(texts: str, number: int, count: int) -> str:
    return _reductions(texts, count)[number]


def _earlier(one: bytes | None, other: bytes | None) -> bytes | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
