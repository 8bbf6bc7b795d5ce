"""Answering a query from an index: its rows, or its reductions by group, as JSON texts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from embedded import collation
from embedded.http import json_text
from embedded.mapreduce import linked_documents
from embedded.mapreduce.options import Options, range_of_key
from embedded.mapreduce.reducers import Reducer, Row
from embedded.mapreduce.tree import Pieces, Range, Tree, combine

ROWS_AT_ONCE: Final = 1_000
"""Rows read, and sent, together."""
_GROUPS_AT_ONCE: Final = 200
_GROUPED_ROWS_AT_ONCE: Final = 4_000
_FIRST_LOOK: Final = 8
"""Rows read to see how long the groups are; doubles while they are short."""
_LONGEST_LOOK: Final = 512
_TREE_FROM: Final = 128
"""Rows of a group from which the tree is quicker than reading them."""


@dataclass(slots=True)
class Index:
    """One view of an index at one moment: `number` of its map function, the place of its reducer in the tree.

    `documents`: a connection to the database, when documents are wanted.
    """

    connection: sqlite3.Connection
    documents: sqlite3.Connection | None
    number: int
    tree: Tree
    reducer: Reducer | None
    reducer_number: int = 0


def row_texts(index: Index, options: Options) -> Iterator[str]:
    """The rows of a query without reduction, in pieces of up to ROWS_AT_ONCE."""
    skip, limit = options.skip, options.limit
    for within in _ranges(options):
        if limit <= 0:
            return
        if skip and options.keys is not None:
            count = index.tree.count(within)
            if count <= skip:
                skip -= count
                continue
        for rows in _rows(index, within, options.descending, skip, limit):
            limit -= len(rows)
            yield _row_text(index, rows, options)
        skip = 0


def offset(index: Index, options: Options) -> int:
    """How many rows of the view come before the first one a query is about, skipped ones included."""
    first, end = options.whole
    within = next(iter(_ranges(options)), (first, end))
    if options.descending:
        before = index.tree.count((within[1], end)) if within[1] not in (None, end) else 0
    else:
        before = index.tree.count((first, within[0])) if within[0] != first else 0
    total = index.tree.count((first, end))
    return min(before + options.skip, total)


def _ranges(options: Options) -> Iterator[Range]:
    if options.keys is None:
        yield options.low, options.high
    else:
        for key in options.keys:
            yield range_of_key(key, options.prefix)


def _select(number: int, what: str, within: Range, descending: bool) -> tuple[str, tuple[Any, ...]]:
    sql = f"SELECT {what} FROM rows_{number} WHERE place>=?"  # noqa: S608
    bound: tuple[Any, ...] = (within[0],)
    if within[1] is not None:
        sql, bound = sql + " AND place<?", within
    return sql + (" ORDER BY place DESC" if descending else " ORDER BY place"), bound


def _rows(index: Index, within: Range, descending: bool, skip: int, limit: int) -> Iterator[list[Row]]:
    if not descending:
        sql, bound = _select(index.number, "id, key, value", within, False)
        cursor = index.connection.execute(sql + " LIMIT ? OFFSET ?", (*bound, min(limit, 2**62), skip))
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield rows
        return
    # Backwards, what one document emits for one key still comes in the order it was emitted.
    sql, bound = _select(index.number, "id, key, value, place", within, True)
    cursor = index.connection.execute(sql, bound)
    for rows in _forward_within_document(cursor):
        if skip >= len(rows):
            skip -= len(rows)
            continue
        kept = rows[skip : skip + limit]
        skip = 0
        limit -= len(kept)
        if kept:
            yield kept
        if limit <= 0:
            return


def _forward_within_document(cursor: sqlite3.Cursor) -> Iterator[list[Row]]:
    ready: list[Row] = []
    same: list[Row] = []
    of: bytes | None = None
    for id, key, value, place in cursor:
        if place[:-4] != of:
            ready += reversed(same)
            same, of = [], place[:-4]
            if len(ready) >= ROWS_AT_ONCE:
                yield ready
                ready = []
        same.append((id, key, value))
    ready += reversed(same)
    if ready:
        yield ready


def _row_text(index: Index, rows: Sequence[Row], options: Options) -> str:
    name = json_text.text
    if not options.include_docs or index.documents is None:
        return ",\n".join([f'{{"id":{name(id)},"key":{key},"value":{value}}}' for id, key, value in rows])
    documents = linked_documents.of_rows(index.documents, rows, options.conflicts, options.attachments)
    return ",\n".join(
        [
            f'{{"id":{name(id)},"key":{key},"value":{value},"doc":{document}}}'
            for (id, key, value), document in zip(rows, documents, strict=True)
        ]
    )


# --- reductions


@dataclass(slots=True)
class _Group:
    """`key`: the JSON text to answer with."""

    key: str
    pieces: Pieces


def reduction_texts(index: Index, options: Options) -> Iterator[str]:
    """The rows of a query with reduction, in pieces of some groups."""
    assert index.reducer is not None
    skip, limit = options.skip, options.limit
    batch: list[_Group] = []
    rows = 0
    for group in _groups(index, options):
        if skip:
            skip -= 1
            continue
        if limit <= 0:
            break
        limit -= 1
        batch.append(group)
        rows += len(group.pieces.rows)
        if len(batch) == _GROUPS_AT_ONCE or rows >= _GROUPED_ROWS_AT_ONCE:
            yield _group_texts(index.reducer, batch)
            batch, rows = [], 0
    if batch:
        yield _group_texts(index.reducer, batch)


def _groups(index: Index, options: Options) -> Iterator[_Group]:
    for within in _ranges(options):
        if options.group:
            yield from _groups_within(index, within, options)
        else:
            pieces = index.tree.pieces(within, index.reducer_number)
            if pieces.count:
                yield _Group("null", pieces)


def _groups_within(index: Index, within: Range, options: Options) -> Iterator[_Group]:
    """Walk the rows; a group longer than one look is reduced from the tree instead."""
    low, high = within
    look = _FIRST_LOOK
    while True:
        sql, bound = _select(index.number, "place, id, key, value", (low, high), options.descending)
        rows = index.connection.execute(sql + " LIMIT ?", (*bound, look)).fetchall()
        if not rows:
            return
        is_end = len(rows) < look
        at = 0
        groups = 0
        while at < len(rows):
            key = json_text.stored(rows[at][2])
            of_key = collation.encode(key) if options.is_exact else collation.group_prefix(key, options.group_level)
            prefix = options.prefix + of_key
            size = 1
            while at + size < len(rows) and rows[at + size][0].startswith(prefix):
                size += 1
            text = _group_key(rows[at][2], key, options)
            if at + size == len(rows) and not is_end:
                break
            group_rows = [row[1:] for row in rows[at : at + size]]
            yield _Group(text, Pieces(size, [], group_rows[::-1] if options.descending else group_rows))
            at += size
            groups += 1
        if is_end:
            return
        if groups:
            # The last group of the look may go on: it is looked at again, from its beginning.
            look = min(look * 2, _LONGEST_LOOK)
            if options.descending:
                high = rows[at][0] + b"\x00"
            else:
                low = rows[at][0]
            continue
        if 1 < look < _TREE_FROM:
            look *= 4
            continue
        whole = _clipped(prefix, low, high)
        pieces = index.tree.pieces(whole, index.reducer_number)
        yield _Group(text, pieces)
        # After a long group the next one is expected to be long as well: one row then tells which it is.
        look = 1 if pieces.count >= _TREE_FROM else _TREE_FROM
        if options.descending:
            high = whole[0]
        else:
            assert whole[1] is not None
            low = whole[1]


def _clipped(prefix: bytes, low: bytes, high: bytes | None) -> Range:
    end = prefix + b"\xff"
    return max(low, prefix), end if high is None else min(high, end)


def _group_key(text: str, key: Any, options: Options) -> str:
    if options.is_exact or type(key) is not list or len(key) <= options.group_level:
        return text
    return json_text.text(key[: options.group_level])


def _group_texts(reducer: Reducer, groups: list[_Group]) -> str:
    values = reducer.finish(reduce_pieces(reducer, [group.pieces for group in groups]))
    return ",\n".join([f'{{"key":{group.key},"value":{value}}}' for group, value in zip(groups, values, strict=True)])


def reduce_pieces(reducer: Reducer, pieces: Sequence[Pieces]) -> list[str]:
    """One reduction of each, with at most one call for rows and one for reductions."""
    of_rows = iter(reducer.reduce([one.rows for one in pieces if one.rows]))
    parts = [[*one.reductions, next(of_rows)] if one.rows else one.reductions for one in pieces]
    return [part[0] for part in combine(reducer, parts)]
