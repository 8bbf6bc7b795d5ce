"""The store: what one process serves, and how a request finds its answer."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from embedded import security
from embedded.database_folder import DatabaseFolder
from embedded.http import cors
from embedded.http.errors import HttpError, bad_request
from embedded.http.request import Receive, Request
from embedded.http.response import Response
from embedded.http.routing import Right, Route, Router
from embedded.http.sending import Send, begun, error_response, send_response
from embedded.security import NOBODY, Admins, User
from embedded.security_sessions import SESSION_SECONDS, Sessions, read_secret
from embedded.server_settings import Settings
from embedded.store_identity import store_uuid

log = logging.getLogger("embedded")

_OPEN: tuple[list[str], ...] = ([], ["_up"], ["_session"])
"""Paths that answer without signing in whatever the settings are."""

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
    "embedded.http.node_routes",
    "embedded.http.unsupported_routes",
    "embedded.mapreduce.routes",
    "embedded.mango.routes",
    "embedded.replicator.routes",
)
"""Each has `routes() -> list[Route]`. A later route takes the place of an earlier one for the same request."""


class Store:
    """What the routes of one process share. `databases`: all of the data folder."""

    def __init__(
        self, directory: Path, admins: Mapping[str, str], loop: asyncio.AbstractEventLoop, settings: Settings
    ) -> None:
        self.directory = directory
        self.settings = settings
        self.loop = loop
        self.uuid = store_uuid(directory)
        self.databases = DatabaseFolder(directory, loop)
        secret = read_secret(directory / "secret")
        self.sessions = Sessions(Admins(admins, secret), self.databases, secret)
        self.url = ""
        self.shared: dict[str, Any] = {}
        """What a route module keeps for the life of the process, by the module's name (replications that run, …)."""
        self.stopping = asyncio.Event()
        self.endings: list[Callable[[], Awaitable[None]]] = []
        """What has to be ended in good order before the databases close."""

    async def end(self) -> None:
        """Ends what runs and closes the databases."""
        self.stopping.set()
        for ending in self.endings:
            await ending()
        self.close()

    def close(self) -> None:
        self.databases.close()


def collect_routes() -> list[Route]:
    """The routes of every module, in the order they count."""
    return [route for name in _ROUTE_MODULES for route in importlib.import_module(name).routes()]


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
        origins = self.store.settings.cors_origins
        response = cors.preflight(origins, method, headers) or await self._response(scope, method, headers, receive)
        is_gone = scope.get("extensions", {}).get("is_gone", lambda: False)
        await send_response(response, method, headers, cors.headers(origins, headers), send, is_gone)

    async def _response(
        self, scope: MutableMapping[str, Any], method: str, headers: dict[str, str], receive: Receive
    ) -> Response:
        """The answer, whatever happens. Only what is no client's fault and no full disk's is a 500."""
        try:
            segments, query = _segments(scope["raw_path"]), _query(scope["query_string"])
            return await begun(await self.answer(Request(self.store, method, segments, query, headers, receive)))
        except HttpError as error:
            return error_response(error)
        except sqlite3.Error as error:
            log.exception("%s %s failed", method, scope["path"])
            reason = f"The database file could not be read ({error})."
            return error_response(HttpError(503, "storage_error", reason))
        except Exception:
            log.exception("%s %s failed", method, scope["path"])
            reason = "The store has a defect here; its log says where. Nothing was changed."
            return error_response(HttpError(500, "internal_error", reason))

    async def answer(self, request: Request) -> Response:
        """Find the route, ask for the rights, run it."""
        route, request.arguments = self.router.find(request.method, request.segments)
        request.user = await self.authenticate(request)
        if self.store.settings.require_valid_user and request.user.name is None and request.segments[:1] not in _OPEN:
            raise HttpError(401, "unauthorized", "Authentication required.")
        name = request.arguments.get("db")
        if name is None or (route.pattern == "/{db}" and route.right is Right.SERVER_ADMIN):
            security.require(request.user, route.right, None)
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
