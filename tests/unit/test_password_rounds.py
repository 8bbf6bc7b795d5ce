"""How long the store takes over a wrong password says nothing about whose it is."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from app.replication.password_records import is_record, random_password, record_of
from embedded import security_users


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The rounds of every derivation since the test began."""
    counted: list[int] = []

    def derive(password: str, salt: str, iterations: int, prf: str) -> str:
        counted.append(iterations)
        return hashlib.sha256(f"{password}{salt}".encode()).hexdigest()

    monkeypatch.setattr(security_users, "derive", derive)
    return counted


@pytest.mark.parametrize(
    "document",
    [
        {"password_scheme": "pbkdf2", "salt": "ab", "iterations": 1000, "derived_key": "cd"},
        {"password_scheme": "pbkdf2", "salt": "ab", "iterations": security_users.ITERATIONS, "derived_key": "cd"},
        {"password_scheme": "simple", "salt": "ab", "password_sha": "cd"},
        {"password_scheme": "something else"},
        {},
    ],
)
def test_a_wrong_password_takes_as_many_rounds_as_an_unknown_name(document: dict[str, Any], rounds: list[int]) -> None:
    assert not security_users.verify(document, "wrong")
    assert sum(rounds) == security_users.ITERATIONS


def test_a_replication_users_random_password_is_checked_in_few_rounds(rounds: list[int]) -> None:
    record = record_of(password := random_password())
    assert record["iterations"] < security_users.ITERATIONS / 100
    security_users.verify(
        {**record, "derived_key": security_users.derive(password, record["salt"], 1, "sha")}, password
    )
    assert sum(rounds[1:]) == record["iterations"]


def test_the_store_knows_the_password_by_its_record_and_no_other() -> None:
    record = record_of(password := random_password())
    assert is_record(record)
    assert security_users.verify(record, password)
    assert not security_users.verify(record, random_password())


@pytest.mark.parametrize("change", [{"iterations": 1}, {"salt": "xyz"}, {"derived_key": None}, {"more": 1}])
def test_what_was_not_made_as_a_record_is_none(change: dict[str, Any]) -> None:
    assert not is_record({**record_of(random_password()), **change})
