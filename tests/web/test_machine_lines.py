"""What a machine's page says about its readings, plan and services."""

from __future__ import annotations

from datetime import date

from app.parts.due import due
from app.parts.plans import plan_of
from app.parts.usage import usage
from app.web.machine_page import hours_chart, map_points, plan_status, reading_lines, service_lines, usage_sentence

TODAY = date(2026, 11, 25)
MODEL = {
    "plan": [
        {"id": "oil", "title": "Oil", "part": "P-1", "quantity": 2, "every_hours": 500},
        {"id": "run-in", "title": "First check", "part": "P-2", "quantity": 1, "first_hours": 50, "once": True},
    ]
}
READINGS = [
    {"_id": "D001:reading:A-1:2026-10-26", "at": "2026-10-26T12:00:00Z", "hours": 400.0, "source": "manual"},
    {"_id": "D001:reading:A-1:2026-11-25", "at": "2026-11-25T12:00:00Z", "hours": 460.0, "source": "telematics"},
]
SERVICES = [
    {
        "_id": "D001:service:1",
        "done_on": "2026-03-01",
        "hours": 55,
        "kind": "planned",
        "lines": [{"id": "a", "plan_line": "run-in", "part": "P-2", "quantity": 1}],
    }
]


def test_the_usage_sentence_says_from_how_many_readings() -> None:
    sentence = usage_sentence(usage(READINGS, TODAY), READINGS, TODAY)
    assert sentence == "2.0 h a day over 30 days, from 2 readings"
    assert "guess" in usage_sentence(usage([], TODAY), [], TODAY)


def test_readings_come_newest_first_with_what_was_gained() -> None:
    newest, oldest = reading_lines(READINGS)
    assert (newest.hours, newest.gained, newest.source) == (460.0, 60.0, "Telematics")
    assert oldest.gained is None


def test_the_chart_goes_on_along_the_usage() -> None:
    chart = hours_chart(READINGS, usage(READINGS, TODAY), TODAY)
    assert chart is not None
    read, expected = chart["series"]
    assert [hours for _, hours in read["points"]] == [400.0, 460.0]
    assert expected["points"][-1] == ["2027-02-23", 640.0]
    assert hours_chart(READINGS[:1], usage(READINGS, TODAY), TODAY) is None


def test_each_plan_line_says_when_it_was_done_and_is_due() -> None:
    plan, used = plan_of(MODEL), usage(READINGS, TODAY)
    entries = due(plan, used, SERVICES, TODAY, 3650, {})
    oil, first_check = plan_status(plan, entries, SERVICES, used, TODAY)
    assert (oil.title, oil.last_on, oil.next_hours, oil.overdue, oil.soon) == ("Oil", "", 500.0, False, True)
    assert (first_check.last_on, first_check.last_hours, first_check.when) == ("2026-03-01", 55.0, "done")


def test_a_service_names_the_lines_it_did() -> None:
    (line,) = service_lines(SERVICES, plan_of(MODEL))
    assert line.lines == ("First check",)
    assert line.hours == 55.0


def test_a_position_that_is_none_is_not_drawn() -> None:
    assert map_points({"position": {"latitude": 200, "longitude": 0}}, "A", TODAY) == []
    assert map_points({}, "A", TODAY) == []
    (point,) = map_points(
        {"position": {"latitude": 48.3, "longitude": 14.3}, "position_at": "2026-11-24T05:00:00Z"}, "A", TODAY
    )
    assert point["note"] == "seen yesterday"
