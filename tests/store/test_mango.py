"""`_find` finds the same documents with an index as without one, in the order asked for, page by page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from embedded import mango
from embedded.http.errors import HttpError

DOCUMENTS = [
    {"_id": "a", "make": "Acme", "hours": 10, "tags": ["x"], "at": {"lat": 1, "lon": 2}},
    {"_id": "b", "make": "Acme", "hours": 30, "tags": ["x", "y"], "at": {"lat": 3}},
    {"_id": "c", "make": "Bromax", "hours": 20, "tags": [], "rows": [{"part": "p1", "n": 2}, {"part": "p2", "n": 1}]},
    {"_id": "d", "make": "norden", "hours": None, "name": "Äpfel"},
    {"_id": "e", "make": "Norden", "hours": "many", "a.b": 1},
    {"_id": "f", "hours": 30.0, "ok": True},
]


@pytest.fixture(scope="module")
def fleet(couch: Any) -> Iterator[str]:
    path = f"/{couch.database()}"
    couch.post(f"{path}/_bulk_docs", {"docs": DOCUMENTS})
    yield path
    couch.delete(path)


def find(couch: Any, db: str, selector: Any, **more: Any) -> Any:
    answer = couch.post(f"{db}/_find", {"selector": selector, **more})
    assert answer.status == 200, answer.data
    return answer.json()


def ids(answer: Any) -> list[str]:
    return [document["_id"] for document in answer["docs"]]


SELECTORS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["a", "b", "c", "d", "e", "f"]),
    ({"make": "Acme"}, ["a", "b"]),
    ({"make": "Acme", "hours": {"$gt": 10}}, ["b"]),
    ({"hours": {"$gte": 10, "$lt": 30}}, ["a", "c"]),
    ({"hours": {"$lt": 0}}, ["d"]),
    ({"hours": {"$gt": 30}}, ["e"]),
    ({"hours": {"$eq": 30}}, ["b", "f"]),
    ({"hours": {"$ne": 30}}, ["a", "c", "d", "e"]),
    ({"make": {"$ne": "Acme"}}, ["c", "d", "e"]),
    ({"make": {"$not": {"$eq": "Acme"}}}, ["c", "d", "e"]),
    ({"$not": {"make": "Acme"}}, ["c", "d", "e"]),
    ({"$not": {"make": "Acme", "hours": 10}}, ["b", "c", "d", "e", "f"]),
    ({"$nor": [{"make": "Acme"}, {"hours": 20}]}, ["d", "e"]),
    ({"$or": [{"make": "Bromax"}, {"ok": True}]}, ["c", "f"]),
    ({"$and": [{"hours": {"$type": "number"}}, {"make": {"$exists": False}}]}, ["f"]),
    ({"make": {"$exists": True}, "$or": [{"hours": 10}, {"hours": 20}]}, ["a", "c"]),
    ({"hours": {"$in": [10, 20, None]}}, ["a", "c", "d"]),
    ({"tags": {"$in": ["y"]}}, ["b"]),
    ({"hours": {"$nin": [10, 20]}}, ["b", "d", "e", "f"]),
    ({"tags": {"$all": ["x"]}}, ["a", "b"]),
    ({"tags": {"$all": ["y", "x"]}}, ["b"]),
    ({"tags": {"$size": 0}}, ["c"]),
    ({"tags": []}, ["c"]),
    ({"tags.1": "y"}, ["b"]),
    ({"rows": {"$elemMatch": {"part": "p1", "n": {"$gt": 1}}}}, ["c"]),
    ({"rows": {"$elemMatch": {"part": "p1", "n": 1}}}, []),
    ({"rows": {"$allMatch": {"n": {"$gt": 0}}}}, ["c"]),
    ({"tags": {"$allMatch": {"$eq": "x"}}}, ["a"]),
    ({"at": {"$keyMapMatch": {"$eq": "lon"}}}, ["a"]),
    ({"at.lat": {"$gt": 1}}, ["b"]),
    ({"at": {"lat": 1}}, ["a"]),
    ({"at": {"$eq": {"lat": 3}}}, ["b"]),
    ({"a\\.b": 1}, ["e"]),
    ({"hours": {"$mod": [20, 10]}}, ["a", "b"]),
    ({"make": {"$regex": "(?i)^n"}}, ["d", "e"]),
    ({"make": {"$beginsWith": "Nor"}}, ["e"]),
    ({"name": {"$gt": "Apfel"}}, ["d"]),
    ({"name": "A\u0308pfel"}, ["d"]),
    ({"ok": {"$type": "boolean"}}, ["f"]),
    ({"hours": {"$exists": True, "$type": "string"}}, ["e"]),
    ({"_id": {"$gte": "b", "$lt": "d"}}, ["b", "c"]),
    ({"_id": {"$gt": None}, "make": "Acme"}, ["a", "b"]),
    ({"_id": {"$gt": {}}, "make": "Acme"}, ["a", "b"]),
    ({"_id": {"$lt": {}}}, []),
    ({"hours": {}}, []),
    ({"hours": {"$type": "integer"}}, []),
]


@pytest.mark.parametrize(("selector", "expected"), SELECTORS, ids=[str(selector) for selector, _ in SELECTORS])
def test_a_selector_finds_what_couchdb_finds(couch: Any, fleet: str, selector: Any, expected: list[str]) -> None:
    assert ids(find(couch, fleet, selector)) == expected
    assert [document["_id"] for document in DOCUMENTS if mango.matches(selector, document)] == expected


@pytest.mark.parametrize(
    ("selector", "error"),
    [
        (5, "invalid_selector_json"),
        (["a"], "invalid_selector_json"),
        ({"a": {"$near": 1}}, "invalid_operator"),
        ({"$where": "x"}, "invalid_operator"),
        ({"$or": {}}, "bad_arg"),
        ({"$and": [5]}, "bad_arg"),
        ({"a": {"$in": 1}}, "bad_arg"),
        ({"a": {"$size": -1}}, "bad_arg"),
        ({"a": {"$mod": [0, 1]}}, "bad_arg"),
        ({"a": {"$exists": 1}}, "bad_arg"),
        ({"a": {"$regex": "("}}, "bad_arg"),
        ({"a": {"$elemMatch": 5}}, "bad_arg"),
    ],
)
def test_a_selector_that_is_none_is_refused_before_anything_is_read(
    couch: Any, fleet: str, selector: Any, error: str
) -> None:
    answer = couch.post(f"{fleet}/_find", {"selector": selector})
    assert (answer.status, answer.json()["error"]) == (400, error)
    with pytest.raises(HttpError) as told:
        mango.check(selector)
    assert told.value.error == error


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("^a.*z$", "abcz", True),
        ("^a.*m.*z$", "a m z", True),
        ("(ab)+c", "xababc", True),
        ("(?i)(AB)+C", "xababc", True),
        ("(ab)+d", "xababc", False),
        ("(a+)+$", "a" * 40 + "b", False),
        ("(a|aa)+$", "a" * 60 + "b", False),
        ("(.*)*x$", "y" * 60, False),
    ],
)
def test_a_regular_expression_matches_or_gives_up(pattern: str, text: str, expected: bool) -> None:
    assert mango.matches({"text": {"$regex": pattern}}, {"text": text}) is expected


def index(couch: Any, db: str, name: str, fields: list[Any], **more: Any) -> Any:
    body = {"index": {"fields": fields, **more}, "ddoc": name, "name": name}
    answer = couch.post(f"{db}/_index", body)
    assert answer.status == 200, answer.data
    return answer.json()


def explained(couch: Any, db: str, selector: Any, **more: Any) -> str | None:
    answer = couch.post(f"{db}/_explain", {"selector": selector, **more})
    assert answer.status == 200, answer.data
    found: str | None = answer.json()["index"]["ddoc"]
    return found


@pytest.fixture
def indexed(couch: Any, db: str) -> str:
    couch.post(f"{db}/_bulk_docs", {"docs": DOCUMENTS})
    for name, fields in (("make", ["make"]), ("hours", ["hours"]), ("both", ["make", "hours"])):
        assert index(couch, db, name, fields)["result"] == "created"
    return db


@pytest.mark.parametrize(("selector", "expected"), SELECTORS, ids=[str(selector) for selector, _ in SELECTORS])
def test_an_index_changes_nothing_but_the_order(couch: Any, indexed: str, selector: Any, expected: list[str]) -> None:
    assert sorted(ids(find(couch, indexed, selector))) == expected


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ({"make": "Acme"}, "_design/make"),
        ({"make": "Acme", "hours": {"$gt": 1}}, "_design/both"),
        ({"hours": {"$gt": 1}}, "_design/hours"),
        ({"hours": {"$exists": False}}, None),
        ({"$or": [{"make": "Acme"}, {"hours": 1}]}, None),
        ({"_id": "a"}, None),
    ],
)
def test_the_index_that_reads_least_is_used(couch: Any, indexed: str, selector: Any, name: str | None) -> None:
    assert explained(couch, indexed, selector) == name


def test_documents_come_in_the_order_asked_for(couch: Any, indexed: str) -> None:
    assert ids(find(couch, indexed, {"hours": {"$gte": 10}}, sort=["hours"])) == ["a", "c", "b", "f", "e"]
    assert ids(find(couch, indexed, {"hours": {"$gte": 10}}, sort=[{"hours": "desc"}])) == ["e", "f", "b", "c", "a"]
    assert ids(find(couch, indexed, {"make": "Acme"}, sort=[{"make": "desc"}, {"hours": "desc"}])) == ["b", "a"]
    assert ids(find(couch, indexed, {"make": "Acme", "hours": {"$gt": 0}}, sort=["hours"])) == ["a", "b"]
    assert ids(find(couch, indexed, {}, sort=[{"_id": "desc"}], limit=2)) == ["f", "e"]


def test_an_order_without_an_index_is_refused(couch: Any, indexed: str) -> None:
    answer = couch.post(f"{indexed}/_find", {"selector": {"name": "x"}, "sort": ["name"]})
    assert (answer.status, answer.json()["error"]) == (400, "no_usable_index")
    assert couch.post(f"{indexed}/_find", {"selector": {"make": "x"}, "sort": {}}).status == 400
    mixed = {"selector": {"make": "x"}, "sort": [{"make": "asc"}, {"hours": "desc"}]}
    assert couch.post(f"{indexed}/_find", mixed).json()["error"] == "unsupported_mixed_sort"


@pytest.mark.parametrize("options", [{}, {"sort": ["hours"]}, {"sort": [{"hours": "desc"}]}])
def test_a_bookmark_goes_on_where_the_page_ended(couch: Any, indexed: str, options: dict[str, Any]) -> None:
    selector = {"hours": {"$exists": True}}
    everything = ids(find(couch, indexed, selector, **options))
    pages: list[str] = []
    bookmark = "nil"
    while True:
        page = find(couch, indexed, selector, limit=2, bookmark=bookmark, **options)
        if not page["docs"]:
            break
        pages += ids(page)
        bookmark = page["bookmark"]
    assert pages == everything
    assert len(pages) == 6


def test_only_the_fields_asked_for_are_told(couch: Any, fleet: str) -> None:
    [document] = find(couch, fleet, {"_id": "a"}, fields=["_id", "at.lat", "none", "tags"])["docs"]
    assert document == {"_id": "a", "at": {"lat": 1}, "tags": ["x"]}


def test_skip_and_limit_count_documents_that_match(couch: Any, fleet: str) -> None:
    assert ids(find(couch, fleet, {"hours": {"$type": "number"}}, skip=1, limit=2)) == ["b", "c"]


def test_use_index_is_followed_or_the_answer_says_why_not(couch: Any, indexed: str) -> None:
    selector = {"make": "Acme", "hours": {"$gt": 1}}
    assert explained(couch, indexed, selector, use_index="make") == "_design/make"
    assert explained(couch, indexed, selector, use_index=["_design/make", "make"]) == "_design/make"
    answer = find(couch, indexed, {"make": "Acme"}, use_index="hours")
    assert ids(answer) == ["a", "b"]
    assert "_design/hours was not used" in answer["warning"]


def test_a_partial_index_is_used_only_when_named(couch: Any, db: str) -> None:
    couch.post(f"{db}/_bulk_docs", {"docs": DOCUMENTS})
    index(couch, db, "many", ["make"], partial_filter_selector={"hours": {"$gt": 10}})
    assert ids(find(couch, db, {"make": "Acme"})) == ["a", "b"]
    assert ids(find(couch, db, {"make": "Acme"}, use_index="many")) == ["b"]


def test_an_index_follows_the_documents(couch: Any, indexed: str) -> None:
    assert ids(find(couch, indexed, {"make": "Acme"})) == ["a", "b"]
    document = couch.get(f"{indexed}/a").json()
    couch.put(f"{indexed}/a", document | {"make": "Norden"})
    couch.put(f"{indexed}/g", {"make": "Acme"})
    assert ids(find(couch, indexed, {"make": "Acme"})) == ["b", "g"]
    assert ids(find(couch, indexed, {"make": "Norden"})) == ["a", "e"]


def test_indexes_are_made_listed_and_deleted(couch: Any, db: str) -> None:
    made = index(couch, db, "make", ["make"])
    assert made == {"result": "created", "id": "_design/make", "name": "make"}
    assert index(couch, db, "make", ["make"])["result"] == "exists"
    second = {"index": {"fields": ["hours"]}, "ddoc": "make", "name": "hours"}
    assert couch.post(f"{db}/_index", second).json()["result"] == "created"
    listed = couch.get(f"{db}/_index").json()
    assert listed["total_rows"] == 3
    assert [one["name"] for one in listed["indexes"]] == ["_all_docs", "hours", "make"]
    assert couch.delete(f"{db}/_index/make/json/hours").json() == {"ok": True}
    assert couch.delete(f"{db}/_index/_design/make/json/make").json() == {"ok": True}
    assert couch.delete(f"{db}/_index/make/json/make").status == 404
    assert couch.get(f"{db}/_index").json()["total_rows"] == 1


def test_indexes_without_a_design_document_are_told_apart_by_their_names(couch: Any, db: str) -> None:
    made = [couch.post(f"{db}/_index", {"index": {"fields": ["x"]}, "name": name}).json() for name in ("one", "two")]
    assert made[0]["id"] != made[1]["id"]
    document = couch.get(f"{db}/{made[0]['id']}").json()
    assert document["language"] == "query"
    assert document["views"] == {
        "one": {"map": {"fields": {"x": "asc"}}, "reduce": "_count", "options": {"def": {"fields": ["x"]}}},
    }


def test_what_was_looked_at_is_told_when_asked(couch: Any, indexed: str) -> None:
    told = find(couch, indexed, {"make": "Acme", "tags": {"$size": 2}}, execution_stats=True)["execution_stats"]
    assert told["results_returned"] == 1
    assert told["total_docs_examined"] == 2


def test_random_questions_have_the_same_answer_with_and_without_an_index(couch: Any, db: str) -> None:
    source = random.Random(20261125)
    values: list[Any] = [None, True, 1, 2, 2.5, "a", "A", "ä", "b", [], [1], {"x": 1}]
    documents = [
        {"_id": f"d{number:03}"} | {name: source.choice(values) for name in "pqr" if source.random() < 0.8}
        for number in range(120)
    ]
    couch.post(f"{db}/_bulk_docs", {"docs": documents})
    for fields in (["p"], ["q", "p"], ["r", "q", "p"]):
        index(couch, db, "".join(fields), fields)
    operators = ("$eq", "$gt", "$gte", "$lt", "$lte", "$ne")
    for _ in range(60):
        selector = {
            name: {source.choice(operators): source.choice(values) for _ in range(source.randrange(1, 3))}
            for name in source.sample("pqr", source.randrange(1, 4))
        }
        expected = [document["_id"] for document in documents if mango.matches(selector, document)]
        assert sorted(ids(find(couch, db, selector, limit=500))) == expected, selector
