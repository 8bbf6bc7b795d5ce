"""A side of a replication that is a database of this store, reached without HTTP.

A request goes through the same dispatcher as one from outside, so the rights of whoever asked for the replication and
`validate_doc_update` hold here too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, MutableMapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from embedded.http.errors import HttpError
from embedded.http.request import Request
from embedded.http.response import Response
from embedded.http.sending import begun, error_response
from embedded.replicator.transport import AnswerTooLarge, Download, LostConnection, Reply
from embedded.server import Application

if TYPE_CHECKING:
    from embedded.security import User
    from embedded.server import Store

T = TypeVar("T")

log = logging.getLogger("embedded.replicator")

_PIECE = 256 * 1024


class _CallersApplication(Application):
    """The dispatcher for requests of somebody who has been recognised already."""

    def __init__(self, dispatcher: Application, user: User) -> None:
        self.store = dispatcher.store
        self.router = dispatcher.router
        self._user = user

    async def authenticate(self, request: Request) -> User:
        return self._user


def application_for(store: Store, user: User | None) -> Application:
    """`user` None: each request says itself who asks."""
    dispatcher: Application | None = store.shared.get(__name__)
    if dispatcher is None:
        dispatcher = store.shared[__name__] = Application(store)
    return dispatcher if user is None else _CallersApplication(dispatcher, user)


class LocalTransport:
    """`headers`: sent with every request. `timeout_seconds`: how long an answer may take."""

    def __init__(
        self, application: Application, database: str, headers: Mapping[str, str], timeout_seconds: float
    ) -> None:
        self._application = application
        self._store = application.store
        self._database = database
        self._headers = {"accept": "application/json", **headers}
        self._timeout_seconds = timeout_seconds
        self._running: set[Future[Any]] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def bytes_moved(self) -> int:
        """Nothing leaves this computer."""
        return 0

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        longer: float = 0,
        most_bytes: int | None = None,
    ) -> Reply:
        headers = {**self._headers, "content-type": "application/json"}
        request = self._request(method, path, query, headers, lambda: iter([body or b""]))
        # The store answers in its own time, there is no network to lose: this is only to never wait for ever.
        return self._run(_whole(self._application, request, most_bytes), 20 * self._timeout_seconds + longer)

    @contextlib.contextmanager
    def download(self, path: str, query: Mapping[str, str]) -> Iterator[Download]:
        request = self._request("GET", path, query, {**self._headers, "accept": "*/*"}, lambda: iter([b""]))
        response = self._run(_answer(self._application, request), self._timeout_seconds)
        try:
            yield Download(response.status, self._pieces(response))
        finally:
            # What is read of the database is held open until the last piece, or until nobody wants it any more.
            with contextlib.suppress(LostConnection):
                self._run(_close(response), self._timeout_seconds)

    def _pieces(self, response: Response) -> Iterator[bytes]:
        if isinstance(response.body, bytes):
            yield response.body
            return
        pieces = response.body
        while (piece := self._run(_next(pieces), self._timeout_seconds)) is not None:
            yield piece

    def upload(self, path: str, query: Mapping[str, str], content_type: str, parts: list[bytes | Path]) -> Reply:
        headers = {**self._headers, "content-type": content_type}
        request = self._request("PUT", path, query, headers, lambda: _read_parts(parts))
        return self._run(_whole(self._application, request, None), 20 * self._timeout_seconds)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        headers: dict[str, str],
        body: Callable[[], Iterator[bytes]],
    ) -> Request:
        segments = [self._database, *(unquote(part) for part in path.split("/") if part)]
        return Request(self._store, method, segments, dict(query or {}), headers, _receive(body))

    def _run(self, coroutine: Coroutine[Any, Any, T], seconds: float) -> T:
        with self._lock:
            if self._closed:
                coroutine.close()
                raise LostConnection("the replication is over.")
            future = asyncio.run_coroutine_threadsafe(coroutine, self._store.loop)
            self._running.add(future)
        try:
            return future.result(seconds)
        except (TimeoutError, CancelledError):
            future.cancel()
            raise LostConnection("it did not answer in time.") from None
        finally:
            with self._lock:
                self._running.discard(future)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            running = list(self._running)
        for future in running:
            future.cancel()


async def _answer(application: Application, request: Request) -> Response:
    try:
        return await begun(await application.answer(request))
    except HttpError as error:
        return error_response(error)
    except Exception:
        log.exception("%s %s failed", request.method, "/".join(request.segments))
        return error_response(HttpError(500, "internal_error", "The store has a defect here; its log says where."))


async def _whole(application: Application, request: Request, most_bytes: int | None) -> Reply:
    response = await _answer(application, request)
    body = response.body
    if not isinstance(body, bytes):
        pieces: list[bytes] = []
        size = 0
        try:
            async for piece in body:
                size += len(piece)
                if most_bytes is not None and size > most_bytes:
                    raise AnswerTooLarge
                pieces.append(piece)
        finally:
            await _close(response)
        body = b"".join(pieces)
    return Reply(response.status, body, {name.lower(): value for name, value in response.headers.items()})


async def _close(response: Response) -> None:
    close = getattr(response.body, "aclose", None)
    if close is not None:
        await close()


async def _next(pieces: AsyncIterator[bytes]) -> bytes | None:
    return await anext(pieces, None)


def _receive(body: Callable[[], Iterator[bytes]]) -> Callable[[], Coroutine[Any, Any, MutableMapping[str, Any]]]:
    pieces = body()
    ended = False

    async def receive() -> MutableMapping[str, Any]:
        nonlocal ended
        if ended:
            # This client never goes away by itself: it is cancelled.
            await asyncio.Event().wait()
        piece = next(pieces, None)
        ended = piece is None
        return {"type": "http.request", "body": piece or b"", "more_body": not ended}

    return receive


def _read_parts(parts: list[bytes | Path]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        with part.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece
