"""Signing in: basic authentication and the `AuthSession` cookie, for admins and for the users of `_users`.

Checking a password is slow by intention, so a right one is remembered as a keyed digest in memory, together with the
record it was right for: a changed password is a changed record.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import secrets
import time
from pathlib import Path
from typing import Any

from embedded import database_reading, security_users
from embedded.database_folder import DatabaseFolder
from embedded.http import json_text
from embedded.http.errors import HttpError
from embedded.security import NOBODY, Admins, User

SESSION_SECONDS = 600
_REMEMBERED = 1000
_AT_ONCE = 2
"""Passwords checked at the same time: however many are tried, threads are left for those who have signed in."""
_KEPT = ("password_scheme", "pbkdf2_prf", "salt", "iterations", "derived_key", "password_sha")
"""What a user's document keeps of the password."""


class Sessions:
    """Says who a request comes from. `secret` is the key of the cookies, the same after a restart: they outlive it."""

    def __init__(self, admins: Admins, databases: DatabaseFolder, secret: bytes) -> None:
        self._admins = admins
        self._databases = databases
        self._secret = secret
        self._memory_key = secrets.token_bytes(32)
        self._right: dict[bytes, None] = {}
        self._checking = asyncio.Semaphore(_AT_ONCE)

    async def sign_in(self, name: str, password: str) -> User | None:
        """The user, or None when name or password is wrong."""
        if name in self._admins:
            return User(name, ("_admin",), "default") if self._admins.verify(name, password) else None
        document = await self._document(name)
        if document is None:
            # As slow as for a user there is: how long it takes must not tell which names are taken.
            async with self._checking:
                await asyncio.to_thread(security_users.verify_nobody, password)
            return None
        identity = json_text.canonical([name, [document.get(part) for part in _KEPT], password])
        remembered = hmac.digest(self._memory_key, identity.encode("utf-8", "surrogatepass"), hashlib.sha256)
        if remembered not in self._right:
            async with self._checking:
                is_right = await asyncio.to_thread(security_users.verify, document, password)
            if not is_right:
                return None
            if len(self._right) >= _REMEMBERED:
                self._right.pop(next(iter(self._right)))
            self._right[remembered] = None
        return User(name, _roles(document), "default")

    async def basic(self, name: str, password: str) -> User:
        """Raises 401 when name or password is wrong."""
        user = await self.sign_in(name, password)
        if user is None:
            raise HttpError(401, "unauthorized", "Name or password is incorrect.")
        return user

    async def cookie(self, value: str) -> tuple[User, int]:
        """The user of a cookie and how many seconds it is still good for; NOBODY when it is not."""
        try:
            raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
            name_bytes, stamp, signature = raw.split(b":", 2)
            name, made_at = name_bytes.decode(), int(stamp, 16)
        except (ValueError, binascii.Error, UnicodeDecodeError):
            raise HttpError(400, "bad_request", "Malformed AuthSession cookie. Please clear your cookies.") from None
        left = made_at + SESSION_SECONDS - int(time.time())
        if left <= 0:
            return NOBODY, 0
        document = None if name in self._admins else await self._document(name)
        if document is None and name not in self._admins:
            return NOBODY, 0
        expected = self._sign(name, made_at, document)
        if not hmac.compare_digest(signature, expected):
            return NOBODY, 0
        return User(name, ("_admin",) if document is None else _roles(document), "cookie"), left

    async def make_cookie(self, name: str) -> str:
        """A new cookie for a user who has signed in."""
        document = None if name in self._admins else await self._document(name)
        now = int(time.time())
        signature = self._sign(name, now, document)
        value = base64.urlsafe_b64encode(f"{name}:{now:X}:".encode() + signature).rstrip(b"=").decode()
        return f"AuthSession={value}; Version=1; Max-Age={SESSION_SECONDS}; Path=/; HttpOnly; SameSite=Lax"

    def _sign(self, name: str, made_at: int, document: dict[str, Any] | None) -> bytes:
        """A changed password ends the sessions: what is kept of it is part of the key."""
        kept = (
            self._admins.fingerprint(name)
            if document is None
            else json_text.canonical([document.get(part) for part in _KEPT]).encode("utf-8", "surrogatepass")
        )
        return hmac.digest(self._secret + kept, f"{name}:{made_at:X}".encode(), hashlib.sha256)

    async def _document(self, name: str) -> dict[str, Any] | None:
        if not self._databases.exists("_users"):
            return None
        users = await self._databases.open("_users")
        found = await users.reading(database_reading.documents_with_ids, [security_users.PREFIX + name])
        if not found:
            return None
        document: dict[str, Any] = json_text.stored(found[security_users.PREFIX + name].text)
        return document


def _roles(document: dict[str, Any]) -> tuple[str, ...]:
    roles = document.get("roles")
    return tuple(role for role in roles if isinstance(role, str)) if isinstance(roles, list) else ()


def read_secret(path: Path) -> bytes:
    """The key of the cookies, made once and readable by the owner only."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(32))
    return path.read_bytes()
