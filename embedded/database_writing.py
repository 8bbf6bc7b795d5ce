"""Writing documents: edits by clients and replicas from peers. Runs inside a write of `Database`."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from embedded import attachments, database_incoming, revtree
from embedded.attachments import Attachment
from embedded.database_incoming import Incoming
from embedded.database_writer import Writer
from embedded.http.errors import HttpError, bad_request, conflict
from embedded.revtree import Revision, RevisionTree


@dataclass(slots=True)
class Written:
    """What became of one document. `error` None: it is stored as `revision`."""

    id: str
    revision: Revision | None = None
    local_rev: str | None = None
    error: HttpError | None = None

    @property
    def rev(self) -> str | None:
        return self.local_rev if self.revision is None else str(self.revision)


@dataclass(slots=True)
class Edit:
    """A document about to be written: `path` is the new revision and its ancestors, `row` what is stored now.

    `is_on_unknown`: it edits a revision of a document that is not known at all.
    """

    incoming: Incoming
    path: list[Revision]
    row: tuple[int, str, int, int, int, str] | None
    tree: RevisionTree | None
    attachments: list[Attachment] = field(default_factory=list)
    is_on_unknown: bool = False


Permission = Callable[[sqlite3.Connection, Sequence[Edit]], Sequence[HttpError | None]]
"""Says no to some of a batch of edits of different documents, before any of them is stored."""


def write_documents(
    writer: Writer, incoming: Sequence[Incoming], *, replicas: bool, revs_limit: int, permission: Permission | None
) -> list[Written]:
    """Store documents in order. `replicas`: keep their revision ids (`new_edits=false`), conflicts are fine.

    Each document succeeds or fails by itself; the answer has one entry for each, in order. A replica that is known
    already is a success.
    """
    results: list[Written | None] = [None] * len(incoming)
    looks_up = writer.update_seq == 0 or any(map(_is_looked_up, incoming))
    at = 0
    while at < len(incoming):
        batch: list[int] = []
        seen: set[str] = set()
        while at < len(incoming) and incoming[at].id not in seen:
            seen.add(incoming[at].id)
            batch.append(at)
            at += 1
        _write_batch(writer, incoming, batch, results, replicas, revs_limit, permission, looks_up)
    return [result for result in results if result is not None]


def _is_looked_up(document: Incoming) -> bool:
    """CouchDB looks documents up before it writes when it has something to check, and only then finds that a client
    edits what nobody has: for these, in a database nothing was written to yet, and where a rule validates."""
    return bool(document.attachments) or document.id.startswith("_design/")


def _write_batch(
    writer: Writer,
    incoming: Sequence[Incoming],
    batch: list[int],
    results: list[Written | None],
    replicas: bool,
    revs_limit: int,
    permission: Permission | None,
    looks_up: bool,
) -> None:
    edits: list[tuple[int, Edit]] = []
    for index in batch:
        document = incoming[index]
        try:
            if document.id.startswith("_local/"):
                results[index] = write_local(writer, document)
            else:
                edit = _prepare(writer.connection, document, replicas)
                if edit.is_on_unknown and looks_up:
                    raise conflict()
                edits.append((index, edit))
        except HttpError as error:
            results[index] = Written(document.id, error=error)
    refused: Sequence[HttpError | None] = [None] * len(edits)
    if permission is not None and edits:
        refused = permission(writer.connection, [edit for _, edit in edits])
    for (index, edit), refusal in zip(edits, refused, strict=True):
        if refusal is not None:
            results[index] = Written(edit.incoming.id, error=refusal)
            continue
        try:
            results[index] = _store(writer, edit, replicas, revs_limit)
        except HttpError as error:
            results[index] = Written(edit.incoming.id, error=error)


def _prepare(connection: sqlite3.Connection, document: Incoming, replica: bool) -> Edit:
    row = connection.execute(
        "SELECT seq, rev, deleted, leaves, body, tree FROM documents WHERE id=?", (document.id,)
    ).fetchone()
    tree = None if row is None or (replica and not document.attachments) else revtree.load(row[5])
    if replica:
        if tree is not None and document.path[0] in tree.nodes:
            return Edit(document, document.path, row, tree)
        attached = _complete_attachments(connection, document, tree, document.path[0].position, document.path)
        return Edit(document, document.path, row, tree, attached)
    if tree is None:
        # A revision nobody here has heard of is believed, as CouchDB does where it does not look it up.
        ancestors = document.path
    else:
        ancestors = [_parent(tree, document.path[0] if document.path else None, bool(row[2]))]
    parent = ancestors[0] if ancestors else None
    position = 1 if parent is None else parent.position + 1
    attached = _complete_attachments(connection, document, tree, position, ancestors, new_edit=True)
    revision = database_incoming.new_revision(document, parent, attached)
    return Edit(document, [revision, *ancestors], row, tree, attached, is_on_unknown=tree is None and bool(ancestors))


def _parent(tree: RevisionTree, named: Revision | None, is_deleted: bool) -> Revision:
    """The leaf an edit goes on. An edit that names none makes a deleted document anew, on top of its deletion."""
    if named is None:
        if not is_deleted:
            raise conflict()
        return revtree.winner(tree)
    if not tree.is_leaf(named):
        raise conflict()
    return named


def _complete_attachments(
    connection: sqlite3.Connection,
    document: Incoming,
    tree: RevisionTree | None,
    position: int,
    ancestors: list[Revision],
    *,
    new_edit: bool = False,
) -> list[Attachment]:
    """The attachments with what a stub stands for filled in. Raises 412 `missing_stub` for a stub of nothing."""
    if not document.attachments:
        return []
    known: dict[str, Attachment] | None = None
    complete = []
    for one in document.attachments:
        if one.content is not None:
            revpos = position if new_edit or one.revpos is None else one.revpos
            complete.append(replace(one, revpos=revpos))
            continue
        if known is None:
            known = _attachments_of_nearest(connection, tree, ancestors)
        if one.name not in known:
            raise HttpError(412, "missing_stub", f"Invalid attachment stub in {document.id} for {one.name}")
        complete.append(known[one.name])
    return complete


def _attachments_of_nearest(
    connection: sqlite3.Connection, tree: RevisionTree | None, ancestors: list[Revision]
) -> dict[str, Attachment]:
    """The attachments of the nearest of these revisions whose body is kept."""
    for revision in ancestors:
        node = None if tree is None else tree.nodes.get(revision)
        if node is not None and node.body is not None:
            row = connection.execute("SELECT attachments FROM bodies WHERE number=?", (node.body,)).fetchone()
            if row is not None:
                return {} if row[0] is None else attachments.load(row[0])
    return {}


def _store(writer: Writer, edit: Edit, replica: bool, revs_limit: int) -> Written:
    document, row = edit.incoming, edit.row
    revision = edit.path[0]
    if row is None and len(edit.path) == 1:
        number = writer.next_body()
        tree_text = revtree.dump_single(revision, number, document.deleted)
        _store_body(writer, number, edit)
        _store_row(writer, document.id, None, (str(revision), document.deleted, 1, number, tree_text))
        return Written(document.id, revision)
    tree = edit.tree or (RevisionTree() if row is None else revtree.load(row[5]))
    is_known = revision in tree.nodes
    if is_known and not replica:
        raise conflict()
    before = _parents(tree) if is_known else {}
    revtree.add_path(tree, edit.path, writer.body_number + 1, document.deleted)
    if not is_known:
        _store_body(writer, writer.next_body(), edit)
    dropped = revtree.stem(tree, revs_limit)
    if is_known and _parents(tree) == before:
        # More of its history may have come, and may have been forgotten again for being too old.
        return Written(document.id, revision)
    for number in dropped:
        drop_body(writer, number)
    replace_row(writer, document.id, row, tree)
    return Written(document.id, revision)


def _parents(tree: RevisionTree) -> dict[Revision, Revision | None]:
    return {revision: node.parent for revision, node in tree.nodes.items()}


def _store_body(writer: Writer, number: int, edit: Edit) -> None:
    attached = None
    if edit.attachments:
        for one in edit.attachments:
            if one.content is not None:
                attachments.keep(writer.connection, one)
        attached = attachments.dump(edit.attachments)
    text = edit.incoming.text
    writer.connection.execute("INSERT INTO bodies VALUES (?, ?, ?)", (number, text, attached))
    writer.body_bytes += len(text)


def drop_body(writer: Writer, number: int) -> None:
    row = writer.connection.execute("DELETE FROM bodies WHERE number=? RETURNING length(body)", (number,)).fetchone()
    writer.body_bytes -= 0 if row is None else row[0]


def replace_row(
    writer: Writer, id: str, before: tuple[int, str, int, int, int, str] | None, tree: RevisionTree
) -> None:
    """Store a document's new tree under a new sequence number; a document without revisions is gone."""
    if not tree.nodes:
        assert before is not None
        writer.connection.execute("DELETE FROM documents WHERE seq=?", (before[0],))
        writer.next_seq()
        _count(writer, bool(before[2]), -1)
        return
    winner = revtree.winner(tree)
    node = tree.nodes[winner]
    leaves = len(tree.nodes) - len(tree.parents)
    columns = (str(winner), node.deleted, leaves, node.body or 0, revtree.dump(tree))
    _store_row(writer, id, before, columns)


