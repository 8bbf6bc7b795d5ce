"""The parts desk, its CSV and its pick list."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import dealership
import pytest
from visitors import Browser

from app.node import Node
from app.parts.desk import parts_desk


@pytest.fixture
def parts(dealer_node: Node, sign_in: Callable[..., Browser]) -> Browser:
    dealership.open_dealership(dealer_node)
    parts_desk(dealer_node).needs(90)
    return sign_in("parts")


def text(browser: Browser, address: str, **options: Any) -> str:
    answer = browser.get(address, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_what_is_needed_is_listed_by_part_with_its_value(parts: Browser) -> None:
    page = text(parts, "/parts-desk?days=90")
    assert "P-OIL" in page
    assert "Engine oil filter" in page
    assert "40.00" in page


def test_what_is_needed_is_listed_by_customer_and_machine(parts: Browser) -> None:
    page = text(parts, "/parts-desk?days=90&by=customer")
    assert "Berg Earthworks" in page
    assert "320001" in page


def test_the_horizon_and_the_filters_narrow_the_list(parts: Browser) -> None:
    assert "P-OIL" not in text(parts, "/parts-desk?days=5")
    assert "P-OIL" not in text(parts, "/parts-desk?days=90&make=Norden").split("<tbody")[-1]
    assert "Nothing is due" in text(parts, "/parts-desk?days=90&only=overdue")
    assert "P-OIL" in text(parts, f"/parts-desk?days=90&make=Acme&customer={dealership.CUSTOMER}")


def test_the_list_and_its_pick_list_are_of_one_machine_where_one_is_asked_about(parts: Browser) -> None:
    machine = dealership.EXCAVATOR
    assert f'href="/parts-desk/pick-list?machine={machine}"' in text(parts, f"/machines/{machine}").replace("%3A", ":")
    pick_list = text(parts, f"/parts-desk/pick-list?machine={machine}")
    assert "P-OIL" in pick_list
    assert "Parts for Acme" in pick_list
    assert "P-OIL" not in text(parts, "/parts-desk/pick-list?machine=D001:machine:ACME-OTHER")
    assert "show all" in text(parts, f"/parts-desk?machine={machine}")


def test_a_week_can_be_asked_about(parts: Browser) -> None:
    assert "7 days" in text(parts, "/parts-desk")


def test_htmx_gets_the_list_alone(parts: Browser) -> None:
    assert "<html" not in text(parts, "/parts-desk?days=90", headers={"HX-Request": "true"})


def test_the_csv_has_every_line(parts: Browser) -> None:
    answer = parts.get("/parts-desk/needed.csv?days=90")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig")))
    assert (row["part"], row["quantity"], row["customer"], row["serial"]) == (
        "P-OIL",
        "2",
        "Berg Earthworks",
        "320001",
    )


def test_the_pick_list_has_a_box_beside_each_part(parts: Browser) -> None:
    page = text(parts, f"/parts-desk/pick-list?days=90&customer={dealership.CUSTOMER}")
    assert "for Berg Earthworks" in page
    assert page.count("pick-box") == 1
    assert "fleet no. B7" in page


def test_the_first_reading_shows_how_far_it_is(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("parts")
    page = text(browser, "/parts-desk")
    assert "Working out what every machine needs" in page or "Nothing is due" in page
    parts_desk(dealer_node).needs(90)
    assert "Nothing is due" in text(browser, "/parts-desk")


@pytest.mark.parametrize("days", ["0", "-3", "x", "9" * 30, ""])
def test_any_horizon_gets_a_page(parts: Browser, days: str) -> None:
    assert "Parts desk" in text(parts, f"/parts-desk?days={days}")
