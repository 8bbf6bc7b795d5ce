from datetime import date
from typing import Any

from app.market.standing import standing, standing_id

TODAY = date(2026, 11, 25)
MODEL = {
    "_id": "model:CAT-320",
    "make": "CAT",
    "name": "320",
    "hours_per_day": 5.0,
    "plan": [
        {"id": "oil", "title": "Engine oil filter", "part": "part:1R-0716", "quantity": 1, "every_hours": 500},
        {"id": "look", "title": "Look at the tracks", "part": "", "quantity": 1, "every_hours": 250},
    ],
}
MACHINE = {
    "_id": "D001:machine:CAT-ABC1",
    "type": "machine",
    "dealer": "D001",
    "make": "CAT",
    "model": "320",
    "serial": "ABC1",
    "customer": "D001:customer:1",
}
# 5 hours a day, as of today at 1,000 hours.
READINGS: list[dict[str, Any]] = [
    {"type": "reading", "at": "2026-10-26T12:00:00Z", "hours": 850.0},
    {"type": "reading", "at": "2026-11-25T12:00:00Z", "hours": 1000.0},
]
SERVICES: list[dict[str, Any]] = [
    {
        "type": "service",
        "done_on": "2026-11-25",
        "hours": 1000.0,
        "lines": [{"plan_line": "oil", "part": "part:1R-0716"}],
    }
]


def test_a_standing_says_hours_customer_and_demand_of_twelve_months() -> None:
    found = standing(MACHINE, READINGS + SERVICES, MODEL, "Miller Quarry", TODAY)
    assert found["_id"] == "D001:standing:CAT-ABC1"
    assert found["dealer"] == "D001"
    assert found["hours"] == 1000.0
    assert found["hours_per_day"] == 5.0
    assert found["customer_name"] == "Miller Quarry"
    # Every 500 h at 5 h a day is every 100 days: in March, June and September, all within the twelve months.
    assert [(row["month"], row["part"], row["quantity"]) for row in found["demand"]] == [
        ("2027-03", "part:1R-0716", 1.0),
        ("2027-06", "part:1R-0716", 1.0),
        ("2027-09", "part:1R-0716", 1.0),
    ]


def test_what_is_overdue_is_needed_this_month() -> None:
    found = standing(MACHINE, READINGS, MODEL, "", TODAY)
    assert found["overdue"] >= 1
    assert found["demand"][0]["month"] == "2026-11"


def test_a_machine_of_an_unknown_model_stands_without_demand() -> None:
    found = standing(MACHINE, READINGS, None, "", TODAY)
    assert found["demand"] == []
    assert found["planned"] is False
    assert found["hours"] == 1000.0


def test_a_scrapped_machine_needs_nothing() -> None:
    assert standing({**MACHINE, "status": "scrapped"}, READINGS, MODEL, "", TODAY)["demand"] == []


def test_the_same_facts_give_the_same_standing() -> None:
    forward = standing(MACHINE, READINGS + SERVICES, MODEL, "Miller", TODAY)
    backward = standing(MACHINE, list(reversed(READINGS + SERVICES)), MODEL, "Miller", TODAY)
    assert forward == backward


def test_a_standing_is_named_after_its_machine() -> None:
    assert standing_id("D001:machine:CAT-ABC1") == "D001:standing:CAT-ABC1"
