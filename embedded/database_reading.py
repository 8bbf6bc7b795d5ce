"""Finding documents: by id, by sequence. Functions take a connection from `Database.read` or `Database.reading`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from embedded import revtree
from embedded.document_text import STUBS, conflicts_text, document_text, shown_attachments
from embedded.revtree import RevisionTree


@dataclass(slots=True)
class Stored:
    """The row of a document. `rev`, `deleted` and `body` are the winner's; `leaves` counts them all."""

    seq: int
    id: str
    rev: str
    deleted: bool
    leaves: int
    body: int
    tree_text: str

    def tree(self) -> RevisionTree:
        return revtree.load(self.tree_text)


@dataclass(slots=True)
class DocumentChange:
    """A document at its place in the sequence, for whoever follows the database: indexes, filters, search.

    `text` is the winning revision as JSON text with `_id`, `_rev`, and where there are any `_deleted`, `_attachments`
    (stubs), `_conflicts` and `_deleted_conflicts`.
    """

    seq: int
    id: str
    rev: str
    deleted: bool
    text: str


def find(connection: sqlite3.Connection, id: str) -> Stored | None:
    row = connection.execute(
        "SELECT seq, id, rev, deleted, leaves, body, tree FROM documents WHERE id=?", (id,)
    ).fetchone()
    return None if row is None else Stored(row[0], row[1], row[2], bool(row[3]), row[4], row[5], row[6])


def body(connection: sqlite3.Connection, number: int) -> tuple[str, str | None] | None:
    """The text of a body and of its attachments; None when it was compacted away."""
    row = connection.execute("SELECT body, attachments FROM bodies WHERE number=?", (number,)).fetchone()
    return None if row is None else (row[0], row[1])


def documents_since(
    connection: sqlite3.Connection,
    since: int,
    limit: int,
    *,
    include_deleted: bool = True,
    containing: Sequence[str] | None = None,
) -> list[DocumentChange]:
    """Up to `limit` documents changed after `since`, oldest change first, each once, with its winning body.

    This is how an index is brought up to date: begin at 0, go on at the last `seq`, until the list is empty.
    `containing`: only those with one of these texts in their body.
    """
    conditions = "" if include_deleted else " AND NOT d.deleted"
    if containing is not None:
        conditions += f" AND ({' OR '.join(['instr(b.body, ?)'] * len(containing)) or '0'})"
    rows = connection.execute(
        "SELECT d.seq, d.id, d.rev, d.deleted, d.leaves, b.body, b.attachments FROM documents d "  # noqa: S608
        f"JOIN bodies b ON b.number = d.body WHERE d.seq > ?{conditions} ORDER BY d.seq LIMIT ?",
        (since, *(containing or ()), limit),
    )
    return [
        DocumentChange(
            seq,
            id,
            rev,
            bool(deleted),
            document_text(id, rev, bool(deleted), text, _extra(connection, id, leaves, attachments)),
        )
        for seq, id, rev, deleted, leaves, text, attachments in rows.fetchall()
    ]


def _extra(connection: sqlite3.Connection, id: str, leaves: int, attachments: str | None) -> str:
    extra = "" if attachments is None else shown_attachments(connection, attachments, STUBS)
    if leaves > 1:
        stored = find(connection, id)
        assert stored is not None
        extra += conflicts_text(stored.tree())
    return extra


def documents_with_ids(connection: sqlite3.Connection, ids: list[str]) -> dict[str, DocumentChange]:
    """The winning revisions of these documents, those that are deleted or missing left out; for linked documents."""
    found: dict[str, DocumentChange] = {}
    for id in ids:
        stored = find(connection, id)
        if stored is None or stored.deleted or id in found:
            continue
        kept = body(connection, stored.body)
        assert kept is not None
        text = document_text(id, stored.rev, False, kept[0], _extra(connection, id, stored.leaves, kept[1]))
        found[id] = DocumentChange(stored.seq, id, stored.rev, False, text)
    return found


def design_documents(connection: sqlite3.Connection) -> list[DocumentChange]:
    """All design documents that are not deleted, by id."""
    rows = connection.execute("SELECT id FROM documents WHERE id >= '_design/' AND id < '_design0' AND NOT deleted")
    return list(documents_with_ids(connection, [id for (id,) in rows.fetchall()]).values())


def local_document(connection: sqlite3.Connection, id: str) -> str | None:
    row = connection.execute("SELECT rev, body FROM local_documents WHERE id=?", (id,)).fetchone()
    return None if row is None else document_text(id, f"0-{row[0]}", False, row[1])


def purges_since(connection: sqlite3.Connection, purge_seq: int) -> Iterator[tuple[int, str]]:
    """(purge number, document id) after `purge_seq`: an index removes what it has of these and maps them again."""
    rows = connection.execute("SELECT purge_seq, id FROM purges WHERE purge_seq > ? ORDER BY purge_seq", (purge_seq,))
    yield from rows.fetchall()
