"""`_all_docs`: documents in the order of their ids."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from embedded import database_reading
from embedded.document_text import Show, conflicts_text, document_text, shown_attachments
from embedded.http import json_text
from embedded.http.errors import bad_request
from embedded.http.request import Request
from embedded.http.response import Response, text_response
from embedded.http.routing import Route


@dataclass(slots=True)
class Query:
    """What of the list is asked for. Keys that are not strings sort by JSON collation: before all ids, or after."""

    keys: list[Any] | None = None
    start: Any = None
    end: Any = None
    inclusive_end: bool = True
    descending: bool = False
    skip: int = 0
    limit: int | None = None
    include_docs: bool = False
    conflicts: bool = False
    attachments: bool = False
    extra: dict[str, Any] = field(default_factory=dict)


async def read_query(request: Request) -> Query:
    body = await request.json_object() if request.method == "POST" and await request.body() else {}
    query = Query()
    query.start = request.json_parameter("startkey", request.json_parameter("start_key"))
    query.end = request.json_parameter("endkey", request.json_parameter("end_key"))
    key = request.json_parameter("key")
    query.keys = body.get("keys", request.json_parameter("keys"))
    if query.keys is not None and not isinstance(query.keys, list):
        raise bad_request("`keys` member must be an array.")
    if key is not None:
        query.start = query.end = key
    query.inclusive_end = request.boolean("inclusive_end", True)
    query.descending = request.boolean("descending")
    query.skip = request.integer("skip", 0) or 0
    query.limit = request.integer("limit")
    query.include_docs = request.boolean("include_docs")
    query.attachments = request.boolean("attachments")
    query.conflicts = request.boolean("conflicts")
    return query


async def all_documents(request: Request) -> Response:
    return text_response(await request.database.reading(listing, await read_query(request)))


def listing(connection: sqlite3.Connection, query: Query) -> str:
    """The answer as JSON text."""
    (total,) = connection.execute("SELECT documents FROM counters").fetchone()
    if query.keys is not None:
        keys = query.keys[::-1] if query.descending else query.keys
        keys = keys[query.skip :] if query.limit is None else keys[query.skip : query.skip + query.limit]
        rows = [_row_of_key(connection, key, query) for key in keys]
        offset = "null"
    else:
        rows, before = _range(connection, query)
        offset = str(before)
    return f'{{"total_rows":{total},"offset":{offset},"rows":[\n' + ",\n".join(rows) + "\n]}"


def _range(connection: sqlite3.Connection, query: Query) -> tuple[list[str], int]:
    low, high = (query.end, query.start) if query.descending else (query.start, query.end)
    low_inclusive, high_inclusive = (query.inclusive_end, True) if query.descending else (True, query.inclusive_end)
    where, bound = ["NOT d.deleted"], []
    if isinstance(low, str):
        where.append("d.id >= ?" if low_inclusive else "d.id > ?")
        bound.append(low)
    if isinstance(high, str):
        where.append("d.id <= ?" if high_inclusive else "d.id < ?")
        bound.append(high)
    order = "DESC" if query.descending else "ASC"
    condition = " AND ".join(where)
    limit = -1 if query.limit is None else query.limit
    rows = connection.execute(
        f"SELECT d.id, d.rev, d.body, d.leaves FROM documents d WHERE {condition} "  # noqa: S608
        f"ORDER BY d.id {order} LIMIT ? OFFSET ?",
        (*bound, limit, query.skip),
    ).fetchall()
    return [_row(connection, id, rev, body, leaves, query) for id, rev, body, leaves in rows], query.skip


def _row(connection: sqlite3.Connection, id: str, rev: str, body: int, leaves: int, query: Query) -> str:
    name = json_text.text(id)
    document = ""
    if query.include_docs:
        kept = database_reading.body(connection, body)
        assert kept is not None
        extra = "" if kept[1] is None else shown_attachments(connection, kept[1], Show(attachments=query.attachments))
        if query.conflicts and leaves > 1:
            stored = database_reading.find(connection, id)
            assert stored is not None
            extra += conflicts_text(stored.tree(), deleted_conflicts=False)
        document = ',"doc":' + document_text(id, rev, False, kept[0], extra)
    return f'{{"id":{name},"key":{name},"value":{{"rev":"{rev}"}}{document}}}'


def _row_of_key(connection: sqlite3.Connection, key: Any, query: Query) -> str:
    stored = database_reading.find(connection, key) if isinstance(key, str) else None
    name = json_text.text(key)
    if stored is None:
        return f'{{"key":{name},"error":"not_found"}}'
    if stored.deleted:
        document = ',"doc":null' if query.include_docs else ""
        return f'{{"id":{name},"key":{name},"value":{{"rev":"{stored.rev}","deleted":true}}{document}}}'
    return _row(connection, stored.id, stored.rev, stored.body, stored.leaves, query)


def routes() -> list[Route]:
    return [Route("GET", "/{db}/_all_docs", all_documents), Route("POST", "/{db}/_all_docs", all_documents)]
