"""What a dealer must not write is refused by the stores themselves; what is malformed all the same stops nobody."""

from __future__ import annotations

import random
from typing import Any

import pytest
from faulty_lines import assert_same
from trading import Trade, documents, edit, make

from app.documents.merging import merge
from app.replication import connections
from app.replication.explaining import why
from app.replication.passes import run_pass

MALFORMED: dict[str, dict[str, Any]] = {
    "revisions in a list": {"field_revs": [1]},
    "revisions in words": {"field_revs": {"*": 2, "name": "two"}},
    "no revision": {"field_revs": {"*": 2, "name": None}},
    "disputes in words": {"disputes": "name"},
    "disputes of no shape": {"disputes": ["name", 3, {"field": "name"}]},
    "a number resolved": {"resolved": 7},
    "objects resolved": {"resolved": [{}]},
    "a number as time": {"updated_at": 7, "created_at": 8},
}


def refused(trade: Trade, *written: dict[str, Any], database: str = "") -> dict[str, str]:
    """What the manufacturer's store says to the dealer's own user, by id."""
    there = connections.upstream(trade.dealer, trade.connection).database(database or trade.connection.book)
    return {result.id: result.reason for result in there.bulk(written) if result.error == "forbidden"}


def test_what_a_dealer_must_not_write_is_refused_by_the_store_itself(trade: Trade) -> None:
    good = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    good.pop("_rev")

    def another(key: str, **changes: Any) -> dict[str, Any]:
        return {**good, "_id": f"D001:customer:{key}", **changes}

    now = trade.replica.get(good["_id"]) or {}
    words = {
        "D002:customer:1": "D002",
        "D001:customer:other": "dealer",
        "D001:customer:type": "type",
        "D001:customer:share": "share",
        "D001:customer:private": "dealership",
        **{f"D001:customer:{name}": next(iter(fields)) for name, fields in MALFORMED.items()},
    }
    words["D001:customer:a number as time"] = "created"
    found = refused(
        trade,
        {**good, "_id": "D002:customer:1", "dealer": "D002"},
        another("other", dealer="D002"),
        another("type", type="machine"),
        another("share", share="everybody"),
        another("private", share="dealer"),
        *(another(name, **fields) for name, fields in MALFORMED.items()),
    )
    assert found.keys() == words.keys()
    for id, word in words.items():
        assert word in found[id], (id, found[id])
    assert "never changes" in refused(trade, {**now, "created_by": "zoe"})[good["_id"]]
    assert refused(trade, {**now, "share": "dealer"}).keys() == {good["_id"]}
    assert "publishes" in refused(trade, {"_id": "part:A", "type": "part"}, database=trade.connection.catalog)["part:A"]
    assert set(documents(trade.replica)) == {good["_id"]}


@pytest.fixture
def edited_by_a_program(trade: Trade) -> Trade:
    """Each customer was edited at the dealer, and written over at head office by a program that knows no rules."""
    for name in MALFORMED:
        make(trade.dealer, key=name, name="Miller", phone="0")
    make(trade.dealer, key="good", name="Miller", phone="0")
    run_pass(trade.dealer, trade.connection)
    for name, fields in MALFORMED.items():
        written = trade.replica.get(f"D001:customer:{name}") or {}
        assert trade.replica.bulk([{**written, "notes": "by a program", **fields}])[0].error is None
        edit(trade.dealer.book, f"D001:customer:{name}", phone="1")
    edit(trade.replica, "D001:customer:good", by="anna", city="Linz")
    edit(trade.dealer.book, "D001:customer:good", phone="1")
    return trade


def test_a_malformed_document_keeps_no_other_from_being_merged_and_is_merged_itself(edited_by_a_program: Trade) -> None:
    trade = edited_by_a_program
    result = run_pass(trade.dealer, trade.connection)
    assert (result.error, result.merged) == ("", len(MALFORMED) + 1)
    assert_same(trade.dealer.book, trade.replica)
    found = documents(trade.dealer.book)
    assert (found["D001:customer:good"]["city"], found["D001:customer:good"]["phone"]) == ("Linz", "1")
    for name in MALFORMED:
        document = found[f"D001:customer:{name}"]
        told = [each["value"] for each in document.get("disputes", ())]
        assert "1" in (document["phone"], *told)
        assert document.get("notes") == "by a program" or "by a program" in told
        assert any("over there, as it is here" in sentence for sentence in why(trade.dealer, document["_id"]))
        assert edit(trade.dealer.book, document["_id"], phone="2")["phone"] == "2"


ODD = [None, 7, 1.5, True, "x", [], [7], ["x"], [{}], {}, {"*": "2"}, [{"id": "d", "field": "name"}]]


def test_whatever_stands_where_ironbook_keeps_its_books_leaves_merge_alike_in_any_order() -> None:
    chance = random.Random(6)
    names = ("field_revs", "disputes", "resolved", "created_at", "created_by", "updated_at", "updated_by", "share")
    for _ in range(300):
        leaves = [
            {
                "_id": "D001:customer:1",
                "_rev": f"2-{digest * 32}",
                "_revisions": {"start": 2, "ids": [digest * 32, "a" * 32]},
                "type": "customer",
                "dealer": "D001",
                "name": digest,
                **{name: chance.choice(ODD) for name in names},
            }
            for digest in "bcd"
        ]
        merged = merge(leaves)
        assert merged == merge(leaves[::-1])
        document = merged.document
        assert {document["name"], *(each["value"] for each in document["disputes"])} >= {"b", "c", "d"}
