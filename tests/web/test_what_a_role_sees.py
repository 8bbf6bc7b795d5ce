"""What a role may not read it sees nowhere: no page, list, CSV, log, dispute, search or picker shows it."""

from __future__ import annotations

import json
from collections.abc import Callable

import dealership
import pytest
from own_forms import override_form
from visitors import Browser

from app.documents import saving
from app.node import Node

KEEPSAKE = "D001:keepsake:tom"
SECRET = "Kaltenberg"


@pytest.fixture
def node(dealer_node: Node) -> Node:
    """The dealership, in which the town of a customer is for the principal only."""
    dealership.open_dealership(dealer_node)
    override_form(dealer_node, "customer", city={"read": ["principal"]}, salesperson={"edit": ["principal"]})
    customer = dealer_node.book.get(dealership.CUSTOMER)
    assert customer is not None
    saving.save(dealer_node.book, {**customer, "city": SECRET}, by="anna")
    return dealer_node


def text(browser: Browser, address: str) -> str:
    return browser.get(address, follow_redirects=True).get_data(as_text=True)


def disputed(node: Node, field: str, value: str, document: str = dealership.CUSTOMER) -> None:
    found = node.book.get(document)
    assert found is not None
    dispute = {"id": "d1", "field": field, "value": value, "by": "anna", "at": "2026-11-20T10:00:00Z"}
    node.book.put({**found, "disputes": [dispute]})


PAGES = (
    f"/customers/{dealership.CUSTOMER}",
    f"/documents/{dealership.CUSTOMER}",
    f"/documents/{dealership.CUSTOMER}/edit",
    "/lists/customers",
    "/lists/customers?sort=city",
    "/lists/customers.csv",
    "/lists/customers-by-city",
    "/lists/customers-by-city.csv",
    "/lists/changes",
    "/search?q=berg",
    "/lookup/customer?q=berg",
    "/?whose=all",
    "/home/not-visited?whose=all",
    "/replication/disputes",
)


def test_a_field_for_the_principal_is_seen_by_nobody_else(node: Node, sign_in: Callable[..., Browser]) -> None:
    disputed(node, "city", f"{SECRET} am Inn")
    visit = {"kind": "visit", "at": "2025-01-02T08:00:00Z", "subject": "Visit", "follow_up": dealership.day(node, 1)}
    dealership.add(node, "activity", "D001:activity:1", customer=dealership.CUSTOMER, **visit)
    sales = sign_in("sales")
    for address in PAGES:
        assert SECRET not in text(sales, address), address


def test_who_may_read_the_field_sees_it(node: Node, sign_in: Callable[..., Browser]) -> None:
    principal = sign_in("principal")
    for address in (f"/customers/{dealership.CUSTOMER}", "/lists/customers.csv", "/lists/customers-by-city"):
        assert SECRET in text(principal, address)


def test_the_entry_of_a_change_says_nothing_of_a_hidden_field(node: Node, sign_in: Callable[..., Browser]) -> None:
    rows = node.book.view("history", "by_document", startkey=[dealership.CUSTOMER], endkey=[dealership.CUSTOMER, {}])
    for row in rows:
        assert SECRET not in text(sign_in("sales"), f"/documents/{row.id}")
        assert SECRET in text(sign_in("principal"), f"/documents/{row.id}")


def test_a_keepsake_is_nowhere_for_who_may_not_read_it(node: Node, sign_in: Callable[..., Browser]) -> None:
    keepsake = node.book.get(KEEPSAKE)
    assert keepsake is not None
    saved = saving.save(node.book, {**keepsake, "flowers": "blue irises"}, by="anna").document
    node.book.put({**saved, "disputes": [{"id": "d1", "field": "flowers", "value": "lilies", "by": "a", "at": "2026"}]})
    (change,) = node.book.view("history", "by_document", startkey=[KEEPSAKE], endkey=[KEEPSAKE, {}])
    designer = sign_in("designer")
    for address in (
        "/",
        "/lists/changes",
        "/lists/disputes",
        "/replication/disputes",
        f"/customers/{dealership.CUSTOMER}",
    ):
        page = text(designer, address)
        assert not any(word in page for word in ("irises", "lilies", "tulips", KEEPSAKE)), address
    for address in (
        f"/documents/{KEEPSAKE}", f"/documents/{change.id}", "/lists/birthdays", "/lists/birthdays.csv", "/birthdays",
        "/lookup/keepsake?q=t",
    ):  # fmt: skip
        assert designer.get(address).status_code == 403, address
    for address in ("/lists/changes.csv", "/lists/disputes.csv"):
        assert "keepsake" not in text(designer, address)
    assert "anna,keepsake," in text(sign_in("sales"), "/lists/changes.csv")


