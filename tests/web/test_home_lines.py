"""What home says about the diary's rows."""

from __future__ import annotations

from datetime import date, timedelta

from app.web.ages import ago, ahead
from app.web.home_page import EPOCH, diary_lines, ids_named, unvisited, unvisited_lines

TODAY = date(2026, 11, 25)


def test_days_are_told_in_words() -> None:
    assert [ago(TODAY - timedelta(days=days), TODAY) for days in (0, 1, 12, 150, 1000)] == [
        "today",
        "yesterday",
        "12 days ago",
        "5 months ago",
        "3 years ago",
    ]
    assert [ahead(TODAY + timedelta(days=days), TODAY) for days in (0, 1, 6, -1, -3)] == [
        "today",
        "tomorrow",
        "in 6 days",
        "1 day late",
        "3 days late",
    ]


def test_a_follow_up_says_whom_to_call_and_how_late_it_is() -> None:
    rows = [
        (
            "D001:activity:1",
            {"customer": "D001:customer:1", "person": "D001:person:1", "title": "Quote", "kind": "visit",
             "at": "2026-11-11T09:00:00Z", "who": "anna"},
            "2026-11-22",
        )
    ]  # fmt: skip
    named = {
        "D001:customer:1": {"name": "Berg", "city": "Linz", "phone": "1"},
        "D001:person:1": {"name": "Ida", "phones": [{"id": "a", "label": "mobile", "number": "+43 2"}]},
    }
    assert ids_named(value for _, value, _ in rows) == set(named)
    (line,) = diary_lines(rows, named, TODAY)
    assert (line.customer, line.place, line.person, line.phone) == ("Berg", "Linz", "Ida", "+43 2")
    assert (line.when, line.overdue, line.note) == ("3 days late", True, "after the visit 14 days ago")


def test_a_task_without_a_day_is_never_late() -> None:
    (line,) = diary_lines([("D001:task:1", {"title": "Tidy", "who": "anna"}, "9999-12-31")], {}, TODAY)
    assert line.day is None
    assert (line.when, line.overdue) == ("", False)


def test_a_row_that_names_what_is_gone_is_still_shown() -> None:
    (line,) = diary_lines([("D001:activity:1", {"customer": "D001:customer:9"}, "2026-11-25")], {}, TODAY)
    assert line.title == "(no subject)"
    assert line.customer == ""


def test_customers_never_visited_come_before_those_visited_long_ago() -> None:
    def day(days_ago: int) -> int:
        return (TODAY - timedelta(days=days_ago) - EPOCH).days

    late = unvisited([("a", day(10)), ("b", day(91)), ("c", 0), ("d", day(400)), ("e", day(90))], TODAY, 90)
    assert [customer for customer, _ in late] == ["c", "d", "b", "e"]
    assert late[0][1] is None
    lines = unvisited_lines(
        late, {"c": {"name": "C"}, "d": {"name": "D", "status": "dormant"}, "b": {"name": "B"}}, TODAY
    )
    assert [(line.customer, line.when) for line in lines] == [("C", "never"), ("B", "3 months ago")]
