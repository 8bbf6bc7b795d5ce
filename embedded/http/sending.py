"""Sending an answer through ASGI."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from embedded.http import json_text
from embedded.http.errors import HttpError
from embedded.http.response import Response

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_NAME = "CouchDB/3.5.0 (Ironbook embedded store)"


def error_response(error: HttpError) -> Response:
    body = json_text.text({"error": error.error, "reason": error.reason}) + "\n"
    return Response(error.status, body.encode("utf-8", "replace"), dict(error.headers))


async def begun(response: Response) -> Response:
    """The same answer with the first piece of a streamed body taken already, so that what fails at once is an error
    with its status and not half an answer."""
    if not isinstance(response.body, bytes):
        response.body = _Begun(await anext(response.body, b""), response.body)
    return response


class _Begun(AsyncIterator[bytes]):
    """A body with its first piece taken; closing it closes what the pieces come from, even where none was asked for."""

    def __init__(self, first: bytes, rest: AsyncIterator[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    async def __anext__(self) -> bytes:
        first, self._first = self._first, None
        return await anext(self._rest) if first is None else first

    async def aclose(self) -> None:
        if isinstance(self._rest, AsyncGenerator):
            await self._rest.aclose()


async def send_response(
    response: Response,
    method: str,
    request_headers: Mapping[str, str],
    extra: Mapping[str, str],
    send: Send,
    is_gone: Callable[[], bool] = lambda: False,
) -> None:
    """`extra`: headers that go with any answer to this request. `is_gone`: whether the client has gone away; then
    nothing more of the body is asked for."""
    headers = {"server": _NAME, "cache-control": "must-revalidate", **extra}
    headers |= {name.lower(): value for name, value in response.headers.items()}
    if response.content_type is not None:
        headers["content-type"] = response.content_type
    elif "content-type" not in headers and response.status not in (204, 304):
        accept = request_headers.get("accept", "*/*")
        is_json = "application/json" in accept or "*/*" in accept
        headers["content-type"] = "application/json" if is_json else "text/plain; charset=utf-8"
    body = response.body
    if isinstance(body, bytes) and response.status not in (204, 304):
        headers.setdefault("content-length", str(len(body)))
    encoded = [(name.encode("latin-1"), _header_value(value)) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": encoded})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
        return
    try:
        if method != "HEAD":
            async for piece in body:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if is_gone():
                    return
        await send({"type": "http.response.body", "body": b""})
    finally:
        if isinstance(body, (AsyncGenerator, _Begun)):
            await body.aclose()  # what it holds, a connection to a database, is wanted back at once


def _header_value(value: str) -> bytes:
    """A header can hold no line ends; what comes from a client's content type may not smuggle any in."""
    return value.replace("\r", " ").replace("\n", " ").encode("latin-1", "replace")
