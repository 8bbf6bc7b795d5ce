"""Every route of the store, asked by everybody: who is let in is written down here and not taken from the code."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from embedded.server import collect_routes

SECRET = "flowers for the customer nobody else may read of"

# From the least right that opens it to what may be asked. An asker of a kind may do all that is above it.
TABLE = {
    "nobody": """
        GET /
        GET /_up
        GET /_uuids
        GET POST DELETE /_session
    """,
    "stranger": """
        POST /_replicate
    """,
    "member": """
        GET POST /{db}
        GET POST /{db}/_all_docs
        POST /{db}/_all_docs/queries
        POST /{db}/_bulk_docs
        POST /{db}/_bulk_get
        GET POST /{db}/_changes
        GET POST /{db}/_design_docs
        GET POST /{db}/_design/{design}
        GET /{db}/_design/{design}/_info
        GET POST /{db}/_design/{design}/_view/{view}
        POST /{db}/_design/{design}/_view/{view}/queries
        GET /{db}/_design/{design}/{attachment...}
        GET POST PUT DELETE /{db}/_design/{design}/_geo/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_list/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_nouveau/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_rewrite/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_search/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_search_info/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_show/{rest...}
        GET POST PUT DELETE /{db}/_design/{design}/_update/{rest...}
        POST /{db}/_ensure_full_commit
        POST /{db}/_explain
        POST /{db}/_find
        GET /{db}/_index
        GET PUT POST DELETE COPY /{db}/_local/{local}
        GET PUT POST DELETE COPY /{db}/_local/{local}/{attachment...}
        GET /{db}/_local_docs
        POST /{db}/_missing_revs
        GET /{db}/_partition/{partition}
        GET POST /{db}/_partition/{partition}/_all_docs
        GET POST /{db}/_partition/{partition}/_design/{design}/_view/{view}
        POST /{db}/_partition/{partition}/_explain
        POST /{db}/_partition/{partition}/_find
        GET /{db}/_purged_infos_limit
        POST /{db}/_revs_diff
        GET /{db}/_revs_limit
        GET /{db}/_security
        POST /{db}/_temp_view
        GET PUT POST DELETE COPY /{db}/{doc}
        GET PUT DELETE /{db}/{doc}/{attachment...}
    """,
    "database admin": """
        POST /{db}/_compact
        POST /{db}/_compact/{design}
        PUT DELETE COPY /{db}/_design/{design}
        PUT DELETE /{db}/_design/{design}/{attachment...}
        POST /{db}/_index
        POST /{db}/_index/_bulk_delete
        DELETE /{db}/_index/{design}/json/{name}
        DELETE /{db}/_index/_design/{design}/json/{name}
        PUT /{db}/_revs_limit
        POST /{db}/_view_cleanup
        PUT /{db}/_security
    """,
    "server admin": """
        GET /_active_tasks
        GET /_all_dbs
        GET PUT POST DELETE /_cluster_setup
        GET PUT POST DELETE /_db_updates
        POST /_dbs_info
        GET /_membership
        GET /_node/{node}
        GET /_node/{node}/_config
        GET PUT POST DELETE /_replicator
        GET PUT POST DELETE /_replicator/{path...}
        GET PUT POST DELETE /_reshard
        GET /_scheduler/docs
        GET /_scheduler/docs/{path...}
        GET /_scheduler/jobs
        POST /{db}/_purge
        PUT DELETE /{db}
    """,
}
KINDS = list(TABLE)
ASKED_OF_THE_DOCUMENT = "/{db}/_design/{design}", "/{db}/_index"
"""Here a member is let in and then told no for the design document that would be written or is not there."""


def lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.split("\n"):
        *methods, pattern = line.split() or [""]
        yield from ((method, pattern) for method in methods)


LEAST = {(method, pattern): kind for kind, text in TABLE.items() for method, pattern in lines(text)}


def test_the_table_has_every_route_and_no_other() -> None:
    assert set(LEAST) == {(route.method, route.pattern) for route in collect_routes()}


@pytest.fixture(scope="module")
def askers(couch: Any) -> Iterator[dict[str, tuple[str, str] | None]]:
    """Credentials of each kind; the users have accounts."""
    users = {kind: (f"u{uuid.uuid4().hex}", "a pässword") for kind in ("stranger", "member", "database admin")}
    for name, password in users.values():
        record = {"name": name, "password": password, "roles": [], "type": "user"}
        assert couch.put(f"/_users/org.couchdb.user:{name}", record).status == 201
    yield {"nobody": None, **users, "server admin": couch.admin}
    for name, _ in users.values():
        path = f"/_users/org.couchdb.user:{name}"
        couch.delete(f"{path}?rev={couch.get(path).json()['_rev']}")


@pytest.fixture
def book(couch: Any, db: str, askers: dict[str, Any]) -> str:
    """A database with members and an admin of its own, and something secret in every place."""
    view = {"map": "function (doc) { emit(doc.flowers, doc.flowers); }"}
    kept = [
        {"_id": "doc", "flowers": SECRET, "_attachments": {"attachment": {"data": "AAAA", "content_type": "a/b"}}},
        {"_id": "_design/design", "views": {"view": view}, "note": SECRET},
        {"_id": "_local/local", "note": SECRET},
    ]
    for row in couch.post(f"{db}/_bulk_docs", {"docs": kept}).json():
        assert "error" not in row
    rights = {"members": {"names": [askers["member"][0]]}, "admins": {"names": [askers["database admin"][0]]}}
    assert couch.put(f"{db}/_security", rights).status == 200
    return db


def ask(couch: Any, book: str, method: str, pattern: str, auth: Any) -> Any:
    path = pattern.replace("{db}", book[1:])
    for name in ("doc", "design", "view", "attachment", "local", "node", "partition", "name", "rest", "path"):
        path = path.replace(f"{{{name}}}", name).replace(f"{{{name}...}}", name)
    body = {
        "docs": [{"_id": "_design/x"}] if "_index" in path else [{"id": "doc"}],
        "selector": {},
        "queries": [{"include_docs": True}],
        "docids": ["design"],
        "index": {"fields": ["x"]},
    }
    query = "?include_docs=true" if method == "GET" and not pattern.endswith("{attachment...}") else ""
    return couch.request(method, path + query, body, auth=auth)


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_gets_in_exactly_where_the_table_says(couch: Any, book: str, askers: Any, kind: str) -> None:
    wrong = []
    before = couch.get(book).json()["update_seq"]
    refused_first = sorted(LEAST.items(), key=lambda item: KINDS.index(item[1]), reverse=True)
    for (method, pattern), least in refused_first:
        may = KINDS.index(kind) >= KINDS.index(least)
        if may:
            continue
        answer = ask(couch, book, method, pattern, askers[kind])
        of_design = kind == "member" and (
            pattern.startswith(ASKED_OF_THE_DOCUMENT) or ("_design" in pattern and method in ("PUT", "DELETE", "COPY"))
        )
        allowed = (401, 403, 400, 404, 409, 200) if of_design or not couch.is_embedded else (401, 403)
        if answer.status not in allowed or (kind in ("nobody", "stranger") and SECRET.encode() in answer.data):
            wrong.append((method, pattern, answer.status, answer.data[:80]))
    assert not wrong
    assert couch.get(book).json()["update_seq"] == before, "a refused request changed the database"
    # What is allowed comes afterwards, as it changes things; the database itself last.
    allowed_first = sorted(LEAST.items(), key=lambda item: item[0] == ("DELETE", "/{db}"))
    for (method, pattern), least in allowed_first:
        if KINDS.index(kind) < KINDS.index(least):
            continue
        answer = ask(couch, book, method, pattern, askers[kind])
        if answer.status in (401, 403):
            wrong.append((method, pattern, answer.status, answer.data[:80]))
    assert not wrong


def test_what_a_member_may_not_write_is_not_written_whatever_the_way(couch: Any, book: str, askers: Any) -> None:
    her = askers["member"]
    design = {"_id": "_design/x", "views": {}}
    ways = [
        couch.put(f"{book}/_design/x", design, auth=her),
        couch.post(book, design, auth=her),
        couch.post(f"{book}/_bulk_docs", {"docs": [design]}, auth=her),
        couch.post(f"{book}/_bulk_docs", {"docs": [design | {"_rev": "1-a"}], "new_edits": False}, auth=her),
        couch.post(f"{book}/_index", {"index": {"fields": ["a"]}, "ddoc": "x"}, auth=her),
        couch.request("COPY", f"{book}/_design/design", headers={"Destination": "_design/x"}, auth=her),
        couch.put(f"{book}/_design/x/attachment", raw=b"x", headers={"Content-Type": "a/b"}, auth=her),
    ]
    refusals = [json.dumps(way.json()) for way in ways]

    assert all("forbidden" in told or "unauthorized" in told for told in refusals), refusals
    assert couch.get(f"{book}/_design/x").status == 404
    assert [row["id"] for row in couch.get(f"{book}/_design_docs").json()["rows"]] == ["_design/design"]