def test_a_dispute_about_a_field_one_may_not_change_is_not_ones_to_settle(
    node: Node, sign_in: Callable[..., Browser]
) -> None:
    disputed(node, "salesperson", "Somebody else")
    sales = sign_in("sales")
    address = f"/documents/{dealership.CUSTOMER}/disputes/d1"
    assert "Take this" not in text(sales, "/replication/disputes")
    assert sales.post(address, data={"choice": "other"}).status_code == 403
    assert sign_in("principal").post(address, data={"choice": "other"}).status_code == 303
    settled = node.book.get(dealership.CUSTOMER)
    assert settled is not None
    assert settled["salesperson"] == "Somebody else"


def test_what_one_may_not_change_is_not_changed_by_sending_it_anyway(
    node: Node, sign_in: Callable[..., Browser]
) -> None:
    customer = node.book.get(dealership.CUSTOMER)
    assert customer is not None
    typed = {"name": "Berg", "salesperson": "me", "city": "Rome", "base": json.dumps({"_rev": customer["_rev"]})}
    assert sign_in("sales").post(f"/documents/{dealership.CUSTOMER}/edit", data=typed).status_code == 303
    saved = node.book.get(dealership.CUSTOMER)
    assert saved is not None
    assert (saved["name"], saved["salesperson"], saved["city"]) == ("Berg", "Sales", SECRET)


def test_neither_value_of_a_dispute_need_be_taken(node: Node, sign_in: Callable[..., Browser]) -> None:
    disputed(node, "email", "old@berg.example")
    sales = sign_in("sales")
    address = f"/documents/{dealership.CUSTOMER}/disputes/d1"
    wrong = sales.post(address, data={"choice": "typed", "email": "not an address"})
    assert wrong.status_code == 422
    page = wrong.get_data(as_text=True)
    assert 'value="not an address"' in page
    assert "E-mail cannot be" in page
    assert sales.post(address, data={"choice": "typed", "email": "new@berg.example"}).status_code == 303
    settled = node.book.get(dealership.CUSTOMER)
    assert settled is not None
    assert settled["email"] == "new@berg.example"
    assert not settled.get("disputes")


def test_nobody_writes_or_hides_an_entry_of_the_log(node: Node, sign_in: Callable[..., Browser]) -> None:
    saved = node.book.view("history", "by_document", startkey=[dealership.CUSTOMER], endkey=[dealership.CUSTOMER, {}])
    entry = next(iter(saved)).id
    for role in ("sales", "principal", "admin"):
        browser = sign_in(role)
        assert browser.get("/documents/new/change").status_code == 403
        assert browser.post("/documents/new/change", data={"by": "ben"}).status_code == 403
        assert browser.get(f"/documents/{entry}/edit").status_code == 403
        assert browser.post(f"/documents/{entry}/edit", data={"by": "ben"}).status_code == 403
        assert browser.post(f"/documents/{entry}/delete", data={"revision": "1-x"}).status_code == 403
        assert "/edit" not in text(browser, f"/documents/{entry}")


def test_a_form_and_a_view_are_shown_as_what_they_define(node: Node, sign_in: Callable[..., Browser]) -> None:
    designer = sign_in("designer")
    form = text(designer, "/documents/D001:form:customer")
    assert "read by principal" in form
    assert "Prospect, Active, Dormant" in form
    broken = {"_id": "D001:view:odd", "type": "view", "dealer": "D001", "share": "dealer", "columns": "none"}
    saving.save(node.book, broken, by="consultant")
    assert "It is not in force" in text(designer, "/documents/D001:view:odd")
    assert sign_in("sales").get("/documents/D001:form:customer").status_code == 403
