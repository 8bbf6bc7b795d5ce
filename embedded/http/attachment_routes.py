"""Attachments by themselves: `/{db}/{doc}/{attachment}`. Also documents that come as multipart/related."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from embedded import attachments, database_incoming, database_reading
from embedded.attachments import Attachment
from embedded.database_incoming import Incoming
from embedded.document_text import Show, revision_text
from embedded.http import json_text
from embedded.http.document_parameters import document_id, named_revision
from embedded.http.document_writing import location, outcome, store_one
from embedded.http.errors import HttpError, bad_request, conflict, not_found, too_large
from embedded.http.receiving import receive, related_parts
from embedded.http.request import MAXIMUM_BODY, Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Route
from embedded.large_contents import FilePart
from embedded.multipart import Part
from embedded.revtree import parse_revision

_Pieces = Callable[[sqlite3.Connection, Attachment], Iterator[bytes]]
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


async def get(request: Request) -> Response:
    rev = request.query.get("rev")
    takes_gzip = "gzip" in request.headers.get("accept-encoding", "")
    found = await request.database.reading(_attachment, document_id(request), request.arguments["attachment"], rev)
    digest = (found.digest or "").removeprefix("md5-")
    headers = {"ETag": f'"{digest}"', "Accept-Ranges": "none" if found.encoding else "bytes"}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(304, headers=headers)
    if found.encoding and takes_gzip:
        headers["Content-Encoding"] = found.encoding
        return await _answer(request, 200, headers, found, attachments.kept_length(found), attachments.kept_pieces)
    part = None if found.encoding else _range(request.headers.get("range", ""), found.length)
    if part is None:
        return await _answer(request, 200, headers, found, found.length, attachments.plain_pieces)
    first, last = part
    headers["Content-Range"] = f"bytes {first}-{last}/{found.length}"
    length = last + 1 - first
    return await _answer(
        request, 206, headers, found, length, lambda reading, one: attachments.part_of(reading, one, first, length)
    )


async def _answer(
    request: Request, status: int, headers: dict[str, str], found: Attachment, length: int, pieces: _Pieces
) -> Response:
    """A large content is sent as it is read; a small one is read at once."""
    if attachments.is_large(found):
        headers["Content-Length"] = str(length)
        return Response(status, request.database.streaming(pieces, found), headers, found.content_type)
    content = await request.database.reading(lambda connection: b"".join(pieces(connection, found)))
    return Response(status, content, headers, found.content_type)


def _range(header: str, length: int) -> tuple[int, int] | None:
    """First and last byte asked for; None when all is. Raises 416 when there are no such bytes."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.group(0) == "bytes=-":
        return None
    start, end = match.groups()
    first = max(0, length - int(end)) if start == "" else int(start)
    last = length - 1 if start == "" or end == "" else min(int(end), length - 1)
    if first >= length or last < first:
        raise HttpError(416, "requested_range_not_satisfiable", "The attachment has no such bytes.")
    return first, last


def _attachment(connection: sqlite3.Connection, id: str, name: str, rev: str | None) -> Attachment:
    stored = database_reading.find(connection, id)
    if stored is None or (stored.deleted and rev is None):
        raise not_found("missing" if stored is None else "deleted")
    node = stored.tree().nodes.get(parse_revision(rev or stored.rev))
    row = None
    if node is not None and node.body is not None:
        row = connection.execute("SELECT attachments FROM bodies WHERE number=?", (node.body,)).fetchone()
    if row is None:
        raise not_found()
    found = attachments.load(row[0]).get(name) if row[0] is not None else None
    if found is None:
        raise not_found("Document is missing attachment")
    return found


