"""A document that the other side does not take is shown with the reason, until it arrives."""

from __future__ import annotations

from typing import Any

import pytest
from fault_proxy import Answer
from faulty_lines import assert_said, faulty_line
from trading import Trade, documents, edit, make

from app.couch.asking import Asking
from app.documents import saving
from app.replication import dealers, refusals
from app.replication.explaining import why
from app.replication.passes import run_pass
from app.replication.refusals import refused_documents
from app.replication.status import status


def refuse_unpaid(trade: Trade) -> None:
    """The manufacturer's replica takes no customer who has not paid, as a rule of its own."""
    rule = "function (doc) { if (doc.paid === false) { throw ({forbidden: 'Not before it is paid.'}); } }"
    trade.replica.put({"_id": "_design/rule", "validate_doc_update": rule})


def test_a_refused_document_is_listed_with_the_reason_while_the_others_arrive(trade: Trade) -> None:
    refuse_unpaid(trade)
    bad, good = make(trade.dealer, key="1", paid=False), make(trade.dealer, key="2", paid=True)
    result = run_pass(trade.dealer, trade.connection)
    assert result.error == ""
    assert result.refused == 1
    listed = refused_documents(trade.dealer, "manufacturer")
    assert [(entry.document_id, entry.direction) for entry in listed] == [(bad["_id"], "push")]
    assert "Not before it is paid." in listed[0].reason
    assert trade.replica.get(good["_id"]) is not None
    assert status(trade.dealer, fresh=True).refused == 1
    assert any("Not before it is paid." in sentence for sentence in why(trade.dealer, bad["_id"]))


def test_it_stays_listed_while_nothing_changes(trade: Trade) -> None:
    refuse_unpaid(trade)
    make(trade.dealer, paid=False)
    since = [
        run_pass(trade.dealer, trade.connection) and refused_documents(trade.dealer, "manufacturer") for _ in "123"
    ]
    assert len(since[0]) == 1
    assert since[0] == since[1] == since[2]


def test_once_corrected_it_arrives_and_leaves_the_list(trade: Trade) -> None:
    refuse_unpaid(trade)
    bad = make(trade.dealer, paid=False)
    run_pass(trade.dealer, trade.connection)
    edit(trade.dealer.book, bad["_id"], paid=True)
    assert run_pass(trade.dealer, trade.connection).refused == 0
    assert refused_documents(trade.dealer, "manufacturer") == []
    assert (trade.replica.get(bad["_id"]) or {})["paid"] is True


def test_once_the_rule_is_gone_it_arrives_though_nobody_touched_it(trade: Trade) -> None:
    refuse_unpaid(trade)
    bad = make(trade.dealer, paid=False)
    run_pass(trade.dealer, trade.connection)
    rule = trade.replica.get("_design/rule")
    assert rule is not None
    trade.replica.put({**rule, "validate_doc_update": "function () {}"})
    assert run_pass(trade.dealer, trade.connection).refused == 0
    assert trade.replica.get(bad["_id"]) is not None


