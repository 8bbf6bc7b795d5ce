"""`validate_doc_update` is asked on every way into a database, and on none of the few where CouchDB does not ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

RULE = """function (doc, old, user, security) {
    if (doc._deleted) {
        if (old && old.kept) { throw({forbidden: 'kept documents stay'}); }
        return;
    }
    if (doc.bad) { throw({forbidden: 'bad is refused'}); }
    if (doc._attachments && doc._attachments['bad.txt']) { throw({forbidden: 'bad attachments are refused'}); }
    if (doc.signed && !user.name) { throw({unauthorized: 'sign in'}); }
}"""
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture
def ruled(couch: Any, db: str) -> str:
    """A database with the rule, written by an admin to whom it applies as to everybody."""
    assert couch.put(f"{db}/good", {"v": 1}).status == 201
    assert couch.put(f"{db}/kept", {"kept": True}).status == 201
    assert couch.put(f"{db}/before", {"bad": True}).status == 201
    assert couch.put(f"{db}/_design/rule", {"validate_doc_update": RULE}).status == 201
    return db


def revision_of(couch: Any, db: str, id: str) -> str:
    return str(couch.get(f"{db}/{id}").json()["_rev"])


def bulk(couch: Any, db: str, **more: Any) -> Any:
    return couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": "x", "bad": 1, **more}], "new_edits": not more})


WAYS: dict[str, Callable[[Any, str], Any]] = {
    "PUT": lambda couch, db: couch.put(f"{db}/x", {"bad": 1}),
    "POST": lambda couch, db: couch.post(db, {"_id": "x", "bad": 1}),
    "an edit": lambda couch, db: couch.put(f"{db}/good", {"bad": 1, "_rev": revision_of(couch, db, "good")}),
    "a bulk": bulk,
    "a replica in a bulk": lambda couch, db: bulk(couch, db, _rev="1-abc"),
    "a replica alone": lambda couch, db: couch.put(f"{db}/x?new_edits=false", {"bad": 1, "_rev": "1-abc"}),
    "batch=ok": lambda couch, db: couch.put(f"{db}/x?batch=ok", {"bad": 1}),
    "COPY": lambda couch, db: couch.request("COPY", f"{db}/before", headers={"Destination": "x"}),
    "DELETE": lambda couch, db: couch.delete(f"{db}/kept?rev={revision_of(couch, db, 'kept')}"),
    "a tombstone": lambda couch, db: couch.put(
        f"{db}/kept", {"_deleted": True, "_rev": revision_of(couch, db, "kept")}
    ),
    "an attachment": lambda couch, db: couch.put(
        f"{db}/good/bad.txt?rev={revision_of(couch, db, 'good')}", raw=b"x", headers=TEXT
    ),
    "an attachment that makes its document": lambda couch, db: couch.put(f"{db}/x/bad.txt", raw=b"x", headers=TEXT),
    "an attachment inside": lambda couch, db: couch.put(f"{db}/x", {"_attachments": {"bad.txt": {"data": ""}}}),
    "multipart": lambda couch, db: couch.put(
        f"{db}/x",
        raw=b'--b\r\nContent-Type: application/json\r\n\r\n{"bad": 1, "_attachments": {"f": {"follows": true, '
        b'"content_type": "a/b", "length": 1}}}\r\n--b\r\n\r\nx\r\n--b--',
        headers={"Content-Type": 'multipart/related; boundary="b"'},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_a_rule_forbids_gets_in_no_way(couch: Any, ruled: str, way: str) -> None:
    before = couch.get(ruled).json()
    answer = WAYS[way](couch, ruled)
    after = couch.get(ruled).json()

    if isinstance(told := answer.json(), list):
        assert told[0]["error"] == "forbidden"
    elif way != "batch=ok" or couch.is_embedded:  # CouchDB answers before it looks
        assert (answer.status, told["error"]) == (403, "forbidden")
    assert (after["doc_count"], after["doc_del_count"]) == (before["doc_count"], before["doc_del_count"])
    assert couch.get(f"{ruled}/x").status == 404
    assert "bad" not in couch.get(f"{ruled}/good").json()


def test_what_replicates_between_databases_of_one_server_is_asked_too(couch: Any, ruled: str) -> None:
    user, password = couch.admin
    source = couch.database()
    couch.post(f"/{source}/_bulk_docs", {"docs": [{"_id": "x", "bad": 1}, {"_id": "y"}]})

    def place(name: str) -> dict[str, Any]:
        return {"url": f"{couch.url}/{name}", "auth": {"basic": {"username": user, "password": password}}}

    told = couch.post("/_replicate", {"source": place(source), "target": place(ruled[1:])}, timeout=60).json()
    couch.delete(f"/{source}")

    assert told["history"][0]["doc_write_failures"] == 1
    assert couch.get(f"{ruled}/x").status == 404
    assert couch.get(f"{ruled}/y").status == 200


def test_local_documents_and_design_documents_are_not_asked(couch: Any, ruled: str) -> None:
    design = {"_id": "_design/other", "bad": True}
    assert couch.put(f"{ruled}/_local/x", {"bad": True}).status == 201
    assert couch.post(f"{ruled}/_bulk_docs", {"docs": [design | {"_rev": "1-a"}], "new_edits": False}).json() == []

    assert couch.get(f"{ruled}/_design/other").json()["bad"] is True


def test_a_rule_is_told_who_writes_where_and_with_what_rights(couch: Any, db: str) -> None:
    rights = {"admins": {"names": [], "roles": []}, "members": {"names": ["ann"], "roles": []}}
    couch.put(f"{db}/_security", rights)
    tells = "function (doc, old, user, security) { throw({forbidden: JSON.stringify([user, security, old, doc])}); }"
    couch.put(f"{db}/a", {"v": 1})
    rev = revision_of(couch, db, "a")
    couch.put(f"{db}/_design/rule", {"validate_doc_update": tells})

    from embedded.http import json_text

    user, security, old, new = json_text.stored(couch.put(f"{db}/a", {"v": 2, "_rev": rev}).json()["reason"])

    assert user["db"].endswith(db[1:])
    assert user["name"] == couch.admin[0]
    assert "_admin" in user["roles"]
    assert security["members"]["names"] == ["ann"]
    assert (old["_rev"], old["v"], new["v"]) == (rev, 1, 2)
    assert new["_revisions"]["start"] in (1, 2)


def test_refusals_say_which_kind_they_are(couch: Any, db: str) -> None:
    kinds = "function (doc) { var told = {}; told[doc.kind] = 'words'; throw(told); }"
    couch.put(f"{db}/_design/rule", {"validate_doc_update": kinds})

    forbidden = couch.put(f"{db}/a", {"kind": "forbidden"})
    unauthorized = couch.put(f"{db}/a", {"kind": "unauthorized"})

    assert (forbidden.status, forbidden.json()) == (403, {"error": "forbidden", "reason": "words"})
    assert (unauthorized.status, unauthorized.json()) == (401, {"error": "unauthorized", "reason": "words"})


def test_what_a_rule_throws_is_the_reason_as_it_is(couch: Any, db: str) -> None:
    couch.put(f"{db}/_design/rule", {"validate_doc_update": "function (doc) { throw({forbidden: doc.reason}); }"})
    thrown = [{"field": "price", "at": [1, 2]}, ["price"], 7, False, None, '{"a text": 1}']

    alone = [couch.put(f"{db}/a", {"reason": reason}) for reason in thrown]
    together = couch.post(f"{db}/_bulk_docs", {"docs": [{"reason": reason} for reason in thrown]}).json()

    assert [(answer.status, answer.json()["reason"]) for answer in alone] == [(403, reason) for reason in thrown]
    assert [(line["error"], line["reason"]) for line in together] == [("forbidden", reason) for reason in thrown]
