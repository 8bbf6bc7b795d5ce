"""Whose birthday comes next (pure). A birthday is a day and a month; the year is known for some people only."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

_MONTH_AND_DAY = re.compile(r"(?:\d{4}-|--)?(\d{1,2})-(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Birthday:
    """A birthday that comes: the `keepsake` it is from, the day it is celebrated, and what pleases the person.

    `days` are from today (0 is today); `turns` is the age reached that day, None when the year of birth is unknown.
    `keepsake`, `person` and `customer` are document ids.
    """

    keepsake: str
    person: str
    customer: str
    on: date
    days: int
    turns: int | None
    flowers: str
    family: str
    notes: str


def upcoming(keepsakes: Iterable[Mapping[str, Any]], today: date, days: int) -> list[Birthday]:
    """The birthdays from today until `days` from today, the next one first; today's are in it.

    `keepsakes` are `keepsake` documents; those without a birthday, or with one that is no day, are left out.
    """
    found = [birthday for keepsake in keepsakes if (birthday := next_birthday(keepsake, today)) is not None]
    return sorted(
        (birthday for birthday in found if birthday.days <= days),
        key=lambda birthday: (birthday.days, birthday.person, birthday.keepsake),
    )


def next_birthday(keepsake: Mapping[str, Any], today: date) -> Birthday | None:
    """The next birthday of a `keepsake` document, today's included, however far off; None when it has none."""
    month_and_day = _month_and_day(keepsake.get("birthday"))
    if month_and_day is None:
        return None
    on = _celebrated(month_and_day, today.year)
    if on < today:
        on = _celebrated(month_and_day, today.year + 1)
    return Birthday(
        keepsake=str(keepsake.get("_id") or ""),
        person=str(keepsake.get("person") or ""),
        customer=str(keepsake.get("customer") or ""),
        on=on,
        days=(on - today).days,
        turns=_age(keepsake.get("birth_year"), on),
        flowers=str(keepsake.get("flowers") or ""),
        family=str(keepsake.get("family") or ""),
        notes=str(keepsake.get("notes") or ""),
    )


def _month_and_day(value: Any) -> tuple[int, int] | None:
    match = _MONTH_AND_DAY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    month, day = int(match[1]), int(match[2])
    # 2024 is a leap year: 29 February is a birthday.
    return (month, day) if 1 <= month <= 12 and 1 <= day <= calendar.monthrange(2024, month)[1] else None


def _celebrated(month_and_day: tuple[int, int], year: int) -> date:
    """The day of that year; who was born on 29 February celebrates on the 28th in common years."""
    if month_and_day == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return date(year, *month_and_day)


def _age(birth_year: Any, on: date) -> int | None:
    if isinstance(birth_year, float) and birth_year.is_integer():
        birth_year = int(birth_year)
    if not isinstance(birth_year, int) or isinstance(birth_year, bool):
        return None
    # A year with two digits, or one to come, is a slip; nobody is congratulated on it.
    age = on.year - birth_year
    return age if 0 < age <= 120 else None
