"""Requests as bytes, and many clients that each have one under way, so that thousands take seconds."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlsplit


@dataclass
class Sent:
    """A request. `headers` are sent as they are, after those a request must have."""

    method: str
    path: str
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Got:
    """An answer; `status` 0: the store hung up without one."""

    status: int
    body: bytes = b""


class Client:
    """One connection, opened again when the store closes it. Raises TimeoutError when an answer takes too long."""

    def __init__(self, url: str, credentials: tuple[str, str], seconds: float = 30) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        word = base64.b64encode(":".join(credentials).encode()).decode()
        self._always = f"Host: {parts.netloc}\r\nAuthorization: Basic {word}\r\n"
        self._seconds = seconds
        self._socket: socket.socket | None = None
        self._reader: BinaryIO

    def close(self) -> None:
        if self._socket is not None:
            self._reader.close()
            self._socket.close()
            self._socket = None

    def send(self, sent: Sent) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=self._seconds)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._reader = self._socket.makefile("rb")
        headers = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items())
        length = f"Content-Length: {len(sent.body)}\r\n" if sent.body or sent.method not in ("GET", "HEAD") else ""
        head = f"{sent.method} {sent.path} HTTP/1.1\r\n{self._always}{length}{headers}\r\n"
        # It may answer and hang up before it has read everything; the answer can be read all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(head.encode("latin-1", "replace") + sent.body)

    def receive(self, method: str) -> Got:
        """The answer to what was sent last, which was by this method."""
        try:
            got, is_last = self._read(method)
        except ConnectionResetError:
            got, is_last = Got(0), True
        if is_last:
            self.close()
        return got

    def _read(self, method: str) -> tuple[Got, bool]:
        line = self._reader.readline()
        if not line:
            return Got(0), True
        status = int(line.split()[1])
        headers: dict[str, str] = {}
        while (line := self._reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        if status == 100:
            return self._read(method)
        return Got(status, self._body(method, status, headers)), headers.get("connection") == "close"

    def _body(self, method: str, status: int, headers: dict[str, str]) -> bytes:
        if method == "HEAD" or status in (204, 304):
            return b""
        if "content-length" in headers:
            return self._reader.read(int(headers["content-length"]))
        pieces = []
        while size := int(self._reader.readline().split(b";")[0] or b"0", 16):
            pieces.append(self._reader.read(size))
            self._reader.readline()
        self._reader.readline()
        return b"".join(pieces)


def ask_at_once(clients: Sequence[Client], requests: Sequence[Sent]) -> list[Got]:
    """One request for each client, all under way together."""
    for client, sent in zip(clients, requests, strict=True):
        client.send(sent)
    return [client.receive(sent.method) for client, sent in zip(clients, requests, strict=True)]
