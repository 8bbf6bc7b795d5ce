"""What a plan's parts cost for 1,000 hours."""

from __future__ import annotations

import pytest

from app.parts.cost import plan_cost
from app.parts.plans import plan_of

PARTS = {
    "part:A": {"_id": "part:A", "number": "A", "price": 10.0},
    "part:B": {"_id": "part:B", "number": "B", "price": 3.0, "replaced_by": "part:C"},
    "part:C": {"_id": "part:C", "number": "C", "price": 4.0},
    "part:N": {"_id": "part:N", "number": "N"},
}


def cost(*rows, hours_per_day=None):
    plan = plan_of({"plan": [{"id": str(number), "title": "x", **row} for number, row in enumerate(rows)]})
    return plan_cost(plan, PARTS, hours_per_day)


def test_a_part_costs_as_often_as_it_is_due():
    assert cost({"part": "part:A", "quantity": 2, "every_hours": 250}).per_thousand_hours == pytest.approx(80)


def test_a_part_that_was_replaced_costs_what_is_sold_instead():
    assert cost({"part": "part:B", "every_hours": 500}).per_thousand_hours == pytest.approx(8)


def test_one_visit_takes_a_part_once_whatever_lines_name_it():
    two_lines = cost({"part": "part:A", "every_hours": 1000}, {"part": "part:A", "every_hours": 2000})
    assert two_lines.per_thousand_hours == pytest.approx(10)
    more = cost({"part": "part:A", "every_hours": 1000}, {"part": "part:A", "every_hours": 2000, "quantity": 3})
    assert more.per_thousand_hours == pytest.approx(20)


def test_months_count_as_hours_of_the_usual_use_and_the_shorter_interval_counts():
    # Twelve months at 2 h a day are 730.5 h.
    by_date = cost({"part": "part:A", "every_months": 12}, hours_per_day=2.0)
    assert by_date.per_thousand_hours == pytest.approx(10_000 / 730.5)
    both = cost({"part": "part:A", "every_months": 12, "every_hours": 500}, hours_per_day=2.0)
    assert both.per_thousand_hours == pytest.approx(20)


def test_what_cannot_be_counted_is_said_and_not_guessed():
    found = cost(
        {"part": "part:A", "every_hours": 100, "option": "axle"},
        {"part": "part:N", "every_hours": 100},
        {"part": "part:A", "every_months": 12},
        {"part": "part:A", "first_hours": 50, "once": True},
        {"every_hours": 100},
    )
    assert (found.per_thousand_hours, found.options, found.unpriced, found.by_date) == (0, 1, 1, 1)


def test_an_empty_plan_costs_nothing():
    assert cost().per_thousand_hours == 0
