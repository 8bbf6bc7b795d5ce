"""Storing documents for a request: the one way from a route to the database's writing queue."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from embedded import database_incoming, security_users
from embedded.database import Database
from embedded.database_incoming import Incoming
from embedded.database_writing import Written, write_documents
from embedded.http.errors import HttpError
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.permission import permission_of
from embedded.security import User


async def store(database: Database, incoming: list[Incoming], *, replicas: bool, user: User) -> list[Written]:
    """Write documents as this user: rights for design documents and every `validate_doc_update` are asked.

    One entry for each document, in order. Raises 400 before anything is written when an id has no partition where it
    needs one.
    """
    if database.name == "_users":
        incoming = await database.in_thread(security_users.with_hashed_passwords, incoming)
    if database.partitioned:
        for document in incoming:
            database_incoming.check_partition(document.id)
    return await database.writing(
        write_documents,
        incoming,
        replicas=replicas,
        revs_limit=database.revs_limit,
        permission=permission_of(database, user),
    )


async def store_one(request: Request, incoming: Incoming, *, replica: bool = False) -> Written:
    """Raises the error of the document."""
    written = (await store(request.database, [incoming], replicas=replica, user=request.user))[0]
    if written.error is not None:
        raise written.error
    return written


def written_response(request: Request, written: Written, *, deleted: bool = False) -> Response:
    """The answer to a write of one document; a deletion is answered with 200."""
    headers = {}
    if not written.id.startswith("_local/"):
        headers["ETag"] = f'"{written.rev}"'
    if request.method != "DELETE":
        headers["Location"] = location(request, written.id)
    return json_response(outcome(written), 200 if deleted else 201, headers)


def location(request: Request, *parts: str) -> str:
    path = "/".join(quote(part, safe=":!~*'()") for part in (request.database.name, *parts))
    return f"{request.base_url}/{path}"


def outcome(written: Written) -> dict[str, Any]:
    if written.error is None:
        return {"ok": True, "id": written.id, "rev": written.rev}
    return {"id": written.id, **error_members(written.error)}


def error_members(error: HttpError) -> dict[str, Any]:
    return {"error": error.error, "reason": error.reason}
