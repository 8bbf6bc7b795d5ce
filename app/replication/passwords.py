"""Passwords that no person has seen: how a node replaces the one it was given, on CouchDB as on the embedded store.

CouchDB lets nobody but its administrators write to ``_users``, not even one's own document. So a node leaves the record
of its new password (salted and hashed, as ``_users`` keeps it) in the ``_local`` document ``ironbook-password-<user>``
of its replica, proved with a key that only it and the upstream know, and the upstream's schedule takes it from there.
Until then the old password works; afterwards the new one, which the node turns to when the old one is refused.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.config import ConnectionSettings
from app.couch import Database, Store, WrongPassword
from app.errors import ConfigurationError
from app.replication.password_records import is_record, record_of
from app.secrets import connection_entry

if TYPE_CHECKING:
    from app.node import Node


def key_entry(name: str) -> str:
    """The name of the secret that proves the requests of the connection `name`."""
    return f"{connection_entry(name)}:key"


def has_joined(node: Node, name: str) -> bool:
    """Whether the connection `name` was made with an invitation, so that its password is one no person has seen."""
    return node.secrets.get(key_entry(name)) is not None


def member_entry(user: str) -> str:
    """The name of the secret by which the upstream knows the requests of a member."""
    return f"member:{user}"


def request_new_password(node: Node, connection: ConnectionSettings, password: str) -> None:
    """Asks the upstream to take a new random password for the connection's user; `password` is the one in force.

    The new one is kept here first, so that a crash at any moment loses neither. Raises ConfigurationError without a
    key, and StoreError.
    """
    key = node.secrets.get(key_entry(connection.name))
    if not key:
        raise ConfigurationError(
            f"The password of the connection {connection.name} was entered by hand, so it is changed by hand: on the "
            f"upstream, and then here with: ironbook password {connection.name}"
        )
    pending = _pending(connection.name)
    replica = _replica(connection, password)
    before = replica.get_local(_request_id(connection.user))
    new = node.secrets.get(pending)
    if not new:
        new = secrets.token_urlsafe(32)
        node.secrets.set(pending, new)
    last = (before or {}).get("number")
    number = max(int(time.time() * 1000), last + 1 if isinstance(last, int) else 0)
    replica.put_local({**(before or {}), **_request(connection.user, number, new, key)})


def was_requested(connection: ConnectionSettings, password: str) -> bool:
    """Whether a new password was asked for with this user and `password` and is not in force yet. Raises StoreError."""
    return _replica(connection, password).get_local(_request_id(connection.user)) is not None


def reach(node: Node, connection: ConnectionSettings, password: str) -> Store:
    """The upstream's store with the password that is in force there now, which is asked for by one request.

    Once the upstream has taken a new password, it takes the place of the old one here. Raises StoreError.
    """
    there = Store(connection.url, connection.user, password, certificate=connection.certificate)
    try:
        there.database(connection.book).info()
    except WrongPassword:
        taken = with_next_password(node, connection)
        if taken is None:
            raise
        there = taken
    return there


def with_next_password(node: Node, connection: ConnectionSettings) -> Store | None:
    """The upstream's store with the password that was asked for, which is kept from now on; None when none was.

    Raises StoreError when the upstream does not know it either.
    """
    new = node.secrets.get(_pending(connection.name))
    if not new:
        return None
    there = Store(connection.url, connection.user, new, certificate=connection.certificate)
    there.database(connection.book).info()
    node.secrets.set(connection_entry(connection.name), new)
    node.secrets.remove(_pending(connection.name))
    return there


def is_waiting(node: Node, name: str) -> bool:
    """Whether a new password for the connection `name` was asked for and is not known to be in force yet."""
    return node.secrets.get(_pending(name)) is not None


def forget(node: Node, name: str) -> None:
    """Forgets what was kept here to change the password of the connection `name`."""
    node.secrets.remove(key_entry(name))
    node.secrets.remove(_pending(name))


def take_request(node: Node, replica: Database, member: Mapping[str, Any], roles: list[str]) -> int:
    """Puts the password that a member asked for in force; returns the number of its request, 0 for nothing new.

    `member` is the document ``member:<user>`` here; a request that its key does not prove is ignored.
    """
    user, key = member["user"], node.secrets.get(member_entry(member["user"]))
    request = replica.get_local(_request_id(user))
    if not key or request is None:
        return 0
    number, record = request.get("number"), request.get("record")
    if not isinstance(number, int) or number <= member.get("password_number", 0) or not is_record(record):
        return 0
    proof = request.get("proof")
    if not isinstance(proof, str) or not hmac.compare_digest(
        proof.encode(), _proof(user, number, record, key).encode()
    ):
        return 0
    node.store.put_user_record(user, record, roles)
    return number


def new_key() -> str:
    """A random key for a member's requests."""
    return secrets.token_urlsafe(32)


def _replica(connection: ConnectionSettings, password: str) -> Database:
    there = Store(connection.url, connection.user, password, certificate=connection.certificate)
    return there.database(connection.book)


def _pending(name: str) -> str:
    return f"{connection_entry(name)}:next"


def _request_id(user: str) -> str:
    # One for each user: a store takes a `_local` document without asking what it replaces, so in a common one two nodes
    # that ask in the same moment would undo each other's request.
    return f"ironbook-password-{user}"


def _request(user: str, number: int, password: str, key: str) -> dict[str, Any]:
    record = record_of(password)
    proof = _proof(user, number, record, key)
    return {"_id": _request_id(user), "number": number, "record": record, "proof": proof}


def _proof(user: str, number: int, record: Mapping[str, Any], key: str) -> str:
    said = json.dumps([user, number, sorted(record.items())]).encode()
    return hmac.new(key.encode(), said, hashlib.sha256).hexdigest()
