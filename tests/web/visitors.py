"""Browsers of the tests: who visits a node's pages, and how they get in."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.test import TestResponse

from app import create_app
from app.node import Node
from app.security.passwords import hash_password

PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_hashed: list[str] = []


class _CompiledTemplates(BytecodeCache):
    """Templates that one application compiled, for all others of the process: nothing in them is an application's."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.code


_templates = _CompiledTemplates()


class Browser(FlaskClient):
    """A client that sends the session's token with everything that changes something, as the pages do."""

    token = ""

    def open(self, *arguments: Any, **options: Any) -> TestResponse:
        if self.token and options.get("method", "GET") not in ("GET", "HEAD"):
            options["headers"] = {"X-CSRFToken": self.token, **dict(options.get("headers") or {})}
        return super().open(*arguments, **options)


def add_user(node: Node, name: str, roles: Iterable[str], **fields: Any) -> None:
    """A user whose password is PASSWORD; it is hashed once for all, for that is made to be slow."""
    if not _hashed:
        _hashed.append(hash_password(PASSWORD))
    node.local.put(
        {
            "_id": f"user:{name}",
            "type": "user",
            "name": name,
            "display_name": name.title(),
            "roles": sorted(roles),
            "password": _hashed[0],
            "session_epoch": 1,
            "active": True,
            **fields,
        }
    )


def signed_in(app: Flask, name: str) -> Browser:
    """A browser in which the user `name` has signed in."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    with browser.session_transaction() as session:
        session["_user_id"] = f"1:{name}"
        session["used_at"] = int(time.time())
        session.permanent = True
    found = _TOKEN.search(browser.get("/account").get_data(as_text=True))
    assert found, "the page of one's own account holds no token: is the user signed in?"
    browser.token = found.group(1)
    return browser


def app_of(node: Node) -> Flask:
    """The application of `node`, whose clients are browsers."""
    app = create_app(node)
    app.jinja_env.bytecode_cache = _templates
    app.test_client_class = Browser
    return app
