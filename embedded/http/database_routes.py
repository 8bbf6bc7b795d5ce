"""A database as a whole: making, describing, deleting."""

from __future__ import annotations

import sqlite3
from typing import Any

from embedded.database import Database
from embedded.http.errors import bad_request
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route


async def create(request: Request) -> Response:
    properties = {"partitioned": "true"} if request.boolean("partitioned") else {}
    await request.store.databases.create(request.arguments["db"], properties)
    return json_response({"ok": True}, 201, {"Location": f"{request.store.url}/{request.arguments['db']}"})


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
        "compact_running": False,
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


def routes() -> list[Route]:
    return [
        Route("PUT", "/{db}", create, Right.SERVER_ADMIN),
        Route("GET", "/{db}", describe),
        Route("DELETE", "/{db}", delete, Right.SERVER_ADMIN),
        Route("POST", "/{db}/_ensure_full_commit", ensure_full_commit),
    ]
