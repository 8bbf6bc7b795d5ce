"""The pages that compare both sides, and the way to them from a record."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

import dealership
from flask import Flask
from visitors import Browser, add_user, signed_in

from app.market.feed import feed_market
from app.node import Node
from app.replication import connections, dealers
from app.replication.passes import run_pass


def connect(head_office: Node, dealer: Node) -> connections.Connection:
    admitted = dealers.add_dealer(head_office, "D001", "Berg")
    values = {
        "name": "manufacturer",
        "url": head_office.store.url,
        "user": admitted.user,
        "book": admitted.database,
        "catalog": admitted.catalog,
        "every_minutes": 15,
    }
    return connections.save_connection(dealer, values, admitted.password)


def compared(browser: Browser, address: str = "/replication/connections/manufacturer/compare") -> str:
    """Starts a comparison and gives its page once it is over."""
    started = browser.post(address)
    assert started.status_code == 303
    pause = threading.Event()
    for _ in range(1000):
        page = browser.get(started.headers["Location"]).get_data(as_text=True)
        if 'hx-trigger="every 700ms"' not in page:
            return re.sub(r"\s+", " ", page)
        pause.wait(0.02)
    raise AssertionError("The comparison does not end.")


def test_both_sides_are_compared_on_a_page(
    manufacturer_node: Node, dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    connection = connect(manufacturer_node, dealer_node)
    dealership.add(dealer_node, "customer", dealership.CUSTOMER, name="Berg Earthworks")
    sales = sign_in("sales")
    assert "/replication/connections/manufacturer/compare" in sales.get("/replication").get_data(as_text=True)
    page = compared(sales)
    assert "documents differ." in page
    assert "From before the first sync." in page
    assert f'href="/replication/why?document={dealership.CUSTOMER}"' in page
    run_pass(dealer_node, connection)
    rev = (dealer_node.book.get(dealership.CUSTOMER) or {})["_rev"]
    assert "The same: both sides hold the same" in compared(sales)

    manufacturer_node.book_of("D001")._ask("POST", ["_purge"], {dealership.CUSTOMER: [rev]})
    assert "/replication/connections/manufacturer/everything" in compared(sales)
    answer = sales.post("/replication/connections/manufacturer/everything", follow_redirects=True)
    assert "sends again what one side lacks" in answer.get_data(as_text=True)
    run_pass(dealer_node, connection)
    assert manufacturer_node.book_of("D001").get(dealership.CUSTOMER) is not None


def test_head_office_compares_replicas_with_the_market_and_feeds_anew_what_it_lost(
    manufacturer_node: Node, dealer_node: Node, manufacturer_app: Flask
) -> None:
    connection = connect(manufacturer_node, dealer_node)
    dealership.add(dealer_node, "customer", dealership.CUSTOMER, name="Berg Earthworks")
    run_pass(dealer_node, connection)
    feed_market(manufacturer_node)
    for role in ("analyst", "parts"):
        add_user(manufacturer_node, role, [role])
    analyst, parts = signed_in(manufacturer_app, "analyst"), signed_in(manufacturer_app, "parts")
    for page in ("/dealers", "/dealers/D001"):
        assert f'action="{page}/compare"' in analyst.get(page).get_data(as_text=True)
        assert "The same: both sides hold the same" in compared(analyst, f"{page}/compare")
    rev = (manufacturer_node.market.get(dealership.CUSTOMER) or {})["_rev"]
    manufacturer_node.market._ask("POST", ["_purge"], {dealership.CUSTOMER: [rev]})
    page = compared(analyst, "/dealers/compare")
    assert "Only in the replica" in page and "Was in the market, and is not any more." in page
    assert "/dealers/D001/feed" not in page
    assert analyst.post("/dealers/D001/feed").status_code == 403
    assert "/dealers/D001/feed" in compared(parts, "/dealers/D001/compare")
    assert "The same: both sides hold the same" in compared(parts, "/dealers/D001/feed")
    assert parts.post("/dealers/D077/compare").status_code == 404


def test_who_only_reads_compares_nothing(
    manufacturer_node: Node, dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    connect(manufacturer_node, dealer_node)
    reader = sign_in("designer")
    assert "/compare" not in reader.get("/replication").get_data(as_text=True)
    for action in ("compare", "everything"):
        assert reader.post(f"/replication/connections/manufacturer/{action}").status_code == 403
    assert sign_in("sales").post("/replication/connections/other/compare").status_code == 404


def test_every_record_leads_to_whether_it_is_over_there(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    dealership.add(dealer_node, "customer", dealership.CUSTOMER, name="Berg Earthworks")
    dealership.add(
        dealer_node, "machine", dealership.LOADER, make="Acme", serial="950001", customer=dealership.CUSTOMER
    )
    sales = sign_in("sales")
    address = f"/replication/why?document={dealership.CUSTOMER}"
    for page in (f"/documents/{dealership.CUSTOMER}", f"/customers/{dealership.CUSTOMER}"):
        assert address in sales.get(page).get_data(as_text=True)
    machine = sales.get(f"/machines/{dealership.LOADER}").get_data(as_text=True)
    assert f"/replication/why?document={dealership.LOADER}" in machine
    assert "nothing leaves it" in sales.get(address).get_data(as_text=True)
