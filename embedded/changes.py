"""The changes of a database: which there are after a sequence number, and which of them a filter lets pass."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from embedded import database_reading, revtree
from embedded.document_text import (
    STUBS,
    Show,
    conflicts_text,
    document_text,
    revision_text,
    shown_attachments,
)
from embedded.http import json_text
from embedded.revtree import RevisionTree, parse_revision

BATCH = 500
"""Rows looked at in one step."""
_REMEMBERED = 200

_COLUMNS = "seq, id, rev, deleted, leaves, body, tree"
_HAS_ATTACHMENTS = "EXISTS (SELECT 1 FROM bodies WHERE number = documents.body AND attachments IS NOT NULL)"


@dataclass(slots=True)
class Row:
    """A changed document. `revisions`: what the row tells, the winner first; a filter may take some away.

    `rev`, `deleted` and `body` are the winner's; `body` is the number under which its body is kept.
    """

    seq: int
    id: str
    rev: str
    deleted: bool
    leaves: int
    body: int
    tree_text: str
    revisions: list[str] = field(default_factory=list)
    _tree: RevisionTree | None = None

    def tree(self) -> RevisionTree:
        if self._tree is None:
            self._tree = revtree.load(self.tree_text)
        return self._tree


Filter = Callable[[sqlite3.Connection, Sequence[Row]], None]
"""Takes from each row's `revisions` those that do not pass; a row left with none is not told."""


@dataclass(slots=True)
class Wanted:
    """What a feed tells. `ids`: only these documents; `prefix`: only ids that begin so; both need no scan of all.

    `with_attachments`: the filter lets nothing pass that has no attachments, so nothing else is read.
    """

    since: int = 0
    limit: int | None = None
    descending: bool = False
    all_leaves: bool = False
    include_docs: bool = False
    show: Show = field(default_factory=Show)
    ids: list[str] | None = None
    prefix: str | None = None
    filter: Filter | None = None
    with_attachments: bool = False
    remembered: dict[tuple[int, int], int] = field(default_factory=dict)
    """How many changes there were after (newest number, number): whoever reads on in steps need not count each time."""

    def is_by_id(self) -> bool:
        return self.ids is not None or self.prefix is not None


@dataclass(slots=True)
class Step:
    """A piece of a feed: its rows, how far the database has been looked at, and whether that is all of it."""

    rows: list[tuple[int, str]]
    """(sequence number, the rest of the row as JSON text)"""
    seen: int
    pending: int = 0
    is_last: bool = False


def steps(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[Step]:
    """All changes there are now, in pieces; the last one says so. `pending` is known in the last one only."""
    update_seq, there = connection.execute("SELECT update_seq, documents + deleted FROM counters").fetchone()
    ahead = there if wanted.since == 0 else wanted.remembered.get((update_seq, wanted.since))
    if wanted.with_attachments:
        ahead = None  # those that were passed over count too
    left = wanted.limit
    told = looked_at = 0
    seen = update_seq if wanted.descending else wanted.since
    if left != 0:
        for batch in _batches(connection, wanted):
            rows = _passed(connection, batch, wanted)
            if left is not None and len(rows) >= left:
                rows = rows[:left]
                seen, left = rows[-1].seq, 0
                looked_at += batch.index(rows[-1]) + 1
            else:
                seen = batch[-1].seq
                left = None if left is None else left - len(rows)
                looked_at += len(batch)
            told += len(rows)
            yield Step([(row.seq, _row_text(connection, row, wanted)) for row in rows], seen)
            if left == 0:
                break
        else:
            seen = wanted.since if wanted.descending else max(update_seq, wanted.since)
    pending = _pending(connection, wanted, seen, told, None if ahead is None else ahead - looked_at)
    if not wanted.descending and not wanted.is_by_id():
        if len(wanted.remembered) > _REMEMBERED:
            wanted.remembered.clear()
        wanted.remembered[update_seq, seen] = pending
    yield Step([], seen, pending, is_last=True)


def _batches(connection: sqlite3.Connection, wanted: Wanted) -> Iterator[list[Row]]:
    if wanted.is_by_id():
        rows = _by_id(connection, wanted)
        yield from (rows[at : at + BATCH] for at in range(0, len(rows), BATCH))
        return
    order, at = ("DESC", 2**62) if wanted.descending else ("ASC", wanted.since)
    side = "seq < ? AND seq > ?" if wanted.descending else "seq > ? AND seq > ?"
    if wanted.with_attachments:
        side += f" AND (leaves > 1 OR {_HAS_ATTACHMENTS})"
    size = min(BATCH, wanted.limit) if wanted.limit is not None and wanted.filter is None else BATCH
    while True:
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM documents WHERE {side} ORDER BY seq {order} LIMIT ?",  # noqa: S608
            (at, wanted.since, size),
        ).fetchall()
        if not found:
            return
        at = found[-1][0]
        yield [_row(columns) for columns in found]


