"""Why is this document not over there? Every answer is true and says what to wait for."""

from __future__ import annotations

import pytest
from trading import Trade, edit, make

from app.documents import saving
from app.market.feed import feed_market
from app.replication import connections
from app.replication.connections import Connection
from app.replication.explaining import UnknownDocument, why
from app.replication.passes import run_pass


def said(trade: Trade, document_id: str) -> str:
    return " ".join(why(trade.dealer, document_id))


def test_a_document_that_was_sent_is_over_there(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    assert "not over there yet" in said(trade, made["_id"])
    assert "never synced" in said(trade, made["_id"])
    run_pass(trade.dealer, trade.connection)
    assert "over there, as it is here" in said(trade, made["_id"])
    edit(trade.dealer.book, made["_id"], by="tom", phone="1")
    assert "changed by tom" in said(trade, made["_id"])
    assert "not over there yet" in said(trade, made["_id"])


def test_a_private_document_never_goes_there(trade: Trade) -> None:
    made = make(trade.dealer, "keepsake", share="dealer", flowers="tulips")
    assert "never goes there" in said(trade, made["_id"])


def test_a_deleted_document_says_by_whom(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    saving.delete(trade.dealer.book, made, "tom")
    assert "deleted by tom" in said(trade, made["_id"])
    trade.dealer.book.put({"_id": "D001:customer:2"})
    bare = trade.dealer.book.get("D001:customer:2")
    assert bare is not None
    trade.dealer.book.put({"_id": bare["_id"], "_rev": bare["_rev"], "_deleted": True})
    assert "did not say who" in said(trade, "D001:customer:2")


def test_an_unknown_document_is_unknown(trade: Trade) -> None:
    with pytest.raises(UnknownDocument, match="no document D001:customer:9"):
        why(trade.dealer, "D001:customer:9")


def test_a_failing_connection_says_since_when_and_why(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    document = trade.dealer.local.get("connection:manufacturer")
    assert document is not None
    trade.dealer.local.put({**document, "url": "http://127.0.0.1:9"})
    run_pass(trade.dealer, connections.find_connection(trade.dealer, "manufacturer"))
    assert "failing since" in said(trade, made["_id"])
    assert "cannot be reached" in said(trade, made["_id"])


def test_a_paused_connection_says_so(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    connections.pause_connection(trade.dealer, "manufacturer")
    assert "paused" in said(trade, made["_id"])


def test_the_manufacturer_can_ask_too(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    head_office = trade.head_office
    assert "does not have it" in " ".join(why(head_office, made["_id"]))
    run_pass(trade.dealer, trade.connection)
    assert "comes into the market" in " ".join(why(head_office, made["_id"]))
    feed_market(head_office)
    assert "in the market" in " ".join(why(head_office, made["_id"]))
    assert "no dealer D009" in " ".join(why(head_office, "D009:customer:1"))


def test_two_connections_are_told_apart(trade: Trade) -> None:
    values = {**trade.connection.__dict__, "name": "second", "url": "http://127.0.0.1:9"}
    values = {name: value for name, value in values.items() if name in Connection.__dataclass_fields__}
    values.pop("configured")
    connections.save_connection(trade.dealer, values, "a secret")
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    told = why(trade.dealer, made["_id"])
    assert any(sentence.startswith("manufacturer: it is over there") for sentence in told)
    assert any(sentence.startswith("second:") and "cannot be reached" in sentence for sentence in told)


def test_another_revision_over_there_says_whose_it_is(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    edit(trade.replica, made["_id"], by="anna", city="Linz")
    assert "last changed by anna" in said(trade, made["_id"])
    assert "not here yet; the next sync brings it" in said(trade, made["_id"])
    edit(trade.dealer.book, made["_id"], by="tom", phone="1")
    assert "brings both together" in said(trade, made["_id"])
    saving.delete(trade.replica, trade.replica.get(made["_id"]) or {}, "anna")
    assert "deleted by anna" in said(trade, made["_id"])


def test_open_disputes_are_told(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller", city="Graz")
    run_pass(trade.dealer, trade.connection)
    edit(trade.replica, made["_id"], by="anna", city="Linz")
    edit(trade.dealer.book, made["_id"], by="tom", city="Wels")
    run_pass(trade.dealer, trade.connection)
    assert "1 open dispute about city" in said(trade, made["_id"])


def test_what_was_purged_over_there_was_sent_and_is_gone(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    trade.replica._ask("POST", ["_purge"], {made["_id"]: [made["_rev"]]})
    assert "is not over there any more" in said(trade, made["_id"])


def test_a_refused_document_is_not_said_to_have_been_sent_and_lost(trade: Trade) -> None:
    rule = "function (doc) { if (doc.paid === false) { throw ({forbidden: 'Not before it is paid.'}); } }"
    trade.replica.put({"_id": "_design/rule", "validate_doc_update": rule})
    made = make(trade.dealer, paid=False)
    run_pass(trade.dealer, trade.connection)
    assert "refused over there" in said(trade, made["_id"])
    assert "arrives once it is corrected" in said(trade, made["_id"])
    assert "was sent" not in said(trade, made["_id"])
    edit(trade.dealer.book, made["_id"], paid=True)
    assert "not over there yet; the next sync sends it" in said(trade, made["_id"])
    run_pass(trade.dealer, trade.connection)
    assert "refused" not in said(trade, made["_id"])


def test_of_a_deleted_document_it_is_the_deletion_that_is_over_there(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    saving.delete(trade.dealer.book, made, "tom")
    assert "its deletion is not over there yet; the next sync sends it" in said(trade, made["_id"])
    run_pass(trade.dealer, trade.connection)
    assert "its deletion is over there as well" in said(trade, made["_id"])


def test_a_photograph_alone_that_waits_is_not_over_there_yet(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    trade.dealer.book.put_attachment(trade.dealer.book.get(made["_id"]) or {}, "photo.jpg", b"x", "image/jpeg")
    assert "not over there yet; the next sync sends it" in said(trade, made["_id"])
