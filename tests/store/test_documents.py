"""Documents one at a time and in bulk. What CouchDB answered step by step is in `recorded/`; here are the promises."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest


def test_a_document_comes_back_to_the_last_digit(couch: Any, db: str) -> None:
    numbers = b'"big":123456789012345678901234567890,"small":-0.0,"wide":1e300,"half":0.5'
    body = b"{" + numbers + b',"text":"\\u0000\\u2028\xf0\x9f\x9a\x9c"}'
    assert couch.put(f"{db}/exact", raw=body, headers={"Content-Type": "application/json"}).status == 201

    found = couch.get(f"{db}/exact").json()

    assert found["big"] == 123456789012345678901234567890
    assert str(found["small"]) == "-0.0"
    assert (found["wide"], found["half"], found["text"]) == (1e300, 0.5, "\0\u2028🚜")


def test_the_same_edit_made_twice_is_one_revision(couch: Any, db: str) -> None:
    other = f"/{couch.database()}"
    first = couch.put(f"{db}/a", {"x": 1, "y": {"p": 1, "q": 2}}).json()["rev"]
    second = couch.put(f"{other}/a", {"x": 1, "y": {"p": 1, "q": 2}}).json()["rev"]
    third = couch.put(f"{other}/b", {"x": 2, "y": {"p": 1, "q": 2}}).json()["rev"]
    couch.delete(other)

    assert first == second
    assert first != third


def test_a_stale_save_is_a_conflict_and_changes_nothing(couch: Any, db: str) -> None:
    first = couch.put(f"{db}/a", {"v": 1}).json()["rev"]
    second = couch.put(f"{db}/a", {"v": 2, "_rev": first}).json()["rev"]

    assert couch.put(f"{db}/a", {"v": 3, "_rev": first}).status == 409
    assert couch.put(f"{db}/a", {"v": 3}).status == 409
    assert couch.get(f"{db}/a").json() == {"_id": "a", "_rev": second, "v": 2}


@pytest.mark.parametrize(
    ("before", "edit"),
    [
        (None, {}),
        (None, {"_deleted": True}),
        ({"_id": "other"}, {"_attachments": {"a.txt": {"data": "eA=="}}}),
        ({"_id": "_design/rule", "validate_doc_update": "function () {}"}, {}),
    ],
    ids=["the first write of a database", "its deletion", "with attachments", "where a rule validates"],
)
def test_an_edit_of_a_document_nobody_has_is_a_conflict_where_it_is_looked_up(
    couch: Any, db: str, before: Any, edit: dict[str, Any]
) -> None:
    if before is not None:
        couch.post(f"{db}/_bulk_docs", {"docs": [before, {"_id": "known"}]})
    lost = {"_id": "lost", "_rev": "1-123", **edit}

    assert couch.put(f"{db}/lost", lost).json()["error"] == "conflict"
    told = couch.post(f"{db}/_bulk_docs", {"docs": [lost, {"_id": "new"}]}).json()
    assert (told[0]["error"], told[1]["ok"]) == ("conflict", True)
    assert couch.get(f"{db}/lost").status == 404


def test_a_deletion_may_carry_fields_and_the_document_can_be_made_anew(couch: Any, db: str) -> None:
    first = couch.put(f"{db}/a", {"v": 1}).json()["rev"]
    gone = couch.put(f"{db}/a", {"_rev": first, "_deleted": True, "why": "sold"}).json()["rev"]

    assert couch.get(f"{db}/a").status == 404
    assert couch.get(f"{db}/a?rev={gone}").json()["why"] == "sold"
    again = couch.put(f"{db}/a", {"v": 2}).json()["rev"]
    assert again.startswith("3-")
    assert couch.get(f"{db}/a?revs=true").json()["_revisions"]["start"] == 3


def test_one_bad_document_in_a_bulk_means_nothing_is_written(couch: Any, db: str) -> None:
    for bad in (5, {"_id": "_x"}, {"_id": "a", "_what": 1}, {"_id": "b", "_rev": "junk"}, {"_id": ""}):
        answer = couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": "good"}, bad]})
        assert answer.status == 400, bad
    assert couch.get(db).json()["doc_count"] == 0


def test_each_document_of_a_bulk_succeeds_or_fails_by_itself(couch: Any, db: str) -> None:
    couch.put(f"{db}/taken", {})
    answers = couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": "new"}, {"_id": "taken"}, {"n": 1}]}).json()

    assert [answer.get("error") for answer in answers] == [None, "conflict", None]
    assert couch.get(f"{db}/new").status == 200
    assert couch.get(f"{db}/{answers[2]['id']}").json()["n"] == 1


def test_the_tag_of_a_document_saves_sending_it_again(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/a", {"v": 1}).json()["rev"]
    tag = couch.get(f"{db}/a").headers["ETag"]

    assert tag == f'"{rev}"'
    assert couch.get(f"{db}/a", headers={"If-None-Match": tag}).status == 304
    assert couch.get(f"{db}/a", headers={"If-None-Match": '"1-x"'}).status == 200
    assert couch.put(f"{db}/a", {"v": 2}, headers={"If-Match": '"1-x"'}).status == 409
    assert couch.put(f"{db}/a", {"v": 2}, headers={"If-Match": tag}).status == 201


def test_head_tells_what_get_would_without_the_body(couch: Any, db: str) -> None:
    couch.put(f"{db}/a", {"v": 1})
    got, told = couch.get(f"{db}/a"), couch.request("HEAD", f"{db}/a")

    assert (told.status, told.data) == (200, b"")
    assert told.headers["ETag"] == got.headers["ETag"]
    assert couch.request("HEAD", f"{db}/none").status == 404


def test_a_body_may_come_gzipped_or_in_chunks(couch: Any, db: str) -> None:
    packed = gzip.compress(json.dumps({"docs": [{"_id": "zipped"}]}).encode())
    kind = {"Content-Type": "application/json"}

    assert couch.post(f"{db}/_bulk_docs", raw=packed, headers={**kind, "Content-Encoding": "gzip"}).status == 201
    answer = couch.pool.request(
        "PUT",
        f"{couch.url}{db}/chunked",
        body=iter([b'{"v"', b":1}"]),
        headers={**kind, "Transfer-Encoding": "chunked", "Authorization": _basic(couch)},
    )
    assert answer.status == 201
    assert couch.get(f"{db}/zipped").status == 200
    assert couch.get(f"{db}/chunked").json()["v"] == 1
    assert couch.post(f"{db}/_bulk_docs", raw=packed[:-9], headers={**kind, "Content-Encoding": "gzip"}).status == 400


def _basic(couch: Any) -> str:
    import base64

    return "Basic " + base64.b64encode(":".join(couch.admin).encode()).decode()


def test_ids_of_any_kind_are_kept(couch: Any, db: str) -> None:
    from urllib.parse import quote

    for id in ("a/b", "ü ñ", "a+b", "D001:machine:CAT-1", "1%2", "?&#", "x" * 300, "_design/a/b"):
        assert couch.put(f"{db}/{quote(id, safe='')}", {"v": id}).status == 201, id
        assert couch.get(f"{db}/{quote(id, safe='')}").json()["_id"] == id


def test_a_partitioned_database_wants_a_partition_in_every_id(couch: Any) -> None:
    path = f"/{couch.database()}p"
    assert couch.put(f"{path}?partitioned=true").status in (201, 202)
    try:
        assert couch.get(path).json()["props"] == {"partitioned": True}
        assert couch.put(f"{path}/D001:customer:1", {}).status == 201
        assert couch.put(f"{path}/plain", {}).status == 400
        assert couch.post(f"{path}/_bulk_docs", {"docs": [{"_id": "D001:a"}, {"_id": ":b"}]}).status == 400
        assert couch.put(f"{path}/_design/all", {"views": {}}).status == 201
        assert couch.get(path).json()["doc_count"] == 2
    finally:
        couch.delete(path)


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[1]", b'{"a":NaN}', b'{"a":1e999}', b'{"a":"\\ud800"}', b"\xff", b'{"a":1}}', b"nul", b'{"a":1,}'],
)
def test_what_is_not_json_is_refused(couch: Any, db: str, raw: bytes) -> None:
    answer = couch.put(f"{db}/bad", raw=raw, headers={"Content-Type": "application/json"})

    assert answer.status == 400
    assert set(answer.json()) == {"error", "reason"}
    assert couch.get(db).json()["doc_count"] == 0


def test_json_nested_without_end_is_refused_and_the_store_goes_on(couch: Any, db: str) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB has no limit of its own here")
    raw = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"

    assert couch.put(f"{db}/deep", raw=raw, headers={"Content-Type": "application/json"}).status == 400
    assert couch.put(f"{db}/fine", raw=b'{"a":' + b"[" * 400 + b"]" * 400 + b"}").status == 201


def test_deleting_a_database_frees_its_name(couch: Any) -> None:
    path = f"/{couch.database()}"
    couch.put(f"{path}/a", {})
    assert couch.delete(path).status == 200
    assert couch.get(path).status == 404
    assert couch.delete(path).status == 404
    assert couch.put(path).status in (201, 202)
    assert couch.get(path).json()["doc_count"] == 0
    couch.delete(path)


def test_a_local_document_has_no_history_and_does_not_mind_being_given_one(couch: Any, db: str) -> None:
    first = couch.put(f"{db}/_local/mark", {"v": 1}).json()["rev"]
    told = {"_rev": first, "_revisions": {"start": 0, "ids": ["1"]}, "v": 2}

    assert couch.put(f"{db}/_local/mark", told).status == 201
    found = couch.get(f"{db}/_local/mark").json()
    assert found == {"_id": "_local/mark", "_rev": "0-2", "v": 2}


def test_what_a_replicator_notes_in_a_document_is_kept(couch: Any, db: str) -> None:
    notes = {"_replication_id": "x", "_replication_state": "triggered", "_replication_stats": {"docs_read": 1}}
    assert couch.put(f"{db}/a", {"v": 1, **notes}).status == 201

    found = couch.get(f"{db}/a").json()
    assert {name: found[name] for name in notes} == notes


@pytest.mark.parametrize("range", ['startkey="a"', 'endkey="b"', 'key="a"'])
def test_keys_and_a_range_exclude_each_other(couch: Any, db: str, range: str) -> None:
    answer = couch.post(f"{db}/_all_docs?{range}", {"keys": ["a"]})

    assert answer.status == 400
    assert answer.json()["error"] == "query_parse_error"


def test_a_temporary_view_is_gone_and_not_something_else(couch: Any, db: str) -> None:
    answer = couch.post(f"{db}/_temp_view", {"map": "function (doc) { emit(doc._id); }"})

    assert answer.status == 410
    assert answer.json()["error"] == "gone"


@pytest.mark.parametrize(
    "path", ["_design/d/_show/s", "_design/d/_list/l/v", "_design/d/_rewrite/x", "_design/d/_search/i"]
)
def test_what_the_store_has_not_says_so(couch: Any, db: str, path: str) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB has it.")
    answer = couch.get(f"{db}/{path}")

    assert answer.status == 501
    assert "This store has no" in answer.json()["reason"]
