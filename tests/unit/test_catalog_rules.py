"""What a plan and a bulletin must say to be of use."""

from __future__ import annotations

import pytest

from app.parts.catalog_rules import replaced_in_a_circle, wrong
from app.parts.serials import in_range, range_problem


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ({}, "every_hours"),
        ({"once": True}, "every_hours"),
        ({"every_hours": 0}, "every_hours"),
        ({"every_hours": 0.5}, "every_hours"),
        ({"every_months": 0}, "every_months"),
        ({"every_hours": 500, "every_months": 1.5}, "every_months"),
        ({"every_hours": 500, "quantity": 0}, "quantity"),
    ],
)
def test_a_line_that_would_never_be_due_as_it_says_is_told_so(line, column):
    errors = wrong("model", {"plan": [{"id": "a", "title": "Oil", **line}]})
    assert list(errors) == [f"plan.a.{column}"]


@pytest.mark.parametrize(
    "line", [{"every_hours": 500}, {"every_months": 12}, {"first_hours": 50}, {"once": True, "every_months": 24}]
)
def test_a_line_with_one_way_of_being_due_is_enough(line):
    assert wrong("model", {"plan": [{"id": "a", "title": "Oil", **line}]}) == {}


@pytest.mark.parametrize(
    ("first", "last"),
    [("VH180460", "VH180100"), ("SK-0200", "sk 0100"), ("B100", "A900"), ("SK-0100", "TLX-0900")],
)
def test_a_range_without_serial_numbers_is_refused(first, last):
    assert range_problem(first, last)
    assert list(wrong("bulletin", {"serial_from": first, "serial_to": last})) == ["serial_to"]
    assert not in_range(first, first, last)


@pytest.mark.parametrize(
    ("first", "last"), [("VH180100", "VH180460"), ("A900", "B100"), ("5", ""), ("", "5"), (None, None), ("7", "7")]
)
def test_a_range_that_can_hold_serial_numbers_is_not(first, last):
    assert range_problem(first, last) == ""
    assert wrong("bulletin", {"serial_from": first, "serial_to": last}) == {}


def test_parts_that_replace_one_another_are_found_and_other_chains_end():
    following = {"part:B": "part:C", "part:C": "part:A", "part:X": "part:Y", "part:Y": "part:X"}
    assert replaced_in_a_circle(following, "part:A", "part:B") == ["part:B", "part:C", "part:A"]
    assert replaced_in_a_circle(following, "part:A", "part:A") == ["part:A"]
    assert replaced_in_a_circle(following, "part:A", "part:X") == []
    assert replaced_in_a_circle({}, "part:A", "part:B") == []
