"""Saving: a stale save never overwrites and never loses what was typed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from couch_requests import Couch

from app.couch import Conflict, Database, Forbidden, NotFound
from app.documents import saving
from app.documents.merging import merge
from app.replication.conflicts import merge_conflicts

NEW: dict[str, Any] = {"type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Kies AG", "city": "Ulm"}


@pytest.fixture
def kies(database: Database) -> dict[str, Any]:
    return saving.save(database, NEW, "anna", now="2026-01-01T00:00:00Z").document


def changes(database: Database) -> list[dict[str, Any]]:
    rows = database.all_docs(startkey="D001:change:", endkey="D001:change;", include_docs=True).rows
    return [row.doc for row in rows if row.doc]


def test_a_new_document_gets_an_id_and_the_fields_every_document_has(database: Database) -> None:
    saved = saving.save(database, NEW, "anna", now="2026-01-01T00:00:00Z")

    assert saved.outcome == "created"
    assert database.get(saved.document["_id"]) == saved.document
    assert saved.document["_id"].startswith("D001:customer:")
    assert {name: saved.document[name] for name in ("created_at", "created_by", "updated_at", "updated_by")} == {
        "created_at": "2026-01-01T00:00:00Z", "created_by": "anna",
        "updated_at": "2026-01-01T00:00:00Z", "updated_by": "anna",
    }  # fmt: skip
    assert saved.document["field_revs"] == {"name": 1, "city": 1, "*": 1}
    assert changes(database) == []


def test_a_machine_gets_the_key_the_world_gives_it(database: Database) -> None:
    machine = {"type": "machine", "dealer": "D001", "share": "manufacturer", "make": "Cat", "serial": "ab 1"}

    assert saving.save(database, machine, "anna").document["_id"] == "D001:machine:CAT-AB1"
    with pytest.raises(ValueError, match="serial"):
        saving.save(database, {**machine, "serial": ""}, "anna")


def test_an_edit_says_which_fields_changed_in_the_document_and_in_the_log(
    database: Database, kies: dict[str, Any]
) -> None:
    saved = saving.save(database, {**kies, "name": "Kies GmbH"}, "bert", now="2026-01-02T00:00:00Z")

    assert saved.outcome == "changed"
    assert saved.document["field_revs"] == {"name": 2, "city": 1, "*": 2}
    assert (saved.document["updated_by"], saved.document["created_by"]) == ("bert", "anna")
    [change] = changes(database)
    assert change["changes"] == [{"id": "name", "field": "name", "from": "Kies AG", "to": "Kies GmbH"}]
    assert (change["document"], change["by"], change["at"]) == (kies["_id"], "bert", "2026-01-02T00:00:00Z")
    assert (change["share"], change["type"], change["document_type"]) == ("manufacturer", "change", "customer")


def test_the_change_of_a_private_document_is_private(database: Database) -> None:
    keepsake = {"type": "keepsake", "dealer": "D001", "share": "dealer", "flowers": "Roses"}
    saved = saving.save(database, keepsake, "anna")

    saving.save(database, {**saved.document, "flowers": "Peonies"}, "anna")

    assert [change["share"] for change in changes(database)] == ["dealer"]


def test_a_save_that_changes_nothing_writes_nothing(database: Database, kies: dict[str, Any]) -> None:
    before = database.info()["update_seq"]

    saved = saving.save(
        database, {**kies, "updated_by": "x", "share": "dealer", "type": "person", "city": "Ulm"}, "bert"
    )

    assert saved.outcome == "unchanged" and saved.document == kies
    assert database.info()["update_seq"] == before


def test_a_stale_save_keeps_what_was_typed(database: Database, kies: dict[str, Any]) -> None:
    saving.save(database, {**kies, "name": "Kies GmbH"}, "bert")

    saved = saving.save(database, {**kies, "name": "Kies KG", "city": "Wien"}, "anna", base=kies)

    assert saved.outcome == "merged" and saved.merged_with == "bert"
    assert (saved.document["name"], saved.document["city"]) == ("Kies GmbH", "Wien")
    [dispute] = saved.document["disputes"]
    assert (dispute["field"], dispute["value"], dispute["by"]) == ("name", "Kies KG", "anna")
    assert saved.sentences({"name": "Name"}) == [
        "bert changed Name meanwhile too. Theirs is shown; yours is kept for you to choose from."
    ]


def test_a_stale_save_of_another_field_merges_without_a_dispute(database: Database, kies: dict[str, Any]) -> None:
    saving.save(database, {**kies, "name": "Kies GmbH"}, "bert")

    saved = saving.save(database, {**kies, "city": "Wien"}, "anna", base=kies)

    assert (saved.document["name"], saved.document["city"]) == ("Kies GmbH", "Wien")
    assert "disputes" not in saved.document and saved.kept == ("name",)
    assert saved.sentences({"name": "Name"}) == [
        "bert saved this meanwhile; the changes to Name are kept beside yours."
    ]


def test_a_stale_save_without_a_base_is_merged_as_well(database: Database, kies: dict[str, Any]) -> None:
    saving.save(database, {**kies, "name": "Kies GmbH"}, "bert")

    saved = saving.save(database, {**kies, "name": "Kies KG", "city": "Wien"}, "anna")

    assert saved.outcome == "merged"
    assert (saved.document["name"], saved.document["city"]) == ("Kies GmbH", "Wien")
    assert saved.document["disputes"][0]["value"] == "Kies KG"


def beaten(database: Database, kies: dict[str, Any]) -> dict[str, Any]:
    """What was shown on a node before its branch lost to one of as many generations, which has a phone number."""
    digest = "f" * 32
    theirs = {
        **kies,
        "_rev": f"2-{digest}",
        "_revisions": {"start": 2, "ids": [digest, kies["_rev"].partition("-")[2]]},
        "phone": "123",
        "updated_by": "bert",
        "field_revs": {**kies["field_revs"], "phone": 2, "*": 2},
    }
    shown = saving.save(database, {**kies, "name": "Kies GmbH"}, "anna").document
    database.bulk([theirs], new_edits=False)
    merge_conflicts(database)
    return shown


def said_of_phone(database: Database, id: str) -> set[Any]:
    current = database.get(id)
    assert current is not None
    return {current["phone"], *(each["value"] for each in current.get("disputes", ()) if each["field"] == "phone")}


@pytest.mark.parametrize("base_says_empty", [True, False])
def test_a_field_that_was_shown_empty_is_not_overwritten_by_a_page_whose_branch_lost(
    database: Database, kies: dict[str, Any], base_says_empty: bool
) -> None:
    shown = beaten(database, kies)
    base = {"_id": kies["_id"], "_rev": shown["_rev"], **({"phone": None} if base_says_empty else {})}

    saved = saving.save(database, {"_id": kies["_id"], "phone": "456"}, "anna", base=base)

    assert saved.outcome == "merged"
    assert said_of_phone(database, kies["_id"]) == {"123", "456"}


@pytest.mark.parametrize("compacted", [True, False])
def test_a_page_whose_branch_lost_overwrites_nothing_when_only_its_revision_is_known(
    database: Database, kies: dict[str, Any], store_server: tuple[str, str, str], compacted: bool
) -> None:
    shown = beaten(database, kies)
    if compacted:
        url, user, password = store_server
        couch, path = Couch(url, (user, password)), f"/{database.store.prefix}{database.name}"
        couch.post(f"{path}/_compact", {})
        while couch.get(path).json()["compact_running"]:
            pass
        assert database.revisions({kies["_id"]: [shown["_rev"]]})[kies["_id"]] == []

    saved = saving.save(database, {**shown, "phone": "456"}, "anna")

    assert saved.outcome == "merged"
    assert said_of_phone(database, kies["_id"]) == {"123", "456"}


def test_whoever_emptied_a_field_again_is_not_overruled_by_a_page_from_before(
    database: Database, kies: dict[str, Any]
) -> None:
    filled = saving.save(database, {**kies, "phone": "123"}, "bert").document
    saving.save(database, {**filled, "phone": None}, "bert")

    saved = saving.save(database, {"_id": kies["_id"], "phone": "456"}, "anna", base={"_rev": kies["_rev"]})

    assert "phone" not in saved.document
    assert [each["value"] for each in saved.document["disputes"]] == ["456"]


def test_only_the_fields_that_were_shown_are_touched(database: Database, kies: dict[str, Any]) -> None:
    shown = {"_id": kies["_id"], "_rev": kies["_rev"], "city": "Ulm", "phone": None}

    saved = saving.save(database, {"city": None, "phone": "123"}, "anna", base=shown)

    assert "city" not in saved.document
    assert (saved.document["name"], saved.document["phone"]) == ("Kies AG", "123")


def test_two_people_may_change_a_row_each(database: Database) -> None:
    phones = [{"id": "a", "number": "1"}, {"id": "b", "number": "2"}]
    first = saving.save(database, {**NEW, "phones": phones}, "anna").document
    saving.save(database, {**first, "phones": [{"id": "a", "number": "11"}, phones[1]]}, "bert")

    saved = saving.save(database, {**first, "phones": [phones[0], {"id": "b", "number": "22"}]}, "anna", base=first)

    assert saved.document["phones"] == [{"id": "a", "number": "11"}, {"id": "b", "number": "22"}]
    assert "disputes" not in saved.document


def test_creating_what_exists_is_merged_by_field(database: Database) -> None:
    machine = {"type": "machine", "dealer": "D001", "share": "manufacturer", "make": "CAT", "serial": "1"}
    saving.save(database, {**machine, "year": 2019}, "anna")

    saved = saving.save(database, {**machine, "year": 2020, "model": "320"}, "bert")

    assert saved.outcome == "merged"
    assert (saved.document["year"], saved.document["model"]) == (2019, "320")
    assert saved.document["disputes"][0]["value"] == 2020


def test_what_is_fixed_at_creation_never_changes(database: Database, kies: dict[str, Any]) -> None:
    wish = {"share": "dealer", "type": "person", "dealer": "D002", "created_by": "x", "created_at": "1", "city": "Wien"}

    saved = saving.save(database, {**kies, **wish}, "bert").document

    kept = ("share", "type", "dealer", "created_by", "created_at")
    assert {name: saved[name] for name in kept} == {name: kies[name] for name in kept} and saved["city"] == "Wien"


def test_many_savers_at_once_lose_nothing(database: Database, kies: dict[str, Any]) -> None:
    problems: list[BaseException] = []

    def edit(number: int) -> None:
        for turn in range(3):
            try:
                saving.save(database, {**kies, f"field{number}": turn}, f"user{number}", base=kies)
            except Conflict:
                continue
            except BaseException as problem:
                problems.append(problem)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not problems
    document = database.get(kies["_id"])
    assert document is not None
    said = {each["field"] for each in document.get("disputes", ())} | document.keys()
    assert {f"field{number}" for number in range(4)} <= said
    # Each entry of the log tells of a change that happened: none is left over from an attempt that came too late.
    logged = [row["field"] for change in changes(database) for row in change["changes"]]
    assert sorted(logged) == [f"field{number}" for number in range(4)]


def test_an_edit_of_what_was_deleted_meanwhile_keeps_the_document_and_says_who_deleted_it(
    database: Database, kies: dict[str, Any]
) -> None:
    saving.delete(database, kies, "bert", now="2026-01-02T00:00:00Z")

    saved = saving.save(database, {**kies, "city": "Wien"}, "anna", base=kies)

    assert saved.outcome == "merged"
    current = database.get(kies["_id"])
    assert current is not None and (current["name"], current["city"]) == ("Kies AG", "Wien")
    assert [(each["field"], each["by"]) for each in current["disputes"]] == [("_deleted", "bert")]
    assert saved.sentences()[0].startswith("bert deleted this meanwhile.")
    assert not merge(database.leaves(kies["_id"])).needed


def test_a_deletion_carries_what_replication_asks_for(database: Database, kies: dict[str, Any]) -> None:
    saved = saving.delete(database, kies, "anna", now="2026-01-02T00:00:00Z")

    assert saved.outcome == "deleted" and database.get(kies["_id"]) is None
    [leaf] = database.leaves(kies["_id"])
    assert {name: leaf[name] for name in ("type", "dealer", "share", "deleted_by", "deleted_at")} == {
        "type": "customer", "dealer": "D001", "share": "manufacturer", "deleted_by": "anna",
        "deleted_at": "2026-01-02T00:00:00Z",
    }  # fmt: skip
    [change] = changes(database)
    assert change["deleted"] and {row["field"] for row in change["changes"]} == {"name", "city"}
    assert saving.delete(database, kies, "anna").outcome == "unchanged"


def test_a_deletion_ends_every_branch(database: Database, kies: dict[str, Any]) -> None:
    rival = {**kies, "_rev": "1-" + "0" * 32, "_revisions": {"start": 1, "ids": ["0" * 32]}, "name": "Rival"}
    database.bulk([rival], new_edits=False)

    saving.delete(database, {"_id": kies["_id"]}, "anna")

    assert all(leaf["_deleted"] and leaf["share"] for leaf in database.leaves(kies["_id"]))
    assert database.get(kies["_id"]) is None


def test_a_deletion_does_not_end_a_branch_that_nobody_has_seen(database: Database, kies: dict[str, Any]) -> None:
    digest = "0" * 32
    rival = {**kies, "_rev": f"1-{digest}", "_revisions": {"start": 1, "ids": [digest]}, "name": "Rival"}
    database.bulk([rival], new_edits=False)
    winner = database.get(kies["_id"])
    assert winner is not None

    saved = saving.delete(database, winner, "anna")

    assert saved.outcome == "merged"
    said = {saved.document["name"], *(each["value"] for each in saved.document["disputes"])}
    assert said == {"Kies AG", "Rival", True}


def test_a_deletion_of_what_was_edited_meanwhile_becomes_a_dispute(database: Database, kies: dict[str, Any]) -> None:
    saving.save(database, {**kies, "city": "Wien"}, "bert")

    saved = saving.delete(database, kies, "anna")

    assert saved.outcome == "merged"
    current = database.get(kies["_id"])
    assert current is not None and current["city"] == "Wien"
    assert [(each["field"], each["by"]) for each in current["disputes"]] == [("_deleted", "anna")]


def test_a_deleted_document_comes_back_as_it_was(database: Database) -> None:
    first = saving.save(database, {**NEW, "phones": [{"id": "a", "number": "1"}]}, "anna").document
    saving.delete(database, first, "bert")

    saved = saving.undelete(database, first["_id"], "carl")

    current = database.get(first["_id"])
    assert current == saved.document
    kept = ("name", "city", "phones", "type", "dealer", "share", "created_at", "created_by")
    assert {name: current[name] for name in kept} == {name: first[name] for name in kept}
    assert saving.undelete(database, first["_id"], "carl").outcome == "unchanged"
    assert not merge(database.leaves(first["_id"])).needed


def test_what_nobody_knows_any_more_cannot_come_back(database: Database) -> None:
    rev = database.put({"_id": "D001:customer:x", "type": "customer"})
    database.put({"_id": "D001:customer:x", "_rev": rev, "_deleted": True})

    with pytest.raises(NotFound, match="cannot be brought back"):
        saving.undelete(database, "D001:customer:x", "anna")
    with pytest.raises(NotFound):
        saving.undelete(database, "D001:customer:never", "anna")


def test_a_machine_that_was_deleted_can_be_entered_anew(database: Database) -> None:
    machine = {"type": "machine", "dealer": "D001", "share": "manufacturer", "make": "CAT", "serial": "1"}
    saving.delete(database, saving.save(database, {**machine, "year": 2019}, "anna").document, "anna")

    saved = saving.save(database, machine, "bert")

    assert saved.outcome == "created" and "year" not in saved.document
    assert database.get("D001:machine:CAT-1") == saved.document
    assert saved.document["field_revs"]["*"] == int(saved.document["_rev"].split("-")[0])


@pytest.mark.parametrize("chosen", ["Kies KG", "Kies GmbH", "Kies SE"])
def test_a_person_settles_a_dispute_with_either_value_or_another(
    database: Database, kies: dict[str, Any], chosen: str
) -> None:
    saving.save(database, {**kies, "name": "Kies GmbH"}, "bert")
    disputed = saving.save(database, {**kies, "name": "Kies KG"}, "anna", base=kies)
    [dispute] = disputed.document["disputes"]

    saving.resolve_dispute(database, kies["_id"], dispute["id"], chosen, "carl")

    current = database.get(kies["_id"])
    assert current is not None and current["name"] == chosen
    assert "disputes" not in current and current["resolved"] == [dispute["id"]]
    again = saving.resolve_dispute(database, kies["_id"], dispute["id"], "x", "carl")
    assert again.outcome == "unchanged" and again.document == current


def test_typing_the_disputed_value_settles_the_dispute(database: Database, kies: dict[str, Any]) -> None:
    saving.save(database, {**kies, "name": "Kies GmbH"}, "bert")
    disputed = saving.save(database, {**kies, "name": "Kies KG"}, "anna", base=kies).document

    saved = saving.save(database, {**disputed, "name": "Kies KG"}, "carl")

    assert "disputes" not in saved.document and saved.document["resolved"] == [disputed["disputes"][0]["id"]]


def test_a_dispute_about_a_row_is_settled_in_that_row(database: Database) -> None:
    phones = [{"id": "a", "number": "1"}, {"id": "b", "number": "2"}]
    first = saving.save(database, {**NEW, "phones": phones}, "anna").document
    saving.save(database, {**first, "phones": [{"id": "a", "number": "x"}, phones[1]]}, "bert")
    disputed = saving.save(database, {**first, "phones": [{"id": "a", "number": "y"}, phones[1]]}, "anna", base=first)
    [dispute] = disputed.document["disputes"]

    saved = saving.resolve_dispute(database, first["_id"], dispute["id"], dispute["value"], "carl").document

    assert saved["phones"] == [{"id": "a", "number": "y"}, phones[1]]


@pytest.mark.parametrize("delete", [True, False])
def test_a_dispute_about_a_deletion_deletes_or_keeps(database: Database, kies: dict[str, Any], delete: bool) -> None:
    saving.delete(database, kies, "bert")
    disputed = saving.save(database, {**kies, "city": "Wien"}, "anna", base=kies).document

    saving.resolve_dispute(database, kies["_id"], disputed["disputes"][0]["id"], delete, "carl")

    current = database.get(kies["_id"])
    assert (current is None) is delete
    assert delete or (current is not None and "disputes" not in current)


def test_many_are_saved_in_order_with_what_became_of_each(database: Database, kies: dict[str, Any]) -> None:
    machine = {"type": "machine", "dealer": "D001", "share": "manufacturer", "make": "CAT"}
    documents = [
        {**NEW, "name": "New"},
        {**kies, "city": "Wien"},
        {**kies, "city": "Graz"},
        {**machine, "serial": ""},
        {**machine, "serial": "7"},
        kies,
    ]

    results = saving.save_many(database, documents, "import")

    outcomes = [each.outcome if isinstance(each, saving.Saved) else each.reason for each in results]
    assert outcomes[:3] == ["created", "changed", "merged"]
    assert "serial" in outcomes[3] and outcomes[4:] == ["created", "unchanged"]
    current = database.get(kies["_id"])
    assert current is not None and current["city"] == "Wien" and current["disputes"][0]["value"] == "Graz"


def test_a_document_that_a_rule_forbids_is_refused_by_itself(database: Database) -> None:
    rule = "function (doc) { if (doc.city === 'Nowhere') { throw({forbidden: 'There is no such town.'}); } }"
    database.put({"_id": "_design/rule", "validate_doc_update": rule})
    admitted = saving.save_many(database, [{**NEW, "city": "Nowhere"}, NEW], "import")

    # A store's administrator may be exempt from rules or not; either way nothing else is lost.
    assert isinstance(admitted[1], saving.Saved)
    if isinstance(admitted[0], saving.Refused):
        assert "no such town" in admitted[0].reason
        with pytest.raises(Forbidden, match="no such town"):
            saving.save(database, {**NEW, "city": "Nowhere"}, "anna")


def test_a_thousand_documents_take_few_requests_and_come_back(database: Database) -> None:
    results = saving.save_many(database, ({**NEW, "name": str(n)} for n in range(1200)), "import")

    assert all(isinstance(each, saving.Saved) and each.outcome == "created" for each in results)
    assert database.info()["doc_count"] == 1200
