"""What differs between a replica and its upstream is counted by type, each with its true reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from trading import Trade, edit, make

from app.documents import saving
from app.node import Node
from app.replication import connections, scanning
from app.replication import differences as kinds
from app.replication.comparing import CannotCompare, compare
from app.replication.differences import Comparison
from app.replication.passes import run_pass


def found(comparison: Comparison, database: str = "book") -> dict[tuple[str, str, str], list[str]]:
    """The ids that differ, by type, what and why; the log of changes aside."""
    return {
        (each.type, each.what, each.why): [example.document_id for example in each.examples]
        for each in comparison.differences
        if each.database == database and each.type != "change"
    }


def part(number: str) -> dict[str, Any]:
    return {
        "_id": f"part:{number}",
        "type": "part",
        "dealer": "",
        "share": "manufacturer",
        "number": number,
        "name": "N",
    }


def test_replicas_that_are_the_same_are_said_to_be(trade: Trade) -> None:
    make(trade.dealer, key="1", name="Miller")
    gone = make(trade.dealer, key="2", name="Gone")
    make(trade.dealer, "keepsake", share="dealer", flowers="tulips")
    saving.delete(trade.dealer.book, gone, "sara")
    run_pass(trade.dealer, trade.connection)
    result = compare(trade.dealer, trade.connection)
    assert result.same
    assert found(result) == {("keepsake", kinds.PRIVATE, kinds.NOT_SHARED): ["D001:keepsake:1"]}
    customers = next(each for each in result.totals if each.type == "customer")
    assert (customers.here, customers.here_deleted, customers.there, customers.there_deleted) == (1, 1, 1, 1)
    assert "The same" in result.sentence
    assert "1 more is not shared" in result.sentence


def test_before_the_first_sync_everything_waits_for_it(trade: Trade) -> None:
    make(trade.dealer, name="Miller")
    result = compare(trade.dealer, trade.connection)
    assert not result.same
    assert found(result) == {("customer", kinds.ONLY_HERE, kinds.NEVER_SYNCED): ["D001:customer:1"]}


def test_each_difference_has_its_own_reason(trade: Trade) -> None:
    here, there = trade.dealer.book, trade.replica
    for key in ("edited", "both", "deleted", "edited there", "deleted there", "lost", "purged", "bare", "bare there"):
        make(trade.dealer, key=key, name=key)
    make(trade.dealer, key="same", name="Same")
    bad = {
        "_id": "D001:customer:bad",
        "type": "customer",
        "dealer": "D001",
        "share": "manufacturer",
        "name": "No dates",
    }
    here.bulk([bad])
    run_pass(trade.dealer, trade.connection)
    # The second sync has read what the first one sent.
    run_pass(trade.dealer, trade.connection)

    edit(here, "D001:customer:edited", phone="1")
    edit(here, "D001:customer:both", phone="1")
    edit(there, "D001:customer:both", by="anna", city="Linz")
    saving.delete(here, here.get("D001:customer:deleted") or {}, "sara")
    edit(there, "D001:customer:edited there", by="anna", city="Linz")
    saving.delete(there, there.get("D001:customer:deleted there") or {}, "anna")
    make(trade.dealer, key="new", name="New")
    saving.save(there, {**bad, "_id": "D001:customer:new there", "name": "New"}, "anna")
    for database, key in ((there, "lost"), (here, "purged")):
        rev = (database.get(f"D001:customer:{key}") or {})["_rev"]
        database._ask("POST", ["_purge"], {f"D001:customer:{key}": [rev]})
    for database, key in ((here, "bare"), (there, "bare there")):
        rev = (database.get(f"D001:customer:{key}") or {})["_rev"]
        database.put({"_id": f"D001:customer:{key}", "_rev": rev, "_deleted": True})

    result = compare(trade.dealer, trade.connection)
    expected = {
        (kinds.NEWER_HERE, kinds.NOT_SENT): "edited",
        (kinds.BOTH_CHANGED, kinds.NOT_SENT): "both",
        (kinds.DELETED_HERE, kinds.NOT_SENT): "deleted",
        (kinds.ONLY_HERE, kinds.NOT_SENT): "new",
        (kinds.ONLY_HERE, kinds.REFUSED_THERE): "bad",
        (kinds.ONLY_HERE, kinds.LOST_THERE): "lost",
        (kinds.NEWER_THERE, kinds.NOT_PULLED): "edited there",
        (kinds.DELETED_THERE, kinds.NOT_PULLED): "deleted there",
        (kinds.ONLY_THERE, kinds.NOT_PULLED): "new there",
        (kinds.ONLY_THERE, kinds.LOST_HERE): "purged",
        (kinds.DELETED_HERE, kinds.BARE): "bare",
        (kinds.DELETED_THERE, kinds.BARE): "bare there",
    }
    assert found(result) == {("customer", *key): [f"D001:customer:{name}"] for key, name in expected.items()}
    assert result.mendable
    refused = next(each for each in result.differences if each.why == kinds.REFUSED_THERE)
    assert "created and updated" in refused.examples[0].detail

    # The next sync also makes good what was purged; only what no sync carries is left, and what is refused.
    run_pass(trade.dealer, trade.connection)
    assert set(found(compare(trade.dealer, trade.connection))) == {
        ("customer", kinds.DELETED_HERE, kinds.BARE),
        ("customer", kinds.DELETED_THERE, kinds.BARE),
        ("customer", kinds.ONLY_HERE, kinds.REFUSED_THERE),
    }


def test_within_the_dealership_everything_is_compared(trade: Trade, make_node: Callable[..., Node]) -> None:
    laptop, server = make_node("dealer"), trade.dealer
    values = {"name": "dealership", "url": server.store.url, "user": server.store.user, "share": "dealer"}
    names = {name: f"{server.store.prefix}{name}" for name in ("book", "catalog")}
    connection = connections.save_connection(laptop, {**values, **names}, server.store.password)
    make(laptop, name="Miller")
    make(laptop, "keepsake", share="dealer", flowers="tulips")
    laptop.book.put({"_id": "D001:customer:odd"})
    run_pass(laptop, connection)
    make(server, "keepsake", "2", share="dealer", flowers="roses")
    result = compare(laptop, connection)
    assert found(result) == {
        ("keepsake", kinds.ONLY_THERE, kinds.NOT_PULLED): ["D001:keepsake:2"],
        ("customer", kinds.PRIVATE, kinds.NOT_SHARED): ["D001:customer:odd"],
    }


def test_the_catalog_is_compared_as_well(trade: Trade) -> None:
    saving.save(trade.head_office.catalog, part("A"), "anna")
    run_pass(trade.dealer, trade.connection)
    assert compare(trade.dealer, trade.connection).same
    saving.save(trade.head_office.catalog, part("B"), "anna")
    saving.save(trade.dealer.catalog, part("C"), "anna")
    assert found(compare(trade.dealer, trade.connection), "catalog") == {
        ("part", kinds.ONLY_THERE, kinds.NOT_PULLED): ["part:B"],
        ("part", kinds.ONLY_HERE, kinds.NOT_IN_CATALOG): ["part:C"],
    }


def test_many_pages_are_counted_exactly_and_only_the_first_ids_kept(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PAGE", 7)
    for key in range(30):
        make(trade.dealer, key=f"{key:02}", name=str(key))
    seen: list[tuple[int, int]] = []
    result = compare(trade.dealer, trade.connection, lambda done, total, _: seen.append((done, total)), examples=3)
    (only,) = (each for each in result.differences if each.type == "customer")
    assert (only.count, [each.document_id for each in only.examples]) == (
        30,
        [f"D001:customer:{key:02}" for key in range(3)],
    )
    assert seen == sorted(seen)
    assert len(seen) > 5
    assert seen[-1][0] >= 30


def test_a_comparison_that_is_stopped_says_so_and_is_never_the_same(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "PAGE", 2)
    for key in range(6):
        make(trade.dealer, key=str(key), name=str(key))
    run_pass(trade.dealer, trade.connection)
    stop = threading.Event()
    result = compare(trade.dealer, trade.connection, lambda *_: stop.set(), stop)
    assert not result.complete
    assert not result.same
    assert result.sentence.startswith("Stopped before the end.")
    assert sum(each.here for each in result.totals) == 2


def test_the_names_of_private_documents_are_not_told_to_the_manufacturer(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(trade.dealer, "keepsake", "secret", share="dealer", flowers="tulips")
    make(trade.dealer, name="Miller")
    asked: list[str] = []
    from app.couch.asking import Asking

    real = Asking.json

    def noting(self: Asking, method: str, path: Any, body: Any = None, *more: Any, **named: Any) -> Any:
        if "book-d001" in "/".join(path):
            asked.append(f"{path} {body} {more} {named}")
        return real(self, method, path, body, *more, **named)

    monkeypatch.setattr(Asking, "json", noting)
    assert compare(trade.dealer, trade.connection).private == 1
    assert any("D001:customer:1" in request for request in asked)
    assert not any("secret" in request for request in asked)


def test_an_upstream_that_does_not_answer_is_one_sentence(trade: Trade) -> None:
    document = trade.dealer.local.get("connection:manufacturer")
    assert document is not None
    trade.dealer.local.put({**document, "url": "http://127.0.0.1:9"})
    with pytest.raises(CannotCompare, match="cannot be reached"):
        compare(trade.dealer, connections.find_connection(trade.dealer, "manufacturer"))
