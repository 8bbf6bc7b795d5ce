"""`_all_docs` and its like: documents in the order of their ids."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from embedded import database_maintenance as maintenance
from embedded import database_reading, partitions
from embedded.database import Database
from embedded.document_text import Show, conflicts_text, document_text, shown_attachments
from embedded.http import json_text
from embedded.http.errors import bad_request, query_parse_error
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Route

_UNSET: Any = object()
_DESIGN = "_design/"
_BATCH = 200
"""Rows put together in one step."""


@dataclass(slots=True)
class Query:
    """What of the list is asked for. `prefix`: only ids that begin so, as if there were no others.

    `single_key`: the one key of one of several queries; CouchDB tells where that is in the list, too.
    """

    keys: list[Any] | None = None
    start: Any = _UNSET
    end: Any = _UNSET
    inclusive_end: bool = True
    descending: bool = False
    skip: int = 0
    limit: int | None = None
    include_docs: bool = False
    conflicts: bool = False
    attachments: bool = False
    update_seq: bool = False
    prefix: str = ""
    single_key: str | None = None


def read_query(given: Mapping[str, Any]) -> Query:
    """A query from its parameters as JSON values. Raises 400 for a value that is not what the parameter takes."""
    query = Query()
    for name, value in given.items():
        if name in ("startkey", "start_key"):
            query.start = value
        elif name in ("endkey", "end_key"):
            query.end = value
        elif name == "key":
            query.start = query.end = value
        elif name == "keys":
            query.keys = value
        elif name in ("inclusive_end", "descending", "include_docs", "conflicts", "attachments", "update_seq"):
            if not isinstance(value, bool):
                raise query_parse_error(f"Invalid boolean parameter: {json_text.text(value)}")
            setattr(query, name, value)
        elif name in ("skip", "limit"):
            setattr(query, name, _whole_number(value))
    if query.keys is not None and not isinstance(query.keys, list):
        raise bad_request("`keys` member must be an array.")
    if query.keys is not None and not (query.start is _UNSET and query.end is _UNSET):
        raise query_parse_error("`keys` is incompatible with `key`, `start_key` and `end_key`")
    return query


def _whole_number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise query_parse_error(f"Invalid value for integer: {json_text.text(str(value))}")
    if value < 0:
        raise query_parse_error(f"Invalid value for positive integer: {json_text.text(str(value))}")
    return min(value, 2**53)


_JSON_PARAMETERS = ("startkey", "start_key", "endkey", "end_key", "key", "keys")


def _from_url(request: Request) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in request.query.items():
        if name in _JSON_PARAMETERS:
            given[name] = json_text.parse(value.encode("utf-8", "surrogatepass"))
        elif name in ("skip", "limit"):
            given[name] = request.integer(name)
        else:
            given[name] = value == "true" if value in ("true", "false") else value
    return given


async def _from_request(request: Request) -> Query:
    body = await request.json_object() if request.method == "POST" and await request.body() else {}
    return read_query(_from_url(request) | body)


async def all_documents(request: Request) -> Response:
    return _answer(request, await _from_request(request))


async def design_documents(request: Request) -> Response:
    query = await _from_request(request)
    query.prefix = _DESIGN
    return _answer(request, query)


async def partition_documents(request: Request) -> Response:
    query = await _from_request(request)
    query.prefix = partition_of(request) + ":"
    return _answer(request, query)


async def partition_information(request: Request) -> Response:
    partition = partition_of(request)
    counted = await request.database.reading(_partition_counts, partition + ":")
    documents, deleted, size = counted
    return json_response(
        {
            "db_name": request.database.name,
            "partition": partition,
            "doc_count": documents,
            "doc_del_count": deleted,
            "sizes": {"active": size, "external": size},
        }
    )


def partition_of(request: Request) -> str:
    """The partition in the path. Raises 400 for what can be none, and for a database that has none."""
    if not request.database.partitioned:
        raise bad_request("The database is not partitioned.")
    return partitions.check_name(request.arguments["partition"])


def _partition_counts(connection: sqlite3.Connection, prefix: str) -> tuple[int, int, int]:
    counted: tuple[int, int, int] = connection.execute(
        "SELECT count(*) - total(d.deleted), total(d.deleted), total(length(b.body)) "
        "FROM documents d LEFT JOIN bodies b ON b.number = d.body WHERE d.id >= ? AND d.id < ?",
        (prefix, _prefix_end(prefix)),
    ).fetchone()
    return int(counted[0]), int(counted[1]), int(counted[2])


async def queries(request: Request) -> Response:
    asked = (await request.json_object()).get("queries")
    if not isinstance(asked, list) or not all(isinstance(one, dict) for one in asked):
        raise bad_request("`queries` member must be an array of objects.")
    parsed = [read_query(one) for one in asked]
    for query in parsed:
        if query.keys is not None and len(query.keys) == 1 and isinstance(query.keys[0], str):
            query.single_key = query.keys[0]

    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"results":[\n'
        for index, query in enumerate(parsed):
            if index:
                yield b",\n"
            async for piece in request.database.streaming(listing, query, request.database):
                yield piece.encode()
        yield b"\n]}\n"

    return Response(200, pieces())


async def local_documents(request: Request) -> Response:
    found = await request.database.reading(maintenance.local_documents)
    rows = [{"id": id, "key": id, "value": {"rev": f"0-{rev}"}} for id, rev in found]
    return json_response({"total_rows": None, "offset": None, "rows": rows})


def _answer(request: Request, query: Query) -> Response:
    async def pieces() -> AsyncIterator[bytes]:
        async for piece in request.database.streaming(listing, query, request.database):
            yield piece.encode()
        yield b"\n"

    return Response(200, pieces())


def listing(connection: sqlite3.Connection, query: Query, database: Database) -> Iterator[str]:
    """The answer as JSON text, in pieces."""
    total = _documents(connection)
    if query.prefix:
        total = _live(connection, query.prefix, _prefix_end(query.prefix))
    update_seq = ""
    if query.update_seq:
        (number,) = connection.execute("SELECT update_seq FROM counters").fetchone()
        update_seq = f'"update_seq":"{database.sequence(number)}",'
    if query.keys is not None:
        offset = "null" if query.single_key is None else str(_live(connection, "", query.single_key))
        batches = _rows_of_keys(connection, query)
    else:
        offset, batches = str(_offset(connection, query, total)), _rows_of_range(connection, query)
    separator = f'{{"total_rows":{total},"offset":{offset},{update_seq}"rows":[\n'
    for rows in batches:
        yield separator + ",\n".join(rows)
        separator = ",\n"
    yield ("" if separator == ",\n" else separator) + "\n]}"


def _documents(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT documents FROM counters").fetchone()
    return int(count)


def _prefix_end(prefix: str) -> str:
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _live(connection: sqlite3.Connection, low: str, high: str) -> int:
    """How many documents that are not deleted have ids from `low` to before `high`. Reads indexes only."""
    (all,) = connection.execute("SELECT count(*) FROM documents WHERE id >= ? AND id < ?", (low, high)).fetchone()
    (deleted,) = connection.execute(
        "SELECT count(*) FROM documents WHERE deleted AND id >= ? AND id < ?", (low, high)
    ).fetchone()
    return int(all) - int(deleted)


def _offset(connection: sqlite3.Connection, query: Query, total: int) -> int:
    """How many rows there are before the first one told."""
    start = _place(query.start)
    if query.prefix == _DESIGN:
        return total
    if start is None:
        return min(query.skip, total)
    before = _live(connection, query.prefix, max(query.prefix, start))
    if query.descending:
        (at_start,) = connection.execute(
            "SELECT count(*) FROM documents WHERE id = ? AND NOT deleted", (start,)
        ).fetchone()
        before = total - before - at_start
    return min(total, before + query.skip)


def _place(key: Any) -> str | None:
    """Where a key is among ids: ids sort after null, booleans and numbers, before arrays and objects."""
    if key is _UNSET:
        return None
    if isinstance(key, str):
        return key
    return "\U0010ffff\U0010ffff" if isinstance(key, (list, dict)) else ""


def _rows_of_range(connection: sqlite3.Connection, query: Query) -> Iterator[list[str]]:
    where = ["NOT d.deleted"]
    bound: list[Any] = []
    low, high = (query.end, query.start) if query.descending else (query.start, query.end)
    low_inclusive, high_inclusive = (query.inclusive_end, True) if query.descending else (True, query.inclusive_end)
    bounds = ((_place(low), ">=" if low_inclusive else ">"), (_place(high), "<=" if high_inclusive else "<"))
    for place, operator in bounds:
        if place is not None:
            where.append(f"d.id {operator} ?")
            bound.append(place)
    if query.prefix:
        where += ["d.id >= ?", "d.id < ?"]
        bound += [query.prefix, _prefix_end(query.prefix)]
    cursor = connection.execute(
        f"SELECT d.id, d.rev, d.body, d.leaves FROM documents d WHERE {' AND '.join(where)} "  # noqa: S608
        f"ORDER BY d.id {'DESC' if query.descending else 'ASC'} LIMIT ? OFFSET ?",
        (*bound, -1 if query.limit is None else query.limit, query.skip),
    )
    while rows := cursor.fetchmany(_BATCH):
        yield [_row(connection, id, rev, body, leaves, query) for id, rev, body, leaves in rows]


def _rows_of_keys(connection: sqlite3.Connection, query: Query) -> Iterator[list[str]]:
    assert query.keys is not None
    keys = query.keys[::-1] if query.descending else query.keys
    keys = keys[query.skip :] if query.limit is None else keys[query.skip : query.skip + query.limit]
    for at in range(0, len(keys), _BATCH):
        yield [_row_of_key(connection, key, query) for key in keys[at : at + _BATCH]]


def _row(connection: sqlite3.Connection, id: str, rev: str, body: int, leaves: int, query: Query) -> str:
    name = json_text.text(id)
    document = f',"doc":{_document(connection, id, rev, body, leaves, query)}' if query.include_docs else ""
    return f'{{"id":{name},"key":{name},"value":{{"rev":{json_text.text(rev)}}}{document}}}'


def _document(connection: sqlite3.Connection, id: str, rev: str, body: int, leaves: int, query: Query) -> str:
    text, attached = connection.execute("SELECT body, attachments FROM bodies WHERE number=?", (body,)).fetchone()
    extra = ""
    if attached is not None:
        extra = shown_attachments(connection, attached, Show(attachments=query.attachments))
    if query.conflicts and leaves > 1:
        stored = database_reading.find(connection, id)
        assert stored is not None
        extra += conflicts_text(stored.tree(), deleted_conflicts=False)
    return document_text(id, rev, False, text, extra)


def _row_of_key(connection: sqlite3.Connection, key: Any, query: Query) -> str:
    is_asked = isinstance(key, str) and (query.prefix == _DESIGN or key.startswith(query.prefix))
    stored = database_reading.find(connection, key) if is_asked else None
    name = json_text.text(key)
    if stored is None:
        return f'{{"key":{name},"error":"not_found"}}'
    if stored.deleted:
        document = ',"doc":null' if query.include_docs else ""
        return f'{{"id":{name},"key":{name},"value":{{"rev":{json_text.text(stored.rev)},"deleted":true}}{document}}}'
    return _row(connection, stored.id, stored.rev, stored.body, stored.leaves, query)


def routes() -> list[Route]:
    found = [
        Route("POST", "/{db}/_all_docs/queries", queries),
        Route("GET", "/{db}/_local_docs", local_documents),
    ]
    found.append(Route("GET", "/{db}/_partition/{partition}", partition_information))
    for method in ("GET", "POST"):
        found.append(Route(method, "/{db}/_partition/{partition}/_all_docs", partition_documents))
        found.append(Route(method, "/{db}/_all_docs", all_documents))
        found.append(Route(method, "/{db}/_design_docs", design_documents))
    return found
