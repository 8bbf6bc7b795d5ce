"""The machine's page: hours, plan, services, bulletins, position."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dealership
import pytest
from visitors import Browser

from app.documents import saving
from app.node import Node

PAGE = f"/machines/{dealership.EXCAVATOR}"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    return dealer_node


@pytest.fixture
def parts(node: Node, sign_in: Callable[..., Browser]) -> Browser:
    return sign_in("parts")


def text(browser: Browser, address: str, **options: Any) -> str:
    answer = browser.get(address, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_the_page_says_hours_usage_and_what_is_due(parts: Browser) -> None:
    page = text(parts, PAGE)
    assert "Acme 320 320001" in page
    assert "2.0 h a day over 60 days, from 3 readings" in page
    assert "Oil change" in page
    assert "in 10 days" in page
    assert "Berg Earthworks" in page
    assert "B-7: Check the hose" in page


def test_the_chart_has_a_table_beside_it(parts: Browser) -> None:
    page = text(parts, PAGE)
    assert "data-chart=" in page
    assert "Hour-meter readings, newest first" in page
    assert "Telematics" in page


def test_a_replaced_meter_is_told(node: Node, parts: Browser) -> None:
    at = dealership.day(node, -10)
    id = f"D001:reading:ACME-320001:{at}"
    dealership.add(node, "reading", id, machine=dealership.EXCAVATOR, at=f"{at}T06:00:00Z", hours=3.0)
    newest = node.book.get(f"D001:reading:ACME-320001:{dealership.day(node, 0)}")
    assert newest is not None
    saving.save(node.book, {**newest, "hours": 23.0}, by="test")
    assert "taken as replaced" in text(parts, PAGE)


def test_a_machine_without_a_plan_says_why(parts: Browser) -> None:
    page = text(parts, f"/machines/{dealership.LOADER}")
    assert "does not know this make and model" in page
    assert "No reading yet" in page


def test_a_recorded_service_ticks_its_lines_and_is_a_reading(node: Node, parts: Browser) -> None:
    form = text(parts, f"/add/service?on={dealership.EXCAVATOR}", headers=HTMX)
    assert 'name="tick.oil"' in form
    assert 'name="tick.check"' in form
    data = {"done_on": dealership.day(node, -1), "hours": "478", "kind": "planned", "tick.oil": "yes"}
    answer = parts.post(f"/add/service?on={dealership.EXCAVATOR}", data=data, headers=HTMX)
    assert answer.status_code == 200
    sections = answer.get_data(as_text=True)
    assert 'id="section-plan"' in sections
    assert '<div id="section-services" class="section" hx-swap-oob="true">' in sections
    assert "at 478" in sections.replace("\u00a0", " ")
    rows = node.book.view("machines", "by_machine", key=None, include_docs=True, reduce=False)
    (service,) = [row.doc for row in rows if row.doc and row.doc["type"] == "service"]
    assert service["customer"] == dealership.CUSTOMER
    assert [(line["plan_line"], line["part"], line["quantity"]) for line in service["lines"]] == [
        ("oil", "part:P-OIL", 2)
    ]
    reading = node.book.get(f"D001:reading:ACME-320001:{dealership.day(node, -1)}")
    assert reading is not None
    assert (reading["hours"], reading["source"]) == (478, "service")
    assert "Oil change" in text(parts, PAGE)


def test_a_bulletin_recorded_as_done_is_open_no_more(node: Node, parts: Browser) -> None:
    address = f"/add/service?on={dealership.EXCAVATOR}&bulletin=bulletin:B-7"
    answer = parts.post(address, data={"done_on": dealership.day(node, 0), "kind": "bulletin"})
    assert answer.status_code == 303
    assert "B-7: Check the hose" not in text(parts, PAGE)


def test_a_reading_of_that_day_is_not_made_twice(node: Node, parts: Browser) -> None:
    data = {"at": f"{dealership.day(node, 0)}T06:00", "hours": "481"}
    answer = parts.post(f"/add/reading?on={dealership.EXCAVATOR}", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert "in the book already" in answer.get_data(as_text=True)


def test_hours_that_are_no_number_are_refused_in_place(node: Node, parts: Browser) -> None:
    data = {"at": f"{dealership.day(node, -3)}T06:00", "hours": "lots"}
    answer = parts.post(f"/add/reading?on={dealership.EXCAVATOR}", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#add-hours"
    assert "lots" in answer.get_data(as_text=True)


def test_a_position_is_drawn_on_outlines_of_this_node(node: Node, parts: Browser) -> None:
    assert "data-map=" not in text(parts, PAGE)
    machine = node.book.get(dealership.EXCAVATOR)
    assert machine is not None
    node.book.put({**machine, "position": {"latitude": 48.3, "longitude": 14.3}})
    page = text(parts, PAGE)
    assert "data-map=" in page
    assert "countries-50m.json" in page
    assert "https://" not in page.split("<main")[1]


def test_an_unknown_machine_is_not_found(parts: Browser) -> None:
    assert parts.get("/machines/D001:machine:ACME-999", follow_redirects=True).status_code == 404


def test_hours_below_the_last_reading_are_questioned_and_saved_when_confirmed(node: Node, parts: Browser) -> None:
    address = f"/add/reading?on={dealership.EXCAVATOR}"
    typed = {"at": f"{dealership.day(node, 1)}T09:00", "hours": "48", "source": "manual"}
    asked = parts.post(address, data=typed, headers=HTMX)
    assert asked.status_code == 422
    page = asked.get_data(as_text=True)
    assert "The meter stood at 480 h" in page
    assert 'value="48"' in page
    assert len(reading_hours(node)) == 3
    assert parts.post(address, data={**typed, "confirmed": "yes"}, headers=HTMX).status_code == 200
    assert 48 in reading_hours(node)


def test_a_slip_in_a_services_hours_is_questioned_too(node: Node, parts: Browser) -> None:
    typed = {"done_on": dealership.day(node, 1), "hours": "48000", "kind": "planned"}
    asked = parts.post(f"/add/service?on={dealership.EXCAVATOR}", data=typed, headers=HTMX)
    assert "more than 24 hours a day" in asked.get_data(as_text=True)
    assert not services(node)


def test_parts_that_no_plan_names_are_recorded_with_a_service(node: Node, parts: Browser) -> None:
    form = parts.get(f"/add/service?on={dealership.EXCAVATOR}", headers=HTMX).get_data(as_text=True)
    assert "Other parts used" in form
    typed = {
        "done_on": dealership.day(node, 0), "hours": "480", "kind": "repair", "tick.oil": "yes",
        "lines": "", "lines.new1.part": "part:P-OIL", "lines.new1.quantity": "3",
    }  # fmt: skip
    wrong = parts.post(
        f"/add/service?on={dealership.EXCAVATOR}", data={**typed, "lines.new1.quantity": "many"}, headers=HTMX
    )
    assert wrong.status_code == 422
    assert 'value="many"' in wrong.get_data(as_text=True)
    assert parts.post(f"/add/service?on={dealership.EXCAVATOR}", data=typed, headers=HTMX).status_code == 200
    (service,) = services(node)
    assert [(line.get("plan_line"), line["part"], line["quantity"]) for line in service["lines"]] == [
        ("oil", "part:P-OIL", 2),
        (None, "part:P-OIL", 3),
    ]


def test_nothing_is_added_to_a_machine_that_is_not_there(node: Node, parts: Browser) -> None:
    address = f"/add/reading?on={dealership.CUSTOMER}&machine=D001:machine:NONE-1"
    typed = {"at": f"{dealership.day(node, 0)}T09:00", "hours": "48", "source": "manual"}
    answer = parts.post(address, data=typed, headers=HTMX)
    assert answer.status_code == 422
    assert "that is not there" in answer.get_data(as_text=True)


def reading_hours(node: Node) -> set[float]:
    rows = node.book.view(
        "readings", "by_machine", startkey=[dealership.EXCAVATOR], endkey=[dealership.EXCAVATOR, {}]
    ).rows
    return {row.value["hours"] for row in rows}


def services(node: Node) -> list[dict[str, Any]]:
    key = [dealership.EXCAVATOR, "service"]
    span: dict[str, Any] = {"startkey": key, "endkey": [*key, {}]}
    rows = node.book.view("machines", "by_machine", include_docs=True, reduce=False, **span)
    return [row.doc for row in rows if row.doc]
