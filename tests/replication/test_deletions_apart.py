"""Several nodes delete, bring back and edit the same documents apart: all end alike, and no edit is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from faulty_lines import assert_same
from test_deletions_stay import delete, second_computer, sync
from trading import Trade, documents, edit, make

from app.documents import saving
from app.node import Node
from app.replication import acquaintance

CUSTOMER = "D001:customer:1"


@pytest.fixture
def office(trade: Trade) -> Node:
    return trade.dealer


@pytest.fixture
def laptop(trade: Trade, make_node: Callable[..., Node]) -> Node:
    return second_computer(trade, make_node)


def all_sync(trade: Trade, *nodes: Node) -> None:
    """Each twice: what the second brings is fetched by the first."""
    for node in nodes * 2:
        sync(node)
    for node in nodes:
        assert_same(node.book, trade.replica)


def deletions_disputed(node: Node, id: str) -> list[str]:
    return [each["by"] for each in (node.book.get(id) or {}).get("disputes", ()) if each["field"] == "_deleted"]


def test_a_customer_deleted_on_two_nodes_with_other_machines_each_comes_back_with_all_of_them(
    trade: Trade, office: Node, laptop: Node
) -> None:
    root = make(office, name="Kies")
    machines = [make(office, "machine", f"CAT-{n}", customer=CUSTOMER, hours=0)["_id"] for n in range(3)]
    sync(office)
    sync(laptop)
    edit(laptop.book, machines[0], by="tom", hours=7)
    saving.delete_together(office.book, root, machines[:2], "sara", now="2026-11-30T01:00:00Z")
    saving.delete_together(laptop.book, laptop.book.get(CUSTOMER) or {}, machines[1:], "tom", "2026-11-30T02:00:00Z")
    all_sync(trade, office, laptop)
    # The machine that somebody worked on stays, and says who deleted it.
    assert set(documents(office.book)) == {machines[0]}
    assert (office.book.get(machines[0]) or {})["hours"] == 7
    assert deletions_disputed(laptop, machines[0]) == ["sara"]

    assert saving.undelete_together(office.book, CUSTOMER, "zoe").others == 2
    all_sync(trade, office, laptop)
    assert set(documents(laptop.book)) == {CUSTOMER, *machines}


def test_an_edit_that_meets_a_deletion_undone_meanwhile_is_kept(trade: Trade, office: Node, laptop: Node) -> None:
    make(office, name="Kies", city="Ulm", phone="0")
    sync(office)
    sync(laptop)
    delete(office, CUSTOMER)
    sync(office)
    saving.undelete(office.book, CUSTOMER, "zoe")
    edit(office.book, CUSTOMER, by="zoe", phone="1")
    edit(laptop.book, CUSTOMER, by="tom", city="Bonn")
    all_sync(trade, laptop, office)
    found = office.book.get(CUSTOMER) or {}
    told = {each["value"] for each in found.get("disputes", ())}
    assert {found["city"], *told} >= {"Bonn"}
    assert {found["phone"], *told} >= {"1"}
    assert deletions_disputed(office, CUSTOMER) == []


def test_brought_back_on_one_node_and_deleted_anew_on_another_it_stays_and_says_so(
    trade: Trade, office: Node, laptop: Node
) -> None:
    make(office, name="Kies")
    delete(office, CUSTOMER)
    sync(office)
    sync(laptop)
    for node, by in ((office, "zoe"), (laptop, "tom")):
        saving.undelete(node.book, CUSTOMER, by)
    saving.delete(laptop.book, laptop.book.get(CUSTOMER) or {}, "tom")
    all_sync(trade, laptop, office)
    assert (laptop.book.get(CUSTOMER) or {})["name"] == "Kies"
    assert deletions_disputed(laptop, CUSTOMER) == ["tom"]


def test_a_laptop_from_a_backup_brings_nothing_back_though_the_deletion_was_purged_meanwhile(
    trade: Trade, office: Node, laptop: Node
) -> None:
    make(office, name="Gone")
    make(office, key="kept", name="Kept")
    sync(office)
    sync(laptop)
    delete(office, CUSTOMER)
    sync(office)
    trade.replica._ask("POST", ["_purge"], {CUSTOMER: [trade.replica.leaves(CUSTOMER)[0]["_rev"]]})
    # What the laptop's backup knows of head office is older than anything that is remembered there.
    mark = laptop.book.get_local("ironbook-upstream-manufacturer") or {}
    laptop.book.put_local({**mark, "marks": ["from before"]})
    make(laptop, key="new", name="New")
    assert sync(laptop) == acquaintance.APART
    all_sync(trade, office, laptop)
    assert {row["name"] for row in documents(trade.replica).values()} == {"Kept", "New"}
