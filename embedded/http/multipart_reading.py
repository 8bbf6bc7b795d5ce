"""Documents sent as multipart: one with its attachments, or several revisions or documents each with theirs."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace

from embedded import attachments, multipart
from embedded.database import Database
from embedded.document_text import Show, newest_shared, revision_text
from embedded.http import json_text
from embedded.http.response import Response
from embedded.revtree import Revision, RevisionTree


@dataclass(slots=True)
class Item:
    """One document to send. `revision` None: it is not there, and `error` is told instead.

    `since`: revisions whose attachments the client has; None where nothing was said of this document by itself.
    """

    id: str
    rev: str
    tree: RevisionTree
    revision: Revision | None = None
    error: str = ""
    meta: str = ""
    since: tuple[Revision, ...] | None = None


def mixed(database: Database, items: list[Item], show: Show, kind: str = "mixed", *, named: bool = False) -> Response:
    """All items in one multipart body. `named`: each says its id and revision in headers, as `_bulk_get` has it."""
    boundary = multipart.new_boundary()
    show = replace(show, follows=True, encoding_info=True)

    def body(connection: sqlite3.Connection) -> Iterator[bytes]:
        parts = (_item_part(connection, item, show, named) for item in items)
        yield from multipart.join(boundary, parts)

    return Response(200, _stream(database, body), content_type=f'multipart/{kind}; boundary="{boundary}"')


def related(database: Database, item: Item, show: Show, headers: dict[str, str]) -> Response:
    """One document and its attachments."""
    boundary = multipart.new_boundary()
    show = replace(show, follows=True, encoding_info=True)

    def body(connection: sqlite3.Connection) -> Iterator[bytes]:
        yield from _related_body(connection, item, show, boundary)

    return Response(200, _stream(database, body), headers, f'multipart/related; boundary="{boundary}"')


def _stream(database: Database, body: object) -> AsyncIterator[bytes]:
    return database.streaming(body)  # type: ignore[arg-type]


def _item_part(
    connection: sqlite3.Connection, item: Item, show: Show, named: bool
) -> tuple[dict[str, str], Iterable[bytes]]:
    headers = {"X-Doc-Id": item.id, "X-Rev-Id": item.rev} if named else {}
    if item.since is not None:
        show = replace(show, atts_since=item.since)
    if item.revision is None:
        return {**headers, "Content-Type": 'application/json; error="true"'}, [item.error.encode()]
    if show.attachments and _following(connection, item, show):
        boundary = multipart.new_boundary()
        kind = f'multipart/related; boundary="{boundary}"'
        return {**headers, "Content-Type": kind}, _related_body(connection, item, show, boundary)
    text = revision_text(connection, item.id, item.tree, item.revision, show, item.meta)
    return {**headers, "Content-Type": "application/json"}, [(text or "null").encode()]


def _related_body(connection: sqlite3.Connection, item: Item, show: Show, boundary: str) -> Iterator[bytes]:
    assert item.revision is not None
    text = revision_text(connection, item.id, item.tree, item.revision, show, item.meta)
    yield multipart.head(boundary, {"Content-Type": "application/json"}) + (text or "null").encode()
    for one in _following(connection, item, show):
        length = attachments.kept_length(one)
        yield multipart.head(boundary, multipart.attachment_headers(one.name, one.content_type, length, one.encoding))
        yield from attachments.kept_pieces(connection, one)
    yield multipart.end(boundary)


def _following(connection: sqlite3.Connection, item: Item, show: Show) -> list[attachments.Attachment]:
    """The attachments whose content is sent, in the order the document names them."""
    assert item.revision is not None
    node = item.tree.nodes.get(item.revision)
    if node is None or node.body is None:
        return []
    row = connection.execute("SELECT attachments FROM bodies WHERE number=?", (node.body,)).fetchone()
    if row is None or row[0] is None:
        return []
    since = None if show.atts_since is None else newest_shared(item.tree, item.revision, show.atts_since)
    return [one for one in attachments.load(row[0]).values() if since is None or (one.revpos or 0) > since]


def missing_text(revision: Revision) -> str:
    return f'{{"missing":{json_text.text(str(revision))}}}'
