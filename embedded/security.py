"""Who asks, and what they may do.

There is no admin party: without an admin nobody is one. A user is known by basic authentication or by the cookie of
`_session`. What they may do in a database is its `_security` object's business, asked once a request by the dispatcher.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedded.http import json_text
from embedded.http.errors import HttpError, forbidden, unauthorized
from embedded.http.routing import Right


@dataclass(frozen=True, slots=True)
class User:
    """`name` None: nobody has signed in. `how`: "default" (basic), "cookie" or None."""

    name: str | None = None
    roles: tuple[str, ...] = ()
    how: str | None = None

    @property
    def is_server_admin(self) -> bool:
        return "_admin" in self.roles

    def context(self, database: str | None = None) -> str:
        """`userCtx` as JSON text, as functions in design documents get it."""
        return json_text.text({"db": database, "name": self.name, "roles": list(self.roles)})


NOBODY = User()


class Admins:
    """The server's admins. Passwords are kept as keyed digests, in memory only."""

    def __init__(self, passwords: Mapping[str, str], key: bytes) -> None:
        self._key = key
        self._digests = {name: self._digest(password) for name, password in passwords.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._digests

    def fingerprint(self, name: str) -> bytes:
        """The same for the same name and password in every process that has the key; for signing sessions."""
        return self._digests[name]

    def _digest(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode("utf-8", "surrogatepass"), hashlib.sha256)

    def verify(self, name: str, password: str) -> bool:
        known = self._digests.get(name, b"")
        return hmac.compare_digest(known, self._digest(password)) and name in self._digests


def basic_credentials(header: str) -> tuple[str, str] | None:
    """Name and password of an Authorization header; None for another scheme. Raises 400 when it is garbled."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("latin-1")  # what clients sent before RFC 7617
    name, colon, password = text.partition(":")
    if not colon:
        raise HttpError(400, "bad_request", "Authorization header has invalid base64 value")
    return name, password


def _named(security: Any, group: str, kind: str) -> list[Any]:
    section = security.get(group) if isinstance(security, dict) else None
    names = section.get(kind) if isinstance(section, dict) else None
    return names if isinstance(names, list) else []


def is_database_admin(user: User, security: Any) -> bool:
    if user.is_server_admin:
        return True
    return (user.name is not None and user.name in _named(security, "admins", "names")) or any(
        role in user.roles for role in _named(security, "admins", "roles")
    )


def is_member(user: User, security: Any) -> bool:
    if is_database_admin(user, security):
        return True
    names, roles = _named(security, "members", "names"), _named(security, "members", "roles")
    if not names and not roles:
        return True
    return (user.name is not None and user.name in names) or any(role in user.roles for role in roles)


def require(user: User, right: Right, security: Any) -> None:
    """Raises 401 when signing in could help, 403 when this user may not. `security`: of the database, else None."""
    if right is Right.ANYONE or user.is_server_admin:
        return
    if right is Right.USER:
        if user.name is None:
            raise unauthorized("You are not an authenticated user")
        return
    # CouchDB answers 401 here even to a user who has signed in: as somebody else, it could be allowed.
    if right is Right.SERVER_ADMIN:
        raise unauthorized("You are not a server admin.")
    if right is Right.DATABASE_ADMIN and not is_database_admin(user, security):
        raise unauthorized("You are not a db or server admin.")
    if not is_member(user, security):
        if user.name is None:
            raise unauthorized("You are not authorized to access this db.")
        raise forbidden("You are not allowed to access this db.")


def require_in_system_database(user: User, database: str, arguments: Mapping[str, str]) -> None:
    """`_users` and its like are for admins as a whole; a user may ask for the document about itself. Raises 401."""
    if user.is_server_admin:
        return
    if database != "_users" or "doc" not in arguments or "attachment" in arguments:
        raise unauthorized("You are not a server admin.")
