"""Getting documents: one revision, several at once."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from embedded import database_reading, revtree
from embedded.database_reading import Stored
from embedded.document_text import Show, meta_text, revision_text
from embedded.http import document_parameters, json_text
from embedded.http.errors import not_found
from embedded.http.multipart_reading import Item, missing_text, mixed, related
from embedded.http.request import Request
from embedded.http.response import Response, text_response
from embedded.revtree import Revision, RevisionTree, parse_revision


async def get(request: Request) -> Response:
    id = document_parameters.document_id(request)
    if id.startswith("_local/"):
        local = await request.database.reading(database_reading.local_document, id)
        if local is None:
            raise not_found()
        return text_response(local)
    show = document_parameters.show(request)
    open_revs = request.query.get("open_revs")
    if open_revs is not None:
        wanted = None
        if open_revs != "all":
            wanted = document_parameters.revision_list(json_text.parse(open_revs.encode()))
        if request.accepts("multipart/mixed"):
            items = await request.database.reading(_open_items, id, wanted, request.boolean("latest"))
            return mixed(request.database, items, replace(show, attachments=True))
        text = await request.database.reading(_open_revisions, id, wanted, request.boolean("latest"), show)
        return text_response(text)
    named = request.query.get("rev")
    revision = None if named is None else parse_revision(named)
    if show.attachments and request.accepts("multipart/related"):
        return await _related(request, id, revision, show)
    if revision is not None:
        rev, text = await request.database.reading(_named, id, revision, request.boolean("latest"), show)
        has_meta = False
    else:
        rev, text, has_meta = await request.database.reading(_winner, id, show)
    return conditional(request, text, None if has_meta else rev)


async def _related(request: Request, id: str, revision: Revision | None, show: Show) -> Response:
    item, attached = await request.database.reading(_item, id, revision, show)
    headers = {} if item.meta else {"ETag": f'"{item.rev}"'}
    if attached:
        return related(request.database, item, show, headers)
    text = await request.database.reading(revision_text, id, item.tree, parse_revision(item.rev), show, item.meta)
    return text_response(text or "null", headers=headers)


def _item(connection: sqlite3.Connection, id: str, revision: Revision | None, show: Show) -> tuple[Item, bool]:
    stored = _require(connection, id)
    if stored.deleted and revision is None:
        raise not_found("deleted")
    tree = stored.tree()
    meta = "" if revision is not None else meta_text(connection, tree, stored.seq, show)
    revision = revision or parse_revision(stored.rev)
    text = revision_text(connection, id, tree, revision)
    if text is None:
        raise not_found()
    return Item(id, str(revision), tree, revision, meta=meta), "_attachments" in json_text.stored(text)


def _open_items(connection: sqlite3.Connection, id: str, wanted: list[Revision] | None, latest: bool) -> list[Item]:
    stored = database_reading.find(connection, id)
    if stored is None and wanted is None:
        raise not_found()
    tree = RevisionTree() if stored is None else stored.tree()
    items = []
    for revision in select_open_revisions(tree, wanted, latest):
        if revision_text(connection, id, tree, revision) is None:
            items.append(Item(id, str(revision), tree, error=missing_text(revision)))
        else:
            items.append(Item(id, str(revision), tree, revision))
    return items


def conditional(request: Request, text: str, rev: str | None) -> Response:
    """The document, or 304 when the client has it already. Without a tag when it tells more than its revision."""
    if rev is None:
        return text_response(text)
    tag = f'"{rev}"'
    if tag in request.headers.get("if-none-match", ""):
        return Response(304, headers={"ETag": tag})
    return text_response(text, headers={"ETag": tag})


def _require(connection: sqlite3.Connection, id: str) -> Stored:
    stored = database_reading.find(connection, id)
    if stored is None:
        raise not_found()
    return stored


def _winner(connection: sqlite3.Connection, id: str, show: Show) -> tuple[str, str, bool]:
    stored = _require(connection, id)
    if stored.deleted:
        raise not_found("deleted")
    tree = stored.tree()
    meta = meta_text(connection, tree, stored.seq, show)
    text = revision_text(connection, id, tree, parse_revision(stored.rev), show, meta)
    assert text is not None
    return stored.rev, text, bool(meta)


def _named(connection: sqlite3.Connection, id: str, revision: Revision, latest: bool, show: Show) -> tuple[str, str]:
    stored = _require(connection, id)
    tree = stored.tree()
    if latest and revision in tree.nodes:
        revision = parse_revision(stored.rev)
    text = revision_text(connection, id, tree, revision, show)
    if text is None:
        raise not_found()
    return str(revision), text


def _open_revisions(
    connection: sqlite3.Connection, id: str, wanted: list[Revision] | None, latest: bool, show: Show
) -> str:
    stored = database_reading.find(connection, id)
    if stored is None and wanted is None:
        raise not_found()
    tree = RevisionTree() if stored is None else stored.tree()
    parts = []
    for revision in select_open_revisions(tree, wanted, latest):
        text = revision_text(connection, id, tree, revision, show)
        parts.append(f'{{"missing":{json_text.text(str(revision))}}}' if text is None else f'{{"ok":{text}}}')
    return f"[{','.join(parts)}]"


def select_open_revisions(tree: RevisionTree, wanted: list[Revision] | None, latest: bool) -> list[Revision]:
    """Which revisions `open_revs` means, in CouchDB's order: by generation and digest. `wanted` None: all leaves."""
    if wanted is None:
        found = revtree.leaves(tree)
    elif latest:
        found = []
        for revision in wanted:
            found += revtree.descendant_leaves(tree, revision) or [revision]
    else:
        return list(dict.fromkeys(wanted))
    return sorted(set(found), key=lambda revision: (revision.position, revtree.digest_order(revision.digest)))
