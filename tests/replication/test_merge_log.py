"""The log of changes tells what a merge did, in the same words on every node that makes it."""

from __future__ import annotations

from typing import Any

import pytest
from history_machine import CutOff
from meeting import AT, ID, carry, edit, pair
from trading import every_leaf

from app.couch import Database, Store, Unreachable
from app.documents import saving
from app.replication.conflicts import merge_conflicts


def merges(database: Database) -> list[dict[str, Any]]:
    rows = database.all_docs(include_docs=True).rows
    return [row.doc for row in rows if row.doc and row.doc.get("merged")]


def told(database: Database) -> list[dict[str, Any]]:
    return [{name: row[name] for name in row if name != "id"} for each in merges(database) for row in each["changes"]]


def test_a_merge_tells_which_value_it_took_from_whom(store: Store) -> None:
    here, there = pair(store, city="Ulm")
    edit(here, "anna", 1, name="Kies GmbH")
    edit(here, "anna", 2, phone="1")
    edit(there, "bert", 3, city="Wien")
    carry(there, here)

    merge_conflicts(here)

    [entry] = merges(here)
    assert (entry["document"], entry["document_type"], entry["share"]) == (ID, "customer", "manufacturer")
    assert (entry["by"], entry["at"]) == ("ironbook:merge", AT.format(3))
    assert told(here) == [{"field": "city", "from": "Ulm", "to": "Wien", "by": "bert", "at": AT.format(3)}]


def test_a_merge_tells_which_value_stands_and_which_it_set_aside(store: Store) -> None:
    here, there = pair(store)
    edit(here, "anna", 1, city="Ulm")
    edit(here, "anna", 2, phone="1")
    edit(there, "bert", 3, phone="2")
    carry(there, here)

    merge_conflicts(here)

    assert told(here) == [{"field": "phone", "set_aside": "2", "to": "1", "by": "bert", "at": AT.format(3)}]


def test_a_merge_tells_of_a_row_and_of_a_deletion(store: Store) -> None:
    here, there = pair(store, phones=[{"id": "a", "number": "1"}])
    third = store.create("third")
    carry(here, third)
    edit(here, "anna", 1, city="Ulm")
    edit(here, "anna", 2, name="Kies AG")
    edit(there, "bert", 3, phones=[{"id": "a", "number": "2"}])
    shown = third.get(ID)
    assert shown is not None
    saving.delete(third, shown, "carl", AT.format(4))
    carry(there, here)
    carry(third, here)

    merge_conflicts(here)

    assert sorted(told(here), key=lambda row: row["field"]) == [
        {"field": "_deleted", "set_aside": True, "to": False, "by": "carl", "at": AT.format(4)},
        {
            "field": "phones",
            "row": "a",
            "from": {"id": "a", "number": "1"},
            "to": {"id": "a", "number": "2"},
            "by": "bert",
            "at": AT.format(3),
        },
    ]


def test_two_nodes_that_merge_alone_tell_it_in_one_entry(store: Store) -> None:
    here, there = pair(store)
    edit(here, "anna", 1, phone="1", city="Ulm")
    edit(there, "bert", 2, phone="2", website="w")
    carry(there, here)
    carry(here, there)

    merge_conflicts(here)
    merge_conflicts(there)

    assert len(merges(here)) == 1
    assert every_leaf(here) == every_leaf(there)
    carry(there, here)
    assert merge_conflicts(here).written == 0
    assert len(merges(here)) == 1


def test_leaves_that_say_the_same_leave_nothing_in_the_log(store: Store) -> None:
    here, there = pair(store)
    edit(here, "anna", 1, phone="1")
    edit(there, "bert", 2, phone="1")
    carry(there, here)

    assert merge_conflicts(here).merged == 1
    assert merges(here) == []


@pytest.mark.parametrize("after", [1, 2])
def test_a_merge_that_was_cut_off_is_told_by_the_next(store: Store, after: int) -> None:
    here, there = pair(store)
    edit(here, "anna", 1, phone="1")
    edit(there, "bert", 2, city="Wien")
    carry(there, here)
    carry(here, there)
    with pytest.raises(Unreachable):
        merge_conflicts(CutOff(here, after))  # type: ignore[arg-type]

    merge_conflicts(here)
    merge_conflicts(there)

    assert len(merges(here)) == 1
    assert every_leaf(here) == every_leaf(there)
