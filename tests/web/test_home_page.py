"""Home: what a salesperson wants to know at seven in the morning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dealership
import pytest
from visitors import Browser

from app.node import Node
from app.parts.desk import parts_desk

HTMX = {"HX-Request": "true"}


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    parts_desk(dealer_node).needs(90)
    return dealer_node


def follow_up(node: Node, key: str, days: int, **fields: Any) -> str:
    id = f"D001:activity:{key}"
    given = {
        "customer": dealership.CUSTOMER,
        "person": dealership.OWNER,
        "kind": "visit",
        "at": f"{dealership.day(node, -20)}T10:00:00Z",
        "subject": f"Offer {key}",
        "follow_up": dealership.day(node, days),
        "salesperson": "Sales",
    }
    dealership.add(node, "activity", id, **{**given, **fields})
    return id


def text(browser: Browser, address: str = "/", **options: Any) -> str:
    answer = browser.get(address, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_overdue_follow_ups_come_first_with_whom_to_call(node: Node, sign_in: Callable[..., Browser]) -> None:
    follow_up(node, "later", 3)
    follow_up(node, "late", -4)
    follow_up(node, "far", 30)
    follow_up(node, "done", -2, follow_up_done=True)
    page = text(sign_in("sales"))
    assert page.index("Offer late") < page.index("Offer later")
    assert "4 days late" in page
    assert "Ida Berg" in page
    assert "Berg Earthworks" in page
    assert "Offer far" not in page
    assert "Offer done" not in page


def test_a_salesperson_sees_her_own_work_and_everybodys_on_request(node: Node, sign_in: Callable[..., Browser]) -> None:
    follow_up(node, "mine", 0)
    follow_up(node, "his", 0, salesperson="Jonas Weidner")
    sales = sign_in("sales")
    assert "Offer his" not in text(sales)
    everybody = text(sales, "/?whose=all")
    assert "Offer his" in everybody
    assert "Offer mine" in everybody
    assert "Offer his" in text(sign_in("principal"))


def test_a_follow_up_is_done_with_one_click_and_undone_with_another(
    node: Node, sign_in: Callable[..., Browser]
) -> None:
    id = follow_up(node, "offer", -1)
    sales = sign_in("sales")
    done = sales.post("/home/done", data={"id": id}, headers=HTMX).get_data(as_text=True)
    assert "Done: Offer offer" in done
    document = node.book.get(id)
    assert document is not None
    assert document["follow_up_done"] is True
    assert "Offer offer" not in text(sales)
    undone = sales.post("/home/not-done", data={"id": id}, headers=HTMX).get_data(as_text=True)
    assert "1 day late" in undone
    assert "Offer offer" in text(sales)


def test_a_task_is_done_without_javascript_too(node: Node, sign_in: Callable[..., Browser]) -> None:
    dealership.add(node, "task", "D001:task:1", customer=dealership.CUSTOMER, title="Send prices", assigned_to="Sales")
    sales = sign_in("sales")
    assert "Send prices" in text(sales)
    answer = sales.post("/home/done", data={"id": "D001:task:1", "whose": "mine"})
    assert answer.status_code == 303
    assert "Send prices" not in text(sales)


def test_only_follow_ups_and_tasks_can_be_done(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    assert sales.post("/home/done", data={"id": dealership.CUSTOMER}).status_code == 400
    assert sales.post("/home/done", data={"id": "D001:task:none"}).status_code == 404
    assert sign_in("designer").post("/home/done", data={"id": dealership.CUSTOMER}).status_code == 403


def test_birthdays_come_with_the_flowers_and_whose_assistant_it_is(node: Node, sign_in: Callable[..., Browser]) -> None:
    page = text(sign_in("sales"))
    assert "Tom Alm" in page
    assert "white tulips" in page
    assert "assists Ida Berg" in page
    assert "white tulips" not in text(sign_in("designer"))


def test_machines_due_are_listed(node: Node, sign_in: Callable[..., Browser]) -> None:
    page = text(sign_in("parts"))
    assert "Acme 320" in page
    assert "Oil change" in page
    assert "in 10 days" in page


def test_opportunities_closing_soon_are_listed(node: Node, sign_in: Callable[..., Browser]) -> None:
    for key, days in (("soon", 9), ("far", 200)):
        dealership.add(
            node,
            "opportunity",
            f"D001:opportunity:{key}",
            customer=dealership.CUSTOMER,
            title=f"Crane {key}",
            stage="quoted",
            value=120000,
            expected_on=dealership.day(node, days),
            salesperson="Sales",
        )
    page = text(sign_in("sales"))
    assert "Crane soon" in page
    assert "120,000" in page
    assert "Crane far" not in page


def test_the_principal_sees_who_has_not_been_visited(node: Node, sign_in: Callable[..., Browser]) -> None:
    customer = {"status": "active", "city": "Graz", "salesperson": "Sales"}
    dealership.add(node, "customer", "D001:customer:alm", name="Alm Forestry", **customer)
    follow_up(node, "visit", 500, at=f"{dealership.day(node, -5)}T10:00:00Z", person="")
    principal = sign_in("principal")
    page = text(principal, "/home/not-visited", headers=HTMX)
    assert "Alm Forestry" in page
    assert "never visited" in page
    assert "Berg Earthworks" not in page
    assert "<html" in text(principal, "/home/not-visited")


def test_an_empty_book_gets_a_friendly_page(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    page = text(sign_in("sales"))
    assert "Nothing to follow up" in page
    assert "No open tasks" in page


def test_what_waits_for_a_decision_is_said(node: Node, sign_in: Callable[..., Browser]) -> None:
    customer = node.book.get(dealership.CUSTOMER)
    assert customer is not None
    dispute = {"id": "d1", "field": "city", "value": "Graz", "by": "anna", "at": "2026-11-20T10:00:00Z"}
    node.book.put({**customer, "disputes": [dispute]})
    assert "/replication/disputes" in text(sign_in("sales"))


def test_an_empty_book_says_how_to_begin_and_a_filled_one_does_not(
    dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    administrator, sales = text(sign_in("admin")), text(sign_in("sales"))
    assert "This book is empty." in administrator and "This book is empty." in sales
    assert 'href="/replication/join"' in administrator and 'href="/replication/join"' not in sales

    dealership.open_dealership(dealer_node)
    assert "This book is empty." not in text(sign_in("sales"))
