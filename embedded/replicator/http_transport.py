"""A side of a replication on another server, reached over HTTP with urllib3."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import urllib3
from urllib3 import exceptions

from embedded.replicator.request import Side
from embedded.replicator.transport import Download, LostConnection, Reply, within

_WORTH_COMPRESSING = 1_400
"""Bytes; what is smaller travels in one packet anyway."""
_PIECE = 256 * 1024
_SENT_PIECE = 16 * 1024
"""Bytes. The time limit is for each piece, so a line of 2 kB a second is slow and not broken."""
_WAITING_TO_BE_SENT = 64 * 1024
"""Bytes that the system may hold back: a server on a slow line answers only once it has them all."""


class HttpTransport:
    """Keeps its connections. `timeout_seconds` is for connecting and for each wait for the next bytes.

    `compresses`: whether large requests are compressed; None where the way is longer than this machine's loopback.
    """

    def __init__(self, side: Side, timeout_seconds: float, compresses: bool | None = None) -> None:
        parts = urlsplit(side.address)
        self._base = parts.path.rstrip("/")
        self._lock = threading.Lock()
        self._bytes_moved = 0
        self._timeout_seconds = timeout_seconds
        self._compresses = not _is_loopback(parts.hostname or "") if compresses is None else compresses
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", **dict(side.headers)}
        if side.user is not None:
            self._headers["Authorization"] = side.basic_header()
        self._pool = _pool(parts.scheme, parts.hostname or "", parts.port, side.certificate)

    @property
    def bytes_moved(self) -> int:
        """Bytes of bodies so far, both ways."""
        return self._bytes_moved

    def _count(self, moved: int) -> None:
        with self._lock:
            self._bytes_moved += moved

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        longer: float = 0,
        most_bytes: int | None = None,
    ) -> Reply:
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = "application/json"
            if self._compresses and len(body) > _WORTH_COMPRESSING:
                body = gzip.compress(body, 5)
                headers["Content-Encoding"] = "gzip"
            headers["Content-Length"] = str(len(body))
        pieces = None if body is None else _read_parts([body])
        with _losses(self._pool.host):
            reply = self._reply(self._request(method, path, query, pieces, headers, longer), most_bytes)
        self._count(len(body or b""))
        return reply

    @contextlib.contextmanager
    def download(self, path: str, query: Mapping[str, str]) -> Iterator[Download]:
        # A compressed attachment may arrive compressed: its bytes are wanted as they were saved.
        headers = {**self._headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        with _losses(self._pool.host):
            response = self._request("GET", path, query, None, headers, 0)
        try:
            yield Download(response.status, self._pieces(response))
        finally:
            response.close()

    def _pieces(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        with _losses(self._pool.host):
            for piece in response.stream(_PIECE, decode_content=True):
                self._count(len(piece))
                yield piece

    def upload(self, path: str, query: Mapping[str, str], content_type: str, parts: list[bytes | Path]) -> Reply:
        length = sum(len(part) if isinstance(part, bytes) else part.stat().st_size for part in parts)
        headers = {**self._headers, "Content-Type": content_type, "Content-Length": str(length)}
        with _losses(self._pool.host):
            pieces = self._counted(_read_parts(parts))
            return self._reply(self._request("PUT", path, query, pieces, headers, self._timeout_seconds))

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._count(len(piece))
            yield piece

    def _reply(self, response: urllib3.BaseHTTPResponse, most_bytes: int | None = None) -> Reply:
        headers = {name.lower(): value for name, value in response.headers.items()}
        try:
            body = within(response.stream(_PIECE, decode_content=True), most_bytes)
        except BaseException:
            response.close()
            raise
        finally:
            self._count(response.tell())
        response.release_conn()
        return Reply(response.status, body, headers)

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: Iterator[bytes] | None,
        headers: dict[str, str],
        longer: float,
    ) -> urllib3.BaseHTTPResponse:
        url = f"{self._base}/{path}" if path else self._base
        if query:
            url += "?" + urlencode(query)
        timeout = urllib3.Timeout(connect=self._timeout_seconds, read=self._timeout_seconds + longer)
        return self._pool.urlopen(
            method,
            url,
            body=body,
            headers=headers,
            timeout=timeout,
            redirect=False,
            retries=False,
            preload_content=False,
        )

    def close(self) -> None:
        self._pool.close()


def _pool(scheme: str, host: str, port: int | None, certificate: str) -> urllib3.HTTPConnectionPool:
    options: dict[str, Any] = {"maxsize": 4, "retries": False, "socket_options": _socket_options()}
    if scheme != "https":
        return urllib3.HTTPConnectionPool(host, port, **options)
    if not certificate:
        return urllib3.HTTPSConnectionPool(host, port, **options)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    # The one certificate is known to be the server's own, so it matters little by which name the server is reached.
    context.check_hostname = False
    context.load_verify_locations(cadata=certificate)
    return urllib3.HTTPSConnectionPool(host, port, ssl_context=context, assert_hostname=False, **options)


def _socket_options() -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    # Windows has no such option, and holds little back by itself.
    held_back = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    return options if held_back is None else [*options, (socket.IPPROTO_TCP, held_back, _WAITING_TO_BE_SENT)]


def _read_parts(parts: Sequence[bytes | Path]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            for start in range(0, len(part), _SENT_PIECE):
                yield part[start : start + _SENT_PIECE]
            continue
        with part.open("rb") as file:
            while piece := file.read(_SENT_PIECE):
                yield piece


@contextlib.contextmanager
def _losses(host: str) -> Iterator[None]:
    try:
        yield
    except exceptions.NameResolutionError as error:
        raise LostConnection(f"the name {host} is not known here.", refused=True) from error
    except exceptions.ConnectTimeoutError as error:
        raise LostConnection("nobody answers at this address.", refused=True) from error
    except exceptions.NewConnectionError as error:
        raise LostConnection("the connection is refused; no server seems to listen there.", refused=True) from error
    except exceptions.SSLError as error:
        raise LostConnection(f"its certificate or encryption is not acceptable ({error}).", refused=True) from error
    except exceptions.ReadTimeoutError as error:
        raise LostConnection("it did not answer in time.") from error
    except (exceptions.HTTPError, http.client.HTTPException, OSError) as error:
        raise LostConnection("the connection broke off before the answer was complete.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
