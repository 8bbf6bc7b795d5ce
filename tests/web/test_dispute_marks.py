"""What somebody has to decide is marked wherever the document is listed, and told with who wrote both values when."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dealership
import head_office
import pytest
from visitors import Browser, signed_in

from app.couch import Database
from app.documents import saving
from app.node import Node
from app.parts.desk import parts_desk
from app.replication.conflicts import merge_conflicts

MARK = "to decide"
DISPUTE = {"id": "d1", "field": "notes", "value": "other", "by": "anna", "at": "2026-11-20T10:00:00Z"}


def dispute(database: Any) -> None:
    """Gives every document of a database something to decide."""
    rows = database.all_docs(include_docs=True).rows
    documents = [row.doc for row in rows if row.doc and row.doc.get("type") and row.doc["type"] != "change"]
    database.bulk({**document, "disputes": [DISPUTE]} for document in documents)


def text(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))))


def row_of(browser: Browser, address: str, name: str) -> str:
    """The first row or list item of a page that names something."""
    page = browser.get(address).get_data(as_text=True).replace("%3A", ":")
    rows = re.split(r"(?=<tr|<li|<h3)", page[page.index("<main") :])
    found = [row for row in rows if name in row]
    assert found, f"{address} does not name {name}"
    return found[0]


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    usual = {"customer": dealership.CUSTOMER, "salesperson": "Sales"}
    dealership.add(
        dealer_node, "activity", "D001:activity:a", kind="visit", subject="A visit",
        follow_up=dealership.day(dealer_node, 1), at=f"{dealership.day(dealer_node, -100)}T10:00:00Z", **usual,
    )  # fmt: skip
    dealership.add(dealer_node, "task", "D001:task:a", title="A task", due_on=dealership.day(dealer_node, 1), **usual)
    dealership.add(
        dealer_node, "opportunity", "D001:opportunity:a", title="A sale", stage="lead",
        expected_on=dealership.day(dealer_node, 2), **usual,
    )  # fmt: skip
    dealership.add(
        dealer_node, "service", "D001:service:a", machine=dealership.EXCAVATOR, done_on=dealership.day(dealer_node, -50)
    )
    dispute(dealer_node.book)
    dispute(dealer_node.catalog)
    parts_desk(dealer_node).needs(90)
    return dealer_node


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """The databases that were asked which of how many documents are disputed."""
    found: list[tuple[str, int]] = []
    view = Database.view

    def noting(self: Database, design: str, name: str, **options: Any) -> Any:
        if (design, name) == ("conflicts", "disputed") and "keys" in options:
            found.append((self.name, len(options["keys"])))
        return view(self, design, name, **options)

    monkeypatch.setattr(Database, "view", noting)
    return found


def test_every_list_of_a_dealer_marks_what_is_to_decide(
    node: Node, sign_in: Callable[..., Browser], asked: list[tuple[str, int]]
) -> None:
    admin = sign_in("admin")
    customer, excavator = f"/customers/{dealership.CUSTOMER}", f"/machines/{dealership.EXCAVATOR}"
    for address, name in (
        ("/lists/customers", "Berg Earthworks</a>"),
        ("/lists/machines", "320001"),
        ("/lists/activities", "A visit"),
        ("/lists/disputes", "Berg Earthworks"),
        ("/lists/models", "320"),
        (customer, "Ida Berg</a>"),
        (customer, "Acme 320</a>"),
        (customer, "A visit"),
        (customer, "A task"),
        (customer, "A sale"),
        (customer, f'{dealership.CUSTOMER.replace("customer:berg", "keepsake:tom")}">Open</a>'),
        (excavator, "service:a"),
        (excavator, "reading:ACME-320001"),
        ("/?whose=all", "A visit"),
        ("/?whose=all", "A task"),
        ("/?whose=all", "A sale"),
        ("/?whose=all", "Tom Alm</a>"),
        ("/birthdays", "Tom Alm</a>"),
        ("/search?q=berg", "Berg Earthworks</a>"),
        ("/parts-desk?days=90&by=customer", "Berg Earthworks</a>"),
        ("/parts-desk?days=90&by=customer", "Acme 320</a>"),
    ):  # fmt: skip
        asked.clear()
        assert MARK in row_of(admin, address, name), (address, name)
        # At most once for each database, and only about what the page lists, however much is disputed elsewhere.
        assert len({database for database, _ in asked}) == len(asked), (address, asked)
        assert all(count < 20 for _, count in asked), (address, asked)
    for address in (customer, excavator, f"/documents/{dealership.OWNER}"):
        assert MARK in text(admin, address) or "Disputed" in text(admin, address)


def test_where_nothing_is_to_decide_nothing_is_marked(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    dealership.open_dealership(dealer_node)
    admin = sign_in("admin")
    for address in ("/", "/lists/customers", f"/customers/{dealership.CUSTOMER}", f"/machines/{dealership.EXCAVATOR}"):
        assert MARK not in text(admin, address)


def test_both_values_are_told_with_who_wrote_them_when(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    dealership.open_dealership(dealer_node)
    book, id = dealer_node.book, dealership.CUSTOMER
    shown = book.get(id, revs=True)
    assert shown is not None
    before = {"_rev": shown["_rev"], "city": "Linz"}
    saving.save(book, {"_id": id, "city": "Wels"}, "vera", before, "2026-11-20T08:00:00Z")
    mine = book.get(id)
    assert mine is not None
    # Another field, by somebody else: it is not he who wrote the city.
    saving.save(book, {"_id": id, "number": "7"}, "hans", {"_rev": mine["_rev"]}, "2026-11-21T08:00:00Z")
    branch = "f" * 32
    book.bulk(
        [
            {
                **{name: value for name, value in shown.items() if name != "_revisions"},
                "_rev": f"2-{branch}",
                "_revisions": {"start": 2, "ids": [branch, *shown["_revisions"]["ids"]]},
                "city": "Graz",
                "updated_by": "otto",
                "updated_at": "2026-11-22T09:00:00Z",
                "field_revs": {**shown["field_revs"], "city": 2, "*": 2},
            }
        ],
        new_edits=False,
    )
    merge_conflicts(book)

    for address in ("/replication/disputes", f"/documents/{id}"):
        page = text(sign_in("sales"), address)
        assert re.search(r"Stands now; vera wrote it [^.]*20[^.]* Wels", page), page
        assert re.search(r"otto wrote [^.]*22[^.]* Graz", page), page
    history = text(sign_in("sales"), f"/documents/{id}")
    assert "Two versions were merged" in history
    assert "Wels stands; Graz , which otto wrote, is kept to choose from" in history


def test_head_offices_rows_mark_what_a_dealer_has_to_decide(
    store_server: tuple[str, str, str], tmp_path: Path, asked: list[tuple[str, int]]
) -> None:
    with head_office.open_market(store_server, tmp_path) as app:
        node: Node = app.extensions["ironbook"]
        dispute(node.market)
        admin = signed_in(app, "admin")
        for address, name in (
            ("/market/machines", "ACME-1"),
            ("/market/customers", "Berg Earthworks"),
            ("/lists/machines", "ACME-1"),
            (f"/market/customers/{head_office.CUSTOMER}", "Ida Berg</a>"),
            (f"/market/customers/{head_office.CUSTOMER}", "ACME-1"),
        ):
            asked.clear()
            assert MARK in row_of(admin, address, name), (address, name)
            assert len({database for database, _ in asked}) == len(asked), (address, asked)
        admin.get(f"/market/machines/{head_office.FIRST}")
        assert len({database for database, _ in asked}) == len(asked), asked
        dispute(node.catalog)
        page = text(admin, "/replication/disputes")
        assert "Check the hose" in page
        assert "Berg Earthworks" in page