def refuse_many(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """More are refused than are offered again at one pass; returns their ids."""
    monkeypatch.setattr(refusals, "_BATCH", 3)
    refuse_unpaid(trade)
    ids = [str(make(trade.dealer, key=str(number), paid=False)["_id"]) for number in range(8)]
    assert run_pass(trade.dealer, trade.connection).refused == 8
    return ids


def test_of_many_that_are_refused_the_corrected_one_leaves_the_list_at_once(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = refuse_many(trade, monkeypatch)
    edit(trade.dealer.book, ids[7], paid=True)
    saving.delete(trade.dealer.book, trade.dealer.book.get(ids[5]) or {}, "sara")
    assert run_pass(trade.dealer, trade.connection).refused == 6
    assert {entry.document_id for entry in refused_documents(trade.dealer, "manufacturer")} == {*ids} - {ids[5], ids[7]}
    assert trade.replica.get(ids[7]) is not None


def test_each_of_many_that_are_refused_has_its_turn_to_be_offered_again(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = refuse_many(trade, monkeypatch)
    rule = trade.replica.get("_design/rule") or {}
    only_two = (
        f"function (doc) {{ if (doc.paid === false && doc._id < '{ids[6]}') {{ throw ({{forbidden: 'No.'}}); }} }}"
    )
    trade.replica.put({**rule, "validate_doc_update": only_two})
    assert [run_pass(trade.dealer, trade.connection).refused for _ in range(4)][-1] == 6
    assert set(documents(trade.replica)) == {ids[6], ids[7]}
    rule = trade.replica.get("_design/rule") or {}
    trade.replica.put({**rule, "validate_doc_update": "function () {}"})
    assert run_pass(trade.dealer, trade.connection).refused == 0, "all go over together once all are taken"
    assert set(documents(trade.replica)) == set(ids)


def test_withdrawn_here_it_leaves_the_list(trade: Trade) -> None:
    refuse_unpaid(trade)
    bad = make(trade.dealer, paid=False)
    run_pass(trade.dealer, trade.connection)
    saving.delete(trade.dealer.book, bad, "sara")
    assert run_pass(trade.dealer, trade.connection).refused == 0
    assert trade.replica.get(bad["_id"]) is None


def test_what_this_node_does_not_take_is_listed_too(trade: Trade) -> None:
    rule = "function (doc) { if (doc.big) { throw ({forbidden: 'Too big for here.'}); } }"
    trade.dealer.book.put({"_id": "_design/rule", "validate_doc_update": rule})
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    edit(trade.replica, made["_id"], by="anna", big=True)
    assert run_pass(trade.dealer, trade.connection).refused == 1
    listed = refused_documents(trade.dealer, "manufacturer")
    assert [(entry.document_id, entry.direction) for entry in listed] == [(made["_id"], "pull")]
    assert "Too big for here." in listed[0].reason
    edit(trade.replica, made["_id"], by="anna", big=False)
    assert run_pass(trade.dealer, trade.connection).refused == 0


def test_a_document_that_pretends_to_be_another_dealers_is_refused_over_there(trade: Trade) -> None:
    forged = {"_id": "D002:customer:1", "type": "customer", "dealer": "D002", "share": "manufacturer", "name": "Forged"}
    saving.save(trade.dealer.book, forged, "mallory")
    run_pass(trade.dealer, trade.connection)
    assert trade.replica.get("D002:customer:1") is None
    assert ["D002" in entry.reason for entry in refused_documents(trade.dealer, "manufacturer")] == [True]


def test_private_documents_are_not_even_asked_about(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_unpaid(trade)
    make(trade.dealer, "keepsake", "secret", share="dealer", flowers="tulips", paid=False)
    make(trade.dealer, paid=False)
    asked: list[str] = []
    real = Asking.json

    def noting(self: Asking, method: str, path: Any, body: Any = None, *more: Any, **named: Any) -> Any:
        if trade.replica.name in "/".join(path):
            asked.append(f"{path} {body}")
        return real(self, method, path, body, *more, **named)

    monkeypatch.setattr(Asking, "json", noting)
    run_pass(trade.dealer, trade.connection)
    assert [entry.document_id for entry in refused_documents(trade.dealer, "manufacturer")] == ["D001:customer:1"]
    assert any("_revs_diff" in request and "D001:customer:1" in request for request in asked)
    assert not any("secret" in request for request in asked)


def test_an_upstream_that_is_busy_gives_no_new_reason_for_what_is_refused(trade: Trade) -> None:
    refuse_unpaid(trade)
    make(trade.dealer, paid=False)
    with faulty_line(trade) as line:
        assert line.sync().refused == 1
        listed = refused_documents(trade.dealer, line.connection.name)
        # Nothing is new, so that what is offered again is all that is sent.
        busy = Answer(503, b'{"error":"service_unavailable","reason":"Soon."}')
        assert_said(line, line.fails_with(busy, path="book-d001/_bulk_docs"), "busy", "busy")
        assert refused_documents(trade.dealer, line.connection.name) == listed
        assert line.state.refused == 1


def test_head_office_is_told_which_documents_are_refused_and_why(trade: Trade) -> None:
    refuse_unpaid(trade)
    bad = make(trade.dealer, paid=False)
    run_pass(trade.dealer, trade.connection)
    assert dealers.note_syncs(trade.head_office) == ["D001"]
    (report,) = dealers.find_dealer(trade.head_office, "D001").nodes
    assert [(each.document_id, each.direction) for each in report.refusals] == [(bad["_id"], "push")]
    assert "Not before it is paid." in report.refusals[0].reason
    assert dealers.note_syncs(trade.head_office) == []
    assert any("Not before it is paid." in sentence for sentence in why(trade.head_office, bad["_id"]))
    edit(trade.dealer.book, bad["_id"], paid=True)
    run_pass(trade.dealer, trade.connection)
    assert dealers.note_syncs(trade.head_office) == ["D001"]
    assert dealers.find_dealer(trade.head_office, "D001").nodes[0].refusals == ()


def test_the_name_of_a_private_document_is_in_no_report_though_it_is_listed_as_refused(trade: Trade) -> None:
    refuse_unpaid(trade)
    make(trade.dealer, key="open", paid=False)
    private = make(trade.dealer, "keepsake", "secret", share="dealer", flowers="lilies")
    run_pass(trade.dealer, trade.connection)
    (listed,) = refused_documents(trade.dealer, "manufacturer")
    entry = trade.dealer.local.get(f"refused:manufacturer:{listed.document_id}") or {}
    del entry["_rev"]
    key = f"refused:manufacturer:{private['_id']}"
    trade.dealer.local.put({**entry, "_id": key, "document": private["_id"], "rev": private["_rev"]})
    assert len(refused_documents(trade.dealer, "manufacturer")) == 2
    told = refusals.told_upstream(trade.dealer, "manufacturer", 10)
    assert [each.document_id for each in told] == ["D001:customer:open"]
