"""One dispute, settled on two nodes that do not know of each other."""

from __future__ import annotations

from typing import Any

import pytest
from meeting import AT, ID, carry, edit, pair

from app.couch import Database, Store
from app.documents import saving
from app.documents.disputes import value_in
from app.replication.conflicts import merge_conflicts


def synced(one: Database, other: Database) -> dict[str, Any]:
    """Both after they met, merged and met again: the document they share."""
    for _ in range(2):
        carry(one, other)
        carry(other, one)
        merge_conflicts(one)
        carry(one, other)
    document = one.get(ID, conflicts=True)
    assert document is not None and document == other.get(ID, conflicts=True) and "_conflicts" not in document
    return document


def disputed(store: Store, before: Any = None, ours: Any = "1", theirs: Any = "2") -> tuple[Database, Database]:
    """Two books with the same dispute about the customer's phone."""
    here, there = pair(store, phone=before)
    edit(here, "anna", 1, phone=ours)
    edit(there, "bert", 2, phone=theirs)
    assert len(synced(here, there)["disputes"]) == 1
    return here, there


def settle(database: Database, choice: str, by: str, minute: int) -> Any:
    """Settles the only dispute and returns the value that was chosen; a `choice` of another word is typed."""
    document = database.get(ID)
    assert document is not None
    [dispute] = document["disputes"]
    value = {"now": value_in(dispute, document), "other": dispute["value"]}.get(choice, choice)
    saving.resolve_dispute(database, ID, dispute["id"], value, by, AT.format(minute))
    return value


@pytest.mark.parametrize("choice", ["now", "other", "typed"])
def test_the_same_choice_on_two_nodes_settles_it(store: Store, choice: str) -> None:
    here, there = disputed(store)
    value = settle(here, choice, "anna", 5)
    assert settle(there, choice, "bert", 6) == value

    document = synced(here, there)

    assert document["phone"] == value and "disputes" not in document


@pytest.mark.parametrize("choices", [("now", "other"), ("other", "now"), ("now", "typed"), ("typed", "another")])
def test_different_choices_on_two_nodes_are_a_dispute_of_those_who_chose(
    store: Store, choices: tuple[str, str]
) -> None:
    here, there = disputed(store)
    chosen = {settle(here, choices[0], "anna", 5): "anna", settle(there, choices[1], "bert", 6): "bert"}

    document = synced(here, there)

    [dispute] = document["disputes"]
    assert {document["phone"], dispute["value"]} == set(chosen)
    assert dispute["by"] == chosen[dispute["value"]]
    last = settle(there, "other", "carl", 9)
    final = synced(here, there)
    assert final["phone"] == last and "disputes" not in final


def test_one_keeps_the_document_and_the_other_deletes_it_and_so_it_stays_marked(store: Store) -> None:
    here, there = pair(store)
    shown = here.get(ID)
    assert shown is not None
    saving.delete(here, shown, "anna", AT.format(1))
    edit(there, "bert", 2, phone="2")
    [dispute] = synced(here, there)["disputes"]
    saving.resolve_dispute(here, ID, dispute["id"], False, "anna", AT.format(5))
    saving.resolve_dispute(there, ID, dispute["id"], True, "bert", AT.format(6))

    document = synced(here, there)

    assert [(each["field"], each["by"], each["at"]) for each in document["disputes"]] == [
        ("_deleted", "bert", AT.format(6))
    ]


def test_a_decision_for_what_stands_survives_a_merge_with_a_branch_that_never_touched_the_field(store: Store) -> None:
    here, there = disputed(store)
    third = store.create("third")
    carry(here, third)
    kept = settle(here, "now", "anna", 5)
    # A longer branch wins, and knows nothing of the decision.
    for minute, city in enumerate(("Ulm", "Wien", "Graz"), start=6):
        edit(third, "carl", minute, city=city)
    carry(third, here)
    merge_conflicts(here)
    other = settle(there, "other", "bert", 9)

    document = synced(here, there)

    said = {document["phone"], *(each["value"] for each in document.get("disputes", ()))}
    assert said == {kept, other}


def test_a_save_that_met_two_deletions_tells_of_both(store: Store) -> None:
    here, there = pair(store)
    shown = here.get(ID)
    assert shown is not None
    saving.delete(here, shown, "anna", AT.format(1))
    saving.delete(there, shown, "bert", AT.format(2))
    carry(there, here)

    saving.save(here, {**shown, "phone": "3"}, "carl", shown, AT.format(3))

    document = here.get(ID)
    assert document is not None
    assert [(each["field"], each["by"]) for each in document["disputes"]] == [
        ("_deleted", "anna"),
        ("_deleted", "bert"),
    ]
    assert synced(here, there)["phone"] == "3"


def test_what_is_disputed_is_so_again_when_a_deleted_document_is_brought_back(store: Store) -> None:
    here, there = disputed(store)
    before = here.get(ID)
    assert before is not None
    saving.delete(here, before, "carl", AT.format(5))
    carry(here, there)

    saving.undelete(there, ID, "dora", AT.format(6))

    document = synced(here, there)
    assert document["phone"] == before["phone"] and document["disputes"] == before["disputes"]
    settle(there, "other", "dora", 7)
    assert "disputes" not in synced(here, there)


