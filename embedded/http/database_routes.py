"""A database as a whole: making, describing, deleting."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import quote

from embedded.database import Database
from embedded.http import json_text
from embedded.http.errors import bad_request
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route


async def create(request: Request) -> Response:
    properties = {"partitioned": "true"} if request.boolean("partitioned") else {}
    name = request.arguments["db"]
    await request.store.databases.create(name, properties)
    return json_response({"ok": True}, 201, {"Location": f"{request.base_url}/{quote(name, safe='$()+')}"})


async def describe(request: Request) -> Response:
    return json_response(await information(request.database))


async def delete(request: Request) -> Response:
    if "rev" in request.query:
        raise bad_request(
            "You tried to DELETE a database with a ?=rev parameter. Did you mean to DELETE a document instead?"
        )
    await request.store.databases.delete(request.arguments["db"])
    return json_response({"ok": True})


async def ensure_full_commit(request: Request) -> Response:
    """Every write is on the disk before it is answered, so there is nothing to do."""
    return json_response({"ok": True, "instance_start_time": "0"}, 201)


async def information(database: Database) -> dict[str, Any]:
    """The answer of `GET /db`."""
    counters, file_bytes, active_bytes = await database.reading(_measure)
    update_seq, documents, deleted, purge_seq, body_bytes = counters
    return {
        "instance_start_time": "0",
        "db_name": database.name,
        "purge_seq": database.sequence(purge_seq),
        "update_seq": database.sequence(update_seq),
        "sizes": {"file": file_bytes, "external": body_bytes, "active": active_bytes},
        "props": {"partitioned": True} if database.partitioned else {},
        "doc_del_count": deleted,
        "doc_count": documents,
        "disk_format_version": 8,
        "compact_running": database.compacting,
        "cluster": {"q": 1, "n": 1, "w": 1, "r": 1},
    }


def _measure(connection: sqlite3.Connection) -> tuple[tuple[int, int, int, int, int], int, int]:
    counters = connection.execute(
        "SELECT update_seq, documents, deleted, purge_seq, body_bytes FROM counters"
    ).fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return counters, pages * size, (pages - free) * size


async def get_security(request: Request) -> Response:
    return json_response(request.database.security())


async def put_security(request: Request) -> Response:
    given = json_text.parse(await request.body())
    _check_security(given)
    await request.database.set_property("security", json_text.text(given))
    return json_response({"ok": True})


def _check_security(given: Any) -> None:
    """Raises 400 for what would not be understood later, since then nobody would know who may read."""
    if not isinstance(given, dict):
        raise bad_request("The security object must be a JSON object.")
    for group in ("admins", "members"):
        section = given.get(group, {})
        if not isinstance(section, dict):
            raise bad_request(f"{group} must be a JSON object.")
        for kind in ("names", "roles"):
            names = section.get(kind, [])
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise bad_request(f"{kind} must be a JSON list of strings.")


async def get_revs_limit(request: Request) -> Response:
    return json_response(request.database.revs_limit)


async def put_revs_limit(request: Request) -> Response:
    given = json_text.parse(await request.body())
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < given < 2**31:
        raise bad_request("`_revs_limit` must be a positive integer.")
    await request.database.set_property("revs_limit", str(given))
    return json_response({"ok": True})


def routes() -> list[Route]:
    return [
        Route("GET", "/{db}/_security", get_security),
        Route("PUT", "/{db}/_security", put_security, Right.DATABASE_ADMIN),
        Route("GET", "/{db}/_revs_limit", get_revs_limit),
        Route("PUT", "/{db}/_revs_limit", put_revs_limit, Right.DATABASE_ADMIN),
        Route("PUT", "/{db}", create, Right.SERVER_ADMIN),
        Route("GET", "/{db}", describe),
        Route("DELETE", "/{db}", delete, Right.SERVER_ADMIN),
        Route("POST", "/{db}/_ensure_full_commit", ensure_full_commit),
    ]
