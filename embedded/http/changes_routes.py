"""`_changes`."""

from __future__ import annotations

import sqlite3

from embedded import database_reading
from embedded.http import json_text
from embedded.http.errors import not_implemented
from embedded.http.request import Request
from embedded.http.response import Response, text_response
from embedded.http.routing import Route


async def changes(request: Request) -> Response:
    if request.query.get("feed", "normal") != "normal" or "filter" in request.query:
        raise not_implemented("Only the normal feed without a filter is built yet.")
    given = request.query.get("since", "0")
    since = request.database.update_seq if given == "now" else request.database.parse_since(given)
    limit = request.integer("limit")
    rows, last, pending = await request.database.reading(
        _rows, since, -1 if limit is None else limit, request.boolean("include_docs")
    )
    sequence = request.database.sequence
    results = ",\n".join(f'{{"seq":"{sequence(seq)}",{rest}' for seq, rest in rows)
    last_seq = sequence(max(last, since) if rows else max(since, last))
    return text_response(f'{{"results":[\n{results}\n],\n"last_seq":"{last_seq}","pending":{pending}}}')


def _rows(
    connection: sqlite3.Connection, since: int, limit: int, include_docs: bool
) -> tuple[list[tuple[int, str]], int, int]:
    found = database_reading.documents_since(connection, since, limit)
    last = found[-1].seq if found else since
    (pending,) = connection.execute("SELECT count(*) FROM documents WHERE seq > ?", (last,)).fetchone()
    rows = []
    for change in found:
        deleted = ',"deleted":true' if change.deleted else ""
        document = f',"doc":{change.text}' if include_docs else ""
        name = json_text.text(change.id)
        rows.append((change.seq, f'"id":{name},"changes":[{{"rev":"{change.rev}"}}]{deleted}{document}}}'))
    return rows, last, pending


def routes() -> list[Route]:
    return [Route("GET", "/{db}/_changes", changes)]
