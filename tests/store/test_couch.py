"""The door to the store: what it promises whichever store answers."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from app.couch import (
    Conflict,
    Database,
    Forbidden,
    NotFound,
    Refused,
    Row,
    Store,
    StoreError,
    Unreachable,
    WrongPassword,
)


def test_a_document_comes_back_as_it_was_put(database: Database) -> None:
    rev = database.put({"_id": "D001:customer:a/b c", "name": "Müller & Söhne", "emoji": "🚜"})

    found = database.get("D001:customer:a/b c")

    assert found == {"_id": "D001:customer:a/b c", "_rev": rev, "name": "Müller & Söhne", "emoji": "🚜"}


def test_a_missing_document_is_none_and_a_missing_database_is_an_error(database: Database, store: Store) -> None:
    assert database.get("nothing") is None
    with pytest.raises(NotFound):
        store.database("nowhere").get("nothing")


@pytest.mark.parametrize("id", ["", "_all_docs", "_changes", "_design/", "_security"])
def test_an_id_no_document_can_have_is_not_found(database: Database, id: str) -> None:
    assert database.get(id) is None
    assert database.leaves(id) == []


def test_a_stale_put_is_a_conflict(database: Database) -> None:
    database.put({"_id": "a", "n": 1})
    with pytest.raises(Conflict):
        database.put({"_id": "a", "n": 2})


def test_bulk_answers_for_each_document_in_order(database: Database) -> None:
    database.put({"_id": "taken"})

    results = database.bulk([{"_id": "new"}, {"_id": "taken"}])

    assert [result.id for result in results] == ["new", "taken"]
    assert results[0].rev and results[0].error is None
    assert results[1].error == "conflict"


def test_the_reason_a_rule_refuses_with_is_text_whatever_it_throws(database: Database) -> None:
    rule = "function (doc) { if (doc.thrown) { throw({forbidden: doc.thrown}); } }"
    database.put({"_id": "_design/rule", "validate_doc_update": rule})

    refused = database.bulk([{"_id": "a", "thrown": "No."}, {"_id": "b", "thrown": {"field": "price"}}])

    assert [result.reason for result in refused] == ["No.", '{"field": "price"}']
    with pytest.raises(Forbidden, match="price"):
        database.put({"_id": "b", "thrown": {"field": "price"}})


def test_many_documents_are_read_in_one_request_without_missing_and_deleted_ones(database: Database) -> None:
    revs = {result.id: result.rev for result in database.bulk([{"_id": "a", "n": 1}, {"_id": "b"}])}
    database.put({"_id": "b", "_rev": revs["b"], "_deleted": True})

    found = database.get_many(["a", "b", "c", "a"])

    assert found == {"a": {"_id": "a", "_rev": revs["a"], "n": 1}}


def test_leaves_have_their_history_and_deleted_ones_are_among_them(database: Database) -> None:
    first = {"_id": "a", "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "v": 1}
    second = {"_id": "a", "_rev": "2-c", "_revisions": {"start": 2, "ids": ["c", "a"]}, "_deleted": True, "by": "x"}
    assert database.bulk([first, second], new_edits=False) == []

    leaves = {leaf["_rev"]: leaf for leaf in database.leaves("a")}

    assert leaves == {"2-b": first, "2-c": second}


def test_a_view_is_read_with_keys_ranges_and_several_queries_at_once(database: Database) -> None:
    database.put(
        {
            "_id": "_design/d",
            "views": {
                "v": {"map": "function (doc) { if (doc.n) { emit([doc.kind, doc.n], doc.n); } }", "reduce": "_sum"}
            },
        }
    )
    database.bulk([{"_id": f"{kind}{n}", "kind": kind, "n": n} for kind in ("a", "b") for n in (1, 2, 3)])

    rows = database.view("d", "v", reduce=False, startkey=["a", 2], endkey=["a", {}], include_docs=True)
    sums = database.view("d", "v", group_level=1)
    two = database.view_queries("d", "v", [{"reduce": False, "limit": 1}, {"group_level": 1, "startkey": ["b"]}])

    assert [row.id for row in rows] == ["a2", "a3"]
    assert rows.rows[0].doc is not None and rows.rows[0].doc["n"] == 2
    assert rows.total_rows == 6 and rows.offset == 1
    assert sums.rows == [Row(None, ["a"], 6), Row(None, ["b"], 6)] and sums.total_rows is None
    assert [[row.value for row in each] for each in two] == [[1], [6]]
    assert [row.id for row in database.view("d", "v", reduce=False, keys=[["b", 3], ["a", 1]])] == ["b3", "a1"]


def test_changes_are_paged_by_opaque_sequence_and_selected(database: Database) -> None:
    database.bulk([{"_id": str(n), "even": n % 2 == 0} for n in range(6)])

    first = database.changes(limit=4)
    rest = database.changes(since=first.last_seq)
    even = database.changes(selector={"even": True})
    named = database.changes(doc_ids=["3"])

    assert len(first.results) == 4 and len(rest.results) == 2
    assert {line["id"] for line in even.results} == {"0", "2", "4"}
    assert [line["id"] for line in named.results] == ["3"]
    assert database.changes(since="now", feed="longpoll", timeout=50).results == []


def test_documents_replicate_between_databases_by_name(store: Store) -> None:
    here, there = store.create("here"), store.create("there")
    here.bulk([{"_id": "a", "share": "manufacturer"}, {"_id": "b", "share": "dealer"}])

    store.replicate("here", store.endpoint("there"), selector={"share": "manufacturer"})

    assert there.get("a") and there.get("b") is None
    assert there.revs_diff({"a": ["1-x"]}) == {"a": {"missing": ["1-x"]}} or "a" in there.revs_diff({"a": ["1-x"]})


def test_local_documents_are_kept_apart(database: Database) -> None:
    database.put_local({"_id": "note", "n": 1})

    note = database.get_local("note")

    assert note is not None and note["n"] == 1
    assert database.get_local("nothing") is None
    assert database.info()["doc_count"] == 0


def test_attachments_come_back_byte_for_byte(database: Database) -> None:
    rev = database.put({"_id": "a"})
    database.put_attachment({"_id": "a", "_rev": rev}, "photo 1.bin", bytes(range(256)) * 100, "image/x-raw")

    assert database.attachment("a", "photo 1.bin") == (bytes(range(256)) * 100, "image/x-raw")
    with pytest.raises(NotFound):
        database.attachment("a", "other")


def test_creating_a_database_twice_keeps_what_is_in_it(store: Store) -> None:
    store.create("one").put({"_id": "a"})

    assert store.create("one").get("a")
    assert store.names() == ["one"] and store.exists("one") and not store.exists("two")


def test_a_user_reaches_only_the_databases_it_is_a_member_of(store: Store) -> None:
    name = f"{store.prefix}dealer"
    store.create("hers").put({"_id": "a"})
    store.create("closed")
    store.put_user(name, "first")
    store.put_user(name, "second", roles=["dealers"])
    store.set_security("hers", members=[name])
    store.set_security("closed")
    hers = Store(store.url, name, "second", store.prefix)
    try:
        assert hers.database("hers").get("a") and hers.version()["couchdb"] == "Welcome"
        with pytest.raises(Forbidden):
            hers.database("closed").get("a")
        with pytest.raises(Forbidden):
            hers.create("more")
        with pytest.raises(WrongPassword) as problem:
            Store(store.url, name, "first", store.prefix).database("hers").get("a")
        assert "first" not in str(problem.value)
        with pytest.raises(WrongPassword):
            Store(store.url, name, "first", store.prefix).version()
    finally:
        store.delete_user(name)
        store.delete_user(name)


def test_nobody_listening_is_unreachable_with_the_address_and_no_password(free_address: str) -> None:
    with pytest.raises(Unreachable) as problem:
        Store(free_address, "ironbook", "very secret").version()

    assert free_address in str(problem.value) and "very secret" not in repr(problem.value)
    assert not Store(free_address, "ironbook", "x").up()


@pytest.mark.parametrize("answer", ["portal", "redirect", "bare error", "text"])
def test_what_is_no_store_is_unreachable_and_says_so(answer: str, web_server: str) -> None:
    with pytest.raises((Unreachable, StoreError)) as problem:
        Store(f"{web_server}/{answer.replace(' ', '-')}", "ironbook", "very secret").version()

    assert isinstance(problem.value, Unreachable)
    assert "not a store" in str(problem.value) and "very secret" not in str(problem.value)


def test_a_value_json_cannot_hold_is_refused_before_it_is_sent(database: Database) -> None:
    with pytest.raises(StoreError):
        database.put({"_id": "a", "n": float("nan")})
    with pytest.raises(StoreError):
        database.put({"_id": "a", "t": "\ud800"})
    assert database.get("a") is None


def test_a_bad_request_is_refused_with_the_stores_reason(database: Database) -> None:
    with pytest.raises(Refused) as problem:
        database.put({"_id": "a", "_wrong": 1})
    assert problem.value.status == 400 and problem.value.reason


def test_threads_may_share_a_store(database: Database) -> None:
    problems: list[BaseException] = []

    def write(thread: int) -> None:
        try:
            for n in range(10):
                database.put({"_id": f"{thread}-{n}"})
                assert database.get(f"{thread}-{n}")
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems
    assert database.info()["doc_count"] == 40


@pytest.fixture
def free_address() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


class _NoStore(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind = self.path.split("/")[1]
        status = {"portal": 511, "redirect": 302, "bare-error": 500, "text": 200}[kind]
        self.send_response(status)
        if kind == "redirect":
            self.send_header("Location", "http://127.0.0.1:9/login")
        if kind in ("portal", "text"):
            self.send_header("Content-Type", "text/html")
        body = b"<!doctype html><p>Please sign in</p>" if kind in ("portal", "text") else b""
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def web_server() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _NoStore)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
