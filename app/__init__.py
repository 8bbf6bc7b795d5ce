"""Ironbook's Flask application."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import Flask
from flask_wtf.csrf import CSRFProtect

from app.project import ROOT

if TYPE_CHECKING:
    from app.node import Node

# A fleet's telematics file is the largest thing anybody uploads.
LARGEST_REQUEST = 100 * 1024 * 1024
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def create_app(node: Node) -> Flask:
    """The web application of an open `node`: every page its role has, behind the sign-in."""
    from app.secrets import SECRET_KEY
    from app.security import access, headers, sessions
    from app.security.attempts import Attempts
    from app.web import errors, frame, jobs, register_pages

    app = Flask("app", static_folder=str(ROOT / "static"), template_folder=str(ROOT / "templates"))
    app.config.update(
        SECRET_KEY=node.secrets.get_or_make(SECRET_KEY),
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        MAX_FORM_PARTS=20_000,
        # A page left open over lunch must still save: the token lasts as long as the session it belongs to.
        WTF_CSRF_TIME_LIMIT=None,
        TRUSTED_HOSTS=_trusted_hosts(node.settings.web_host),
    )
    # An id may hold two slashes in a row, and is not another one without them.
    app.url_map.merge_slashes = False
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.extensions["ironbook"] = node
    app.extensions["ironbook.attempts"] = Attempts()
    app.extensions["ironbook.jobs"] = jobs.Jobs()
    sessions.install_sessions(app, node.local, node.role, _cookie_name(node), node.settings.session_hours)
    access.guard(app)
    CSRFProtect(app)
    headers.install_headers(app)
    errors.install(app)
    frame.install(app, node)
    register_pages(app, node.role)
    return app


def _cookie_name(node: Node) -> str:
    """Another one for every node: browsers share the cookies of one host between its ports."""
    folder = hashlib.sha256(str(node.settings.data).encode()).hexdigest()[:10]
    return f"ironbook_{node.dealer.lower() or node.role}_{folder}"


def _trusted_hosts(web_host: str) -> list[str] | None:
    """The names this node answers to; None (any) when it is open to a network, where it cannot know its names.

    On loopback a page from elsewhere could otherwise point a name of its own here and read what it is answered.
    """
    if web_host in ("127.0.0.1", "localhost", "::1"):
        return [*_LOOPBACK]
    return None
