"""The routes of views: queries, information, cleaning up."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from typing import Any, Final

from embedded import database_reading, partitions
from embedded.collation import COLLATOR_VERSION
from embedded.database import Database
from embedded.http import json_text
from embedded.http.all_documents_routes import partition_of
from embedded.http.errors import HttpError, bad_request, not_found, query_parse_error
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route
from embedded.mapreduce.definition import IndexDefinition, View, read_definition
from embedded.mapreduce.index_file import read_state
from embedded.mapreduce.indexes import Indexes, ViewIndex, of_store
from embedded.mapreduce.options import Options, read_body, read_options
from embedded.mapreduce.reading import offset, reduction_texts, row_texts

_WHOLE_ANSWER: Final = 256 * 1024
"""Characters up to which an answer is sent in one piece, with its length; a longer one is streamed."""


def routes() -> list[Route]:
    view = "/{db}/_design/{design}/_view/{view}"
    return [
        Route("GET", view, query_view),
        Route("POST", view, query_view),
        Route("POST", view + "/queries", query_view_often),
        Route("GET", "/{db}/_design/{design}/_info", index_information),
        Route("POST", "/{db}/_view_cleanup", clean_up, Right.DATABASE_ADMIN),
        Route("GET", "/{db}/_partition/{partition}/_design/{design}/_view/{view}", query_view),
        Route("POST", "/{db}/_partition/{partition}/_design/{design}/_view/{view}", query_view),
    ]


async def query_view(request: Request) -> Response:
    body: Mapping[str, Any] = {}
    if request.method == "POST" and await request.body():
        body = read_body(await request.json())
    index, view = await _index(request)
    options = read_options(request.query, body, view.reduce is not None)
    _confine(request, index, options)
    return await _answer(request, index, view, [options], "", "")


def _confine(request: Request, index: ViewIndex, options: Options) -> None:
    """To the partition in the path. Raises 400 when there must be one, or must not."""
    partition = request.arguments.get("partition")
    if index.partitioned and partition is None:
        raise query_parse_error("`partition` parameter is mandatory for queries to this view.")
    if partition is not None:
        name = partition_of(request)
        if not index.partitioned:
            raise query_parse_error("`partition` parameter is not supported in this view.")
        options.confine(partitions.prefix(name))


async def query_view_often(request: Request) -> Response:
    body = await request.json_object()
    queries = body.get("queries")
    if not isinstance(queries, list) or not all(isinstance(query, dict) for query in queries):
        raise bad_request("`queries` must be an array of objects.")
    index, view = await _index(request)
    options = [read_options(request.query, read_body(query), view.reduce is not None) for query in queries]
    for one in options:
        _confine(request, index, one)
    return await _answer(request, index, view, options, '{"results":[\n', "\n]}")


async def _index(request: Request) -> tuple[ViewIndex, View]:
    return await find_index(
        request.store.shared, request.database, request.arguments["design"], request.arguments["view"]
    )


async def find_index(shared: dict[str, Any], database: Database, design: str, name: str) -> tuple[ViewIndex, View]:
    """The index that has a design document's view, and which it is. Raises 404 when there is no such view."""
    definition = await database.reading(definition_of, design)
    view = definition.view(name)
    return await database.reading_index(of_store(shared).index, database, definition, design), view


def definition_of(connection: sqlite3.Connection, design: str) -> IndexDefinition:
    """The index of a stored design document. Raises 404."""
    found = database_reading.documents_with_ids(connection, [f"_design/{design}"])
    if not found:
        raise not_found("missing")
    return read_definition(json_text.stored(next(iter(found.values())).text))


