"""What a sync brings is unread, in the order in which it came and not by anybody's clock."""

from __future__ import annotations

from trading import Trade, make

from app.couch import Database
from app.documents import saving
from app.node import Node
from app.replication import passes
from app.replication.conflicts import merge_conflicts
from app.unread.marks import unread_marks

ANNA = "anna"


def unread(node: Node) -> list[str]:
    marks = unread_marks(node)
    marks.bring_up_to_date()
    return [each.document for each in marks.latest(ANNA, ["customer", "task"], 100)]


def edit(database: Database, id: str, by: str, now: str | None = None, **fields: str) -> None:
    stored = database.get(id)
    assert stored is not None
    saving.save(database, {**stored, **fields}, by=by, now=now)


def sync(trade: Trade) -> None:
    result = passes.run_pass(trade.dealer, trade.connection)
    assert not result.error


def test_an_edit_of_years_ago_that_a_sync_brings_today_is_unread(trade: Trade) -> None:
    customer = make(trade.dealer, name="Berg")
    sync(trade)
    assert unread(trade.dealer) == []
    edit(trade.replica, customer["_id"], "kim", now="2016-01-01T00:00:00Z", city="Linz")
    sync(trade)
    assert unread(trade.dealer) == [customer["_id"]]


def test_a_merge_with_ones_own_edit_is_unread_for_both(trade: Trade) -> None:
    customer = make(trade.dealer, name="Berg")
    sync(trade)
    assert unread(trade.dealer) == []
    edit(trade.replica, customer["_id"], "kim", city="Linz")
    edit(trade.dealer.book, customer["_id"], ANNA, phone="1")
    assert unread(trade.dealer) == []
    sync(trade)
    merge_conflicts(trade.dealer.book)
    merged = trade.dealer.book.get(customer["_id"])
    assert merged is not None
    assert (merged["city"], merged["phone"]) == ("Linz", "1")
    assert unread(trade.dealer) == [customer["_id"]]


def test_a_deletion_that_a_sync_brings_takes_the_mark_away(trade: Trade) -> None:
    customer = make(trade.dealer, name="Berg")
    sync(trade)
    assert unread(trade.dealer) == []
    edit(trade.replica, customer["_id"], "kim", city="Linz")
    sync(trade)
    assert unread(trade.dealer) == [customer["_id"]]
    stored = trade.replica.get(customer["_id"])
    assert stored is not None
    saving.delete(trade.replica, stored, by="kim")
    sync(trade)
    assert unread(trade.dealer) == []


def test_what_the_first_sync_brings_is_not_unread(trade: Trade) -> None:
    saving.save(
        trade.replica,
        {"_id": "D001:customer:1", "type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Berg"},
        by="kim",
    )
    marks = unread_marks(trade.dealer)
    marks.follow(settled=False)
    assert marks.count(ANNA) == {}
    sync(trade)
    marks.follow(settled=False)
    assert unread(trade.dealer) == []
    edit(trade.replica, "D001:customer:1", "kim", city="Linz")
    sync(trade)
    assert unread(trade.dealer) == ["D001:customer:1"]


def test_marks_are_in_no_document_of_any_database(trade: Trade) -> None:
    customer = make(trade.dealer, name="Berg")
    sync(trade)
    assert unread(trade.dealer) == []
    unread_marks(trade.dealer).read_all(ANNA)
    for database in (trade.dealer.book, trade.dealer.local, trade.replica):
        texts = [str(row.doc) for row in database.all_docs(include_docs=True) if not str(row.id).startswith("_design/")]
        assert not any(f"'{ANNA}'" in each for each in texts), (database.name, customer["_id"])
