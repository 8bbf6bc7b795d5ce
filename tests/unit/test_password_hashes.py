"""Passwords are kept so that guessing them is slow, and hashes of an earlier version are made anew."""

from __future__ import annotations

from argon2 import PasswordHasher

from app.security.passwords import LONGEST, hash_password, is_outdated, password_matches

PASSWORD = "correct horse battery"


def test_a_hash_has_the_parameters_rfc_9106_recommends_and_fits_its_password_only() -> None:
    stored = hash_password(PASSWORD)
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert password_matches(PASSWORD, stored)
    assert not password_matches(PASSWORD + "!", stored)
    assert not is_outdated(stored)


def test_a_weaker_hash_still_fits_and_is_to_be_made_anew() -> None:
    weaker = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    assert password_matches(PASSWORD, weaker)
    assert is_outdated(weaker)


def test_nothing_fits_where_there_is_no_hash() -> None:
    assert not password_matches(PASSWORD, None)
    assert not password_matches(PASSWORD, "not a hash")
    assert not password_matches("x" * (LONGEST + 1), None)
