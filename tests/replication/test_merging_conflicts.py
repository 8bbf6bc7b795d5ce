"""Concurrent edits brought together in one database: nothing is lost, and it does not matter how often one merges."""

from __future__ import annotations

import base64
import threading
from typing import Any

from trading import documents, every_leaf

from app.couch import Database
from app.replication.conflicts import MergeReport, merge_conflicts

PARENT = "1-" + "a" * 32


def leaf(digest: str, at: str = "2026-11-25T09:00:00Z", by: str = "sara", **fields: Any) -> dict[str, Any]:
    """A second-generation leaf whose fields all changed there but `name`."""
    rev = digest * 32
    return {
        "_id": "D001:customer:1",
        "_rev": f"2-{rev}",
        "_revisions": {"start": 2, "ids": [rev, "a" * 32]},
        "type": "customer",
        "dealer": "D001",
        "share": "manufacturer",
        "created_at": "2026-11-25T08:00:00Z",
        "created_by": "sara",
        "updated_at": at,
        "updated_by": by,
        "name": "Miller",
        **fields,
        "field_revs": {"name": 1, **dict.fromkeys(fields, 2), "*": 2},
    }


def deletion(digest: str) -> dict[str, Any]:
    made = leaf(digest)
    del made["name"], made["field_revs"]
    return {**made, "_deleted": True, "deleted_by": "tom", "deleted_at": "2026-11-25T09:30:00Z"}


def replicated(database: Database, *leaves: dict[str, Any]) -> None:
    assert database.bulk(leaves, new_edits=False) == []


def test_three_leaves_become_one_document_with_every_edit(database: Database) -> None:
    replicated(database, leaf("b", phone="1"), leaf("c", city="Kassel"), leaf("d", website="w"))
    assert merge_conflicts(database) == MergeReport(merged=1, written=3)
    document = documents(database)["D001:customer:1"]
    assert "_conflicts" not in document
    assert {name: document.get(name) for name in ("phone", "city", "website")} == {
        "phone": "1",
        "city": "Kassel",
        "website": "w",
    }


def test_a_losing_leaf_ends_in_a_tombstone_that_a_selector_lets_through(database: Database) -> None:
    replicated(database, leaf("b", phone="1"), leaf("c", city="Kassel"))
    merge_conflicts(database)
    gone = [each for each in every_leaf(database).values() if each.get("deleted_by")]
    assert [(each["type"], each["dealer"], each["share"], each["deleted_by"]) for each in gone] == [
        ("customer", "D001", "manufacturer", "merge")
    ]


def test_merging_again_writes_nothing(database: Database) -> None:
    replicated(database, leaf("b", phone="1"), leaf("c", phone="2"))
    assert merge_conflicts(database).disputes == 1
    before = every_leaf(database)
    assert merge_conflicts(database) == MergeReport()
    database.put_local({"_id": "ironbook-merged", "seq": 0})
    assert merge_conflicts(database) == MergeReport()
    assert every_leaf(database) == before


def test_two_nodes_merge_to_the_same_revisions(store: Any) -> None:
    one, other = store.create("one"), store.create("other")
    leaves = leaf("b", phone="1"), leaf("c", phone="2", city="Kassel"), leaf("d", website="w")
    replicated(one, *leaves)
    replicated(other, *reversed(leaves))
    merge_conflicts(one)
    merge_conflicts(other)
    assert every_leaf(one) == every_leaf(other)


def test_a_merge_cut_off_before_its_deletions_is_finished_by_the_next(database: Database, store: Any) -> None:
    leaves = leaf("b", phone="1"), leaf("c", phone="2")
    whole = store.create("whole")
    replicated(whole, *leaves)
    merge_conflicts(whole)
    replicated(database, *leaves)
    merged = [each for each in whole.leaves("D001:customer:1") if not each.get("_deleted")]
    replicated(database, *merged)
    assert len([each for each in database.leaves("D001:customer:1") if not each.get("_deleted")]) == 2
    merge_conflicts(database)
    assert every_leaf(database) == every_leaf(whole)


def test_a_deletion_that_met_an_edit_is_a_dispute_though_the_store_sees_no_conflict(database: Database) -> None:
    replicated(database, leaf("b", phone="1"), deletion("c"))
    assert merge_conflicts(database).disputes == 1
    document = documents(database)["D001:customer:1"]
    assert [each["by"] for each in document["disputes"]] == ["tom"]
    assert document["phone"] == "1"


def test_a_document_that_was_only_deleted_stays_deleted(database: Database) -> None:
    replicated(database, deletion("b"), deletion("c"))
    assert merge_conflicts(database) == MergeReport()
    assert documents(database) == {}


def test_leaves_with_the_same_content_are_one_and_no_dispute(database: Database) -> None:
    replicated(database, leaf("b", phone="1"), leaf("c", phone="1"))
    report = merge_conflicts(database)
    assert (report.merged, report.disputes, report.written) == (1, 0, 1)
    assert "disputes" not in documents(database)["D001:customer:1"]


def test_files_attached_on_both_sides_are_both_kept(database: Database) -> None:
    def file(content: bytes) -> dict[str, str]:
        return {"content_type": "text/plain", "data": base64.b64encode(content).decode()}

    replicated(
        database,
        {**leaf("b", phone="1"), "_attachments": {"plan.txt": file(b"one"), "left.txt": file(b"left")}},
        {**leaf("c", city="x"), "_attachments": {"plan.txt": file(b"two"), "right.txt": file(b"right")}},
    )
    merge_conflicts(database)
    document = documents(database)["D001:customer:1"]
    names = sorted(document["_attachments"])
    contents = sorted(database.attachment("D001:customer:1", name)[0] for name in names)
    assert contents == [b"left", b"one", b"right", b"two"]
    assert {"left.txt", "right.txt", "plan.txt"} < set(names)
    assert merge_conflicts(database) == MergeReport()


def test_a_long_merge_says_how_far_it_is_and_goes_on_after_it_was_stopped(database: Database) -> None:
    replicated(
        database,
        *(
            {**each, "_id": f"D001:customer:{number:04}"}
            for number in range(450)
            for each in (leaf("b", phone="1"), leaf("c", city="x"))
        ),
    )
    shown: list[tuple[int, int]] = []
    stop = threading.Event()

    def show(done: int, remaining: int) -> None:
        shown.append((done, remaining))
        stop.set()

    first = merge_conflicts(database, show, stop)
    assert shown == [(200, 250)]
    assert first.merged == 200

    shown.clear()
    assert merge_conflicts(database, show).merged == 250
    assert shown[-1][1] == 0
    assert not any("_conflicts" in document for document in documents(database).values())
