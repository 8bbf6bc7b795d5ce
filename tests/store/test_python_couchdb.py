"""python-couchdb 1.2, the client the application stands on, finds a CouchDB here."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Any

import couchdb
import pytest
from couch_requests import Couch
from couchdb import http as couchdb_http


@pytest.fixture
def server(couch: Couch) -> couchdb.Server:
    server = couchdb.Server(couch.url)
    server.resource.credentials = couch.admin
    return server


@pytest.fixture
def database(server: couchdb.Server) -> Iterator[couchdb.Database]:
    database = server.create(f"t{secrets.token_hex(12)}")
    yield database
    with contextlib.suppress(couchdb_http.ResourceNotFound):
        server.delete(database.name)


def test_the_server_says_who_it_is(server: couchdb.Server) -> None:
    assert server.version()
    assert len(server.uuids(3)) == 3
    assert isinstance(server.tasks(), list)
    assert bool(server)


def test_databases_are_made_listed_and_deleted(server: couchdb.Server) -> None:
    name = f"t{secrets.token_hex(12)}"
    server.create(name)

    with pytest.raises(couchdb_http.PreconditionFailed):
        server.create(name)
    there = (name in server, name in list(server), server[name].info()["db_name"])
    server.delete(name)

    assert there == (True, True, name)
    assert name not in server
    with pytest.raises(couchdb_http.ResourceNotFound):
        server[name]


def test_a_document_is_saved_read_changed_and_deleted(database: couchdb.Database) -> None:
    id, rev = database.save({"_id": "D001:machine:CAT/1", "text": "Müller 🚜", "n": 1.5})
    document = database[id]
    document["n"] = 2
    database[id] = document

    assert document["_rev"] != rev
    assert dict(database.get(id)) == {"_id": id, "_rev": document["_rev"], "text": "Müller 🚜", "n": 2}
    assert database.get(id, rev=rev)["n"] == 1.5
    assert id in database
    assert len(database) == 1
    with pytest.raises(couchdb_http.ResourceConflict):
        database.save({"_id": id, "_rev": rev})
    database.delete(document)
    assert database.get(id) is None
    assert id not in database


def test_a_document_without_an_id_gets_one(database: couchdb.Database) -> None:
    id, rev = database.save({"a": 1})

    assert database[id].rev == rev


def test_many_documents_are_saved_and_deleted_at_once(database: couchdb.Database) -> None:
    saved = database.update([{"_id": "a"}, {"_id": "b"}])
    again = database.update([{"_id": "a"}, {"_id": "c"}])
    purged = database.purge([database["b"]])

    assert [(ok, id) for ok, id, _ in saved] == [(True, "a"), (True, "b")]
    assert again[0][0] is False
    assert isinstance(again[0][2], couchdb_http.ResourceConflict)
    assert again[1][0] is True
    assert list(purged["purged"]) == ["b"]
    assert list(database) == ["a", "c"]


def test_documents_keep_their_conflicts(database: couchdb.Database) -> None:
    database.resource.post_json(
        "_bulk_docs",
        body={"new_edits": False, "docs": [{"_id": "a", "_rev": "1-x", "v": 1}, {"_id": "a", "_rev": "1-y", "v": 2}]},
        headers={"Content-Type": "application/json"},
    )

    assert database.get("a", conflicts=True)["_conflicts"] == ["1-x"]
    assert sorted(leaf["ok"]["v"] for leaf in database.get("a", open_revs="all")) == [1, 2]
    assert [revision.rev for revision in database.revisions("a")] == ["1-y"]


def test_a_view_is_read_in_every_way(database: couchdb.Database) -> None:
    mapping = "function (doc) { if (doc.kind) { emit([doc.kind, doc.n], doc.n); } }"
    database["_design/d"] = {"views": {"v": {"map": mapping, "reduce": "_sum"}, "plain": {"map": mapping}}}
    database.update([{"_id": f"{kind}{n}", "kind": kind, "n": n} for kind in "ab" for n in (1, 2, 3)])

    rows = database.view("d/v", reduce=False, startkey=["a", 2], endkey=["b", 1], include_docs=True)
    by_key = database.view("d/plain", keys=[["b", 3], ["a", 1]])
    groups = database.view("d/v", group_level=1)
    backwards = database.view("d/plain", descending=True, limit=2, skip=1)

    assert [(row.id, row.value, row.doc["n"]) for row in rows] == [("a2", 2, 2), ("a3", 3, 3), ("b1", 1, 1)]
    assert by_key.total_rows == 6
    assert [row.id for row in by_key] == ["b3", "a1"]
    assert [(row.key, row.value) for row in groups] == [(["a"], 6), (["b"], 6)]
    assert [row.id for row in backwards] == ["b2", "b1"]
    assert [row.id for row in database.iterview("d/plain", 4)] == ["a1", "a2", "a3", "b1", "b2", "b3"]
    assert next(iter(database.view("_all_docs", key="a1"))).id == "a1"


def test_documents_are_found_by_selector_and_index(database: couchdb.Database) -> None:
    database.update([{"_id": str(n), "n": n} for n in range(5)])
    database.index()["by-n", "n"] = ["n"]

    found = list(database.find({"selector": {"n": {"$gt": 2}}, "sort": ["n"], "fields": ["_id"]}))
    explained = database.explain({"selector": {"n": 1}})

    assert [document["_id"] for document in found] == ["3", "4"]
    assert explained["index"]["name"] == "n"
    assert [index["name"] for index in database.index()] == ["_all_docs", "n"]
    del database.index()["by-n", "n"]
    assert len(list(database.index())) == 1


def test_changes_are_read_at_once_and_as_they_come(database: couchdb.Database) -> None:
    database.update([{"_id": "a"}, {"_id": "b"}])
    first = database.changes(limit=1)
    rest = database.changes(since=first["last_seq"], include_docs=True)

    feed = database.changes(feed="continuous", timeout=100, heartbeat=False)
    lines = list(feed)

    assert [row["id"] for row in first["results"]] == ["a"]
    assert [row["doc"]["_id"] for row in rest["results"]] == ["b"]
    assert [line["id"] for line in lines if "id" in line] == ["a", "b"]
    assert "last_seq" in lines[-1]


def test_a_longpoll_ends_when_its_time_is_over(database: couchdb.Database) -> None:
    database.save({"_id": "a"})
    since = database.changes()["last_seq"]

    started = time.monotonic()
    answer = database.changes(feed="longpoll", since=since, timeout=300)

    assert answer["results"] == []
    assert time.monotonic() - started < 20


def test_attachments_come_back(database: couchdb.Database) -> None:
    document = {"_id": "a b"}
    database.save(document)

    database.put_attachment(document, b"\x00\xff" * 1000, "photo.bin", "image/x-raw")

    read = database.get_attachment("a b", "photo.bin")
    assert read.read() == b"\x00\xff" * 1000
    assert database["a b"]["_attachments"]["photo.bin"]["content_type"] == "image/x-raw"
    assert database.get_attachment("a b", "none", default=None) is None
    database.delete_attachment(database["a b"], "photo.bin")
    assert "_attachments" not in database["a b"]


def test_users_sign_in_and_out_and_see_only_what_is_theirs(
    couch: Couch, server: couchdb.Server, database: couchdb.Database
) -> None:
    name = f"u{secrets.token_hex(6)}"
    server.add_user(name, "pw", ["reader"])
    try:
        database.security = {"members": {"names": [name], "roles": []}, "admins": {"names": [], "roles": []}}
        other = couchdb.Server(couch.url)
        other.resource.credentials = (name, "pw")

        assert dict(database.security)["members"]["names"] == [name]
        assert other[database.name].save({"_id": "theirs"})[0] == "theirs"
        token = couchdb.Server(couch.url).login(name, "pw")
        assert server.verify_token(token)
        with pytest.raises(couchdb_http.Unauthorized):
            couchdb.Server(couch.url).login(name, "wrong")
    finally:
        server.remove_user(name)


def test_replication_answers_when_it_is_done(couch: Couch, server: couchdb.Server, database: couchdb.Database) -> None:
    target = server.create(f"t{secrets.token_hex(12)}")
    database.update([{"_id": "a"}, {"_id": "b"}])

    def endpoint(place: Any) -> dict[str, Any]:
        basic = {"username": couch.admin[0], "password": couch.admin[1]}
        return {"url": f"{couch.url}/{place.name}", "auth": {"basic": basic}}

    answer = server.replicate(endpoint(database), endpoint(target), doc_ids=["b"])

    assert answer["ok"] is True
    assert list(target) == ["b"]
    server.delete(target.name)


def test_a_database_is_compacted_and_its_old_indexes_cleaned(database: couchdb.Database) -> None:
    assert database.compact()
    assert database.cleanup()
    assert database.commit()
