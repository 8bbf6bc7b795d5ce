"""What was deleted stays deleted: after a year offline, a restored backup, a rebuilt, purged or copied database."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from trading import Computer, Trade, documents, edit, join, make

from app.documents import saving
from app.node import Node
from app.replication import acquaintance, connections, sync_log
from app.replication.connections import Connection
from app.replication.passes import run_pass

GONE, KEPT = "D001:customer:gone", "D001:customer:kept"


def sync(node: Node) -> str:
    """Syncs with head office and returns the note of the pass, which must have worked."""
    result = run_pass(node, connections.find_connection(node, "manufacturer"))
    assert (result.error, result.refused) == ("", 0)
    return result.note


def delete(node: Node, document_id: str, now: str | None = None) -> None:
    saving.delete(node.book, node.book.get(document_id) or {}, "sara", now)


def second_computer(trade: Trade, make_node: Callable[..., Node]) -> Node:
    """Another computer of the dealer's, joined with head office as well."""
    laptop = make_node("dealer")
    values = {name: getattr(trade.connection, name) for name in ("name", "url", "user", "book", "catalog")}
    password = connections.password_of(trade.dealer, trade.connection)
    connections.save_connection(laptop, {**values, "every_minutes": 1}, password)
    return laptop


def is_gone(*nodes: Node) -> bool:
    """Whether the document is deleted on all nodes, in every leaf, and was there."""
    leaves = [(node.book if not node.is_manufacturer else node.book_of("D001")).leaves(GONE) for node in nodes]
    return all(found and all(leaf.get("_deleted") for leaf in found) for found in leaves)


def test_a_computer_that_was_off_for_a_year_brings_nothing_back(trade: Trade, make_node: Callable[..., Node]) -> None:
    laptop = second_computer(trade, make_node)
    make(trade.dealer, key="gone", name="Gone")
    sync(trade.dealer)
    sync(laptop)
    # Meanwhile the office works on, with a clock that is years ahead; the laptop's is years behind.
    edit(trade.dealer.book, GONE, phone="1")
    delete(trade.dealer, GONE, now="2036-01-01T00:00:00Z")
    for n in range(60):
        make(trade.dealer, key=f"later-{n}", name=f"Later {n}")
        if not n % 20:
            sync(trade.dealer)
    sync(trade.dealer)
    there = {**(laptop.book.get(GONE) or {}), "_id": "D001:customer:kept", "name": "Kept"}
    there = {name: value for name, value in there.items() if name in ("_id", "type", "dealer", "share", "name")}
    saving.save(laptop.book, there, "tom", now="1999-01-01T00:00:00Z")
    assert sync(laptop) == ""
    assert sync(trade.dealer) == ""
    assert is_gone(laptop, trade.dealer, trade.head_office)
    assert documents(laptop.book) == documents(trade.dealer.book) == documents(trade.replica)
    assert len(documents(trade.replica)) == 61


def test_a_dealers_restored_backup_brings_nothing_back_and_loses_nothing(
    computers: Callable[..., Computer], manufacturer_node: Node
) -> None:
    """The backup's sequence goes backwards: numbers of changes that were sent already stand for others now."""
    computer = computers("dealer")
    node = computer.start()
    join(manufacturer_node, node)
    make(node, key="gone", name="Gone")
    make(node, key="kept", name="Kept")
    sync(node)
    computer.stop()
    data = computer.settings.data
    backup = data.with_name("backup")
    shutil.copytree(data, backup)

    node = computer.start()
    delete(node, GONE)
    edit(node.book, KEPT, phone="1")
    make(node, key="after the backup", name="After")
    sync(node)
    computer.stop()
    shutil.rmtree(data)
    shutil.copytree(backup, data)

    node = computer.start()
    for n in range(6):
        make(node, key=f"new-{n}", name=f"New {n}")
    assert node.book.get(GONE) is not None
    assert sync(node) == acquaintance.OLD_HERE
    assert is_gone(node, manufacturer_node)
    assert len(documents(node.book)) == 8
    assert documents(node.book) == documents(manufacturer_node.book_of("D001"))
    assert sync_log.entries(node, "manufacturer")[0].sentence == acquaintance.OLD_HERE
    assert sync(node) == ""


def test_an_upstreams_restored_backup_is_brought_up_to_date_and_brings_nothing_back(
    computers: Callable[..., Computer], dealer_node: Node
) -> None:
    computer = computers("manufacturer")
    head_office = computer.start()
    join(head_office, dealer_node)
    make(dealer_node, key="gone", name="Gone")
    sync(dealer_node)
    computer.stop()
    data = computer.settings.data
    backup = data.with_name("backup")
    shutil.copytree(data, backup)

    head_office = computer.start()
    delete(dealer_node, GONE)
    make(dealer_node, key="kept", name="Kept")
    sync(dealer_node)
    computer.stop()
    shutil.rmtree(data)
    shutil.copytree(backup, data)

    head_office = computer.start()
    replica = head_office.book_of("D001")
    assert replica.get(GONE) is not None
    # Head office works on before the dealer calls again: its sequence passes the one it had.
    saving.save_many(
        replica,
        [
            {"_id": f"D001:task:{n}", "type": "task", "dealer": "D001", "share": "manufacturer", "title": str(n)}
            for n in range(6)
        ],
        "anna",
    )
    assert sync(dealer_node) == acquaintance.OLD_THERE
    assert is_gone(dealer_node, head_office)
    assert len(documents(replica)) == 7
    assert documents(replica) == documents(dealer_node.book)
    assert sync(dealer_node) == ""


