"""A client that sends what it is told and nothing else: paths are not normalised, errors are answers."""

from __future__ import annotations

import base64
import http.client
import json
import re
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any


@dataclass(frozen=True)
class Address:
    """A server of CouchDB's API and its admin. `url` has no credentials and no slash at the end."""

    url: str
    user: str
    password: str

    @property
    def host(self) -> str:
        return urllib.parse.urlsplit(self.url).netloc

    @property
    def with_credentials(self) -> str:
        user, password = urllib.parse.quote(self.user, safe=""), urllib.parse.quote(self.password, safe="")
        return self.url.replace("://", f"://{user}:{password}@", 1)

    def database(self, name: str) -> dict[str, Any]:
        """A side of a replication, with the admin's credentials out of the URL."""
        basic = {"username": self.user, "password": self.password}
        return {"url": f"{self.url}/{urllib.parse.quote(name, safe='')}", "auth": {"basic": basic}}


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _sendable(path: str) -> str:
    return re.sub(r"[^!#-;=?-_a-z~$&%|{}]", lambda found: urllib.parse.quote(found[0]), path)


class Client:
    """One connection. `auth` is (name, password), or None for nobody."""

    def __init__(self, address: Address, auth: tuple[str, str] | None = None, timeout: float = 60) -> None:
        parts = urllib.parse.urlsplit(address.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        self.auth = auth
        self.address = address

    def ask(
        self,
        method: str,
        path: str,
        value: Any = None,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | EllipsisType | None = ...,
    ) -> Answer:
        """Sends `value` as JSON or `body` as it is; `auth` in place of the client's own."""
        sent = {"Accept": "application/json", **(headers or {})}
        if value is not None:
            body = json.dumps(value).encode()
            sent.setdefault("Content-Type", "application/json")
        credentials = self.auth if isinstance(auth, EllipsisType) else auth
        if credentials is not None:
            sent["Authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        try:
            return self._exchange(method, path, body, sent)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # A kept-alive connection may have been closed by the server while it was idle.
            self._connection.close()
            return self._exchange(method, path, body, sent)

    def _exchange(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        self._connection.putrequest(method, _sendable(path), skip_accept_encoding=True)
        if body is not None or method in ("PUT", "POST"):
            headers = {**headers, "Content-Length": str(len(body or b""))}
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(body)
        response = self._connection.getresponse()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, response.read(), told)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def put(self, path: str, value: Any = None) -> Answer:
        return self.ask("PUT", path, value)

    def post(self, path: str, value: Any = None) -> Answer:
        return self.ask("POST", path, {} if value is None else value)

    def delete(self, path: str) -> Answer:
        return self.ask("DELETE", path)

    def close(self) -> None:
        self._connection.close()
