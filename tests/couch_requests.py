"""Requests to a store, for tests."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import urllib3

from embedded.http import json_text

ADMIN = ("admin", "a password of the tests")


@dataclass
class Answer:
    status: int
    headers: Any
    data: bytes

    def json(self) -> Any:
        return json_text.stored(self.data.decode())


class Couch:
    """Requests to one store. `auth` None: nobody; left out: the admin."""

    def __init__(self, url: str, admin: tuple[str, str], is_embedded: bool = True) -> None:
        self.url = url
        self.admin = admin
        self.is_embedded = is_embedded
        self.pool = urllib3.PoolManager(maxsize=16, retries=False)

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | str | None = "admin",
        timeout: float = 30,
        stream: bool = False,
    ) -> Any:
        sent = dict(headers or {})
        credentials = self.admin if auth == "admin" else auth
        if credentials is not None:
            sent |= urllib3.make_headers(basic_auth=f"{credentials[0]}:{credentials[1]}")
        if body is not None:
            raw = json_text.text(body).encode()
            sent.setdefault("Content-Type", "application/json")
        answer = self.pool.request(
            method, self.url + path, body=raw, headers=sent, timeout=timeout, preload_content=not stream
        )
        return answer if stream else Answer(answer.status, answer.headers, answer.data)

    def get(self, path: str, **options: Any) -> Answer:
        return self.request("GET", path, **options)

    def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("PUT", path, body, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.request("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self.request("DELETE", path, **options)

    def database(self) -> str:
        """Make a database with a name of its own; returns the name."""
        name = f"t{uuid.uuid4().hex}"
        assert self.put(f"/{name}").status in (201, 202)
        return name
