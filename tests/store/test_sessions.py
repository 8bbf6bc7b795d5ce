"""Signing in: password records as CouchDB keeps them, cookies that end, and secrets that stay where they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from couch_requests import Couch

import embedded

ADMIN = ("admin", "the admin's own secret")


@contextmanager
def account(couch: Any, **record: Any) -> Iterator[str]:
    """A user with this record; its name."""
    name = f"u{uuid.uuid4().hex}"
    path = f"/_users/org.couchdb.user:{name}"
    answer = couch.put(path, {"name": name, "roles": [], "type": "user", **record})
    assert answer.status == 201, answer.data
    try:
        yield name
    finally:
        couch.delete(f"{path}?rev={couch.get(path).json()['_rev']}")


def is_let_in(couch: Any, name: str, password: str) -> bool:
    answer = couch.get("/_session", auth=(name, password))
    assert answer.status in (200, 401)
    return bool(answer.status == 200 and answer.json()["userCtx"]["name"] == name)


# What CouchDB of each age writes into `_users`: up to 3.3 SHA-1 with 10 rounds and no word of it, then SHA-256.
@pytest.mark.parametrize(
    ("prf", "length", "rounds"), [(None, 20, 10), ("sha", 20, 10), ("sha256", 32, 600_000), ("sha512", 64, 1000)]
)
def test_a_password_record_made_by_couchdb_lets_its_user_in(
    couch: Any, prf: str | None, length: int, rounds: int
) -> None:
    password, salt = "flöwers & pärts", uuid.uuid4().hex
    digest = "sha1" if prf in (None, "sha") else prf
    key = hashlib.pbkdf2_hmac(str(digest), password.encode(), salt.encode(), rounds, length).hex()
    record = {"password_scheme": "pbkdf2", "iterations": rounds, "salt": salt, "derived_key": key}
    with account(couch, **record, **({} if prf is None else {"pbkdf2_prf": prf})) as name:
        assert is_let_in(couch, name, password)
        assert not is_let_in(couch, name, password + " ")
        assert not is_let_in(couch, name, "")


def test_the_record_the_store_makes_is_one_couchdb_would_check_the_same_way(couch: Any) -> None:
    with account(couch, password="parts") as name:
        record = couch.get(f"/_users/org.couchdb.user:{name}").json()
    digest = {"sha": "sha1"}.get(record["pbkdf2_prf"], record["pbkdf2_prf"])
    key = hashlib.pbkdf2_hmac(digest, b"parts", record["salt"].encode(), record["iterations"])

    assert record["derived_key"] == key.hex()
    assert record["iterations"] >= 10
    assert "parts" not in record.values()


@pytest.mark.parametrize(
    "record",
    [
        {"password_scheme": "pbkdf2", "iterations": 10**12, "salt": "a", "derived_key": "00"},
        {"password_scheme": "pbkdf2", "iterations": "10", "salt": "a", "derived_key": "00"},
        {"password_scheme": "pbkdf2", "iterations": 0, "salt": "a", "derived_key": "00"},
    ],
)
def test_a_record_that_would_take_for_ever_or_makes_no_sense_is_refused(couch: Any, record: Any) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB keeps it and fails when the user signs in.")
    name = f"u{uuid.uuid4().hex}"
    answer = couch.put(f"/_users/org.couchdb.user:{name}", {"name": name, "roles": [], "type": "user", **record})

    assert answer.status == 403


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sessions")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Couch]:
    """An embedded store of its own, whose folder can be looked into."""
    with embedded.start(folder / "store", admin=ADMIN, log=folder / "log.txt") as running:
        yield Couch(running.url, ADMIN)


def aged(cookie: str, seconds: int, resign: Any = None) -> str:
    """The cookie as if it had been made so much earlier; signed anew by `resign(name and time)`, else as it was."""
    value = cookie.partition("=")[2]
    name, stamp, signature = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).split(b":", 2)
    stamp = f"{int(stamp, 16) - seconds:X}".encode()
    signed = name + b":" + stamp
    signature = signature if resign is None else resign(signed)
    return "AuthSession=" + base64.urlsafe_b64encode(signed + b":" + signature).rstrip(b"=").decode()


def test_a_session_ends_after_ten_minutes_and_lives_on_while_it_is_used(store: Couch, folder: Path) -> None:
    signed_in = store.post("/_session", {"name": ADMIN[0], "password": ADMIN[1]}, auth=None)
    cookie = signed_in.headers["Set-Cookie"].partition(";")[0]
    secret = (folder / "store" / "secret").read_bytes()
    fingerprint = hmac.digest(secret, ADMIN[1].encode(), hashlib.sha256)

    def sign(text: bytes) -> bytes:
        return hmac.digest(secret + fingerprint, text, hashlib.sha256)

    def session(sent: str) -> tuple[str | None, str]:
        answer = store.get("/_session", auth=None, headers={"Cookie": sent})
        return answer.json()["userCtx"]["name"], answer.headers.get("Set-Cookie", "")

    assert session(cookie) == (ADMIN[0], "")
    name, renewed = session(aged(cookie, 300, sign))
    assert name == ADMIN[0]
    assert session(renewed.partition(";")[0]) == (ADMIN[0], "")
    assert session(aged(cookie, 601, sign))[0] is None
    assert session(aged(cookie, -300))[0] is None, "the time of a cookie can be changed by who has it"


def test_a_new_password_ends_the_sessions_of_the_old_one(store: Couch) -> None:
    with account(store, password="one") as name:
        answer = store.post("/_session", {"name": name, "password": "one"}, auth=None)
        cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
        assert store.get("/_session", auth=None, headers=cookie).json()["userCtx"]["name"] == name
        path = f"/_users/org.couchdb.user:{name}"
        assert store.put(path, store.get(path).json() | {"password": "two"}).status == 201

        assert store.get("/_session", auth=None, headers=cookie).json()["userCtx"]["name"] is None


def test_signing_out_takes_the_cookie_away(couch: Any) -> None:
    signed_out = couch.delete("/_session", auth=None)

    assert signed_out.json() == {"ok": True}
    assert signed_out.headers["Set-Cookie"].startswith("AuthSession=;")


def test_whatever_fails_no_password_reaches_log_tasks_or_checkpoints(store: Couch, folder: Path) -> None:
    wrong, peer = "a-wrong-password", "the-peers-password"
    store.put("/book")
    store.put("/book/a", {"v": 1})
    assert store.get("/_all_dbs", auth=("admin", wrong)).status == 401
    assert store.post("/_session", {"name": "admin", "password": wrong}, auth=None).status == 401
    assert store.get(f"/_all_dbs?password={wrong}%ff").status == 400
    nowhere = f"http://ann:{peer}@127.0.0.1:9/book"
    assert store.post("/_replicate", {"source": "book", "target": nowhere}).status >= 400
    told = {"url": f"{store.url}/copy", "auth": {"basic": {"username": ADMIN[0], "password": ADMIN[1]}}}
    assert store.post("/_replicate", {"source": "book", "target": told, "create_target": True}).status == 200
    running = {"source": "book", "target": told, "continuous": True}
    assert store.post("/_replicate", running).status in (200, 202)
    seen = store.get("/_active_tasks").data
    store.post("/_replicate", running | {"cancel": True})
    for name in ("book", "copy"):
        for row in store.get(f"/{name}/_local_docs").json()["rows"]:
            seen += store.get(f"/{name}/{row['id']}").data
    seen += (folder / "log.txt").read_bytes()
    for file in (folder / "store").rglob("*"):
        seen += file.read_bytes() if file.is_file() else b""

    for password in (wrong, peer, ADMIN[1]):
        assert password.encode() not in seen
        assert base64.b64encode(f"admin:{password}".encode()).rstrip(b"=")[:-2] not in seen


def test_a_wrong_password_takes_as_long_whoever_is_named(store: Couch) -> None:
    """So that nobody learns from the time whether there is such a user."""
    with account(store, password="right") as name:

        def seconds(user: str) -> float:
            started = time.perf_counter()
            assert store.get("/_session", auth=(user, uuid.uuid4().hex)).status == 401
            return time.perf_counter() - started

        known, unknown = (min(seconds(user) for _ in range(2)) for user in (name, "nobody-of-that-name"))
    assert unknown > known / 10
