"""Conflicts, replicas and history over HTTP."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from embedded import multipart


def replicate(couch: Any, db: str, *documents: dict[str, Any]) -> Any:
    answer = couch.post(f"{db}/_bulk_docs", {"docs": list(documents), "new_edits": False})
    assert answer.status == 201
    return answer.json()


def revision(id: str, *path: str, **fields: Any) -> dict[str, Any]:
    """A replica: its revision and ancestors, newest first."""
    start = int(path[0].partition("-")[0])
    ids = [one.partition("-")[2] for one in path]
    return {"_id": id, "_rev": path[0], "_revisions": {"start": start, "ids": ids}, **fields}


@pytest.fixture
def forked(couch: Any, db: str) -> str:
    """A database with a document `t` whose leaves are 3-d and 3-e, forked at 1-a."""
    replicate(
        couch,
        db,
        revision("t", "3-d", "2-b", "1-a", v="d"),
        revision("t", "3-e", "2-c", "1-a", v="e"),
    )
    return db


def test_both_sides_of_a_conflict_are_kept_and_one_wins(couch: Any, forked: str) -> None:
    found = couch.get(f"{forked}/t?conflicts=true").json()

    assert (found["_rev"], found["_conflicts"]) == ("3-e", ["3-d"])
    assert couch.get(f"{forked}/t?rev=3-d").json()["v"] == "d"


def test_deleting_the_winner_lets_the_other_win(couch: Any, forked: str) -> None:
    gone = couch.delete(f"{forked}/t?rev=3-e").json()["rev"]
    found = couch.get(f"{forked}/t?conflicts=true&deleted_conflicts=true").json()

    assert found["_rev"] == "3-d"
    assert "_conflicts" not in found
    assert found["_deleted_conflicts"] == [gone]
    assert couch.get(forked).json()["doc_count"] == 1


def test_a_replica_that_comes_twice_changes_nothing(couch: Any, forked: str) -> None:
    before = couch.get(forked).json()["update_seq"]
    replicate(couch, forked, revision("t", "3-d", "2-b", "1-a", v="another body"))

    assert couch.get(forked).json()["update_seq"] == before
    assert couch.get(f"{forked}/t?rev=3-d").json()["v"] == "d"


def test_the_difference_names_what_is_missing_and_what_it_could_come_from(couch: Any, forked: str) -> None:
    asked = {"t": ["3-d", "4-x"], "unknown": ["1-a"], "none": []}
    found = couch.post(f"{forked}/_revs_diff", asked).json()

    assert found == {"t": {"missing": ["4-x"], "possible_ancestors": ["3-d", "3-e"]}, "unknown": {"missing": ["1-a"]}}


@pytest.mark.parametrize("body", [[1], 5, {"a": 5}, {"a": ["junk"]}, {"a": [5]}, {"a": {"b": 1}}])
def test_a_difference_that_makes_no_sense_is_a_bad_request(couch: Any, db: str, body: Any) -> None:
    if not couch.is_embedded and body == {"a": 5}:
        pytest.skip("CouchDB answers 500")
    assert couch.post(f"{db}/_revs_diff", body).status == 400


def test_history_is_cut_at_the_limit_and_stays_one_document(couch: Any, db: str) -> None:
    assert couch.put(f"{db}/_revs_limit", raw=b"5").status == 200
    rev = couch.put(f"{db}/a", {"n": 0}).json()["rev"]
    for number in range(1, 12):
        rev = couch.put(f"{db}/a", {"n": number, "_rev": rev}).json()["rev"]

    revisions = couch.get(f"{db}/a?revs=true&conflicts=true").json()
    assert (revisions["_revisions"]["start"], len(revisions["_revisions"]["ids"])) == (12, 5)
    assert "_conflicts" not in revisions


def test_a_replica_known_with_more_history_than_is_kept_is_no_change(couch: Any, db: str) -> None:
    couch.put(f"{db}/_revs_limit", raw=b"2")
    known = revision("t", "4-d", "3-c", "2-b", "1-a")
    replicate(couch, db, known)
    before = couch.get(db).json()["update_seq"]
    replicate(couch, db, known)
    found = couch.get(db).json()["update_seq"]
    assert found == before or not couch.is_embedded  # sequences of CouchDB are opaque and may differ without a change
    assert couch.get(f"{db}/_changes?since={before}").json()["results"] == []


def test_history_longer_than_a_lowered_limit_is_cut_by_a_replica_that_is_known(couch: Any, db: str) -> None:
    known = revision("t", "4-d", "3-c", "2-b", "1-a")
    replicate(couch, db, known)
    couch.put(f"{db}/_revs_limit", raw=b"2")
    replicate(couch, db, known)
    assert couch.get(f"{db}/t?revs=true").json()["_revisions"] == {"start": 4, "ids": ["d", "c"]}


def test_compaction_keeps_every_leaf_and_drops_old_bodies(couch: Any, db: str) -> None:
    first = couch.put(f"{db}/a", {"n": 0, "_attachments": {"f": {"data": "eA=="}}}).json()["rev"]
    second = couch.put(f"{db}/a", {"n": 1, "_rev": first}).json()["rev"]
    replicate(couch, db, revision("a", "2-x", first, n="conflict"))
    assert couch.post(f"{db}/_compact", headers={"Content-Type": "application/json"}).status == 202
    deadline = time.monotonic() + 30
    while couch.get(db).json()["compact_running"] and time.monotonic() < deadline:
        pass

    assert couch.get(f"{db}/a?rev={second}").json()["n"] == 1
    assert couch.get(f"{db}/a?rev=2-x").json()["n"] == "conflict"
    if couch.is_embedded:
        assert couch.get(f"{db}/a?rev={first}").status == 404
        statuses = {one["rev"]: one["status"] for one in couch.get(f"{db}/a?revs_info=true").json()["_revs_info"]}
        assert statuses[first] == "missing"


def test_purging_forgets_a_revision_as_if_it_had_never_been(couch: Any, forked: str) -> None:
    answer = couch.post(f"{forked}/_purge", {"t": ["3-e"], "none": ["1-a"]})

    assert answer.status == 201
    assert answer.json()["purged"] == {"t": ["3-e"], "none": []}
    assert couch.get(f"{forked}/t?conflicts=true").json() == {"_id": "t", "_rev": "3-d", "v": "d"}
    assert couch.post(f"{forked}/_purge", {"t": ["3-d"]}).status == 201
    assert couch.get(f"{forked}/t").status == 404
    assert couch.get(forked).json()["doc_count"] == 0
    assert couch.get(f"{forked}/_changes").json()["results"] == []


def test_open_revisions_come_as_parts_when_asked_for(couch: Any, forked: str) -> None:
    rev = couch.put(f"{forked}/with", {"_attachments": {"f.bin": {"data": "AAEC", "content_type": "x/y"}}}).json()[
        "rev"
    ]
    answer = couch.get(f'{forked}/with?open_revs=["{rev}","9-x"]&revs=true', headers={"Accept": "multipart/mixed"})
    kind = answer.headers["Content-Type"]
    parts = multipart.parse(answer.data, multipart.boundary_of(kind))
    nested = multipart.parse(parts[0].body, multipart.boundary_of(parts[0].headers["content-type"]))

    assert kind.startswith("multipart/mixed")
    assert json.loads(nested[0].body)["_attachments"]["f.bin"]["follows"] is True
    assert (nested[1].file_names()[0], nested[1].body) == ("f.bin", b"\0\1\2")
    assert 'error="true"' in parts[1].headers["content-type"]
    assert json.loads(parts[1].body) == {"missing": "9-x"}


def test_many_documents_come_in_one_request(couch: Any, forked: str) -> None:
    asked = {"docs": [{"id": "t", "rev": "3-d"}, {"id": "t"}, {"id": "none"}, {"id": "t", "rev": "9-x"}]}
    found = couch.post(f"{forked}/_bulk_get?revs=true", asked).json()["results"]

    assert [one["id"] for one in found] == ["t", "t", "none", "t"]
    assert found[0]["docs"][0]["ok"]["_revisions"] == {"start": 3, "ids": ["d", "b", "a"]}
    assert [part["ok"]["_rev"] for part in found[1]["docs"]] == ["3-e", "3-d"]
    assert found[2]["docs"][0]["error"]["error"] == "not_found"
    assert found[3]["docs"][0]["error"]["rev"] == "9-x"


def test_the_history_a_replica_brings_counts_more_than_the_revision_it_names(couch: Any, db: str) -> None:
    told = {"_id": "t", "_rev": "2-y", "_revisions": {"start": 1, "ids": ["y"]}, "v": "first"}
    replicate(couch, db, told, revision("t", "2-x", "1-y", v="second"))
    found = couch.get(f"{db}/t?conflicts=true&revs=true").json()

    assert (found["_rev"], found["v"]) == ("2-x", "second")
    assert found["_revisions"] == {"start": 2, "ids": ["x", "y"]}
    assert "_conflicts" not in found


def test_a_branch_with_a_gap_is_a_branch_of_its_own_until_the_gap_is_filled(couch: Any, db: str) -> None:
    replicate(couch, db, revision("t", "1-a", v=1), revision("t", "4-d", "3-c", v=4))
    assert couch.get(f"{db}/t?conflicts=true").json()["_conflicts"] == ["1-a"]

    replicate(couch, db, revision("t", "3-c", "2-b", "1-a", v=3))
    found = couch.get(f"{db}/t?conflicts=true&revs=true").json()

    assert found["_rev"] == "4-d"
    assert "_conflicts" not in found
    assert found["_revisions"]["ids"] == ["d", "c", "b", "a"]


def test_leaves_are_told_from_the_winner_down_and_the_deleted_ones_apart(couch: Any, db: str) -> None:
    replicate(
        couch,
        db,
        revision("t", "2-b", "1-a", v=1),
        revision("t", "2-c", "1-a", v=2),
        revision("t", "3-e", "2-d", "1-a", v=3),
        revision("t", "5-i", "4-h", "3-g", "2-f", "1-a", _deleted=True),
        revision("t", "5-j", "4-h", "3-g", "2-f", "1-a", _deleted=True),
    )
    found = couch.get(f"{db}/t?conflicts=true&deleted_conflicts=true").json()
    (row,) = couch.get(f"{db}/_changes?style=all_docs").json()["results"]

    assert found["_rev"] == "3-e"
    assert found["_conflicts"] == ["2-c", "2-b"]
    assert found["_deleted_conflicts"] == ["5-j", "5-i"]
    assert [change["rev"] for change in row["changes"]] == ["3-e", "2-c", "2-b", "5-j", "5-i"]


def test_a_document_whose_leaves_are_all_deleted_is_gone_and_can_begin_again_above_the_winner(
    couch: Any, db: str
) -> None:
    replicate(
        couch,
        db,
        revision("t", "3-b", "2-a", "1-a", _deleted=True),
        revision("t", "2-z", "1-a", _deleted=True),
    )
    assert couch.get(f"{db}/t").json() == {"error": "not_found", "reason": "deleted"}

    again = couch.put(f"{db}/t", {"v": 1}).json()["rev"]

    assert again.startswith("4-")
    assert couch.get(f"{db}/t?revs=true").json()["_revisions"]["ids"][1:] == ["b", "a", "a"]


def test_asking_for_the_latest_gives_the_leaf_an_old_revision_became(couch: Any, forked: str) -> None:
    found = couch.get(f"{forked}/t?rev=2-b&latest=true").json()
    opened = couch.get(f'{forked}/t?open_revs=["1-a"]&latest=true', headers={"Accept": "application/json"}).json()
    many = couch.post(f"{forked}/_bulk_get?latest=true", {"docs": [{"id": "t", "rev": "2-c"}]}).json()

    assert found["_rev"] == "3-e"  # with `rev`, CouchDB means the winner
    assert sorted(one["ok"]["_rev"] for one in opened) == ["3-d", "3-e"]
    assert [one["ok"]["_rev"] for one in many["results"][0]["docs"]] == ["3-e"]


def test_bulk_get_comes_as_parts_when_asked_for(couch: Any, forked: str) -> None:
    asked = {"docs": [{"id": "t", "rev": "3-d"}, {"id": "none"}]}
    answer = couch.post(f"{forked}/_bulk_get?revs=true", asked, headers={"Accept": "multipart/mixed"})

    assert answer.status == 200
    assert answer.headers["content-type"].startswith("multipart/mixed")
    assert answer.data.count(b'"_rev":"3-d"') == 1
    assert b"error=" in answer.data or b'"error"' in answer.data


@pytest.mark.parametrize("name", ["open_revs", "new_edits", "w", "rev", "atts_since"])
def test_what_is_said_of_one_document_is_not_said_of_a_bulk(couch: Any, forked: str, name: str) -> None:
    answer = couch.post(f"{forked}/_bulk_get?{name}=1", {"docs": [{"id": "t"}]})
    assert (answer.status, answer.json()["reason"]) == (400, f'"{name}" query parameter is not acceptable')
