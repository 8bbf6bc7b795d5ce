"""Whose birthday comes next."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.people.birthdays import next_birthday, upcoming


def keepsake(birthday, **fields):
    return {"_id": f"D001:keepsake:{birthday}", "person": "D001:person:1", "birthday": birthday, **fields}


def test_the_next_birthdays_come_in_order_with_todays_first():
    kept = [keepsake("12-05"), keepsake("11-25", flowers="white freesias"), keepsake("12-10"), keepsake("11-24")]
    found = upcoming(kept, date(2026, 11, 25), 14)
    assert [(birthday.on, birthday.days) for birthday in found] == [(date(2026, 11, 25), 0), (date(2026, 12, 5), 10)]
    assert found[0].flowers == "white freesias"


def test_the_days_on_each_end_of_the_horizon_are_counted():
    assert len(upcoming([keepsake("12-09")], date(2026, 11, 25), 14)) == 1
    assert upcoming([keepsake("12-10")], date(2026, 11, 25), 14) == []


def test_january_follows_december():
    (found,) = upcoming([keepsake("01-03", birth_year=1980)], date(2026, 12, 28), 14)
    assert (found.on, found.days, found.turns) == (date(2027, 1, 3), 6, 47)


def test_who_was_born_on_29_february_celebrates_on_the_28th_in_common_years():
    leap = keepsake("02-29", birth_year=1988)
    assert [b.on for b in upcoming([leap], date(2027, 2, 20), 14)] == [date(2027, 2, 28)]
    assert [b.on for b in upcoming([leap], date(2028, 2, 20), 14)] == [date(2028, 2, 29)]
    assert next_birthday(leap, date(2027, 3, 1)).on == date(2028, 2, 29)


def test_without_a_year_nobody_is_told_an_age():
    assert next_birthday(keepsake("12-05"), date(2026, 11, 25)).turns is None


@pytest.mark.parametrize("year", [58, 2030, "1970", True, None, 1800])
def test_a_year_that_cannot_be_is_no_age(year):
    assert next_birthday(keepsake("12-05", birth_year=year), date(2026, 11, 25)).turns is None


@pytest.mark.parametrize("value", ["", "13-01", "02-30", "31-12", "soon", None, 5, "12-05x"])
def test_what_is_no_birthday_is_left_out(value):
    assert upcoming([{"_id": "x", "birthday": value}], date(2026, 11, 25), 400) == []


def test_a_whole_date_is_understood():
    assert next_birthday(keepsake("1970-12-05"), date(2026, 11, 25)).on == date(2026, 12, 5)


@given(st.dates(date(2024, 1, 1), date(2024, 12, 31)), st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_everybody_has_a_birthday_within_a_year(born, today):
    (found,) = upcoming([keepsake(born.strftime("%m-%d"))], today, 366)
    assert 0 <= found.days <= 365
    assert (found.on.month, found.on.day) == (born.month, born.day) or (born.month, born.day) == (2, 29)
