"""The server itself: who it is, its databases, ids."""

from __future__ import annotations

import secrets

from embedded.http.errors import bad_request, query_parse_error
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route

_MOST_UUIDS = 1000


async def welcome(request: Request) -> Response:
    return json_response(
        {
            "couchdb": "Welcome",
            "version": "3.5.0",
            "git_sha": "ironbook",
            "uuid": request.store.uuid,
            "features": ["partitioned"],
            "vendor": {"name": "Ironbook embedded store"},
        }
    )


async def up(request: Request) -> Response:
    return json_response({"status": "ok", "seeds": {}})


async def all_databases(request: Request) -> Response:
    names = await request.store.loop.run_in_executor(None, request.store.databases.names)
    start = request.json_parameter("startkey", request.json_parameter("start_key"))
    end = request.json_parameter("endkey", request.json_parameter("end_key"))
    descending = request.boolean("descending")
    if descending:
        names.reverse()
        start, end = end, start
    if isinstance(start, str):
        names = [name for name in names if name >= start]
    if isinstance(end, str):
        names = [name for name in names if name <= end]
    skip, limit = request.integer("skip", 0), request.integer("limit")
    names = names[skip:]
    return json_response(names if limit is None else names[:limit])


async def databases_info(request: Request) -> Response:
    from embedded.http.database_routes import information

    keys = (await request.json_object()).get("keys")
    if not isinstance(keys, list):
        raise bad_request("`keys` member must exist.")
    if len(keys) > 100:
        raise bad_request("`keys` array must be at most 100.")
    answers = []
    for name in keys:
        if isinstance(name, str) and request.store.databases.exists(name):
            answers.append({"key": name, "info": await information(await request.store.databases.open(name))})
        else:
            answers.append({"key": name, "error": "not_found"})
    return json_response(answers)


async def uuids(request: Request) -> Response:
    given = request.query.get("count", "1")
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise bad_request("count must be a positive integer")
    count = int(given)
    if count > _MOST_UUIDS:
        raise query_parse_error(f"count must not be greater than {_MOST_UUIDS}")
    headers = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
    return json_response({"uuids": [secrets.token_hex(16) for _ in range(count)]}, headers=headers)


def routes() -> list[Route]:
    return [
        Route("GET", "/", welcome, Right.ANYONE),
        Route("GET", "/_up", up, Right.ANYONE),
        Route("GET", "/_uuids", uuids, Right.ANYONE),
        Route("GET", "/_all_dbs", all_databases, Right.SERVER_ADMIN),
        Route("POST", "/_dbs_info", databases_info, Right.SERVER_ADMIN),
    ]
