"""The parts desk's lists, made from finished lines."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

from app.web.parts_lists import NeedLine, as_csv, by_customer, by_machine, by_part, filtered, totals

TODAY = date(2026, 11, 25)


def line(**values: Any) -> NeedLine:
    given = {
        "part": "P-100",
        "part_name": "Oil filter",
        "unit": "pc",
        "quantity": 1.0,
        "on": date(2026, 12, 1),
        "hours": 500.0,
        "overdue": False,
        "title": "500 h service",
        "reason": "",
        "machine_id": "D001:machine:ACME-1",
        "machine": "Acme 320",
        "serial": "1",
        "fleet_number": "",
        "make": "Acme",
        "customer_id": "D001:customer:1",
        "customer": "Berg",
        "place": "Linz",
        "price": 10.0,
    }
    return NeedLine(**{**given, **values})


def test_a_part_is_totalled_over_all_machines_that_need_it() -> None:
    lines = [
        line(quantity=2.0, on=date(2026, 12, 9)),
        line(machine_id="D001:machine:ACME-2", quantity=1.0, on=date(2026, 11, 20), overdue=True),
        line(part="P-050", quantity=4.0),
    ]
    found = by_part(lines, TODAY)
    assert [total.part for total in found] == ["P-050", "P-100"]
    filters = found[1]
    assert (filters.quantity, filters.overdue_quantity, filters.machines, filters.customers) == (3.0, 1.0, 2, 1)
    assert filters.first_on == date(2026, 11, 20)
    assert filters.when == "5 days late"
    assert filters.value == 30.0


def test_the_customer_who_needs_something_first_comes_first() -> None:
    lines = [
        line(),
        line(customer_id="D001:customer:2", customer="Alm", on=date(2027, 1, 5), machine_id="D001:machine:ACME-9"),
        line(customer_id="", customer="", on=date(2026, 11, 30), machine_id="D001:machine:ACME-8"),
    ]
    assert [need.customer for need in by_customer(lines, TODAY)] == ["Own stock", "Berg", "Alm"]


def test_a_machines_lines_are_in_order_of_the_day() -> None:
    lines = [line(part="B", on=date(2026, 12, 20)), line(part="A", on=date(2026, 12, 2))]
    (machine,) = by_machine(lines)
    assert [need.part for need in machine.lines] == ["A", "B"]
    assert machine.first_on == date(2026, 12, 2)


def test_filters_narrow_by_make_customer_and_part() -> None:
    lines = [line(), line(make="Other", part="X"), line(customer_id="D001:customer:2")]
    assert len(filtered(lines, make="Acme")) == 2
    assert len(filtered(lines, customer_id="D001:customer:2")) == 1
    assert len(filtered(lines, part="X")) == 1
    assert filtered(lines, make="Nobody") == []


def test_totals_say_how_many_parts_have_no_price() -> None:
    found = totals([line(quantity=3.0), line(part="P-7", price=None), line(overdue=True)])
    assert (found.parts, found.lines, found.machines, found.overdue) == (2, 3, 1, 1)
    assert found.value == 40.0
    assert found.unpriced == 1


def test_the_csv_holds_every_line_and_no_formula() -> None:
    text = as_csv([line(customer='Berg, "Sons"', quantity=2.5), line(part_name="=HYPERLINK(1)", price=None)])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert rows[0]["customer"] == 'Berg, "Sons"'
    assert rows[0]["quantity"] == "2.5"
    assert rows[0]["due on"] == "2026-12-01"
    assert rows[0]["value"] == "25.00"
    assert rows[1]["name"].startswith("'=")
    assert rows[1]["price"] == ""
