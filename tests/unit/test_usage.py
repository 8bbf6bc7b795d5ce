"""Hours now and hours a day, from readings as they really come."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.parts.usage import DEFAULT_HOURS_PER_DAY, usage

TODAY = date(2026, 11, 25)


def reading(days_ago, hours):
    return {"at": f"{(TODAY - timedelta(days=days_ago)).isoformat()}T12:00:00Z", "hours": hours}


def weekly(first, per_day, weeks=20, last_days_ago=0):
    return [reading(last_days_ago + 7 * (weeks - n), first + per_day * 7 * n) for n in range(weeks + 1)]


def test_weekly_readings_say_how_much_a_machine_runs():
    found = usage(weekly(1000, 4.0), TODAY)
    assert found.hours_per_day == pytest.approx(4.0)
    assert found.hours_now == pytest.approx(1560.0)
    assert (found.source, found.notes, found.meter_offset) == ("readings", (), 0.0)


def test_the_days_since_the_latest_reading_are_counted():
    found = usage(weekly(1000, 4.0, last_days_ago=10), TODAY)
    assert found.hours_now == pytest.approx(1560 + 10 * 4)
    assert found.as_of == TODAY - timedelta(days=10)


def test_one_odd_reading_hardly_moves_the_fit():
    readings = weekly(1000, 4.0)
    readings[10] = {**readings[10], "hours": readings[10]["hours"] + 20}
    assert usage(readings, TODAY).hours_per_day == pytest.approx(4.0, abs=0.3)


def test_a_replaced_meter_keeps_the_hours_of_the_old_one_and_says_so():
    old, new = weekly(3000, 3.0, weeks=10, last_days_ago=70), weekly(0, 3.0, weeks=9)
    found = usage(old + new, TODAY)
    assert found.meter_offset == pytest.approx(3210)
    assert found.hours_now == pytest.approx(3210 + 189)
    assert found.hours_per_day == pytest.approx(3.0)
    assert "taken as replaced" in found.notes[0]


def test_a_service_before_the_new_meter_is_counted_on_the_old_one():
    found = usage([reading(100, 3000), reading(50, 10), reading(1, 100)], TODAY)
    assert found.total_hours(2900, TODAY - timedelta(days=120)) == 2900
    assert found.total_hours(60, TODAY - timedelta(days=20)) == 3050


def test_a_reading_mistyped_low_is_not_a_new_meter():
    found = usage([reading(21, 1200), reading(14, 122), reading(7, 1240), reading(0, 1260)], TODAY)
    assert (found.meter_offset, found.hours_now) == (0.0, 1260)
    assert "below the readings around it" in found.notes[0]


def test_more_than_24_hours_a_day_is_not_believed():
    found = usage([*weekly(100, 2.0, weeks=10, last_days_ago=7), reading(0, 9999)], TODAY)
    assert found.hours_now == pytest.approx(240 + 14)
    assert "more than 24 h a day" in found.notes[0]


def test_a_jump_that_later_readings_confirm_is_believed_but_is_no_usage():
    found = usage([*weekly(100, 2.0, weeks=5, last_days_ago=49), *weekly(5000, 2.0, weeks=6)], TODAY)
    assert found.hours_now == pytest.approx(5084)
    assert found.hours_per_day == pytest.approx(2.0)
    assert "confirm it" in found.notes[0]


def test_a_single_reading_gives_the_hours_and_the_models_average_the_usage():
    found = usage([reading(10, 500)], TODAY, {"hours_per_day": 2}, model_average=3.0)
    assert (found.hours_now, found.source) == (530, "model average")


def test_without_an_average_the_plan_says_how_much_it_runs():
    found = usage([reading(10, 500)], TODAY, {"hours_per_day": 2})
    assert (found.hours_now, found.source) == (520, "plan")


def test_without_anything_a_default_is_used_and_named():
    found = usage([reading(10, 500)], TODAY)
    assert (found.hours_per_day, found.source) == (DEFAULT_HOURS_PER_DAY, "default")


def test_readings_of_last_year_give_the_hours_but_not_the_usage():
    found = usage(weekly(1000, 9.0, last_days_ago=200), TODAY, {"hours_per_day": 1})
    assert found.source == "plan"
    assert found.hours_now == pytest.approx(1000 + 1260 + 200)
    assert "200 days old" in found.notes[0]


def test_a_reading_from_the_future_is_ignored_and_named():
    found = usage([*weekly(1000, 4.0), reading(-30, 9000)], TODAY)
    assert found.hours_now == pytest.approx(1560)
    assert found.notes == ("1 reading dated in the future was ignored.",)


def test_a_machine_that_stands_still_gains_nothing():
    found = usage(weekly(800, 0.0), TODAY)
    assert (found.hours_now, found.hours_per_day) == (800, 0.0)


def test_two_readings_of_one_day_are_no_fit():
    first = {"at": f"{TODAY.isoformat()}T06:00:00Z", "hours": 100}
    second = {"at": f"{TODAY.isoformat()}T16:00:00Z", "hours": 110}
    assert usage([first, second], TODAY, {"hours_per_day": 2}).source == "plan"


def test_without_a_reading_the_hours_are_estimated_since_delivery():
    found = usage([], TODAY, {"hours_per_day": 2}, delivered_on=TODAY - timedelta(days=100))
    assert found.hours_now == 200
    assert "estimated since delivery" in found.notes[0]


def test_without_a_reading_or_a_delivery_nobody_knows_the_hours():
    found = usage([], TODAY)
    assert found.hours_now is None
    assert found.as_of is None


def test_what_is_no_reading_is_passed_over():
    junk = [{}, {"at": "yesterday", "hours": 3}, {"at": "2026-11-01T00:00:00Z", "hours": "many"}, {"at": 5, "hours": 1}]
    junk += [
        {"at": "2026-11-01T00:00:00Z", "hours": value} for value in (-5, float("nan"), float("inf"), 10**400, True)
    ]
    assert usage(junk, TODAY).hours_now is None


many_readings = st.lists(st.builds(reading, st.integers(-5, 2000), st.floats(0, 30_000, allow_nan=False)), max_size=40)


@settings(deadline=None)
@given(many_readings)
def test_usage_is_never_negative_and_never_more_than_24_hours_a_day(readings):
    found = usage(readings, TODAY)
    assert 0 <= found.hours_per_day <= 24
    assert found.hours_now is None or found.hours_now >= 0
    assert found.meter_offset >= 0


@settings(deadline=None)
@given(many_readings, st.randoms())
def test_the_order_in_which_readings_arrive_does_not_matter(readings, random):
    shuffled = list(readings)
    random.shuffle(shuffled)
    assert usage(shuffled, TODAY) == usage(readings, TODAY)


@settings(deadline=None)
@given(st.lists(st.floats(0, 24), min_size=3, max_size=60))
def test_without_a_fault_the_latest_reading_is_the_hours_now(gains):
    readings, hours = [], 0.0
    for index, gain in enumerate(gains):
        hours += gain
        readings.append(reading(len(gains) - 1 - index, hours))
    found = usage(readings, TODAY)
    assert found.hours_now == pytest.approx(hours)
    assert found.notes == ()
