"""What a figure counts as ranges of a view, and sums that are kept while their index is the same (pure)."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.market import ranges
from app.market.ranges import ANY_MAKE, END
from app.market.remembered import remembered
from app.market.standing import hours_on
from app.web.market_rows import MODEL_NEEDS, NEEDS, NEEDS_OF_PART, OPPORTUNITIES, totals


def test_all_dealers_are_null_in_a_key_and_a_make_that_is_not_told_is_empty():
    assert ranges.demand("", "", "2026-12").prefix == (None, "", "2026-12")
    assert ranges.demand("D001", "Acme", part="part:1").prefix == ("D001", "Acme", "part:1")
    assert ranges.machines("", "", None, "").prefix == ("status", None, "", "")


def test_a_make_left_open_in_the_middle_is_a_range_for_each_make():
    wanted = ranges.demand("D001", None, "2026-12", "part:1")
    assert wanted.prefix == ("D001", ANY_MAKE, "2026-12", "part:1")
    assert [each.prefix for each in wanted.for_makes(["", "Acme"])] == [
        ("D001", "", "2026-12", "part:1"),
        ("D001", "Acme", "2026-12", "part:1"),
    ]


def test_a_make_left_open_at_the_end_is_one_range():
    wanted = ranges.demand("D001")
    assert wanted.for_makes(["", "Acme"]) == [wanted]
    assert wanted.query(3) == {"startkey": ["D001"], "endkey": ["D001", END], "group_level": 3, "update": "lazy"}


@pytest.mark.parametrize(
    ("standing", "hours"),
    [
        ({"hours": 100.0, "hours_per_day": 5.0, "on": "2026-11-15"}, 150.0),
        ({"hours": 100.0, "hours_per_day": 5.0, "on": "2026-11-30"}, 100.0),
        ({"hours": 100.0, "hours_per_day": 5.0, "on": "2026-11-15", "status": "scrapped"}, 100.0),
        ({"hours": None, "on": "2026-11-15"}, None),
        ({"hours": 7.5}, 7.5),
        ({}, None),
    ],
)
def test_hours_go_on_from_the_day_they_were_worked_out(standing, hours):
    assert hours_on(standing, date(2026, 11, 25)) == hours


@pytest.mark.parametrize(
    ("counted", "table", "unit", "words"),
    [
        (0, NEEDS, "", ["0\xa0needs"]),
        ({"count": 1, "sum": 500.0}, OPPORTUNITIES, "", ["1\xa0need", "500.00\xa0EUR"]),
        ([3, 41.5, 1234.5, 0], NEEDS, "", ["3\xa0needs", "1,234.50\xa0EUR at list prices"]),
        ([3, 41.5, 1234.5, 0], NEEDS_OF_PART, "litre", ["3\xa0needs", "41.5 litres", "1,234.50\xa0EUR at list prices"]),
        ([3, 41.5, 0, 3], NEEDS, "", ["3\xa0needs", "3 without a list price"]),
        ([2, 80.0], MODEL_NEEDS, "", ["2\xa0needs", "80.00\xa0EUR at list prices"]),
    ],
)
def test_what_rows_come_to_is_told_without_adding_up_different_units(counted, table, unit, words):
    assert totals(counted, table, ("need", "needs"), "EUR", unit) == words


def test_sums_are_worked_out_anew_only_after_the_index_has_moved():
    node: Any = cast("Any", SimpleNamespace(extensions={}))
    done: list[str] = []

    def work(name: str) -> list[str]:
        done.append(name)
        return [name]

    assert [remembered(node, "a", seq, lambda seq=seq: work(seq)) for seq in ("1", "1", "2", "2")] == [
        ["1"], ["1"], ["2"], ["2"],
    ]  # fmt: skip
    assert done == ["1", "2"]
    for number in range(100):
        remembered(node, number, "2", lambda: work("other"))
    remembered(node, "a", "2", lambda: work("again"))
    assert done[-1] == "again"
