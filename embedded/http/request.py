"""One HTTP request as a route's function sees it."""

from __future__ import annotations

import asyncio
import gzip
import io
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, query_parse_error, too_large

if TYPE_CHECKING:
    from embedded.database import Database
    from embedded.security import User
    from embedded.server import Store

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

MAXIMUM_BODY = 64 * 1024 * 1024
"""Bytes of a request's body held in memory, after decompression. Attachments are streamed and may be larger."""


class Request:
    """`segments`: the path, each part percent-decoded; `arguments`: those a route's pattern names.

    `user` and `database` are set by the dispatcher after its check of rights, before the route's function runs;
    `database` is None on routes outside a database.
    """

    def __init__(
        self,
        store: Store,
        method: str,
        segments: list[str],
        query: dict[str, str],
        headers: dict[str, str],
        receive: Receive,
    ) -> None:
        self.store = store
        self.method = method
        self.segments = segments
        self.query = query
        self.headers = headers
        self.arguments: dict[str, str] = {}
        self.user: User
        self.new_cookie: str | None = None
        self.database_or_none: Database | None = None
        self._receive = receive
        self._body: bytes | None = None
        self.body_read = False

    @property
    def database(self) -> Database:
        assert self.database_or_none is not None
        return self.database_or_none

    @property
    def base_url(self) -> str:
        """Where the client thinks the store is; without a slash at the end."""
        host = self.headers.get("host")
        return f"http://{host}" if host else self.store.url

    # --- body

    async def stream(self) -> AsyncIterator[bytes]:
        """The body in pieces as they arrive, not decompressed.

        Raises 400 when the client goes away, 408 when nothing comes any more.
        """
        seconds = self.store.settings.request_timeout
        while not self.body_read:
            try:
                async with asyncio.timeout(seconds):
                    message = await self._receive()
            except TimeoutError:
                reason = f"Nothing of the request body came for {seconds:g} seconds. Nothing was saved."
                raise HttpError(408, "timeout", reason, {"Connection": "close"}) from None
            if message["type"] == "http.disconnect":
                raise bad_request("The client closed the connection before the request was complete.")
            self.body_read = not message.get("more_body", False)
            piece: bytes = message.get("body", b"")
            if piece:
                yield piece

    async def raw_body(self, maximum: int = MAXIMUM_BODY) -> bytes:
        """The whole body as it was sent. Raises 413 beyond so many bytes."""
        pieces = []
        size = 0
        async for piece in self.stream():
            size += len(piece)
            if size > maximum:
                raise too_large(f"The request body is larger than {maximum} bytes.")
            pieces.append(piece)
        return b"".join(pieces)

    async def body(self) -> bytes:
        """The whole body, decompressed. Raises 413 beyond `MAXIMUM_BODY`."""
        if self._body is None:
            raw = await self.raw_body()
            self._body = _decompress(raw, self.headers.get("content-encoding", "identity"))
        return self._body

    async def json(self) -> Any:
        """The body as JSON. Raises 415 for a POST that does not say it is JSON, 400 for a text that is not JSON."""
        if self.method == "POST":
            self.require_json_type()
        return json_text.parse(await self.body())

    async def json_object(self) -> dict[str, Any]:
        value = await self.json()
        if not isinstance(value, dict):
            raise bad_request("Request body must be a JSON object")
        return value

    def require_json_type(self) -> None:
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise HttpError(415, "bad_content_type", "Content-Type must be application/json")

    async def disconnected(self) -> None:
        """Returns when the client has gone away; for feeds that would otherwise never know."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return

    # --- query parameters

    def boolean(self, name: str, default: bool = False) -> bool:
        given = self.query.get(name)
        if given is None:
            return default
        if given in ("true", "false"):
            return given == "true"
        raise query_parse_error(f"Invalid boolean parameter: {json_text.text(given)}")

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number of at least 0. Raises 400 `query_parse_error` otherwise."""
        given = self.query.get(name)
        if given is None:
            return default
        digits = given.removeprefix("-")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 18:
            raise query_parse_error(f"Invalid value for integer: {json_text.text(given)}")
        if given != digits and int(digits):
            raise query_parse_error(f"Invalid value for positive integer: {json_text.text(given)}")
        return int(digits)

    def json_parameter(self, name: str, default: Any = None) -> Any:
        given = self.query.get(name)
        return default if given is None else json_text.parse(given.encode("utf-8", "surrogatepass"))

    def accepts(self, kind: str) -> bool:
        """Whether the client names this type in Accept; `*/*` is not naming it."""
        named = (part.split(";")[0].strip() for part in self.headers.get("accept", "").split(","))
        return kind in named


def _decompress(raw: bytes, encoding: str) -> bytes:
    if encoding in ("identity", ""):
        return raw
    if encoding != "gzip":
        raise HttpError(415, "bad_ctype", f"{encoding} is not a supported content encoding.")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as unzipped:
            plain = unzipped.read(MAXIMUM_BODY + 1)
    except (OSError, EOFError, zlib.error):
        raise bad_request("Request body is not properly gzipped.") from None
    if len(plain) > MAXIMUM_BODY:
        raise too_large(f"The request body is larger than {MAXIMUM_BODY} bytes.")
    return plain
