"""A sync at half past six is at half past six by the clock on the wall, also on the days that clocks are moved."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.clock_times import next_time, parse_times

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", ()),
        ("6:00", (time(6),)),
        ("18:30, 06:00;6:00", (time(6), time(18, 30))),
        ("23:59 00:00", (time(0), time(23, 59))),
    ],
)
def test_times_are_read_as_people_write_them(text, times):
    assert parse_times(text) == times


@pytest.mark.parametrize("text", ["24:00", "6", "06:60", "noon", "06:00 and 07:00"])
def test_what_is_no_time_is_named(text):
    with pytest.raises(ValueError, match=r"24:00|6|06:60|noon|and"):
        parse_times(text)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-25T05:59:00+01:00", "2026-11-25T06:00:00+01:00"),
        ("2026-11-25T06:00:00+01:00", "2026-11-25T18:30:00+01:00"),
        ("2026-11-25T19:00:00+01:00", "2026-11-26T06:00:00+01:00"),
        ("2026-11-25T23:30:00-11:00", "2026-11-26T18:30:00+01:00"),
        ("2026-03-28T20:00:00+01:00", "2026-03-29T06:00:00+02:00"),
    ],
)
def test_the_next_time_is_by_the_clock_on_the_wall(now, expected):
    assert next_time(parse_times("06:00, 18:30"), BERLIN, at(now)) == at(expected)


def test_a_time_that_summer_time_leaves_out_still_comes_that_day():
    found = next_time((time(2, 30),), BERLIN, at("2026-03-29T01:59:00+01:00"))
    assert found == at("2026-03-29T03:30:00+02:00")


def test_a_time_that_the_end_of_summer_time_repeats_comes_once():
    first = next_time((time(2, 30),), BERLIN, at("2026-10-25T01:00:00+02:00"))
    assert first == at("2026-10-25T02:30:00+02:00")
    assert next_time((time(2, 30),), BERLIN, first) == at("2026-10-26T02:30:00+01:00")


def test_without_times_there_is_no_next_one():
    assert next_time((), BERLIN, at("2026-11-25T05:59:00+01:00")) is None


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),
    st.sets(st.times(), min_size=1, max_size=4),
    st.sampled_from(["Europe/Berlin", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Pago_Pago", "Asia/Kathmandu"]),
)
def test_the_next_time_is_later_and_never_more_than_a_day_and_two_hours_away(now, times, zone):
    now = now.replace(tzinfo=UTC)
    found = next_time(tuple(sorted(one.replace(second=0, microsecond=0) for one in times)), ZoneInfo(zone), now)
    assert now < found <= now + timedelta(hours=26)
