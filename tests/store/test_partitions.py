"""One partition of a partitioned database is asked as if there were no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded import partitions

MAP = "function (doc) { if (doc.make) { emit([doc.make, doc.hours], doc.hours); } }"
MACHINES = [("D1", "Cat", 5), ("D1", "Acme", 7), ("D1", "cat", 2), ("D10", "Cat", 9), ("D2", "Acme", 1), ("d1", "B", 4)]


@pytest.fixture
def market(couch: Any) -> Iterator[str]:
    path = f"/{couch.database()}"
    couch.delete(path)
    assert couch.put(f"{path}?partitioned=true").status in (201, 202)
    documents = [
        {"_id": f"{dealer}:machine:{make}-{hours}", "make": make, "hours": hours} for dealer, make, hours in MACHINES
    ]
    couch.post(f"{path}/_bulk_docs", {"docs": [*documents, {"_id": "D1:note"}]})
    views = {
        "rows": {"map": MAP},
        "sum": {"map": MAP, "reduce": "_sum"},
        "script": {"map": MAP, "reduce": "function (keys, values) { return sum(values); }"},
    }
    assert couch.put(f"{path}/_design/own", {"views": views}).status in (201, 202)
    all = {"views": views, "options": {"partitioned": False}}
    assert couch.put(f"{path}/_design/all", all).status in (201, 202)
    yield path
    couch.delete(path)


def rows(couch: Any, path: str) -> list[tuple[Any, Any]]:
    answer = couch.get(path)
    assert answer.status == 200, answer.data
    return [(row["key"], row["value"]) for row in answer.json()["rows"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("rows", [(["Acme", 7], 7), (["cat", 2], 2), (["Cat", 5], 5)]),
        ("rows?descending=true&limit=2", [(["Cat", 5], 5), (["cat", 2], 2)]),
        ("rows?descending=true&startkey=[%22Acme%22,{}]", [(["Acme", 7], 7)]),
        ('rows?startkey=["Acme",7]&endkey=["cat",{}]', [(["Acme", 7], 7), (["cat", 2], 2)]),
        ('rows?startkey=["cat"]&inclusive_end=false&endkey=["Cat",5]', [(["cat", 2], 2)]),
        ('rows?key=["Cat",9]', []),
        ('rows?keys=[["Cat",5],["Acme",1],["Acme",7]]', [(["Cat", 5], 5), (["Acme", 7], 7)]),
        ("rows?skip=2", [(["Cat", 5], 5)]),
        ("sum", [(None, 14)]),
        ("sum?group_level=1", [(["Acme"], 7), (["cat"], 2), (["Cat"], 5)]),
        ("sum?group=true&descending=true&limit=1", [(["Cat", 5], 5)]),
        ("sum?group_level=1&startkey=[%22cat%22]", [(["cat"], 2), (["Cat"], 5)]),
        ("script", [(None, 14)]),
        ("script?group_level=1", [(["Acme"], 7), (["cat"], 2), (["Cat"], 5)]),
    ],
)
def test_a_view_of_a_partition_has_its_rows_and_no_others(
    couch: Any, market: str, query: str, expected: list[Any]
) -> None:
    assert rows(couch, f"{market}/_partition/D1/_design/own/_view/{query}") == expected


def test_a_view_of_a_partition_follows_its_documents(couch: Any, market: str) -> None:
    view = f"{market}/_partition/D2/_design/own/_view/sum?group=true"
    assert rows(couch, view) == [(["Acme", 1], 1)]
    couch.put(f"{market}/D2:new", {"make": "Zed", "hours": 3})
    old = couch.get(f"{market}/D2:machine:Acme-1").json()["_rev"]
    couch.delete(f"{market}/D2:machine:Acme-1?rev={old}")

    assert rows(couch, view) == [(["Zed", 3], 3)]
    assert rows(couch, f"{market}/_partition/none/_design/own/_view/sum") == []


def test_a_view_is_over_one_partition_or_over_all_as_its_design_document_says(couch: Any, market: str) -> None:
    assert rows(couch, f"{market}/_design/all/_view/sum") == [(None, 28)]
    for path in ("_design/own/_view/sum", "_partition/D1/_design/all/_view/sum"):
        refused = couch.get(f"{market}/{path}")
        assert (refused.status, refused.json()["error"]) == (400, "query_parse_error"), path


def test_the_documents_of_a_partition_are_listed_and_counted(couch: Any, market: str) -> None:
    listed = couch.get(f"{market}/_partition/D1/_all_docs?include_docs=true").json()
    told = couch.get(f"{market}/_partition/D1").json()

    ids = ["D1:machine:Acme-7", "D1:machine:Cat-5", "D1:machine:cat-2", "D1:note"]
    assert [row["id"] for row in listed["rows"]] == ids
    assert listed["rows"][0]["doc"]["hours"] == 7
    assert (told["partition"], told["doc_count"], told["doc_del_count"]) == ("D1", 4, 0)
    assert told["db_name"] == market[1:]
    some = couch.get(f'{market}/_partition/D1/_all_docs?startkey="D1:machine:Cat"&limit=1').json()
    assert [row["id"] for row in some["rows"]] == ids[1:2]
    if couch.is_embedded:
        assert (some["total_rows"], some["offset"]) == (4, 1)


@pytest.mark.parametrize("indexed", [None, True, False])
def test_a_selector_finds_within_a_partition_or_over_all(couch: Any, market: str, indexed: bool | None) -> None:
    if indexed is not None:
        wanted = {"index": {"fields": ["hours"]}, "name": "hours", "ddoc": "hours", "partitioned": indexed}
        assert couch.post(f"{market}/_index", wanted).json()["result"] == "created"
        (listed,) = [one for one in couch.get(f"{market}/_index").json()["indexes"] if one["name"] == "hours"]
        assert listed["partitioned"] is indexed

    def found(path: str, **more: Any) -> list[str]:
        answer = couch.post(f"{market}/{path}", {"selector": {"hours": {"$gt": 1}}, "fields": ["_id"], **more})
        assert answer.status == 200, answer.data
        return sorted(one["_id"].partition(":")[0] for one in answer.json()["docs"])

    assert found("_partition/D1/_find") == ["D1", "D1", "D1"]
    assert found("_partition/D10/_find") == ["D10"]
    assert found("_find") == ["D1", "D1", "D1", "D10", "d1"]
    if indexed:
        pages: list[str] = []
        body = {"selector": {"hours": {"$gt": 1}}, "fields": ["hours"], "limit": 2, "sort": [{"hours": "desc"}]}
        for _ in range(2):
            answer = couch.post(f"{market}/_partition/D1/_find", body).json()
            pages += [one["hours"] for one in answer["docs"]]
            body["bookmark"] = answer["bookmark"]
        assert pages == [7, 5, 2]
        explained = couch.post(f"{market}/_partition/D1/_explain", {"selector": {"hours": 5}}).json()
        assert explained["index"]["name"] == "hours"
        assert couch.post(f"{market}/_explain", {"selector": {"hours": 5}}).json()["index"]["name"] == "_all_docs"


@pytest.mark.parametrize("path", ["_all_docs", "_design/own/_view/rows", ""])
def test_what_can_be_no_partition_is_refused(couch: Any, market: str, db: str, path: str) -> None:
    couch.put(f"{db}/_design/own", {"views": {"rows": {"map": MAP}}})

    assert couch.get(f"{market}/_partition/_x/{path}").status == 400
    assert couch.get(f"{db}/_partition/D1/{path}").status == 400


def test_a_design_document_cannot_ask_for_partitions_where_there_are_none(couch: Any, market: str, db: str) -> None:
    asked = {"views": {"rows": {"map": MAP}}, "options": {"partitioned": True}}

    assert couch.put(f"{db}/_design/x", asked).status == 400
    assert couch.put(f"{market}/_design/x", asked).status == 201
    assert couch.put(f"{market}/_design/y", asked | {"options": {"partitioned": "yes"}}).status == 400


NAMES = st.text(st.characters(blacklist_characters=":", blacklist_categories=("Cs",)), min_size=1)


@given(NAMES, NAMES, st.text())
@settings(max_examples=100, deadline=None)
def test_an_id_is_within_its_partition_and_within_no_other(one: str, other: str, key: str) -> None:
    place = partitions.prefix_of_id(f"{one}:{key}")
    prefix = partitions.prefix(other)

    assert (prefix <= place < partitions.after(prefix)) is (one == other)