async def put(request: Request) -> Response:
    name = request.arguments["attachment"]
    if name.startswith("_"):
        raise bad_request(f"Attachment name '{name}' starts with prohibited character '_'")
    encoding = request.headers.get("content-encoding", "identity")
    if encoding not in ("identity", "gzip"):
        raise HttpError(415, "bad_ctype", "Only gzip and identity content-encodings are supported")
    kind = request.headers.get("content-type", "application/octet-stream")
    new = await receive(request, name, kind, is_packed=encoding == "gzip")
    try:
        document = await request.database.reading(_current, document_id(request), named_revision(request))
        told = document.get("_attachments", {})
        told.pop(name, None)
        incoming = database_incoming.parse(document, id=document_id(request))
        incoming.attachments.append(new)
        return await _stored(request, incoming, 201)
    finally:
        attachments.let_go([new])


async def delete(request: Request) -> Response:
    document = await request.database.reading(_current, document_id(request), named_revision(request), removing=True)
    if document.get("_attachments", {}).pop(request.arguments["attachment"], None) is None:
        raise not_found("Document is missing attachment")
    if named_revision(request) is None:
        raise conflict()
    return await _stored(request, database_incoming.parse(document, id=document_id(request)), 200)


async def _stored(request: Request, incoming: Incoming, status: int) -> Response:
    written = await store_one(request, incoming)
    headers = {"ETag": f'"{written.rev}"'}
    if status == 201:
        headers["Location"] = location(request, incoming.id, *request.arguments["attachment"].split("/"))
    return json_response(outcome(written), status, headers)


def _current(connection: sqlite3.Connection, id: str, rev: str | None, *, removing: bool = False) -> dict[str, Any]:
    """The document an attachment is put into: with stubs of what it has, or a new one when there is none."""
    stored = database_reading.find(connection, id)
    if stored is None or (stored.deleted and rev is None):
        if removing or rev is not None:
            raise not_found() if removing else conflict()
        return {}
    if rev is None and not removing:
        raise conflict()
    text = revision_text(connection, id, stored.tree(), parse_revision(rev or stored.rev))
    if text is None:
        raise conflict()
    document: dict[str, Any] = json_text.stored(text)
    document.pop("_deleted", None)
    return document


async def read_related(request: Request, *, id: str, replica: bool, named: str | None) -> Incoming:
    """A document that comes as multipart/related: the document first, then the contents that it says follow.

    A content belongs to the attachment its Content-Disposition names; if that is none that follows, to the next one.
    Whoever calls lets the attachments go. Raises 400 when the parts are not what the document says.
    """
    async with related_parts(request) as parts:
        if not parts:
            raise bad_request("The multipart body has no document.")
        document = json_text.parse(_document_body(parts[0]))
        if not isinstance(document, dict):
            raise bad_request("Document must be a JSON object")
        if named is not None:
            document["_rev"] = named
        following = _assign(document.get("_attachments"), parts[1:])
        return await request.database.in_thread(
            database_incoming.parse, document, id=id, replica=replica, following=following
        )


def _document_body(part: Part) -> bytes:
    if isinstance(part.body, bytes):
        return part.body
    if part.length > MAXIMUM_BODY:
        raise too_large(f"The document is larger than {MAXIMUM_BODY} bytes.")
    return part.body.content()


def _assign(told: Any, parts: list[Part]) -> dict[str, bytes | FilePart]:
    members = told.items() if isinstance(told, dict) else ()
    waiting = [name for name, one in members if isinstance(one, dict) and one.get("follows") is True]
    contents: dict[str, bytes | FilePart] = {}
    for part in parts:
        left = [one for one in waiting if one not in contents]
        name = next((one for one in [*part.file_names(), *left[:1]] if one in left), None)
        if name is None:
            raise bad_request("More contents came than the document says follow.")
        contents[name] = part.body
    return contents


async def refuse_for_local(request: Request) -> Response:
    raise bad_request("_local documents do not accept attachments.")


def routes() -> list[Route]:
    local = "/{db}/_local/{local}/{attachment...}"
    found = [Route(method, local, refuse_for_local) for method in ("GET", "PUT", "DELETE", "COPY", "POST")]
    for pattern in ("/{db}/{doc}/{attachment...}", "/{db}/_design/{design}/{attachment...}"):
        found += [Route("GET", pattern, get), Route("PUT", pattern, put), Route("DELETE", pattern, delete)]
    return found


__all__ = ["Show", "read_related", "routes"]
