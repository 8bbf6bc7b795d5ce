"""Single documents and bulks of them."""

from __future__ import annotations

import sqlite3
from typing import Any

from embedded import database_incoming, database_reading, revtree
from embedded.database import Database
from embedded.database_incoming import Incoming
from embedded.database_writing import Written, write_documents
from embedded.http import json_text
from embedded.http.errors import bad_request, not_found
from embedded.http.request import Request
from embedded.http.response import Response, json_response, text_response
from embedded.http.routing import Route


def document_id(request: Request) -> str:
    """The id in the path: `{doc}`, or `_design/{design}`, or `_local/{local}`."""
    arguments = request.arguments
    if "doc" in arguments:
        return arguments["doc"]
    return f"_design/{arguments['design']}" if "design" in arguments else f"_local/{arguments['local']}"


async def store(database: Database, incoming: list[Incoming], *, replicas: bool) -> list[Written]:
    if database.partitioned:
        for document in incoming:
            database_incoming.check_partition(document.id)
    return await database.writing(
        write_documents, incoming, replicas=replicas, revs_limit=database.revs_limit, permission=None
    )


async def write_one(request: Request, incoming: Incoming, *, replicas: bool = False) -> Written:
    written = (await store(request.database, [incoming], replicas=replicas))[0]
    if written.error is not None:
        raise written.error
    return written


def written_response(request: Request, written: Written, status: int = 201) -> Response:
    answer = {"ok": True, "id": written.id, "rev": written.rev}
    location = f"{request.store.url}/{request.database.name}/{written.id}"
    headers = (
        {"ETag": f'"{written.rev}"', "Location": location} if status in (201, 202) else {"ETag": f'"{written.rev}"'}
    )
    return json_response(answer, status, headers)


def named_revision(request: Request) -> str | None:
    header = request.headers.get("if-match")
    named = request.query.get("rev")
    if header is not None:
        header = header.strip('"')
        if named is not None and header != named:
            raise bad_request("Document rev and etag have different values")
        return header
    return named


async def put(request: Request) -> Response:
    document = await request.json()
    if isinstance(document, dict):
        named = named_revision(request)
        if named is not None:
            if document.get("_rev", named) != named:
                raise bad_request("Document rev from request body and query string have different values")
            document["_rev"] = named
    replicas = request.query.get("new_edits") == "false"
    incoming = database_incoming.parse(document, id=document_id(request), replica=replicas)
    return written_response(request, await write_one(request, incoming, replicas=replicas))


async def post(request: Request) -> Response:
    document = await request.json()
    if isinstance(document, dict) and "_id" not in document:
        import secrets

        document["_id"] = secrets.token_hex(16)
    return written_response(request, await write_one(request, database_incoming.parse(document)))


async def delete(request: Request) -> Response:
    named = named_revision(request)
    body: dict[str, Any] = {"_deleted": True}
    if named is not None:
        body["_rev"] = named
    incoming = database_incoming.parse(body, id=document_id(request))
    if named is None:
        await request.database.reading(_require_known, incoming.id)
    return written_response(request, await write_one(request, incoming), 200)


def _require_known(connection: sqlite3.Connection, id: str) -> None:
    if not id.startswith("_local/") and database_reading.find(connection, id) is None:
        raise not_found()


async def get(request: Request) -> Response:
    id = document_id(request)
    if id.startswith("_local/"):
        local = await request.database.reading(database_reading.local_document, id)
        if local is None:
            raise not_found()
        return text_response(local)
    rev, text = await request.database.reading(_read, id, request.query.get("rev"), request.boolean("conflicts"))
    return text_response(text, headers={"ETag": f'"{rev}"'})


def _read(connection: sqlite3.Connection, id: str, rev: str | None, conflicts: bool) -> tuple[str, str]:
    stored = database_reading.find(connection, id)
    if stored is None:
        raise not_found()
    if rev is None and stored.deleted:
        raise not_found("deleted")
    revision = revtree.parse_revision(rev or stored.rev)
    extra = (
        database_reading.conflicts_text(stored.tree(), deleted_conflicts=False)
        if conflicts and stored.leaves > 1
        else ""
    )
    text = database_reading.revision_text(connection, stored, revision, extra)
    if text is None:
        raise not_found()
    return str(revision), text


async def bulk_documents(request: Request) -> Response:
    body = await request.json_object()
    documents = body.get("docs")
    if not isinstance(documents, list):
        raise bad_request(
            "POST body must include `docs` parameter." if "docs" not in body else "`docs` parameter must be an array."
        )
    new_edits = body.get("new_edits", True)
    if not isinstance(new_edits, bool):
        raise bad_request("`new_edits` parameter must be a boolean.")
    for document in documents:
        if new_edits and isinstance(document, dict) and "_id" not in document:
            import secrets

            document["_id"] = secrets.token_hex(16)
    incoming = [database_incoming.parse(document, replica=not new_edits) for document in documents]
    written = await store(request.database, incoming, replicas=not new_edits)
    return json_response([_outcome(one) for one in written if new_edits or one.error is not None], 201)


def _outcome(written: Written) -> dict[str, Any]:
    if written.error is None:
        return {"ok": True, "id": written.id, "rev": written.rev}
    return {"id": written.id, "error": written.error.error, "reason": written.error.reason}


def routes() -> list[Route]:
    found = [Route("POST", "/{db}", post), Route("POST", "/{db}/_bulk_docs", bulk_documents)]
    for pattern in ("/{db}/{doc}", "/{db}/_design/{design}", "/{db}/_local/{local...}"):
        found += [Route("GET", pattern, get), Route("PUT", pattern, put), Route("DELETE", pattern, delete)]
    return found


__all__ = ["document_id", "json_text", "routes", "store", "write_one"]
