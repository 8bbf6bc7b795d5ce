"""Views answer as CouchDB's do: rows by key, reductions by group, always of the database as it is."""

from __future__ import annotations

import random
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded.http import json_text

BY_MAKE = "function (doc) { if (doc.make) { emit([doc.make, doc.model], doc.hours); } }"


def machine(id: str, make: str, model: str, hours: int, **more: Any) -> dict[str, Any]:
    return {"_id": id, "make": make, "model": model, "hours": hours, **more}


PLAIN = ("startkey_docid", "endkey_docid", "update", "stale")
"""Parameters that are not JSON."""

EXACT = [(["Acme", "100"], 2), (["Acme", "200"], 1), (["bromax", "300"], 1), (["Bromax", "100"], 1)]
TWO_KEYS = [["bromax", "300"], ["Acme", "100"], ["none"]]
FLEET = [
    machine("m1", "Acme", "100", 5),
    machine("m2", "Acme", "200", 7),
    machine("m3", "Bromax", "100", 1),
    machine("m4", "Acme", "100", 3),
    machine("m5", "bromax", "300", 9),
    {"_id": "note", "text": "not a machine"},
]


def design(couch: Any, db: str, name: str = "fleet", **views: dict[str, Any]) -> None:
    answer = couch.put(f"{db}/_design/{name}", {"views": views})
    assert answer.status == 201, answer.data


def fill(couch: Any, db: str, documents: list[dict[str, Any]]) -> None:
    assert couch.post(f"{db}/_bulk_docs", {"docs": documents}).status == 201


def query(couch: Any, db: str, view: str, name: str = "fleet", **options: Any) -> Any:
    texts = {key: value if key in PLAIN else json_text.text(value) for key, value in options.items()}
    parameters = "&".join(f"{key}={quote(value)}" for key, value in texts.items())
    answer = couch.get(f"{db}/_design/{name}/_view/{view}?{parameters}")
    assert answer.status == 200, answer.data
    return answer.json()


def ids(answer: Any) -> list[str]:
    return [row["id"] for row in answer["rows"]]


@pytest.fixture
def fleet(couch: Any, db: str) -> str:
    fill(couch, db, FLEET)
    design(
        couch,
        db,
        rows={"map": BY_MAKE},
        sum={"map": BY_MAKE, "reduce": "_sum"},
        count={"map": BY_MAKE, "reduce": "_count"},
        stats={"map": BY_MAKE, "reduce": "_stats"},
        script={"map": BY_MAKE, "reduce": "function (keys, values, rereduce) { return sum(values); }"},
    )
    return db


def test_rows_come_by_key_and_then_by_document(couch: Any, fleet: str) -> None:
    answer = query(couch, fleet, "rows")
    assert ids(answer) == ["m1", "m4", "m2", "m5", "m3"]
    assert answer["total_rows"] == 5
    assert answer["rows"][0] == {"id": "m1", "key": ["Acme", "100"], "value": 5}


@pytest.mark.parametrize(
    ("options", "expected", "offset"),
    [
        ({"startkey": ["Acme", "200"]}, ["m2", "m5", "m3"], 2),
        ({"endkey": ["Acme", "200"]}, ["m1", "m4", "m2"], 0),
        ({"endkey": ["Acme", "200"], "inclusive_end": False}, ["m1", "m4"], 0),
        ({"startkey": ["Acme"], "endkey": ["Acme", {}]}, ["m1", "m4", "m2"], 0),
        ({"key": ["Acme", "100"]}, ["m1", "m4"], 0),
        ({"startkey": ["Acme", "100"], "startkey_docid": "m4"}, ["m4", "m2", "m5", "m3"], 1),
        ({"endkey": ["Acme", "100"], "endkey_docid": "m1"}, ["m1"], 0),
        ({"descending": True, "limit": 2}, ["m3", "m5"], 0),
        ({"descending": True, "startkey": ["Acme", {}], "endkey": ["Acme"]}, ["m2", "m4", "m1"], 2),
        ({"descending": True, "startkey": ["Acme", "100"], "startkey_docid": "m1"}, ["m1"], 4),
        ({"skip": 1, "limit": 2}, ["m4", "m2"], 1),
        ({"limit": 0}, [], 0),
        ({"skip": 10}, [], 5),
        ({"keys": [["Bromax", "100"], ["none"], ["Acme", "100"]]}, ["m3", "m1", "m4"], None),
        ({"keys": [["Bromax", "100"], ["Acme", "100"]], "skip": 1, "limit": 1}, ["m1"], None),
    ],
)
def test_a_range_of_keys_gives_its_rows_and_no_others(
    couch: Any, fleet: str, options: dict[str, Any], expected: list[str], offset: int | None
) -> None:
    answer = query(couch, fleet, "rows", **options)
    assert ids(answer) == expected
    if offset is not None:
        assert answer["offset"] == offset


