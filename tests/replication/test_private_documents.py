"""What is private to the dealership (``share: "dealer"``) is nowhere at the manufacturer, whatever is done to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from trading import Computer, Trade, documents, edit, every_leaf, join, make

from app.documents import saving
from app.documents.ids import document_id
from app.market.feed import feed_market
from app.market.forecast import refresh_forecast
from app.node import Node
from app.replication import connections
from app.replication.conflicts import merge_conflicts
from app.replication.connections import Connection
from app.replication.passes import run_pass
from app.replication.state import read_state

# In every private text, in no other: to be found nowhere over there, not even in a file.
SECRET = "chrysanthemums-of-silence"


def everything(database: Any) -> str:
    """Every revision a database still has, with attachments, deleted ones and design documents too, as one text."""
    told = []
    for change in database.changes(style="all_docs").results:
        told.append(change["id"])
        for leaf in database.leaves(change["id"]):
            told.append(json.dumps(leaf))
            for entry in (database.get(change["id"], rev=leaf["_rev"], revs_info=True) or {}).get("_revs_info", ()):
                if entry["status"] == "available":
                    told.append(json.dumps(database.get(change["id"], rev=entry["rev"], attachments=True)))
    return "\n".join(told)


def leaf(node: Node, key: str, rev: str, parent: str = "", **fields: Any) -> dict[str, Any]:
    """A revision as a replicator or another program would write it, past every rule of saving."""
    start, digest = rev.split("-", 1)
    return {
        "_id": document_id(node.dealer, fields["type"], key),
        "_rev": rev,
        "_revisions": {"start": int(start), "ids": [digest, *([parent.split("-", 1)[1]] if parent else [])]},
        "dealer": node.dealer,
        "created_at": "2026-11-25T08:00:00Z",
        "created_by": "sara",
        "updated_at": "2026-11-25T08:00:00Z",
        "updated_by": "sara",
        "field_revs": {"*": int(start)},
        **fields,
    }


def keep_secrets(node: Node) -> None:
    """Everything that happens to private documents in a year at a dealership."""
    book = node.book
    made = make(node, "keepsake", "1", share="dealer", person="D001:person:1", flowers=SECRET)
    edit(book, made["_id"], notes=f"{SECRET} again")
    gone = make(node, "keepsake", "2", share="dealer", family=SECRET)
    saving.delete(book, gone, "sara")
    back = make(node, "keepsake", "3", share="dealer", family=SECRET)
    saving.delete(book, back, "sara")
    saving.undelete(book, back["_id"], "sara")
    # Concurrent edits of one keepsake by two laptops, merged with a dispute, and one deleted against an edit.
    one = {"type": "keepsake", "share": "dealer"}
    book.bulk(
        [
            leaf(node, "4", "1-aa", **one, flowers=f"{SECRET} white"),
            leaf(node, "4", "2-ab", "1-aa", **one, flowers=f"{SECRET} red", field_revs={"flowers": 2, "*": 2}),
            leaf(node, "4", "2-ac", "1-aa", **one, flowers=f"{SECRET} blue", field_revs={"flowers": 2, "*": 2}),
            leaf(node, "5", "2-ba", "1-b0", **one, flowers=SECRET, field_revs={"flowers": 2, "*": 2}),
            leaf(node, "5", "2-bb", "1-b0", **one, _deleted=True, deleted_by="tom", deleted_at="2026-11-25T08:00:00Z"),
        ],
        new_edits=False,
    )
    merge_conflicts(book)
    picture = {"photo.txt": {"content_type": "text/plain", "data": base64.b64encode(SECRET.encode()).decode()}}
    book.bulk([leaf(node, "6", "1-c0", **one, _attachments=picture)], new_edits=False)
    # A private document of a type that is shared as a rule, as a dealer's own form may say; one that says nothing.
    make(node, "activity", "7", share="dealer", subject=SECRET, customer="D001:customer:1")
    book.bulk([leaf(node, "8", "1-d0", type="activity", subject=SECRET)], new_edits=False)
    book.bulk([leaf(node, "9", "1-e0", type="activity", subject=SECRET, share="Manufacturer")], new_edits=False)


def change_share_by_hand(node: Node) -> None:
    """A document that was shared, made private past every rule, and written on."""
    book = node.book
    shared = book.get("D001:customer:by-hand")
    assert shared is not None
    book.put({**shared, "share": "dealer", "notes": SECRET, "field_revs": {**shared["field_revs"], "notes": 2}})
    edit(book, "D001:customer:by-hand", notes=f"{SECRET} and more")


def assert_nothing_arrived(head_office: Node, replica: Any) -> None:
    feed_market(head_office)
    refresh_forecast(head_office)
    assert "D001:customer:1" in documents(replica)
    for name in head_office.store.names():
        told = everything(head_office.store.database(name))
        assert SECRET not in told, name
        assert ":keepsake:" not in told, name
        assert base64.b64encode(SECRET.encode()).decode() not in told, name


def test_nothing_that_happens_to_a_private_document_leaves_a_trace_at_the_manufacturer(trade: Trade) -> None:
    make(trade.dealer, key="1", name="Miller Quarry")
    make(trade.dealer, key="by-hand", name="Smith")
    run_pass(trade.dealer, trade.connection)
    keep_secrets(trade.dealer)
    change_share_by_hand(trade.dealer)
    # Over there the shared document goes on, so that both come to one conflict, whose merge must not carry it over.
    edit(trade.replica, "D001:customer:by-hand", by="anna", website="https://smith.example")
    for _ in range(3):
        assert run_pass(trade.dealer, trade.connection).error == ""
    assert (trade.dealer.book.get("D001:customer:by-hand") or {})["notes"] == f"{SECRET} and more"
    assert_nothing_arrived(trade.head_office, trade.replica)


def test_nothing_private_is_in_any_file_of_the_manufacturers_computer(computers: Callable[[str], Computer]) -> None:
    head_office, dealer = computers("manufacturer"), computers("dealer")
    connection = join(head_office.start(), dealer.start())
    make(dealer.node, key="1", name="Miller Quarry")
    keep_secrets(dealer.node)
    assert run_pass(dealer.node, connection).error == ""
    dealer.stop()
    head_office.stop()

    def holds(computer: Computer, words: str) -> bool:
        files = [path for path in computer.settings.data.rglob("*") if path.is_file()]
        return any(words.encode() in path.read_bytes() for path in files)

    assert holds(dealer, SECRET)
    assert holds(head_office, "Miller Quarry")
    assert not holds(head_office, SECRET)


def everything_to_the_manufacturer(trade: Trade) -> Connection:
    values = {**asdict(trade.connection), "share": "dealer"}
    values.pop("configured")
    return connections.save_connection(trade.dealer, values)


def test_a_connection_that_would_carry_everything_to_the_manufacturer_sends_nothing(trade: Trade) -> None:
    make(trade.dealer, key="1", name="Miller Quarry")
    keep_secrets(trade.dealer)
    wrong = everything_to_the_manufacturer(trade)
    assert not connections.check(trade.dealer, wrong).ok
    result = run_pass(trade.dealer, wrong)
    assert result.failure is not None
    assert result.failure.kind == "beyond_the_dealership"
    assert read_state(trade.dealer, wrong.name).stopped
    assert every_leaf(trade.replica) == {}


@pytest.mark.parametrize("administrator", [False, True])
def test_what_is_pushed_past_the_selector_is_refused_at_the_manufacturer(trade: Trade, administrator: bool) -> None:
    make(trade.dealer, key="1", name="Miller Quarry")
    keep_secrets(trade.dealer)
    there = trade.head_office.store if administrator else connections.upstream(trade.dealer, trade.connection)
    name = trade.replica.name if administrator else trade.connection.book
    trade.dealer.store.replicate("book", there.endpoint(name), selector={"type": {"$gt": None}})
    arrived = every_leaf(trade.replica).values()
    assert {found["type"] for found in arrived if "deleted_by" not in found} == {"customer"}
    assert SECRET not in everything(trade.replica)


def test_a_form_that_shares_less_or_more_from_now_on_changes_nothing_that_was_saved(trade: Trade) -> None:
    old = make(trade.dealer, "keepsake", "1", share="dealer", flowers=SECRET)
    # As a page saves it after the consultant's form says "manufacturer": the new share is offered, the old one stays.
    saved = saving.save(trade.dealer.book, {**old, "share": "manufacturer", "notes": SECRET}, "sara", base=old)
    assert saved.document["share"] == "dealer"
    make(trade.dealer, key="1", name="Miller Quarry")
    run_pass(trade.dealer, replace(trade.connection))
    assert_nothing_arrived(trade.head_office, trade.replica)
