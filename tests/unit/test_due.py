"""What is due, when, how many, and why."""

from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.parts.due import due
from app.parts.plans import plan_of
from app.parts.usage import Usage

TODAY = date(2026, 11, 25)
NEW = {"status": "in service", "delivered_on": "2026-11-01"}


def plan(*rows):
    return plan_of(
        {"plan": [{"id": f"line{n}", "title": f"Line {n}", "part": f"P{n}", **row} for n, row in enumerate(rows)]}
    )


def running(hours, per_day=4.0):
    return Usage(hours, per_day, TODAY, "readings")


def service(days_ago, hours, *plan_lines, **fields):
    return {
        "done_on": (TODAY - timedelta(days=days_ago)).isoformat(),
        "hours": hours,
        "kind": "planned",
        "lines": [{"plan_line": name} for name in plan_lines],
        **fields,
    }


def ask(lines, usage, services=(), days=90, machine=NEW):
    return due(lines, usage, services, TODAY, days, machine)


def test_a_line_is_due_when_its_hours_are_reached():
    (found,) = ask(plan({"every_hours": 250}), running(130))
    assert found.on == TODAY + timedelta(days=30)
    assert (found.at_hours, found.overdue, found.quantity) == (250, False, 1)
    assert found.reason == "Due at 250 h, about 2026-12-25: every 250 h, not done before."


def test_what_comes_again_within_the_horizon_is_counted_again():
    (found,) = ask(plan({"every_hours": 100, "quantity": 2}), running(0), days=90)
    assert [visit.at_hours for visit in found.visits] == [100, 200, 300]
    assert found.quantity == 6
    assert found.reason.endswith("3 times until 2027-02-23.")


def test_a_machine_of_3000_hours_without_a_service_on_record_is_due_once_now():
    (found,) = ask(plan({"every_hours": 250}), running(3010), days=0)
    assert (len(found.visits), found.overdue, found.at_hours) == (1, True, 3000)
    assert found.reason == "No service on record: every 250 h, and it has 3,010 h now."


def test_a_machine_right_on_its_hours_is_overdue_for_the_services_it_never_had():
    (found,) = ask(plan({"every_hours": 250}), running(3000), days=0)
    assert (len(found.visits), found.overdue) == (1, True)
    (found,) = ask(plan({"every_hours": 250}), running(250), days=0)
    assert (len(found.visits), found.overdue) == (1, False)


def test_a_machine_in_the_dealers_yard_needs_nothing_by_the_calendar_until_it_is_delivered():
    yearly = plan({"every_months": 12})
    unsold = {"status": "in stock", "year": 2024}
    assert ask(yearly, Usage(None, 2.5, None, "default"), days=90, machine=unsold) == []
    assert len(ask(yearly, Usage(None, 2.5, None, "default"), machine={**unsold, "status": "in service"})) == 1


def test_after_what_is_overdue_the_interval_starts_from_now():
    (found,) = ask(plan({"every_hours": 250}), running(3200), days=90)
    assert [round(visit.at_hours) for visit in found.visits] == [3000, 3450]


def test_the_last_service_says_when_the_next_is_due():
    (found,) = ask(plan({"every_hours": 250}), running(1100), [service(30, 1000, "line0")], days=60)
    assert found.at_hours == 1250
    assert "last done at 1,000 h on 2026-10-26" in found.reason


def test_overdue_hours_are_named():
    (found,) = ask(plan({"every_hours": 250}), running(1300), [service(80, 1000, "line0")], days=0)
    assert found.overdue
    assert found.reason == "Overdue by 50 h: every 250 h, last done at 1,000 h on 2026-09-06."
    assert found.on < TODAY


def test_whichever_comes_first_hours_or_months():
    lines = plan({"every_hours": 500, "every_months": 12})
    done = [service(300, 1000, "line0")]
    (lazy,) = ask(lines, running(1020, 0.1), done)
    assert (lazy.on, lazy.overdue) == (date(2027, 1, 29), False)
    (busy,) = ask(lines, running(1490, 5.0), done)
    assert busy.on == TODAY + timedelta(days=2)


def test_a_calendar_line_does_not_ask_for_hours():
    nobody_knows = Usage(None, 2.5, None, "default")
    (found,) = ask(plan({"every_months": 1}, {"every_hours": 250}), nobody_knows, days=20)
    assert (found.line_id, found.on, found.at_hours) == ("line0", date(2026, 12, 1), None)


