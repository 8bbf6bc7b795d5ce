"""The manufacturer's market is the sum of the dealers' books, and the forecast is what it says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from trading import documents, edit, join, make

from app.couch.asking import Asking
from app.documents import saving
from app.market.feed import feed_market
from app.market.forecast import refresh_forecast
from app.node import Node
from app.replication import dealers
from app.replication.connections import Connection
from app.replication.passes import run_pass

TODAY = date(2026, 11, 25)


class Dealers:
    """The manufacturer and two dealers, each with a customer and a machine."""

    def __init__(self, make_node: Callable[..., Node]) -> None:
        self.head_office = make_node("manufacturer")
        self.nodes = [make_node("dealer", dealer=code) for code in ("D001", "D002")]
        self.connections: list[Connection] = [join(self.head_office, node) for node in self.nodes]
        saving.save(self.head_office.catalog, _model(), "paul")
        for node in self.nodes:
            make(node, name=f"Customer of {node.dealer}")
            self.add_machine(node, "ABC1")

    def add_machine(self, node: Node, serial: str, **fields: Any) -> dict[str, Any]:
        machine = make(
            node, "machine", f"CAT-{serial}", make="CAT", model="320", serial=serial,
            customer=f"{node.dealer}:customer:1", **fields,
        )  # fmt: skip
        for day, hours in (("2026-10-26", 850.0), ("2026-11-25", 1000.0)):
            make(node, "reading", f"CAT-{serial}:{day}", machine=machine["_id"], at=f"{day}T12:00:00Z", hours=hours)
        return machine

    def sync(self) -> None:
        for node, connection in zip(self.nodes, self.connections, strict=True):
            assert run_pass(node, connection).error == ""

    def forecast(self) -> dict[str, dict[str, Any]]:
        """Every standing without its revision."""
        return {id: {**doc, "_rev": ""} for id, doc in documents(self.head_office.forecast).items()}


@pytest.fixture
def all_dealers(make_node: Callable[..., Node]) -> Dealers:
    return Dealers(make_node)


def _model() -> dict[str, Any]:
    plan = [{"id": "oil", "title": "Oil filter", "part": "part:1R-0716", "quantity": 2, "every_hours": 500}]
    return {
        "_id": "model:CAT-320",
        "type": "model",
        "dealer": "",
        "share": "manufacturer",
        "make": "CAT",
        "name": "320",
        "plan": plan,
    }


def test_the_market_is_the_sum_of_the_books(all_dealers: Dealers) -> None:
    all_dealers.sync()
    report = feed_market(all_dealers.head_office)
    assert (report.databases, report.fed, report.failures) == (2, 2, ())
    books = [documents(node.book) for node in all_dealers.nodes]
    assert documents(all_dealers.head_office.market) == {**books[0], **books[1]}


def test_only_books_that_changed_are_fed_again(all_dealers: Dealers) -> None:
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    assert feed_market(all_dealers.head_office).fed == 0
    edit(all_dealers.nodes[1].book, "D002:customer:1", city="Bonn")
    all_dealers.sync()
    assert feed_market(all_dealers.head_office).fed == 1
    assert (all_dealers.head_office.market.get("D002:customer:1") or {})["city"] == "Bonn"


def test_books_that_did_not_change_are_not_even_asked(all_dealers: Dealers, monkeypatch: pytest.MonkeyPatch) -> None:
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    asked: list[str] = []
    ask = Asking.guarded

    def counted(asking: Asking, request: Callable[[], Any]) -> Any:
        asked.append("request")
        return ask(asking, request)

    monkeypatch.setattr(Asking, "guarded", counted)
    report = feed_market(all_dealers.head_office)
    assert (report.databases, report.fed) == (2, 0)
    # Which books there are, what was fed, and how far all books are.
    assert len(asked) == 3


def test_a_deletion_leaves_the_market_too(all_dealers: Dealers) -> None:
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    node = all_dealers.nodes[0]
    saving.delete(node.book, node.book.get("D001:customer:1") or {}, "sara")
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    assert all_dealers.head_office.market.get("D001:customer:1") is None


def test_a_deleted_market_is_filled_again_from_the_books(all_dealers: Dealers) -> None:
    all_dealers.sync()
    head_office = all_dealers.head_office
    feed_market(head_office)
    before = documents(head_office.market)
    head_office.store.delete("market")
    head_office.store.create("market", partitioned=True)
    feed_market(head_office)
    assert documents(head_office.market) == before


def test_a_forecast_says_what_each_machine_will_need(all_dealers: Dealers) -> None:
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    report = refresh_forecast(all_dealers.head_office, today=TODAY)
    assert (report.machines, report.written, report.rebuilt) == (2, 2, True)
    standings = all_dealers.forecast()
    assert set(standings) == {"D001:standing:CAT-ABC1", "D002:standing:CAT-ABC1"}
    standing = standings["D001:standing:CAT-ABC1"]
    assert (standing["hours"], standing["customer_name"]) == (1000.0, "Customer of D001")
    forecast = all_dealers.head_office.forecast
    rows = forecast.view("forecast", "by_part", startkey=[None], endkey=[None, {}], group=True).rows
    quantity = sum(row["quantity"] for each in standings.values() for row in each["demand"])
    assert [(row.key, row.value) for row in rows] == [([None, "CAT", "part:1R-0716"], [2, quantity, 0, 2])]


def test_following_changes_gives_the_forecast_that_building_anew_gives(all_dealers: Dealers) -> None:
    head_office, node = all_dealers.head_office, all_dealers.nodes[0]
    all_dealers.sync()
    feed_market(head_office)
    refresh_forecast(head_office, today=TODAY)
    gone = all_dealers.add_machine(node, "ABC2")
    all_dealers.add_machine(node, "ABC3")
    service = make(
        node, "service", "1", machine="D001:machine:CAT-ABC1", done_on="2026-11-20", hours=980.0,
        lines=[{"id": "r1", "plan_line": "oil", "part": "part:1R-0716", "quantity": 2}],
    )  # fmt: skip
    steps: list[Callable[[], object]] = [
        lambda: edit(node.book, "D001:customer:1", name="Renamed"),
        lambda: make(
            node, "reading", "CAT-ABC3:2026-11-20", machine="D001:machine:CAT-ABC3", at="2026-11-20", hours=990
        ),
        lambda: saving.delete(node.book, gone, "sara"),
        lambda: saving.delete(node.book, service, "sara"),
        lambda: saving.save(head_office.catalog, {**_changed_model(head_office)}, "paul"),
    ]
    for step in steps:
        step()
        all_dealers.sync()
        feed_market(head_office)
        assert not refresh_forecast(head_office, today=TODAY).rebuilt
        followed = all_dealers.forecast()
        head_office.forecast.put_local({"_id": "ironbook-forecast", "month": ""})
        assert refresh_forecast(head_office, today=TODAY).written == 0
        assert all_dealers.forecast() == followed
    assert "D001:standing:CAT-ABC2" not in followed
    assert followed["D001:standing:CAT-ABC1"]["customer_name"] == "Renamed"


def _changed_model(head_office: Node) -> dict[str, Any]:
    model = head_office.catalog.get("model:CAT-320")
    assert model is not None
    return {**model, "plan": [{**model["plan"][0], "every_hours": 250}]}


def test_a_new_month_builds_the_forecast_anew(all_dealers: Dealers) -> None:
    all_dealers.sync()
    feed_market(all_dealers.head_office)
    refresh_forecast(all_dealers.head_office, today=TODAY)
    assert not refresh_forecast(all_dealers.head_office, today=date(2026, 11, 30)).rebuilt
    report = refresh_forecast(all_dealers.head_office, today=date(2026, 12, 1))
    assert (report.rebuilt, report.written) == (True, 2)


def test_the_manufacturer_hears_of_a_sync_also_when_nothing_changed(all_dealers: Dealers) -> None:
    head_office = all_dealers.head_office
    all_dealers.sync()
    assert dealers.note_syncs(head_office) == ["D001", "D002"]
    before = head_office.book_of("D001").info()["update_seq"]
    assert dealers.note_syncs(head_office) == []
    run_pass(all_dealers.nodes[0], all_dealers.connections[0])
    assert dealers.note_syncs(head_office) == ["D001"]
    assert head_office.book_of("D001").info()["update_seq"] == before
    heard = dealers.find_dealer(head_office, "D001")
    assert heard.last_sync
    assert [(report.name, report.syncs) for report in heard.nodes] == [("dealer D001", 2)]


def test_a_removed_dealer_cannot_sync_and_loses_nothing(all_dealers: Dealers) -> None:
    head_office, node, connection = all_dealers.head_office, all_dealers.nodes[0], all_dealers.connections[0]
    all_dealers.sync()
    dealers.remove_dealer(head_office, "D001")
    failure = run_pass(node, connection).failure
    assert failure is not None
    assert failure.kind == "wrong_password"
    assert documents(head_office.book_of("D001")) == documents(node.book)
    again = dealers.add_dealer(head_office, "D001", "Dealer One")
    node.secrets.set("connection:manufacturer", again.password)
    assert run_pass(node, connection).error == ""


@pytest.mark.parametrize(("code", "name", "word"), [("d1", "One", "capital"), ("D001", " ", "name")])
def test_a_dealer_that_cannot_be_is_not_admitted(manufacturer_node: Node, code: str, name: str, word: str) -> None:
    from app.errors import IronbookError

    with pytest.raises(IronbookError, match=word):
        dealers.add_dealer(manufacturer_node, code, name)
    assert manufacturer_node.books() == []
