"""The parts desk's lists, made from finished lines."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.parts.questions import PartSum
from app.web.parts_lists import CSV_COLUMNS, NeedLine, by_customer, by_machine, by_part, csv_row, part_totals

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


def test_a_part_is_totalled_over_the_machines_that_need_it() -> None:
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


def test_a_parts_total_has_its_value_and_says_how_late_it_is() -> None:
    sums = PartSum("P-100", "Oil filter", "pc", 10.0, 3.0, 1.0, date(2026, 11, 20), machines=2, customers=1)
    (found,) = part_totals([sums], TODAY)
    assert (found.part, found.quantity, found.overdue_quantity, found.machines) == ("P-100", 3.0, 1.0, 2)
    assert (found.when, found.value) == ("5 days late", 30.0)


def test_a_part_without_a_price_has_no_value() -> None:
    sums = PartSum("P-100", "Oil filter", "", None, 3.0, 0.0, TODAY, machines=2, customers=1)
    assert part_totals([sums], TODAY)[0].value is None


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


def test_a_row_of_the_csv_has_every_column() -> None:
    row = dict(zip(CSV_COLUMNS, csv_row(line(customer='Berg, "Sons"', quantity=2.5)), strict=True))
    assert (row["customer"], row["quantity"], row["due on"], row["value"]) == (
        'Berg, "Sons"',
        "2.5",
        "2026-12-01",
        "25.00",
    )
    assert csv_row(line(price=None))[-2:] == ["", ""]