def test_months_end_where_the_month_ends():
    done = [{"done_on": "2026-08-31", "lines": [{"plan_line": "line0"}]}]
    (found,) = ask(plan({"every_months": 6}), running(10), done, days=120)
    assert found.on == date(2027, 2, 28)


def test_a_new_machine_without_a_delivery_date_is_not_asked_for_old_coolant():
    machine = {"status": "in service"}
    assert ask(plan({"every_months": 12}), running(37), machine=machine) == []
    (old,) = ask(plan({"every_months": 12}), running(3000), machine=machine)
    assert old.overdue


def test_the_first_service_comes_early_and_then_on_the_interval():
    lines = plan({"first_hours": 50, "every_hours": 500})
    (found,) = ask(lines, running(10), days=30)
    assert found.at_hours == 50
    (found,) = ask(lines, running(60), [service(2, 52, "line0")], days=150)
    assert found.at_hours == 552


def test_a_line_done_before_its_start_still_starts_then():
    (found,) = ask(plan({"first_hours": 1000, "every_hours": 500}), running(900), [service(50, 100, "line0")])
    assert found.at_hours == 1000


def test_once_is_once():
    lines = plan({"first_hours": 50, "once": True})
    assert len(ask(lines, running(0), days=3000)[0].visits) == 1
    assert ask(lines, running(60), [service(1, 55, "line0")], days=3000) == []


def test_a_planned_service_at_its_hours_settles_a_running_in_line():
    lines = plan({"first_hours": 50, "once": True}, {"every_hours": 250})
    assert [entry.line_id for entry in ask(lines, running(300), [service(9, 252, "line1")], days=0)] == []
    repair = service(9, 252, kind="repair")
    assert "line0" in [entry.line_id for entry in ask(lines, running(300), [repair], days=0)]


def test_an_option_line_is_for_machines_that_have_it():
    lines = plan({"every_hours": 100, "option": "limited slip"})
    assert ask(lines, running(0)) == []
    assert len(ask(lines, running(0), machine={**NEW, "options": ["Limited slip"]})) == 1


def test_the_long_visit_contains_the_short_one_with_the_same_part():
    lines = plan({"part": "OIL", "every_hours": 250}, {"part": "OIL", "every_hours": 500})
    found = ask(lines, running(0, 10), days=100)
    assert sorted((round(visit.at_hours), entry.line_id) for entry in found for visit in entry.visits) == [
        (250, "line0"),
        (500, "line1"),
        (750, "line0"),
        (1000, "line1"),
    ]


def test_the_visit_takes_the_larger_quantity_of_the_two():
    lines = plan({"part": "OIL", "quantity": 3, "every_hours": 250}, {"part": "OIL", "quantity": 2, "every_hours": 500})
    found = ask(lines, running(490, 10), [service(25, 250, "line0")], days=5)
    assert sum(entry.quantity for entry in found) == 3


def test_two_places_with_the_same_part_and_interval_both_count():
    lines = plan({"part": "AXLE", "every_hours": 1000}, {"part": "AXLE", "every_hours": 1000})
    assert sum(entry.quantity for entry in ask(lines, running(990, 10))) == 2


def test_doing_the_long_line_does_the_short_one_too():
    lines = plan({"part": "OIL", "every_hours": 250}, {"part": "OIL", "every_hours": 500})
    found = ask(lines, running(510, 1), [service(5, 500, "line1")], days=200)
    assert [entry.line_id for entry in found] == []


def test_lines_that_fall_a_few_hours_apart_are_one_visit():
    lines = plan({"part": "OIL", "every_hours": 250}, {"part": "OIL", "every_hours": 500})
    done = [service(100, 500, "line1"), service(40, 745, "line0")]
    found = ask(lines, running(900, 5), done, days=25)
    assert sum(entry.quantity for entry in found) == 1


def test_a_part_fitted_in_a_repair_counts_for_its_only_line():
    repair = {"done_on": "2026-11-20", "hours": 1240, "kind": "repair", "lines": [{"part": "P0", "quantity": 1}]}
    assert ask(plan({"every_hours": 250}), running(1250), [repair], days=30) == []


def test_a_service_without_hours_is_placed_by_its_date():
    (found,) = ask(plan({"every_hours": 250}), running(1250, 5), [service(20, None, "line0")])
    assert found.at_hours == 1400


def test_a_service_of_tomorrow_has_not_been_done():
    assert ask(plan({"every_hours": 250}), running(1260), [service(-1, 1260, "line0")], days=0)[0].overdue