def _count(writer: Writer, deleted: bool, change: int) -> None:
    if deleted:
        writer.deleted += change
    else:
        writer.documents += change


def _store_row(
    writer: Writer,
    id: str,
    before: tuple[int, str, int, int, int, str] | None,
    columns: tuple[str, bool, int, int, str],
) -> None:
    seq = writer.next_seq()
    if before is None:
        writer.connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", (seq, id, *columns))
    else:
        writer.connection.execute(
            "UPDATE documents SET seq=?, rev=?, deleted=?, leaves=?, body=?, tree=? WHERE seq=?",
            (seq, *columns, before[0]),
        )
        _count(writer, bool(before[2]), -1)
    _count(writer, columns[1], 1)


def write_local(writer: Writer, document: Incoming) -> Written:
    """Store or delete a `_local` document. The last write wins: whatever revision it names, it gets the next one."""
    if document.deleted:
        gone = writer.connection.execute("DELETE FROM local_documents WHERE id=?", (document.id,))
        if gone.rowcount == 0:
            raise HttpError(404, "not_found", "missing")
        return Written(document.id, local_rev="0-0")
    rev = 1
    if document.path:
        digest = document.path[0].digest
        if not digest.isascii() or not digest.isdigit() or len(digest) > 15:
            raise bad_request("Invalid rev format")
        rev = int(digest) + 1
    writer.connection.execute(
        "INSERT OR REPLACE INTO local_documents VALUES (?, ?, ?)", (document.id, rev, document.text)
    )
    return Written(document.id, local_rev=f"0-{rev}")
