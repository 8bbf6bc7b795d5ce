"""Browser sessions: signed cookies that end after a time without use, and everywhere when the password changes."""

from __future__ import annotations

import time
from datetime import timedelta

from flask import Flask, current_app, request, session
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, current_user, login_user, logout_user

from app.couch import Database
from app.security.users import Anonymous, User, user_of_session

_USED_AT = "used_at"
# The cookie is written again at most this often, so that not every answer carries one.
_NOTED_EVERY_SECONDS = 60


class _Cookie(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def install_sessions(app: Flask, local: Database, node_role: str, cookie: str, hours: int) -> None:
    """Sets up Flask-Login; `cookie` must differ between nodes, for browsers share cookies between ports of one host."""
    app.config.update(
        SESSION_COOKIE_NAME=cookie,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=hours) + timedelta(seconds=_NOTED_EVERY_SECONDS),
    )
    app.session_interface = _Cookie()
    login = LoginManager()
    login.anonymous_user = Anonymous
    login.session_protection = None
    login.user_loader(lambda session_id: user_of_session(local, session_id, node_role))
    login.init_app(app)


def begin(user: User) -> None:
    """Signs `user` in to this browser with a session that holds nothing from before."""
    session.clear()
    session.permanent = True
    session[_USED_AT] = int(time.time())
    login_user(user)


def end() -> None:
    """Signs out of this browser."""
    logout_user()
    session.clear()


def end_if_unused() -> bool:
    """Ends the session when it was not used for the configured hours; whether it did."""
    used_at = session.get(_USED_AT)
    if not current_user.is_authenticated or used_at is None:
        return False
    if time.time() - float(used_at) <= current_app.permanent_session_lifetime.total_seconds():
        return False
    end()
    return True


def mark_used() -> None:
    """Remembers that the session is in use now."""
    if time.time() - float(session.get(_USED_AT, 0)) >= _NOTED_EVERY_SECONDS:
        session[_USED_AT] = int(time.time())
