"""8 MB in one document, thousands of conflicts in one sync, and backups of a week ago: all of it arrives, once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from estates import Estate, estate
from faulty_lines import assert_same
from trading import Trade, documents, edit, make

from app.couch import Database
from app.documents import saving
from app.replication import refusals
from app.replication.passes import run_pass

CONFLICTS, CONFLICTS_WHEN_THOROUGH = 1_000, 10_000
LARGEST = 8_000_000
"""Bytes of one document: as many as CouchDB takes unless told otherwise."""


def sync(trade: Trade) -> None:
    result = run_pass(trade.dealer, trade.connection)
    assert result.error == ""
    assert refusals.refused_documents(trade.dealer, trade.connection.name) == []


def save_all(database: Database, by: str, count: int, **fields: str) -> None:
    """Changes the same fields of all customers."""
    found = database.get_many(f"D001:customer:{n:04}" for n in range(count))
    results = saving.save_many(database, [{**document, **fields} for document in found.values()], by)
    assert all(isinstance(result, saving.Saved) for result in results)


def test_a_document_of_8_megabytes_goes_over_whole_and_back(trade: Trade) -> None:
    text = "x" * (LARGEST - 2_000)
    large = make(trade.dealer, key="large", name="Large", notes=text)["_id"]
    small = make(trade.dealer, key="small", name="Small")["_id"]
    sync(trade)
    assert small in documents(trade.replica)
    assert (trade.replica.get(large) or {})["notes"] == text
    edit(trade.replica, large, by="anna", phone="7")
    sync(trade)
    back = trade.dealer.book.get(large) or {}
    assert (back["phone"], back["notes"]) == ("7", text)
    assert_same(trade.dealer.book, trade.replica)


def test_a_thousand_conflicts_at_once_keep_every_edit_of_both_sides(trade: Trade, thorough: bool) -> None:
    count = CONFLICTS_WHEN_THOROUGH if thorough else CONFLICTS
    new = (
        {"_id": f"D001:customer:{n:04}", "type": "customer", "dealer": "D001", "share": "manufacturer", "name": f"{n}"}
        for n in range(count)
    )
    saving.save_many(trade.dealer.book, new, "sara")
    sync(trade)
    save_all(trade.dealer.book, "sara", count, phone="here", city="Kassel")
    save_all(trade.replica, "anna", count, website="there", city="Bonn")
    result = run_pass(trade.dealer, trade.connection)
    assert (result.error, result.merged, result.disputes) == ("", count, count)
    assert_same(trade.dealer.book, trade.replica)
    found = documents(trade.replica)
    assert len(found) == count
    for document in found.values():
        assert (document["phone"], document["website"]) == ("here", "there")
        assert {document["city"], *(dispute["value"] for dispute in document["disputes"])} == {"Kassel", "Bonn"}


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("estate")) as one:
        yield one


@pytest.mark.parametrize("who", ["dealer", "head_office"])
def test_a_side_restored_from_last_weeks_backup_gets_back_what_the_other_has_and_keeps_what_is_new(
    made: Estate, who: str
) -> None:
    trade = made.trade
    site = made.dealer if who == "dealer" else made.head_office
    for number in range(5):
        make(trade.dealer, key=f"old-{number}", name=f"{number}", phone="", website="")
    sync(trade)
    site.back_up("last week")

    make(trade.dealer, key="of the week", name="Of the week")
    for number in range(4):
        edit(trade.dealer.book, f"D001:customer:old-{number}", phone="of the week")
        edit(trade.replica, f"D001:customer:old-{number}", by="anna", website="of the week")
        sync(trade)
    site.restore("last week")

    # Work goes on before the first sync: numbers of changes that were synced already stand for others from now on.
    for number in range(6):
        make(trade.dealer, key=f"new-{number}", name=f"{number}")
    restored, field = (trade.dealer.book, "phone") if who == "dealer" else (trade.replica, "website")
    edit(restored, "D001:customer:old-0", by="tom", **{field: "after the restore"})
    edit(restored, "D001:customer:old-4", by="tom", **{field: "after the restore"})
    result = run_pass(trade.dealer, trade.connection)
    assert (result.error, result.refused) == ("", 0)
    assert "restored from an older state" in result.note
    sync(trade)

    assert_same(trade.dealer.book, trade.replica)
    found = documents(trade.dealer.book)
    assert len(found) == 5 + 1 + 6
    for number in range(1, 4):
        old = found[f"D001:customer:old-{number}"]
        assert (old["phone"], old["website"], "disputes" in old) == ("of the week", "of the week", False)
    both = found["D001:customer:old-0"]
    assert {both[field], both["disputes"][0]["value"]} == {"of the week", "after the restore"}
    assert found["D001:customer:old-4"][field] == "after the restore"
    assert refusals.refused_documents(trade.dealer, "manufacturer") == []