async def _answer(
    request: Request, index: ViewIndex, view: View, queries: list[Options], before: str, after: str
) -> Response:
    indexes = of_store(request.store.shared)
    if any(options.update == "true" for options in queries):
        await indexes.bring_up_to_date(index)
    pieces = _pieces(indexes, index, view, queries, before, after)
    try:
        first, is_whole = await request.database.reading_index(_take, pieces, _WHOLE_ANSWER)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        await indexes.rebuild(index, error)
        pieces = _pieces(indexes, index, view, queries, before, after)
        first, is_whole = await request.database.reading_index(_take, pieces, _WHOLE_ANSWER)
    if any(options.update == "lazy" for options in queries):
        indexes.start_update(index)
    if is_whole:
        return Response(200, first)
    return Response(200, _stream(request.database, pieces, first))


def _take(pieces: Iterator[str], characters: int) -> tuple[bytes, bool]:
    """Pieces until there are that many characters, and whether that is all."""
    taken = []
    size = 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size > characters:
            return "".join(taken).encode("utf-8", "replace"), False
    return "".join(taken).encode("utf-8", "replace"), True


async def _stream(database: Database, pieces: Generator[str], first: bytes) -> AsyncIterator[bytes]:
    try:
        yield first
        is_whole = False
        while not is_whole:
            step = asyncio.ensure_future(database.reading_index(_take, pieces, _WHOLE_ANSWER))
            try:
                piece, is_whole = await asyncio.shield(step)
            except asyncio.CancelledError:
                # The step still uses the connections; nobody else may before it ends.
                await asyncio.wait([step])
                raise
            if piece:
                yield piece
    finally:
        # Closes the connections of an answer the client did not want to the end.
        pieces.close()


def _pieces(
    indexes: Indexes, index: ViewIndex, view: View, queries: list[Options], before: str, after: str
) -> Generator[str]:
    with_documents = any(options.include_docs for options in queries)
    with index.reading(indexes.functions(index), view, with_documents) as found:
        state = read_state(found.connection)
        yield before
        for at, options in enumerate(queries):
            yield ",\n" if at else ""
            update_seq = (
                f'"update_seq":{json_text.text(index.database.sequence(state.seq))},' if options.update_seq else ""
            )
            if options.reduce:
                head, rows = "", reduction_texts(found, options)
            else:
                total = found.tree.count(options.whole)
                head, rows = f'"total_rows":{total},"offset":{offset(found, options)},', row_texts(found, options)
            yield f'{{{head}{update_seq}"rows":[\n'
            is_first = True
            for piece in rows:
                yield piece if is_first else ",\n" + piece
                is_first = False
            yield "\n]}"
        yield after + "\n"


async def index_information(request: Request) -> Response:
    design = request.arguments["design"]
    database = request.database
    definition = await database.reading(definition_of, design)
    index = await database.reading_index(of_store(request.store.shared).index, database, definition, design)
    return json_response(await database.reading_index(_information, index, design))


def _information(index: ViewIndex, design: str) -> dict[str, Any]:
    state = index.file.state()
    size = index.file.path.stat().st_size
    pending = max(0, index.database.update_seq - state.seq)
    return {
        "name": design,
        "view_index": {
            "updates_pending": {"minimum": pending, "preferred": pending, "total": pending},
            "waiting_commit": False,
            "waiting_clients": 0,
            "updater_running": index.updating is not None,
            "update_seq": state.seq,
            "sizes": {"file": size, "external": size, "active": size},
            "signature": index.definition.signature,
            "purge_seq": state.purge_seq,
            "language": index.definition.language,
            "compact_running": False,
            "collator_versions": [COLLATOR_VERSION],
        },
    }


async def clean_up(request: Request) -> Response:
    database = request.database
    wanted = await database.reading(_signatures)
    await database.reading_index(of_store(request.store.shared).clean_up, database, wanted)
    return json_response({"ok": True}, 202)


def _signatures(connection: sqlite3.Connection) -> set[str]:
    signatures = set()
    for document in database_reading.design_documents(connection):
        try:
            signatures.add(read_definition(json_text.stored(document.text)).signature)
        except HttpError:
            continue  # one that cannot be built has no index
    return signatures
