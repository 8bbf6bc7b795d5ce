"""The birthdays' page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import dealership
import pytest
from visitors import Browser

from app.node import Node
from app.web.birthdays import next_birthdays


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    return dealer_node


def test_a_birthday_comes_with_flowers_customer_and_whom_she_assists(
    node: Node, sign_in: Callable[..., Browser]
) -> None:
    page = sign_in("sales").get("/birthdays?days=14").get_data(as_text=True)
    for words in ("Tom Alm", "white tulips", "assists Ida Berg", "Berg Earthworks", "in 6 days", "+43 732 1"):
        assert words in page


def test_a_shorter_horizon_leaves_it_out(node: Node, sign_in: Callable[..., Browser]) -> None:
    page = sign_in("sales").get("/birthdays?days=3").get_data(as_text=True)
    assert "Tom Alm" not in page
    assert "No birthday in the next 3 days" in page


def test_who_may_not_read_keepsakes_has_no_birthdays(node: Node, sign_in: Callable[..., Browser]) -> None:
    assert sign_in("designer").get("/birthdays").status_code == 403
    assert sign_in("designer").get("/birthdays.ics").status_code == 403


def test_birthdays_come_as_a_file_for_a_calendar(node: Node, sign_in: Callable[..., Browser]) -> None:
    answer = sign_in("sales").get("/birthdays.ics")
    assert answer.mimetype == "text/calendar"
    text = answer.get_data(as_text=True).replace("\r\n ", "")
    assert "SUMMARY:Birthday: Tom Alm" in text
    assert "Berg Earthworks\\nFlowers: white tulips" in text


def keepsake(node: Node, key: str, birthday: str) -> None:
    person = f"D001:person:{key}"
    dealership.add(node, "person", person, customer=dealership.CUSTOMER, name=key.title())
    dealership.add(
        node, "keepsake", f"D001:keepsake:{key}", customer=dealership.CUSTOMER, person=person, birthday=birthday
    )


@pytest.mark.parametrize("days", [20, 365])
def test_birthdays_go_on_in_the_new_year(node: Node, days: int) -> None:
    keepsake(node, "december", "12-24")
    keepsake(node, "january", "01-05")
    found = [line.person for line in next_birthdays(node, date(2026, 12, 20), days)]
    assert found[:2] == ["December", "January"]


def test_the_29th_of_february_is_celebrated_on_the_28th_in_most_years(node: Node) -> None:
    keepsake(node, "leap", "02-29")
    (line,) = [line for line in next_birthdays(node, date(2027, 2, 26), 2) if line.person == "Leap"]
    assert line.on == date(2027, 2, 28)