def test_a_rebuilt_upstream_gets_everything_again_and_nothing_deleted_comes_back(
    trade: Trade, make_node: Callable[..., Node]
) -> None:
    laptop = second_computer(trade, make_node)
    make(trade.dealer, key="gone", name="Gone")
    make(trade.dealer, key="kept", name="Kept")
    make(trade.dealer, "keepsake", "private", share="dealer", flowers="tulips")
    sync(trade.dealer)
    sync(laptop)
    delete(trade.dealer, GONE)
    sync(trade.dealer)

    name, store = trade.replica.name, trade.head_office.store
    security = trade.replica.security()
    store.delete(name)
    store.create(name)
    store.set_security(name, security["members"]["names"], security["members"].get("roles", []))
    assert sync(trade.dealer) == acquaintance.NEW_THERE
    assert sync(laptop) == acquaintance.NEW_THERE
    assert sync(trade.dealer) == ""
    assert is_gone(laptop, trade.dealer, trade.head_office)
    assert set(documents(trade.replica)) == {KEPT} == set(documents(laptop.book))
    assert not any(change["id"].startswith("D001:keepsake") for change in trade.replica.changes().results)


def test_a_purged_deletion_does_not_let_an_old_copy_come_back(trade: Trade, make_node: Callable[..., Node]) -> None:
    """Whoever purges a deletion at head office opens the door to an old computer's copy; the next sync closes it."""
    make(trade.dealer, key="gone", name="Gone")
    sync(trade.dealer)
    laptop = second_computer(trade, make_node)
    sync(laptop)
    delete(trade.dealer, GONE)
    sync(trade.dealer)
    tombstone = trade.replica.leaves(GONE)[0]["_rev"]
    trade.replica._ask("POST", ["_purge"], {GONE: [tombstone]})
    assert trade.replica.leaves(GONE) == []
    connections_of = connections.find_connection(laptop, "manufacturer")
    acquaintance.compare_everything(laptop, connections_of)
    assert sync(laptop) == acquaintance.ASKED
    assert trade.replica.get(GONE) is not None

    assert sync(trade.dealer) == acquaintance.PURGED
    assert is_gone(trade.dealer, trade.head_office)
    sync(laptop)
    assert is_gone(laptop)
    assert sync(trade.dealer) == ""


def test_a_replica_copied_to_a_second_computer_goes_its_own_way(
    computers: Callable[..., Computer], manufacturer_node: Node
) -> None:
    """Both have one store's id and its checkpoints. Neither loses anything of the other's, nor brings anything back."""
    first = computers("dealer")
    node = first.start()
    join(manufacturer_node, node)
    make(node, key="gone", name="Gone")
    make(node, key="kept", name="Kept")
    sync(node)
    first.stop()
    second = computers("dealer", "copy")
    shutil.copytree(first.settings.data, second.settings.data, dirs_exist_ok=True)

    node, copy = first.start(), second.start()
    delete(node, GONE)
    make(node, key="on the first", name="First")
    assert sync(node) == ""
    for n in range(5):
        make(copy, key=f"copy-{n}", name=f"On the copy {n}")
    assert sync(copy) == acquaintance.OLD_HERE
    edit(node.book, KEPT, phone="1")
    for each in (node, copy, node):
        assert sync(each) == ""
    assert is_gone(node, copy, manufacturer_node)
    assert documents(node.book) == documents(copy.book) == documents(manufacturer_node.book_of("D001"))
    assert len(documents(node.book)) == 7


def test_what_was_deleted_together_comes_back_together_from_another_computer(
    trade: Trade, make_node: Callable[..., Node]
) -> None:
    laptop = second_computer(trade, make_node)
    root = make(trade.dealer, key="kept", name="Kept")
    ids = [make(trade.dealer, "person", str(n), customer=KEPT, name=f"Person {n}")["_id"] for n in range(3)]
    ids.append(make(trade.dealer, "keepsake", "1", share="dealer", customer=KEPT, flowers="tulips")["_id"])
    sync(trade.dealer)
    sync(laptop)
    saving.delete_together(trade.dealer.book, root, ids, "sara")
    sync(trade.dealer)
    sync(laptop)
    assert documents(trade.replica) == documents(laptop.book) == {}

    # The laptop never had the keepsake, which is private and stays deleted where it was.
    assert saving.undelete_together(laptop.book, KEPT, "tom").others == 3
    sync(laptop)
    sync(trade.dealer)
    assert set(documents(trade.dealer.book)) == {KEPT, *ids[:3]}
    assert documents(trade.dealer.book) == documents(laptop.book) == documents(trade.replica)


def test_the_name_of_a_replica_changes_nothing_of_what_it_carries(trade: Trade) -> None:
    connection: Connection = trade.connection
    make(trade.dealer, key="1", name="Shared")
    make(trade.dealer, "keepsake", "1", share="dealer", flowers="tulips")
    sync(trade.dealer)
    make(trade.dealer, "keepsake", "2", share="dealer", flowers="roses")
    make(trade.dealer, key="2", name="Shared too")
    acquaintance.compare_everything(trade.dealer, connection)
    assert sync(trade.dealer) == acquaintance.ASKED
    assert set(documents(trade.replica)) == {"D001:customer:1", "D001:customer:2"}
    assert sync(trade.dealer) == ""