@pytest.mark.parametrize(
    ("view", "options", "expected"),
    [
        ("sum", {}, [(None, 25)]),
        ("sum", {"group_level": 1}, [(["Acme"], 15), (["bromax"], 9), (["Bromax"], 1)]),
        ("count", {"group": True}, EXACT),
        ("count", {"group_level": 1, "descending": True, "limit": 1}, [(["Bromax"], 1)]),
        ("count", {"group_level": 1, "skip": 1, "limit": 1}, [(["bromax"], 1)]),
        ("script", {"group_level": 1}, [(["Acme"], 15), (["bromax"], 9), (["Bromax"], 1)]),
        ("sum", {"keys": TWO_KEYS, "group": True}, [(["bromax", "300"], 9), (["Acme", "100"], 8)]),
        ("count", {"startkey": ["none"], "endkey": ["none", {}]}, []),
        ("stats", {"key": ["Acme", "100"]}, [(None, {"sum": 8, "count": 2, "min": 3, "max": 5, "sumsqr": 34})]),
    ],
)  # fmt: skip
def test_reductions_are_grouped_as_asked(
    couch: Any, fleet: str, view: str, options: dict[str, Any], expected: list[Any]
) -> None:
    assert [(row["key"], row["value"]) for row in query(couch, fleet, view, **options)["rows"]] == expected


def test_a_row_brings_its_document_or_the_one_it_links_to(couch: Any, db: str) -> None:
    fill(
        couch, db, [{"_id": "owner", "name": "Quarry"}, {"_id": "m1", "owner": "owner"}, {"_id": "m2", "owner": "gone"}]
    )
    design(
        couch,
        db,
        own={"map": "function (doc) { emit(doc._id, null); }"},
        linked={"map": "function (doc) { if (doc.owner) { emit(doc._id, {_id: doc.owner}); } }"},
    )
    assert [row["doc"]["_id"] for row in query(couch, db, "own", include_docs=True)["rows"]] == ["m1", "m2", "owner"]
    linked = query(couch, db, "linked", include_docs=True)["rows"]
    assert linked[0]["doc"]["name"] == "Quarry"
    assert linked[1]["doc"] is None


def test_a_view_shows_every_change_at_once(couch: Any, fleet: str) -> None:
    assert query(couch, fleet, "count")["rows"][0]["value"] == 5
    rev = couch.get(f"{fleet}/m1").json()["_rev"]
    couch.put(f"{fleet}/m1", machine("m1", "Norden", "1", 2, _rev=rev))
    assert [row["key"] for row in query(couch, fleet, "count", group_level=1)["rows"]] == [
        ["Acme"], ["bromax"], ["Bromax"], ["Norden"],
    ]  # fmt: skip
    rev = couch.get(f"{fleet}/m1").json()["_rev"]
    couch.delete(f"{fleet}/m1?rev={rev}")
    assert query(couch, fleet, "count", startkey=["Norden"], endkey=["Norden", {}])["rows"] == []


def test_a_view_follows_the_winner_and_can_see_the_conflict(couch: Any, db: str) -> None:
    design(
        couch,
        db,
        names={"map": "function (doc) { emit(doc.name, null); }"},
        conflicts={"map": "function (doc) { if (doc._conflicts) { emit(doc._id, doc._conflicts); } }"},
    )
    for rev, name in (("1-aa", "losing"), ("1-bb", "winning")):
        replica = {"_id": "d", "_rev": rev, "name": name}
        assert couch.post(f"{db}/_bulk_docs", {"docs": [replica], "new_edits": False}).status == 201
    assert [row["key"] for row in query(couch, db, "names")["rows"]] == ["winning"]
    assert query(couch, db, "conflicts")["rows"][0]["value"] == ["1-aa"]
    couch.delete(f"{db}/d?rev=1-bb")
    assert [row["key"] for row in query(couch, db, "names")["rows"]] == ["losing"]
    assert query(couch, db, "conflicts")["rows"] == []


