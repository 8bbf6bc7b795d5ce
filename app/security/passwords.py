"""Hashing and checking passwords with argon2id."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import IronbookError

SHORTEST = 10
LONGEST = 1000


class UnusablePassword(IronbookError):  # noqa: N818 - the sentence names the password, not an error
    """A password that may not be used; ``str(error)`` says why."""


@cache
def _hasher() -> PasswordHasher:
    # RFC 9106's second choice, made for machines that do other work at the same time: 64 MiB, three passes.
    return PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")


def check_usable(password: str, name: str = "") -> None:
    """Raises UnusablePassword, with the reason, when `password` is too short, too long or merely the user's `name`."""
    if len(password) < SHORTEST:
        raise UnusablePassword(f"The password is too short: it needs at least {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise UnusablePassword(f"The password is too long: it may have {LONGEST} characters at most.")
    if len(set(password)) < 4 or (name and password.lower().strip() == name.lower()):
        raise UnusablePassword("The password is too easy to guess; four random words make a good one.")


def hash_password(password: str) -> str:
    """An argon2id hash with its parameters and salt, as it is kept in a user's document."""
    return _hasher().hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Whether `password` belongs to the hash `stored`; takes as long when there is no such user (`stored` is None)."""
    if len(password) > LONGEST:
        return False
    try:
        return _hasher().verify(stored or _nobodys_hash(), password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Whether `stored` was made with weaker parameters than today's and should be made anew at the next sign-in."""
    return _hasher().check_needs_rehash(stored)