def _by_id(connection: sqlite3.Connection, wanted: Wanted) -> list[Row]:
    """Few documents by their ids, in the order of the sequence."""
    if wanted.prefix is not None:
        end = wanted.prefix[:-1] + chr(ord(wanted.prefix[-1]) + 1)
        found = connection.execute(
            f"SELECT {_COLUMNS} FROM documents WHERE id >= ? AND id < ?",  # noqa: S608
            (wanted.prefix, end),
        ).fetchall()
    else:
        found = []
        for id in dict.fromkeys(wanted.ids or []):
            found += connection.execute(f"SELECT {_COLUMNS} FROM documents WHERE id = ?", (id,)).fetchall()  # noqa: S608
    rows = [_row(columns) for columns in found if columns[0] > wanted.since]
    return sorted(rows, key=lambda row: row.seq, reverse=wanted.descending)


def _row(columns: tuple[int, str, str, int, int, int, str]) -> Row:
    seq, id, rev, deleted, leaves, body, tree = columns
    return Row(seq, id, rev, bool(deleted), leaves, body, tree)


def _passed(connection: sqlite3.Connection, batch: list[Row], wanted: Wanted) -> list[Row]:
    for row in batch:
        if wanted.all_leaves and row.leaves > 1:
            row.revisions = [str(leaf) for leaf in revtree.leaves(row.tree())]
        else:
            row.revisions = [row.rev]
    if wanted.filter is None:
        return batch
    wanted.filter(connection, batch)
    return [row for row in batch if row.revisions]


def _row_text(connection: sqlite3.Connection, row: Row, wanted: Wanted) -> str:
    """The members of a row after `seq`."""
    changes = ",".join(f'{{"rev":{json_text.quoted(rev)}}}' for rev in row.revisions)
    text = f'"id":{json_text.quoted(row.id)},"changes":[{changes}]'
    if row.deleted:
        text += ',"deleted":true'
    if wanted.include_docs:
        meta = conflicts_text(row.tree(), deleted_conflicts=False) if wanted.show.conflicts and row.leaves > 1 else ""
        document = revision_text(connection, row.id, row.tree(), parse_revision(row.rev), wanted.show, meta)
        text += f',"doc":{document or "null"}'
    return text


def _pending(connection: sqlite3.Connection, wanted: Wanted, seen: int, told: int, left: int | None) -> int:
    """How many changes are left: `left` where that is known, else they are counted.

    CouchDB counts for a filter by id what it never looked at, too.
    """
    if wanted.is_by_id() or wanted.descending:
        (there,) = connection.execute("SELECT count(*) FROM documents WHERE seq > ?", (wanted.since,)).fetchone()
        return max(0, int(there) - told)
    if left is None:
        (left,) = connection.execute("SELECT count(*) FROM documents WHERE seq > ?", (seen,)).fetchone()
    return left


def texts_of(connection: sqlite3.Connection, rows: Sequence[Row]) -> list[tuple[int, str, str]]:
    """(index of the row, revision, document as JSON text) of every revision the rows tell; what filters look at."""
    found = []
    for index, row in enumerate(rows):
        for rev in row.revisions:
            text = _winner_text(connection, row) if rev == row.rev else None
            if text is None:
                text = revision_text(connection, row.id, row.tree(), parse_revision(rev))
            if text is not None:
                found.append((index, rev, text))
    return found


def _winner_text(connection: sqlite3.Connection, row: Row) -> str | None:
    """The winner as JSON text, found without its tree, which takes longer to read than all the rest."""
    kept = connection.execute("SELECT body, attachments FROM bodies WHERE number=?", (row.body,)).fetchone()
    if kept is None:
        return None
    extra = "" if kept[1] is None else shown_attachments(connection, kept[1], STUBS)
    return document_text(row.id, row.rev, row.deleted, kept[0], extra)


def filter_by(decide: Callable[[list[str]], Sequence[bool]]) -> Filter:
    """A filter from a function that says of each of some documents, as JSON texts, whether it passes."""

    def filter(connection: sqlite3.Connection, rows: Sequence[Row]) -> None:
        candidates = texts_of(connection, rows)
        passes = decide([text for _, _, text in candidates])
        kept: dict[int, list[str]] = {}
        for (index, rev, _), is_in in zip(candidates, passes, strict=True):
            if is_in:
                kept.setdefault(index, []).append(rev)
        for index, row in enumerate(rows):
            row.revisions = kept.get(index, [])

    return filter


def design_document(connection: sqlite3.Connection, name: str) -> str | None:
    """The text of `_design/<name>`, None when there is none."""
    found = database_reading.documents_with_ids(connection, [f"_design/{name}"])
    return found[f"_design/{name}"].text if found else None