def test_two_nodes_that_bring_it_back_at_once_have_each_dispute_once(store: Store) -> None:
    here, there = disputed(store)
    before = here.get(ID)
    assert before is not None
    saving.delete(here, before, "carl", AT.format(5))
    saving.delete(there, before, "dora", AT.format(6))
    carry(here, there)
    carry(there, here)
    saving.undelete(here, ID, "carl", AT.format(7))
    saving.undelete(there, ID, "dora", AT.format(8))

    document = synced(here, there)

    assert document["phone"] == before["phone"] and document["disputes"] == before["disputes"]


def test_what_one_node_settles_while_another_brings_it_back_once_more_stays_settled(store: Store) -> None:
    here, there = disputed(store)
    before = here.get(ID)
    assert before is not None
    saving.delete(here, before, "carl", AT.format(5))
    carry(here, there)
    saving.undelete(here, ID, "carl", AT.format(7))
    settle(here, "now", "carl", 8)
    saving.undelete(there, ID, "dora", AT.format(9))

    document = synced(here, there)

    assert document["phone"] == before["phone"] and "disputes" not in document


def test_what_was_settled_before_a_deletion_is_no_dispute_when_it_comes_back(store: Store) -> None:
    here, there = pair(store)
    edit(here, "anna", 1, phone="1")
    edit(there, "bert", 2, phone="2")
    late = [store.create("late-1"), store.create("late-2")]
    carry(here, late[0])
    carry(there, late[1])
    synced(here, there)
    settle(here, "now", "carl", 5)
    document = synced(here, there)
    saving.delete(here, document, "carl", AT.format(6))
    saving.undelete(here, ID, "carl", AT.format(7))

    for minute, book in enumerate(late, 8):
        edit(book, "eva", minute, city="Linz")
        after = synced(here, book)
        assert [each["field"] for each in after.get("disputes", ())] == []


def test_a_wish_to_delete_is_no_dispute_any_more_once_the_document_was_deleted_and_brought_back(store: Store) -> None:
    here, there = pair(store)
    shown = here.get(ID)
    assert shown is not None
    saving.delete(here, shown, "anna", AT.format(1))
    edit(there, "bert", 2, phone="2")
    document = synced(here, there)
    saving.resolve_dispute(here, ID, document["disputes"][0]["id"], True, "carl", AT.format(5))
    assert here.get(ID) is None

    saving.undelete(here, ID, "dora", AT.format(6))

    assert "disputes" not in synced(here, there)


def test_a_save_over_a_deletion_keeps_what_was_disputed(store: Store) -> None:
    here, _ = disputed(store)
    before = here.get(ID)
    assert before is not None
    saving.delete(here, before, "carl", AT.format(5))

    saving.save(here, {**before, "city": "Linz"}, "dora", base=before, now=AT.format(6))

    document = here.get(ID)
    assert document is not None and document["city"] == "Linz"
    assert [each["field"] for each in document["disputes"]] == ["phone", "_deleted"]


ROW = {"id": "a", "v": "first"}


def with_a_disputed_row(store: Store) -> tuple[Database, Database]:
    """Two books with a list of one row, `ours` in the row and `theirs` in a dispute about it, or the other way."""
    here, there = pair(store, contacts=[ROW])
    edit(here, "anna", 1, contacts=[{**ROW, "v": "ours"}])
    edit(there, "bert", 2, contacts=[{**ROW, "v": "theirs"}])
    [dispute] = synced(here, there)["disputes"]
    assert dispute["row"] == "a"
    return here, there


@pytest.mark.parametrize("choice", ["now", "other", "typed"])
def test_a_row_is_settled_though_somebody_with_an_older_form_typed_one_text_for_all_rows(
    store: Store, choice: str
) -> None:
    here, there = with_a_disputed_row(store)
    edit(here, "cleo", 3, contacts="one text")
    document = synced(here, there)
    [dispute] = [each for each in document["disputes"] if "row" in each]
    value = {"now": None, "other": dispute["value"], "typed": {"id": "a", "v": "typed"}}[choice]

    saving.resolve_dispute(here, ID, dispute["id"], value, "anna", AT.format(5))

    document = synced(here, there)
    aside = [each["value"] for each in document.get("disputes", ())]
    if choice == "now":
        assert (document["contacts"], aside) == ("one text", [])
    else:
        assert (document["contacts"], aside) == ([value], ["one text"])


def test_a_row_that_was_decided_for_does_not_give_way_to_a_text_typed_meanwhile(store: Store) -> None:
    here, there = with_a_disputed_row(store)
    stays = (here.get(ID) or {})["contacts"]
    settle(here, "now", "anna", 5)
    edit(there, "bert", 4, contacts="one text")

    document = synced(here, there)

    said = [document["contacts"], *(each["value"] for each in document.get("disputes", ()))]
    assert stays in said
    assert "one text" in said
