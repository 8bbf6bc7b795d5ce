"""The store: what one process serves, and how a request finds its answer."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from embedded import security
from embedded.database_folder import DatabaseFolder
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, not_implemented
from embedded.http.request import Receive, Request
from embedded.http.response import Response
from embedded.http.routing import Right, Route, Router
from embedded.security import NOBODY, Admins, User
from embedded.security_sessions import SESSION_SECONDS, Sessions, read_secret

log = logging.getLogger("embedded")

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_ROUTE_MODULES = (
    "embedded.http.server_routes",
    "embedded.http.database_routes",
    "embedded.http.attachment_routes",
    "embedded.http.document_routes",
    "embedded.http.maintenance_routes",
    "embedded.http.all_documents_routes",
    "embedded.http.replication_routes",
    "embedded.http.changes_routes",
    "embedded.http.session_routes",
    "embedded.mapreduce.routes",
    "embedded.mango.routes",
    "embedded.replicator.routes",
)
"""Each has `routes() -> list[Route]`. A later route takes the place of an earlier one for the same request."""


class Store:
    """What the routes of one process share. `databases`: all of the data folder."""

    def __init__(self, directory: Path, admins: Mapping[str, str], loop: asyncio.AbstractEventLoop) -> None:
        self.directory = directory
        self.loop = loop
        self.databases = DatabaseFolder(directory, loop)
        secret = read_secret(directory / "secret")
        self.sessions = Sessions(Admins(admins, secret), self.databases, secret)
        self.url = ""
        self.shared: dict[str, Any] = {}
        """What a route module keeps for the life of the process, by the module's name (replications that run, …)."""
        self.stopping = asyncio.Event()

    def close(self) -> None:
        self.databases.close()


def collect_routes() -> list[Route]:
    """The routes of every module there is; what is not built yet answers 501."""
    routes = _routes_not_built_yet()
    for name in _ROUTE_MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            log.warning("%s is not there: %s", name, error)
            continue
        if hasattr(module, "routes"):
            routes += module.routes()
    return routes


def _routes_not_built_yet() -> list[Route]:
    async def answer(request: Request) -> Response:
        raise not_implemented("This part of the store is not built yet.")

    patterns = {
        "GET": [
            "/{db}/_design/{design}/_view/{view}", "/{db}/_design/{design}/_info", "/{db}/_index", "/_active_tasks",
        ],
        "POST": [
            "/{db}/_design/{design}/_view/{view}", "/{db}/_design/{design}/_view/{view}/queries", "/{db}/_find",
            "/{db}/_explain", "/{db}/_index", "/_replicate", "/{db}/_view_cleanup", "/{db}/_bulk_get",
            "/{db}/_revs_diff", "/{db}/_missing_revs", "/{db}/_purge", "/{db}/_compact", "/_session",
        ],
        "DELETE": ["/{db}/_index/{design}/json/{name}"],
    }  # fmt: skip
    return [Route(method, pattern, answer) for method, paths in patterns.items() for pattern in paths]


class Application:
    """The ASGI application: one request in, one answer out, rights asked in between."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.router = Router(collect_routes())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        method: str = scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request: Request | None = None
        try:
            request = Request(
                self.store, method, _segments(scope["raw_path"]), _query(scope["query_string"]), headers, receive
            )
            response = await self.answer(request)
        except HttpError as error:
            response = error_response(error)
        except Exception:
            log.exception("%s %s failed", method, scope["path"].split("?")[0])
            response = error_response(
                HttpError(
                    500, "internal_error", "The store has a defect here; its log says where. Nothing was changed."
                )
            )
        await _send(response, method, headers, send)

    async def answer(self, request: Request) -> Response:
        """Find the route, ask for the rights, run it."""
        route, request.arguments = self.router.find(request.method, request.segments)
        request.user = await self.authenticate(request)
        name = request.arguments.get("db")
        if name is None:
            security.require(request.user, route.right, None)
        elif route.right is Right.SERVER_ADMIN:
            security.require(request.user, route.right, None)
            if self.store.databases.exists(name):
                request.database_or_none = await self.store.databases.open(name)
        else:
            request.database_or_none = await self.store.databases.open(name)
            if name.startswith("_"):
                security.require_in_system_database(request.user, name, request.arguments)
            security.require(request.user, route.right, request.database.security())
        response = await route.answer(request)
        if request.new_cookie is not None:
            response.headers.setdefault("Set-Cookie", request.new_cookie)
        return response

    async def authenticate(self, request: Request) -> User:
        """Who asks. Basic authentication goes before the cookie. Raises 401 for a wrong password."""
        credentials = security.basic_credentials(request.headers.get("authorization", ""))
        if credentials is not None:
            return await self.store.sessions.basic(*credentials)
        cookie = _cookie(request.headers.get("cookie", ""))
        if not cookie:
            return NOBODY
        user, seconds_left = await self.store.sessions.cookie(cookie)
        if user.name is not None and seconds_left < SESSION_SECONDS * 0.9:
            request.new_cookie = await self.store.sessions.make_cookie(user.name)
        return user


def _cookie(header: str) -> str | None:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "AuthSession":
            return value.strip('"')
    return None


def error_response(error: HttpError) -> Response:
    body = json_text.text({"error": error.error, "reason": error.reason}) + "\n"
    return Response(error.status, body.encode("utf-8", "replace"), error.headers)


def _segments(raw_path: bytes) -> list[str]:
    """The parts of a path, decoded. `_design%2Fname` and `_local%2Fname` count as two parts, as CouchDB has it."""
    try:
        parts = [unquote_plus(part, errors="strict") for part in raw_path.decode("ascii").split("/") if part]
    except UnicodeDecodeError:
        raise bad_request("The path is not UTF-8.") from None
    if len(parts) > 1 and parts[1].startswith(("_design/", "_local/")):
        kind, _, rest = parts[1].partition("/")
        parts[1:2] = [kind, rest] if rest else [kind]
    return parts


def _query(raw: bytes) -> dict[str, str]:
    """Query parameters; of one given twice the first counts, as in CouchDB."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=1000)
    except ValueError:
        raise bad_request("The query is not UTF-8.") from None
    return dict(reversed(pairs))


async def _send(response: Response, method: str, request_headers: dict[str, str], send: Send) -> None:
    headers = {"server": "CouchDB/3.5.0 (Ironbook embedded store)", "cache-control": "must-revalidate"}
    headers |= {name.lower(): value for name, value in response.headers.items()}
    if response.content_type is not None:
        headers["content-type"] = response.content_type
    elif "content-type" not in headers and response.status not in (204, 304):
        accept = request_headers.get("accept", "*/*")
        is_json = "application/json" in accept or "*/*" in accept
        headers["content-type"] = "application/json" if is_json else "text/plain; charset=utf-8"
    body = response.body
    if isinstance(body, bytes):
        headers.setdefault("content-length", str(len(body)))
    encoded = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
        return
    if method != "HEAD":
        async for piece in body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