def test_what_one_document_emits_for_one_key_is_ordered_by_value_in_either_direction(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": "a"}, {"_id": "b"}])
    emitted = ["'text'", "[1]", "{x: 1}", "true", "null", "2", "[]", "false", "1.5", "'a'"]
    in_order = [1.5, 2, False, None, True, {"x": 1}, [], [1], "a", "text"]
    design(
        couch, db, many={"map": f"function (doc) {{ [{', '.join(emitted)}].forEach(function (v) {{ emit(1, v); }}); }}"}
    )
    forward = query(couch, db, "many")["rows"]
    assert [(row["id"], row["value"]) for row in forward] == [(id, value) for id in "ab" for value in in_order]
    backward = query(couch, db, "many", descending=True, limit=12)["rows"]
    assert [(row["id"], row["value"]) for row in backward] == [("b", value) for value in in_order] + [
        ("a", value) for value in in_order[:2]
    ]


def test_a_document_that_fails_to_map_is_left_out_and_nothing_else(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": f"d{number}", "n": number} for number in range(5)])
    design(couch, db, fails={"map": "function (doc) { emit(1, null); if (doc.n === 2) { doc.a.b.c; } emit(2, null); }"})
    assert query(couch, db, "fails")["total_rows"] == 8


def test_an_old_index_is_shown_when_that_is_asked_for(couch: Any, fleet: str) -> None:
    assert query(couch, fleet, "rows")["total_rows"] == 5
    fill(couch, fleet, [machine("m6", "Acme", "100", 1)])
    assert query(couch, fleet, "rows", update="false")["total_rows"] == 5
    assert query(couch, fleet, "rows", update="lazy")["total_rows"] == 5
    assert query(couch, fleet, "rows", update="true", update_seq=True)["total_rows"] == 6


def test_several_queries_are_answered_in_one_request(couch: Any, fleet: str) -> None:
    queries = [{"keys": [["Acme", "200"]], "reduce": False}, {"group_level": 1, "limit": 1}]
    answer = couch.post(f"{fleet}/_design/fleet/_view/sum/queries", {"queries": queries}).json()
    assert ids(answer["results"][0]) == ["m2"]
    assert answer["results"][1]["rows"] == [{"key": ["Acme"], "value": 15}]


@pytest.mark.parametrize(
    ("view", "parameters", "error"),
    [
        ("rows", "group=true", "query_parse_error"),
        ("rows", "reduce=true", "query_parse_error"),
        ("sum", "include_docs=true", "query_parse_error"),
        ("sum", "limit=-1", "query_parse_error"),
        ("sum", "limit=x", "query_parse_error"),
        ("sum", "descending=perhaps", "query_parse_error"),
        ("sum", 'startkey="b"&endkey="a"', "query_parse_error"),
        ("sum", "keys=5", "query_parse_error"),
        ("sum", "keys=[1,2]", "query_parse_error"),
        ("sum", "stale=junk", "query_parse_error"),
        ("sum", "update=junk", "query_parse_error"),
        ("sum", "startkey={", "bad_request"),
    ],
)
def test_a_bad_query_is_refused_with_a_reason(couch: Any, fleet: str, view: str, parameters: str, error: str) -> None:
    answer = couch.get(f"{fleet}/_design/fleet/_view/{view}?{parameters}")
    assert answer.status == 400
    assert answer.json()["error"] == error
    assert answer.json()["reason"]


def test_what_is_not_there_is_404(couch: Any, fleet: str) -> None:
    assert couch.get(f"{fleet}/_design/fleet/_view/none").json()["reason"] == "missing_named_view"
    assert couch.get(f"{fleet}/_design/none/_view/none").status == 404
    assert couch.get(f"{fleet}/_design/none/_info").status == 404


def test_a_renamed_design_document_keeps_its_index(couch: Any, fleet: str) -> None:
    query(couch, fleet, "rows")
    views = couch.get(f"{fleet}/_design/fleet").json()["views"]
    design(couch, fleet, "other", **views)
    before, after = (couch.get(f"{fleet}/_design/{name}/_info").json()["view_index"] for name in ("fleet", "other"))
    assert before["signature"] == after["signature"]
    if couch.is_embedded:
        assert query(couch, fleet, "rows", name="other", update="false")["total_rows"] == 5


def test_design_documents_that_share_an_index_keep_their_own_names(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": "a"}, {"_id": "b"}])
    source = {"map": "function (doc) { emit(doc._id, null); }"}
    design(couch, db, "one", first=source)
    design(couch, db, "two", second=source)
    assert ids(query(couch, db, "first", name="one")) == ["a", "b"]
    assert ids(query(couch, db, "second", name="two")) == ["a", "b"]
    assert ids(query(couch, db, "first", name="one")) == ["a", "b"]
    assert couch.get(f"{db}/_design/two/_view/first").status == 404


def test_documents_come_with_the_contents_of_their_attachments_when_asked_for(couch: Any, db: str) -> None:
    attached = {"note.txt": {"content_type": "text/plain", "data": "aGVsbG8="}}
    fill(couch, db, [{"_id": "a", "_attachments": attached}])
    design(couch, db, names={"map": "function (doc) { emit(Object.keys(doc._attachments), null); }"})
    assert query(couch, db, "names")["rows"][0]["key"] == ["note.txt"]
    for contents, member in ((True, "data"), (False, "stub")):
        [row] = query(couch, db, "names", include_docs=True, attachments=contents)["rows"]
        assert member in row["doc"]["_attachments"]["note.txt"]


def test_cleaning_up_keeps_what_is_wanted(couch: Any, fleet: str) -> None:
    query(couch, fleet, "rows")
    rev = couch.get(f"{fleet}/_design/fleet").json()["_rev"]
    design(couch, fleet, "kept", count={"map": BY_MAKE, "reduce": "_count"})
    assert query(couch, fleet, "count", name="kept")["rows"][0]["value"] == 5
    couch.delete(f"{fleet}/_design/fleet?rev={rev}")
    assert couch.post(f"{fleet}/_view_cleanup", {}).status == 202
    assert query(couch, fleet, "count", name="kept", update="false")["rows"][0]["value"] == 5


def test_sum_adds_arrays_and_objects_and_says_what_it_cannot_add(couch: Any, db: str) -> None:
    fill(
        couch,
        db,
        [
            {"_id": "a", "v": [1, 2]},
            {"_id": "b", "v": [3]},
            {"_id": "c", "w": {"x": 1}},
            {"_id": "d", "w": {"x": 2, "y": 3}},
        ],
    )
    design(
        couch,
        db,
        arrays={"map": "function (doc) { if (doc.v) { emit(1, doc.v); } }", "reduce": "_sum"},
        objects={"map": "function (doc) { if (doc.w) { emit(1, doc.w); } }", "reduce": "_sum"},
        ids={"map": "function (doc) { emit(1, doc._id); }", "reduce": "_sum"},
    )
    assert query(couch, db, "arrays")["rows"][0]["value"] == [4, 2]
    assert query(couch, db, "objects")["rows"][0]["value"] == {"x": 3, "y": 3}
    refused = query(couch, db, "ids")["rows"][0]["value"]
    assert refused["error"] == "builtin_reduce_error"
    assert refused["caused_by"] in ("a", "b", "c", "d")


def test_sum_adds_numbers_to_the_first_of_an_array(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": str(at), "v": value} for at, value in enumerate([2, [1, 2, 3, 4], [3, 4], 1])])
    design(couch, db, sum={"map": "function (doc) { emit(null, doc.v); }", "reduce": "_sum\n and more"})
    assert query(couch, db, "sum", group=True)["rows"] == [{"key": None, "value": [7, 6, 3, 4]}]


def test_distinct_keys_are_counted_within_three_percent(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": f"d{number:04}", "key": number % 1000} for number in range(3000)])
    design(couch, db, distinct={"map": "function (doc) { emit(doc.key, null); }", "reduce": "_approx_count_distinct"})
    assert query(couch, db, "distinct")["rows"][0]["value"] == pytest.approx(1000, rel=0.03)
    assert query(couch, db, "distinct", group=True, limit=1)["rows"][0]["value"] == 1


# --- a large index, changed at random, against the same figures worked out plainly

SIZES = ("Acme", "Bromax", "Norden")


class Plain:
    """The same documents in a dictionary."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[list[Any], int]] = {}

    def rows(self) -> list[tuple[list[Any], str, int]]:
        return sorted((key, id, value) for id, (key, value) in self.documents.items())

    def sums(self, level: int, low: list[Any] | None, high: list[Any] | None) -> list[tuple[list[Any] | None, int]]:
        found: dict[str, tuple[list[Any] | None, int]] = {}
        for key, _, value in self.rows():
            if (low is None or key >= low) and (high is None or key <= high):
                group = key[:level] if level else None
                name = json_text.text(group)
                found[name] = (group, found.get(name, (group, 0))[1] + value)
        return list(found.values())


@pytest.mark.parametrize("reduce", ["_sum", "function (keys, values, rereduce) { return sum(values); }"])
def test_reductions_stay_right_through_many_changes(couch: Any, db: str, reduce: str) -> None:
    source = random.Random(20261125)
    plain = Plain()
    revisions: dict[str, str] = {}
    design(couch, db, sum={"map": "function (doc) { emit(doc.key, doc.value); }", "reduce": reduce})
    for size in (700, 5, 60, 1200, 1, 300):
        batch = _changes(source, plain, revisions, size)
        answers = couch.post(f"{db}/_bulk_docs", {"docs": batch}).json()
        for answer, document in zip(answers, batch, strict=True):
            if document.get("_deleted"):
                del revisions[answer["id"]]
            else:
                revisions[answer["id"]] = answer["rev"]
        for level in (0, 1, 2, 3):
            low = source.choice([None, [source.choice(SIZES)], [source.choice(SIZES), source.randrange(20)]])
            high = source.choice([None, [source.choice(SIZES), source.randrange(20), 500]])
            if low is not None and high is not None and low > high:
                low, high = high, low
            options: dict[str, Any] = {"group_level": level}
            options |= {} if low is None else {"startkey": low}
            options |= {} if high is None else {"endkey": high}
            rows = query(couch, db, "sum", **options)["rows"]
            assert [(row["key"], row["value"]) for row in rows] == plain.sums(level, low, high)
        assert query(couch, db, "sum", reduce=False, limit=0)["total_rows"] == len(plain.documents)


@pytest.mark.parametrize("size", [4_999, 5_000, 5_001])
def test_an_index_is_complete_whatever_the_number_of_documents(couch: Any, db: str, size: int) -> None:
    fill(couch, db, [{"_id": f"d{number:05}", "n": number % 3} for number in range(size)])
    views = {"count": {"map": "function (doc) { emit(doc.n, null); }", "reduce": "_count"}}
    design(couch, db, **views)
    assert sum(row["value"] for row in query(couch, db, "count", group=True)["rows"]) == size
    assert query(couch, db, "count", reduce=False, startkey=2, limit=0)["offset"] == size - size // 3


def test_large_values_are_reduced_by_a_script_without_running_out_of_memory(couch: Any, db: str) -> None:
    fill(couch, db, [{"_id": f"d{number:04}", "n": number % 150, "text": "x" * 4000} for number in range(3000)])
    reduce = "function (keys, values, rereduce) { return rereduce ? sum(values) : values.length; }"
    design(couch, db, script={"map": "function (doc) { emit(doc.n, doc.text); }", "reduce": reduce})
    rows = query(couch, db, "script", group=True)["rows"]
    assert [row["value"] for row in rows] == [20] * 150


def _changes(source: random.Random, plain: Plain, revisions: dict[str, str], size: int) -> list[dict[str, Any]]:
    batch: dict[str, dict[str, Any]] = {}
    for _ in range(size):
        id = f"d{source.randrange(2500):04}"
        known = {"_rev": revisions[id]} if id in revisions else {}
        if known and source.random() < 0.3:
            batch[id] = {"_id": id, "_deleted": True, **known}
            plain.documents.pop(id, None)
        else:
            key = [source.choice(SIZES), source.randrange(20), source.randrange(1000)]
            batch[id] = {"_id": id, "key": key, "value": source.randrange(100), **known}
            plain.documents[id] = (key, batch[id]["value"])
    return list(batch.values())


keys = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.text("aAäb", max_size=2)),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(max_examples=25, deadline=None)
@given(emitted=st.lists(keys, min_size=1, max_size=12), level=st.integers(1, 3))
def test_groups_cover_every_row_once_whatever_the_keys_are(couch: Any, emitted: list[Any], level: int) -> None:
    db = f"/{couch.database()}"
    try:
        fill(couch, db, [{"_id": f"d{number:02}", "key": key} for number, key in enumerate(emitted)])
        design(couch, db, count={"map": "function (doc) { emit(doc.key, 1); }", "reduce": "_count"})
        rows = query(couch, db, "count", group_level=level)["rows"]
        assert sum(row["value"] for row in rows) == len(emitted)
        backward = query(couch, db, "count", group_level=level, descending=True)["rows"]
        assert [row["value"] for row in reversed(backward)] == [row["value"] for row in rows]
        for row in query(couch, db, "count", group=True)["rows"]:
            found = query(couch, db, "count", key=row["key"], reduce=False)["rows"]
            assert len(found) == row["value"]
    finally:
        couch.delete(db)
