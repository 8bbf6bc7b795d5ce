"""Who may do what. Every route for everybody is in `test_every_route`; sessions and passwords in `test_sessions`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import embedded

PASSWORD = "her own pässword"


@pytest.fixture(scope="module")
def user(couch: Any) -> Iterator[tuple[str, str]]:
    name = f"u{uuid.uuid4().hex}"
    path = f"/_users/org.couchdb.user:{name}"
    record = {"name": name, "password": PASSWORD, "roles": ["dealer"], "type": "user"}
    assert couch.put(path, record).status == 201
    yield name, PASSWORD
    couch.delete(f"{path}?rev={couch.get(path).json()['_rev']}")


@pytest.fixture
def hers(couch: Any, db: str, user: tuple[str, str]) -> str:
    """A database the user is a member of."""
    couch.put(f"{db}/a", {"v": 1})
    assert couch.put(f"{db}/_security", {"members": {"names": [user[0]]}, "admins": {"names": []}}).status == 200
    return db


def test_a_password_is_never_told_and_never_kept(couch: Any, user: tuple[str, str]) -> None:
    record = couch.get(f"/_users/org.couchdb.user:{user[0]}").json()

    assert "password" not in record
    assert record["password_scheme"] == "pbkdf2"
    assert record["pbkdf2_prf"] == "sha256"
    assert record["iterations"] >= 10
    assert len(record["derived_key"]) == 64


def test_a_member_reads_and_writes_and_nobody_else_does(couch: Any, hers: str, user: tuple[str, str]) -> None:
    assert couch.get(f"{hers}/a", auth=user).json()["v"] == 1
    assert couch.put(f"{hers}/b", {}, auth=user).status == 201
    assert couch.get(f"{hers}/a", auth=None).status == 401
    assert couch.get(f"{hers}/a", auth=(user[0], "wrong")).status == 401
    assert couch.get(f"{hers}/a", auth=("nobody", "x")).status == 401


def test_a_new_database_is_for_admins_only(couch: Any, db: str, user: tuple[str, str]) -> None:
    assert couch.get(db, auth=user).status == 403
    assert couch.get(db, auth=None).status == 401


def test_a_role_makes_a_member(couch: Any, db: str, user: tuple[str, str]) -> None:
    couch.put(f"{db}/_security", {"members": {"roles": ["dealer"]}})
    assert couch.get(db, auth=user).status == 200
    couch.put(f"{db}/_security", {"members": {"roles": ["other"]}})
    assert couch.get(db, auth=user).status == 403


def test_a_member_is_no_admin(couch: Any, hers: str, user: tuple[str, str]) -> None:
    assert couch.put(f"{hers}/_design/x", {}, auth=user).status in (401, 403)
    assert (
        couch.post(f"{hers}/_bulk_docs", {"docs": [{"_id": "_design/x"}]}, auth=user).json()[0]["error"] == "forbidden"
    )
    assert couch.put(f"{hers}/_security", {}, auth=user).status in (401, 403, 500)
    assert couch.post(f"{hers}/_purge", {}, auth=user).status in (401, 403)
    assert couch.delete(hers, auth=user).status in (401, 403)
    assert couch.put("/another-one", auth=user).status in (401, 403)
    assert couch.get("/_all_dbs", auth=user).status in (401, 403)
    assert couch.get(f"{hers}/_design/x").status == 404
    assert couch.get(f"{hers}/_security").json()["members"]["names"] == [user[0]]


def test_the_users_database_is_for_admins(couch: Any, user: tuple[str, str]) -> None:
    for path in ("/_users", "/_users/_all_docs", "/_users/_changes", "/_users/_design_docs"):
        assert couch.get(path, auth=user).status in (401, 403), path
        assert couch.get(path, auth=None).status in (401, 403), path
    assert couch.post("/_users/_bulk_get", {"docs": [{"id": f"org.couchdb.user:{user[0]}"}]}, auth=None).status == 401


@pytest.mark.parametrize(
    "change",
    [
        {"name": "other"},
        {"roles": None},
        {"roles": "x"},
        {"roles": [1]},
        {"roles": ["_admin"]},
        {"type": "x"},
        {"name": ""},
    ],
)
def test_a_user_that_would_not_work_is_refused(couch: Any, change: dict[str, Any]) -> None:
    name = f"u{uuid.uuid4().hex}"
    record = {"name": name, "roles": [], "type": "user"} | change
    record = {key: value for key, value in record.items() if value is not None}

    assert couch.put(f"/_users/org.couchdb.user:{name}", record).status == 403


def test_a_changed_password_counts_at_once(couch: Any) -> None:
    name = f"u{uuid.uuid4().hex}"
    path = f"/_users/org.couchdb.user:{name}"
    couch.put(path, {"name": name, "password": "one", "roles": [], "type": "user"})
    assert couch.get("/_session", auth=(name, "one")).status == 200
    record = couch.get(path).json()
    couch.put(path, record | {"password": "two"})

    assert couch.get("/_session", auth=(name, "one")).status == 401
    assert couch.get("/_session", auth=(name, "two")).status == 200
    couch.delete(f"{path}?rev={couch.get(path).json()['_rev']}")
    assert couch.get("/_session", auth=(name, "two")).status == 401


def test_a_session_is_a_cookie(couch: Any, hers: str, user: tuple[str, str]) -> None:
    answer = couch.post("/_session", {"name": user[0], "password": user[1]}, auth=None)
    cookie = answer.headers["Set-Cookie"].partition(";")[0]

    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert couch.get("/_session", auth=None, headers={"Cookie": cookie}).json()["userCtx"]["name"] == user[0]
    assert couch.get(f"{hers}/a", auth=None, headers={"Cookie": cookie}).status == 200
    assert couch.get(f"{hers}/a", auth=None, headers={"Cookie": cookie[:-4] + "AAAA"}).status == 401
    assert couch.post("/_session", {"name": user[0], "password": "wrong"}, auth=None).status == 401


def test_a_session_outlives_a_restart_of_the_store(tmp_path: Any) -> None:
    from couch_requests import Couch

    admin = ("admin", "secret")
    with embedded.start(tmp_path, admin=admin) as running:
        answer = Couch(running.url, admin).post("/_session", {"name": "admin", "password": "secret"}, auth=None)
    cookie = {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}
    with embedded.start(tmp_path, admin=admin) as running:
        told = Couch(running.url, admin).get("/_session", auth=None, headers=cookie).json()
        assert told["userCtx"] == {"name": "admin", "roles": ["_admin"]}
    with embedded.start(tmp_path, admin=("admin", "another")) as running:
        told = Couch(running.url, admin).get("/_session", auth=None, headers=cookie).json()
        assert told["userCtx"]["name"] is None


def test_a_validation_function_is_asked_on_every_way_in(couch: Any, hers: str, user: tuple[str, str]) -> None:
    source = "function (doc, old, user) { if (doc.bad) { throw({forbidden: 'bad by ' + user.name}); } }"
    couch.put(f"{hers}/_design/v", {"validate_doc_update": source})

    assert couch.put(f"{hers}/x", {"bad": 1}, auth=user).json()["reason"] == f"bad by {user[0]}"
    assert couch.post(hers, {"bad": 1}, auth=user).status == 403
    bulk = couch.post(f"{hers}/_bulk_docs", {"docs": [{"_id": "x", "bad": 1}, {"_id": "y"}]}, auth=user).json()
    assert [one.get("error") for one in bulk] == ["forbidden", None]
    replica = {"_id": "z", "_rev": "1-a", "bad": 1}
    assert couch.post(f"{hers}/_bulk_docs", {"docs": [replica], "new_edits": False}).json()[0]["error"] == "forbidden"
    assert couch.put(f"{hers}/_local/x", {"bad": 1}, auth=user).status == 201
    assert couch.get(f"{hers}/x").status == couch.get(f"{hers}/z").status == 404


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic eA==", "Basic " + "A" * 5000, "Bearer x", "x"])
def test_a_garbled_authorization_opens_nothing(couch: Any, header: str) -> None:
    answer = couch.get("/_all_dbs", auth=None, headers={"Authorization": header})
    assert answer.status in (400, 401)


def test_other_web_sites_are_let_in_only_where_the_settings_say_so(couch: Any, tmp_path: Any) -> None:
    from couch_requests import Couch

    asked = {"Origin": "https://book.example", "Access-Control-Request-Method": "PUT"}
    if couch.is_embedded:
        assert "Access-Control-Allow-Origin" not in couch.get("/", headers=asked).headers
    with embedded.start(tmp_path, admin=("admin", "x"), cors_origins=["https://book.example"]) as running:
        other = Couch(running.url, ("admin", "x"))
        assert other.request("OPTIONS", "/a/b", headers=asked, auth=None).status == 204
        assert other.get("/", headers=asked).headers["Access-Control-Allow-Origin"] == "https://book.example"
        assert "Access-Control-Allow-Origin" not in other.get("/", headers={"Origin": "https://evil.example"}).headers


def test_nothing_is_told_without_signing_in_where_the_settings_say_so(tmp_path: Any) -> None:
    from couch_requests import Couch

    with embedded.start(tmp_path, admin=("admin", "x"), require_valid_user=True) as running:
        store = Couch(running.url, ("admin", "x"))
        assert store.get("/_uuids", auth=None).status == 401
        assert store.get("/_uuids").status == 200
        assert store.get("/_up", auth=None).status == 200


def test_a_store_without_an_admin_listens_on_this_machine_only(tmp_path: Any) -> None:
    with pytest.raises(embedded.StoreNotStartedError, match="admin password"):
        embedded.start(tmp_path, host="0.0.0.0", admin=("admin", ""))


def test_without_an_admin_nobody_is_one(tmp_path: Any) -> None:
    from couch_requests import Couch

    with embedded.start(tmp_path, admin=("admin", "")) as running:
        store = Couch(running.url, ("admin", ""))
        for auth in (None, ("admin", ""), ("admin", "x"), ("", "")):
            assert store.put("/book", auth=auth).status == 401, auth
            assert store.get("/_all_dbs", auth=auth).status == 401, auth
            assert store.get("/_users/_all_docs", auth=auth).status == 401, auth
        assert store.get("/_up", auth=None).status == 200
        assert store.post("/_session", {"name": "admin", "password": ""}, auth=None).status == 401
    assert not list(tmp_path.glob("db-book*"))