def test_a_service_with_mistyped_hours_does_not_push_the_next_one_out():
    (found,) = ask(plan({"every_hours": 250}), running(1250, 4), [service(0, 12500, "line0")])
    assert found.at_hours == 1500


def test_a_machine_that_stands_still_needs_only_what_is_due_already():
    found = ask(plan({"every_hours": 250}, {"every_hours": 2000}), running(300, 0.0), days=3650)
    assert [(entry.line_id, len(entry.visits), entry.on) for entry in found] == [("line0", 1, TODAY)]


@pytest.mark.parametrize("status", ["sold on", "scrapped"])
def test_a_machine_that_is_gone_needs_nothing(status):
    assert ask(plan({"every_hours": 250}), running(3000), machine={"status": status}) == []


def test_work_without_a_part_is_due_as_well():
    (found,) = ask(plan({"part": "", "title": "Check tracks", "every_hours": 50}), running(40, 1), days=20)
    assert (found.title, found.part) == ("Check tracks", "")


def test_overdue_comes_first_then_by_date():
    lines = plan({"every_hours": 1000}, {"every_hours": 250}, {"every_months": 12})
    found = ask(lines, running(900, 4), days=400)
    assert [entry.line_id for entry in found] == ["line1", "line0", "line2"]


rows = st.fixed_dictionaries(
    {"part": st.sampled_from(["A", "B", "C", "D", "E", ""]), "quantity": st.integers(1, 4)},
    optional={
        "every_hours": st.sampled_from([10, 50, 100, 250, 400, 500, 1000, 2000]),
        "every_months": st.sampled_from([1, 3, 6, 12, 24]),
        "first_hours": st.sampled_from([8, 50, 100, 1000]),
        "once": st.booleans(),
    },
)
machines = st.fixed_dictionaries({}, optional={"delivered_on": st.dates(date(2018, 1, 1), TODAY).map(str)})
usages = st.builds(
    lambda hours, per_day: Usage(hours, per_day, TODAY, "readings"),
    st.none() | st.floats(0, 12_000),
    st.just(0.0) | st.floats(0.05, 12),
)


@st.composite
def situations(draw, one_line_a_part=False):
    drawn = draw(st.lists(rows, min_size=1, max_size=5))
    if one_line_a_part:
        drawn = [{**row, "part": f"P{n}"} for n, row in enumerate(drawn)]
    lines = plan(*drawn)
    usage = draw(usages)
    done = []
    for _ in range(draw(st.integers(0, 4))):
        days_ago = draw(st.integers(0, 900))
        names = draw(st.lists(st.sampled_from([f"line{n}" for n in range(5)]), max_size=3))
        hours = draw(st.none() | st.floats(0, 12_000))
        done.append(service(days_ago, hours, *names))
    return lines, usage, done, draw(machines)


def quantities(found):
    counted = Counter()
    for entry in found:
        counted[entry.part] += entry.quantity
    return counted


@settings(deadline=None, max_examples=150)
@given(situations(), st.integers(0, 500), st.integers(0, 500))
def test_a_longer_horizon_never_needs_less(situation, shorter, more):
    lines, usage, done, machine = situation
    short = quantities(due(lines, usage, done, TODAY, shorter, machine))
    long = quantities(due(lines, usage, done, TODAY, shorter + more, machine))
    assert all(long[part] >= short[part] for part in short)


@settings(deadline=None, max_examples=150)
@given(situations(one_line_a_part=True), st.integers(0, 700), st.data())
def test_doing_a_service_today_never_increases_the_need(situation, days, data):
    lines, usage, done, machine = situation
    if not lines:
        return
    chosen = data.draw(st.sampled_from(lines))
    today = service(0, usage.hours_now, chosen.id, kind="repair")
    before = quantities(due(lines, usage, done, TODAY, days, machine))
    after = quantities(due(lines, usage, [*done, today], TODAY, days, machine))
    assert all(after[part] <= before[part] for part in after)


@settings(deadline=None, max_examples=150)
@given(situations(), st.integers(0, 700))
def test_what_is_due_is_complete_and_in_order(situation, days):
    lines, usage, done, machine = situation
    for entry in due(lines, usage, done, TODAY, days, machine):
        assert entry.quantity == sum(visit.quantity for visit in entry.visits) > 0
        assert [visit.on for visit in entry.visits] == sorted(visit.on for visit in entry.visits)
        assert entry.visits[-1].on <= TODAY + timedelta(days=days)
        assert all(visit.on >= TODAY for visit in entry.visits[1:])
        assert entry.overdue or entry.on >= TODAY
        assert entry.reason.endswith(".")
