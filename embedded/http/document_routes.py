"""Single documents and bulks of them."""

from __future__ import annotations

import secrets
import sqlite3
from typing import Any
from urllib.parse import unquote

from embedded import attachments, database_incoming, database_reading
from embedded.database_incoming import Incoming
from embedded.document_text import Show, revision_text
from embedded.http import document_reading, json_text
from embedded.http.attachment_routes import read_related
from embedded.http.document_parameters import document_id, named_revision
from embedded.http.document_writing import outcome, store, store_one, written_response
from embedded.http.errors import bad_request, conflict, not_found
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Route
from embedded.revtree import parse_revision


async def put(request: Request) -> Response:
    replica = request.query.get("new_edits") == "false"
    if request.headers.get("content-type", "").startswith("multipart/related"):
        named = named_revision(request)
        incoming = await read_related(request, id=document_id(request), replica=replica, named=named)
        try:
            return await _write(request, incoming, replica)
        finally:
            attachments.let_go(incoming.attachments)
    document = json_text.parse(await request.body())
    name_revision(document, named_revision(request))
    incoming = database_incoming.parse(document, id=document_id(request), replica=replica)
    return await _write(request, incoming, replica)


async def post(request: Request) -> Response:
    document = await request.json()
    if isinstance(document, dict) and "_id" not in document:
        document["_id"] = secrets.token_hex(16)
    replica = request.query.get("new_edits") == "false"
    return await _write(request, database_incoming.parse(document, replica=replica), replica)


async def _write(request: Request, incoming: Incoming, replica: bool) -> Response:
    written = await store_one(request, incoming, replica=replica)
    if request.query.get("batch") == "ok":
        # It is on the disk already; the client asked not to be told the revision.
        return json_response({"ok": True, "id": written.id}, 202)
    return written_response(request, written, deleted=incoming.deleted)


def name_revision(document: Any, named: str | None) -> None:
    """Put the revision of the URL or of If-Match into the document. Raises 400 when it has another one."""
    if named is None or not isinstance(document, dict):
        return
    if document.get("_rev", named) != named:
        raise bad_request("Document rev from request body and query string have different values")
    document["_rev"] = named


async def delete(request: Request) -> Response:
    named = named_revision(request)
    body: dict[str, Any] = {"_deleted": True} if named is None else {"_deleted": True, "_rev": named}
    incoming = database_incoming.parse(body, id=document_id(request))
    if not incoming.id.startswith("_local/"):
        await request.database.reading(_require_live, incoming.id)
        if named is None:
            raise conflict()
    return written_response(request, await store_one(request, incoming), deleted=True)


def _require_live(connection: sqlite3.Connection, id: str) -> None:
    stored = database_reading.find(connection, id)
    if stored is None or stored.deleted:
        raise not_found("missing" if stored is None else "deleted")


async def copy(request: Request) -> Response:
    destination = request.headers.get("destination")
    if destination is None:
        raise bad_request("Destination header is mandatory for COPY.")
    target, _, query = destination.partition("?")
    target = unquote(target.removeprefix(f"{request.base_url}/{request.database.name}/"))
    named = query.removeprefix("rev=") if query.startswith("rev=") else None
    source = document_id(request)
    document = json_text.stored(await request.database.reading(_source, source, request.query.get("rev")))
    document.pop("_rev")
    name_revision(document, named)
    incoming = database_incoming.parse(document, id=target)
    return written_response(request, await store_one(request, incoming))


def _source(connection: sqlite3.Connection, id: str, rev: str | None) -> str:
    stored = database_reading.find(connection, id)
    if stored is None or (stored.deleted and rev is None):
        raise not_found("missing" if stored is None else "deleted")
    text = revision_text(connection, id, stored.tree(), parse_revision(rev or stored.rev), Show(attachments=True))
    if text is None:
        raise not_found()
    return text


async def post_to_document(request: Request) -> Response:
    raise bad_request("Referer header required.")


async def bulk_documents(request: Request) -> Response:
    request.require_json_type()
    raw = await request.body()
    # Much JSON is taken apart beside the event loop, so that other requests go on meanwhile.
    large = len(raw) > _LARGE
    incoming, new_edits = await request.database.in_thread(_bulk, raw) if large else _bulk(raw)
    written = await store(request.database, incoming, replicas=not new_edits, user=request.user)
    if new_edits:
        return json_response([outcome(one) for one in written], 201)
    refused = [
        {"id": one.id, "rev": str(document.path[0]), **outcome(one)}
        for one, document in zip(written, incoming, strict=True)
        if one.error is not None
    ]
    return json_response(refused, 201)


_LARGE = 200_000


def _bulk(raw: bytes) -> tuple[list[Incoming], bool]:
    """The documents of a bulk and whether they are new edits. Raises 400 for the first that cannot be one."""
    body = json_text.parse_object(raw)
    if "docs" not in body:
        raise bad_request("POST body must include `docs` parameter.")
    documents = body["docs"]
    if not isinstance(documents, list):
        raise bad_request("`docs` parameter must be an array.")
    new_edits = body.get("new_edits", True)
    if not isinstance(new_edits, bool):
        raise bad_request("`new_edits` parameter must be a boolean.")
    for document in documents:
        if isinstance(document, dict) and "_id" not in document:
            document["_id"] = secrets.token_hex(16)
    return [database_incoming.parse(document, replica=not new_edits) for document in documents], new_edits


def routes() -> list[Route]:
    found = [Route("POST", "/{db}", post), Route("POST", "/{db}/_bulk_docs", bulk_documents)]
    for pattern in ("/{db}/{doc}", "/{db}/_design/{design}", "/{db}/_local/{local}"):
        found += [
            Route("GET", pattern, document_reading.get),
            Route("PUT", pattern, put),
            Route("DELETE", pattern, delete),
            Route("COPY", pattern, copy),
            Route("POST", pattern, post_to_document),
        ]
    return found
