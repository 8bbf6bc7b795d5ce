"""The search box: words, serial numbers, fleet numbers, telephone numbers."""

from __future__ import annotations

from collections.abc import Callable

import dealership
import pytest
from visitors import Browser

from app.node import Node
from app.web.search import numbers_in


@pytest.fixture
def sales(dealer_node: Node, sign_in: Callable[..., Browser]) -> Browser:
    dealership.open_dealership(dealer_node)
    phones = [{"id": "a", "label": "mobile", "number": "+43 660 55 66 77"}]
    dealership.add(
        dealer_node, "person", "D001:person:eva", customer=dealership.CUSTOMER, name="Eva Stern", phones=phones
    )
    return sign_in("sales")


def test_what_is_no_number_is_not_looked_up_as_one() -> None:
    assert numbers_in("Berg") == []
    assert numbers_in("B7") == []
    assert numbers_in("KE-104") == ["KE104"]
    assert numbers_in("0043 660") == ["0043660", "43660"]
    assert numbers_in("000") == ["000"]


@pytest.mark.parametrize("typed", ["berg", "EARTH", "  berg   earth "])
def test_a_customer_is_found_by_the_beginning_of_any_word(sales: Browser, typed: str) -> None:
    page = sales.get("/search", query_string={"q": typed}).get_data(as_text=True)
    assert "Berg Earthworks" in page
    assert dealership.CUSTOMER in page.replace("%3A", ":")


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("0660 5566", "/documents/D001:person:eva"),
        ("+43 660 556677", "/documents/D001:person:eva"),
        ("43660", "/documents/D001:person:eva"),
        ("20001", f"/machines/{dealership.EXCAVATOR}"),
        ("320001", f"/machines/{dealership.EXCAVATOR}"),
    ],
)
def test_the_only_one_with_a_number_is_opened_at_once(sales: Browser, typed: str, leads_to: str) -> None:
    answer = sales.get("/search", query_string={"q": typed})
    assert answer.status_code == 302
    assert answer.headers["Location"].replace("%3A", ":") == leads_to


def test_a_machine_is_found_by_its_fleet_number_and_says_whose_it_is(sales: Browser) -> None:
    page = sales.get("/search?q=b7").get_data(as_text=True)
    assert "Acme 320" in page
    assert "Berg Earthworks" in page


def test_nothing_found_says_what_is_looked_for(sales: Browser) -> None:
    page = sales.get("/search?q=zzz").get_data(as_text=True)
    assert "Nothing begins with" in page
    assert "fleet number" in page


@pytest.mark.parametrize("typed", ["", "   ", "\ufff0", "%", "<script>", "a" * 5000])
def test_whatever_is_typed_gets_a_page(sales: Browser, typed: str) -> None:
    answer = sales.get("/search", query_string={"q": typed})
    assert answer.status_code == 200
    assert "<script>”" not in answer.get_data(as_text=True)
