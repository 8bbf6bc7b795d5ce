"""The documents of `_users`: passwords become PBKDF2 records as CouchDB 3 keeps them, and only some edits are allowed.

The rules are those of CouchDB's `_design/_auth`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from embedded.database_incoming import Incoming
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, forbidden, unauthorized
from embedded.security import User

PREFIX = "org.couchdb.user:"
ITERATIONS = 600_000
"""Rounds of a new password; CouchDB 3.5's default."""
_MOST_ITERATIONS = 10_000_000
_KEY_LENGTH = {"sha": 20, "sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}


def with_hashed_passwords(incoming: Sequence[Incoming]) -> list[Incoming]:
    """The documents with `password` replaced by what is kept of it. Slow by intention."""
    return [_hashed(document) if "password" in document.body else document for document in incoming]


def _hashed(document: Incoming) -> Incoming:
    password = document.body["password"]
    if not isinstance(password, str):
        raise bad_request("The password must be a string.")
    salt = secrets.token_hex(16)
    body = {name: value for name, value in document.body.items() if name != "password"}
    body |= {
        "password_scheme": "pbkdf2",
        "pbkdf2_prf": "sha256",
        "salt": salt,
        "iterations": ITERATIONS,
        "derived_key": derive(password, salt, ITERATIONS, "sha256"),
    }
    return replace(document, body=body, text=json_text.text(body))


def derive(password: str, salt: str, iterations: int, prf: str) -> str:
    algorithm = "sha1" if prf == "sha" else prf
    key = hashlib.pbkdf2_hmac(
        algorithm, password.encode("utf-8", "surrogatepass"), salt.encode(), iterations, _KEY_LENGTH[prf]
    )
    return key.hex()


def verify(document: dict[str, Any], password: str) -> bool:
    """Whether this is the password of a user's document. Understands CouchDB's `pbkdf2` and old `simple` schemes.

    A wrong one takes as long as one of nobody, however few rounds the record was made with: how long it takes must not
    tell which names are taken.
    """
    if _matches(document, password):
        return True
    rounds = document.get("iterations")
    spent = rounds if isinstance(rounds, int) and 0 < rounds <= _MOST_ITERATIONS else 0
    verify_nobody(password, spent)
    return False


def _matches(document: dict[str, Any], password: str) -> bool:
    salt = document.get("salt")
    if not isinstance(salt, str):
        return False
    if document.get("password_scheme") == "simple":
        kept = document.get("password_sha")
        computed = hashlib.sha1(f"{password}{salt}".encode("utf-8", "surrogatepass")).hexdigest()  # noqa: S324
        return isinstance(kept, str) and hmac.compare_digest(kept.encode(), computed.encode())
    kept, iterations = document.get("derived_key"), document.get("iterations")
    prf = document.get("pbkdf2_prf", "sha")
    if document.get("password_scheme") != "pbkdf2" or not isinstance(kept, str) or prf not in _KEY_LENGTH:
        return False
    if not isinstance(iterations, int) or not 0 < iterations <= _MOST_ITERATIONS:
        return False
    return hmac.compare_digest(kept.lower().encode(), derive(password, salt, iterations, prf).encode())


def verify_nobody(password: str, spent: int = 0) -> None:
    """Takes as long as checking a password of a record made here, less the rounds that were `spent` on it already."""
    if spent < ITERATIONS:
        derive(password, "no salt", ITERATIONS - spent, "sha256")


def refusal(incoming: Incoming, old_text: str | None, user: User, is_admin: bool) -> HttpError | None:
    """Why this edit of `_users` is not allowed; None when it is."""
    old = None if old_text is None else json_text.stored(old_text)
    if incoming.deleted:
        if is_admin or (old is not None and user.name is not None and old.get("name") == user.name):
            return None
        return forbidden("Only admins may delete other user docs.")
    body = incoming.body
    reason = _malformed(incoming.id, body) or _unkept(body)
    if reason is None and old is not None and old.get("name") != body["name"]:
        reason = "Usernames can not be changed."
    if reason is not None:
        return forbidden(reason)
    if is_admin:
        return None
    if old is not None and not old.get("_deleted"):
        if user.name != body["name"]:
            return forbidden("You may only update your own user document.")
        if sorted(old.get("roles", [])) != sorted(body["roles"]):
            return forbidden("Only _admin may edit roles")
        return None
    if user.name is not None and user.name != body["name"]:
        return unauthorized("You may only make your own user document.")
    return forbidden("Only _admin may set roles") if body["roles"] else None


def _malformed(id: str, body: dict[str, Any]) -> str | None:
    name, roles = body.get("name"), body.get("roles")
    if body.get("type") != "user":
        return "doc.type must be user"
    if not name or not isinstance(name, str):
        return "doc.name is required"
    if roles is None:
        return "doc.roles must exist"
    if not isinstance(roles, list):
        return "doc.roles must be an array"
    if not all(isinstance(role, str) for role in roles):
        return "doc.roles can only contain strings"
    if id != PREFIX + name:
        return "Doc ID must be of the form org.couchdb.user:name"
    if any(role.startswith("_") for role in roles):
        return "No system roles (starting with underscore) in users db."
    if name.startswith("_"):
        return "Username may not start with underscore."
    if ":" in name:
        return "Character `:` is not allowed in usernames."
    return None


def _unkept(body: dict[str, Any]) -> str | None:
    """What is wrong with a password record somebody sends ready-made, as a replica of another `_users`."""
    if body.get("password_scheme") != "pbkdf2":
        return None
    iterations = body.get("iterations")
    if not isinstance(iterations, int) or isinstance(iterations, bool) or not 0 < iterations <= _MOST_ITERATIONS:
        return "iterations must be a number."
    if not isinstance(body.get("derived_key"), str):
        return "derived_key must be a string."
    return None
