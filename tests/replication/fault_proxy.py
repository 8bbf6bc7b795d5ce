"""A network that fails on purpose: what stands between a node and its upstream, on loopback.

It understands just enough HTTP to know which request it is looking at. Every request goes upstream on a connection of
its own, so that an answer ends where its connection does.
"""

from __future__ import annotations

import contextlib
import http
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_PIECE = 16 * 1024
_SMALL_WINDOW = 8 * 1024
"""Bytes: a slow line must not look fast because the system buffers megabytes for it."""
_PATIENCE = 60.0


@dataclass(frozen=True)
class Answer:
    """Answers in the upstream's place. `headers` beside the length; `body` as it is sent."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cut:
    """Breaks the connection after `after` bytes of the body of the answer, or of the request."""

    after: int
    request: bool = False


@dataclass(frozen=True)
class Truncate:
    """Ends the answer in good order after `after` bytes of it, as a proxy with too small a buffer does."""

    after: int


@dataclass(frozen=True)
class Slow:
    """Lets through so many bytes a second, each way."""

    bytes_per_second: int


Fault = Answer | Cut | Truncate | Slow


@dataclass
class _Rule:
    fault: Fault
    method: str
    path: re.Pattern[str]
    larger_than: int
    skip: int
    times: int | None
    once_asked: str


@dataclass(frozen=True)
class Asked:
    """A request that came by: `status` is that of an answer given in the upstream's place, 0 for the upstream's."""

    method: str
    path: str
    status: int


class FaultProxy:
    """Listens on a port of its own until `stop`. `url` is what the node is told; `upstream` may change at any time.

    `asked` are the requests since it was last mended, `connected` counts the connections made so far.

    `certificate`: files of a certificate and its key, to be reached over TLS. May be used from any thread.
    """

    def __init__(self, upstream: str, certificate: tuple[Path, Path] | None = None) -> None:
        self.upstream = upstream
        self.asked: list[Asked] = []
        self.connected = 0
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._context: ssl.SSLContext | None = None
        if certificate:
            self.show(certificate)
        self._listener = self._listen(0)
        self._port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self._port}"

    def fault(
        self,
        fault: Fault,
        path: str = "",
        method: str = "",
        larger_than: int = -1,
        skip: int = 0,
        times: int | None = None,
        once_asked: str = "",
    ) -> None:
        """From now on this happens to requests whose path matches, to so many of them (None: to all) after the first.

        `larger_than`: bytes of the request's body; `skip`: how many go through unharmed before; `once_asked`: only
        after a request of this method and path.
        """
        with self._lock:
            self._rules.append(_Rule(fault, method, re.compile(path), larger_than, skip, times, once_asked))

    def show(self, certificate: tuple[Path, Path]) -> None:
        """From now on it is reached over TLS and shows this certificate."""
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*certificate)

    def mend(self) -> None:
        """From now on everything goes through, and `asked` begins anew."""
        with self._lock:
            self._rules.clear()
            self.asked = []

    def refuse(self) -> None:
        """Nobody listens any more, and what was connected is cut."""
        self._listener.close()
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            _reset(connection)

    def accept(self) -> None:
        """Listens again, at the same address."""
        self._listener = self._listen(self._port)

    def stop(self) -> None:
        self._stopped.set()
        self.refuse()

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_WINDOW)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._serve, args=(listener,), name="fault proxy", daemon=True).start()
        return listener

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._client, args=(client,), name="fault proxy", daemon=True).start()

    def _client(self, client: socket.socket) -> None:
        with self._lock:
            self.connected += 1
        client.settimeout(_PATIENCE)
        with contextlib.suppress(OSError, ValueError):
            if self._context:
                client = self._context.wrap_socket(client, server_side=True)
            with self._lock:
                self._open.add(client)
            self._one_request(client)
        with self._lock:
            self._open.discard(client)
        client.close()

    def _one_request(self, client: socket.socket) -> None:
        head, rest = _read_head(client)
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        length = int(_header(head, b"content-length") or 0)
        fault = self._fault_for(method, path, length)
        with self._lock:
            self.asked.append(Asked(method, path, fault.status if isinstance(fault, Answer) else 0))
        body = _body(client, rest, length, _header(head, b"transfer-encoding") == b"chunked")
        if isinstance(fault, Answer):
            for _ in body:
                pass
            client.sendall(_answer_bytes(fault))
            return
        pace = _Pace(fault.bytes_per_second if isinstance(fault, Slow) else 0, self._stopped)
        parts = urlsplit(self.upstream)
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=_PATIENCE) as upstream:
            with self._lock:
                self._open.add(upstream)
            try:
                upstream.sendall(_closing(head))
                if isinstance(fault, Cut) and fault.request:
                    _relay(_first(body, fault.after), upstream, pace)
                    _reset(upstream)
                    _reset(client)
                    return
                _relay(body, upstream, pace)
                self._answer(client, upstream, fault, pace)
            finally:
                with self._lock:
                    self._open.discard(upstream)

    def _answer(self, client: socket.socket, upstream: socket.socket, fault: Fault | None, pace: _Pace) -> None:
        head, rest = _read_head(upstream)
        client.sendall(head)
        body = _until_closed(upstream, rest)
        if isinstance(fault, Cut | Truncate):
            _relay(_first(body, fault.after), client, pace)
            if isinstance(fault, Cut):
                _reset(client)
            return
        try:
            _relay(body, client, pace)
        except OSError:
            # The upstream died in the middle: the client must not take what came for a whole answer.
            _reset(client)

    def _fault_for(self, method: str, path: str, length: int) -> Fault | None:
        with self._lock:
            for rule in self._rules:
                fits = rule.method in ("", method) and rule.path.search(path) and length > rule.larger_than
                if rule.once_asked and not any(
                    re.match(rule.once_asked, f"{past.method} {past.path}") for past in self.asked
                ):
                    continue
                if fits and rule.skip:
                    rule.skip -= 1
                elif fits and rule.times != 0:
                    rule.times = None if rule.times is None else rule.times - 1
                    return rule.fault
        return None


class _Pace:
    """How fast bytes may pass; 0 for as fast as they can."""

    def __init__(self, bytes_per_second: int, stopped: threading.Event) -> None:
        self._rate = bytes_per_second
        self._stopped = stopped
        self._next = time.monotonic()

    @property
    def piece(self) -> int:
        return max(1, self._rate // 10) if self._rate else _PIECE

    def passed(self, size: int) -> None:
        if not self._rate:
            return
        self._next = max(self._next, time.monotonic()) + size / self._rate
        if self._stopped.wait(max(0.0, self._next - time.monotonic())):
            raise ConnectionAbortedError


def _relay(pieces: Iterator[bytes], to: socket.socket, pace: _Pace) -> None:
    for piece in pieces:
        for start in range(0, len(piece), pace.piece):
            part = piece[start : start + pace.piece]
            pace.passed(len(part))
            to.sendall(part)


def _first(pieces: Iterator[bytes], most: int) -> Iterator[bytes]:
    for piece in pieces:
        yield piece[:most]
        most -= len(piece)
        if most <= 0:
            return


def _read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(_PIECE)
        if not piece:
            raise ConnectionAbortedError
        got += piece
    head, _, rest = got.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


def _header(head: bytes, name: bytes) -> bytes:
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(name + b":"):
            return line.split(b":", 1)[1].strip().lower()
    return b""


def _body(client: socket.socket, rest: bytes, length: int, chunked: bool) -> Iterator[bytes]:
    """The body as it is on the wire."""
    if chunked:
        seen = rest
        yield rest
        while not seen.endswith(b"0\r\n\r\n"):
            piece = client.recv(_PIECE)
            if not piece:
                raise ConnectionAbortedError
            seen = (seen + piece)[-5:]
            yield piece
        return
    yield rest
    remaining = length - len(rest)
    while remaining > 0:
        piece = client.recv(min(_PIECE, remaining))
        if not piece:
            raise ConnectionAbortedError
        remaining -= len(piece)
        yield piece


def _until_closed(upstream: socket.socket, rest: bytes) -> Iterator[bytes]:
    yield rest
    while piece := upstream.recv(_PIECE):
        yield piece


def _closing(head: bytes) -> bytes:
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"keep-alive:"))]
    return b"\r\n".join([lines[0], b"Connection: close", *lines[1:]])


def _answer_bytes(answer: Answer) -> bytes:
    told = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), "Connection": "close"}
    reason = http.HTTPStatus(answer.status).phrase
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in {**told, **answer.headers}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body


def _reset(connection: socket.socket) -> None:
    """Ends a connection as a pulled plug does: the other side hears of a reset, not of an end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A thread that waits for bytes on it keeps it open; this wakes the thread.
        connection.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        connection.close()
