"""Random passwords of replication users, and the records by which ``_users`` knows them.

Rounds of hashing protect a password that can be guessed. These are 192 random bits or more, so they need few, and that
they take a millisecond to check instead of half a second is felt by every computer that signs in to a store.
For the same reason SHA-1 is good enough, which CouchDB reads since 1.3; SHA-256 it reads since 3.4 only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Any, TypeGuard

_ROUNDS = 1000
_HEXADECIMAL = re.compile(r"[0-9a-f]{32,64}")


def random_password() -> str:
    """One that no person chooses or types; good in addresses and files as it is."""
    return secrets.token_urlsafe(24)


def record_of(password: str) -> dict[str, Any]:
    """What ``_users`` keeps of a random password, in CouchDB's names. Never for one that a person chose."""
    salt = secrets.token_hex(16)
    return {
        "password_scheme": "pbkdf2",
        "salt": salt,
        "iterations": _ROUNDS,
        "derived_key": hashlib.pbkdf2_hmac("sha1", password.encode(), salt.encode(), _ROUNDS, 20).hex(),
    }


def is_record(record: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is a record as they are made here: whoever may write to a replica may have written anything."""
    if not isinstance(record, dict):
        return False
    texts = [record.get("salt"), record.get("derived_key")]
    return {**record, "salt": "", "derived_key": ""} == {
        "password_scheme": "pbkdf2",
        "salt": "",
        "iterations": _ROUNDS,
        "derived_key": "",
    } and all(isinstance(text, str) and _HEXADECIMAL.fullmatch(text) for text in texts)
