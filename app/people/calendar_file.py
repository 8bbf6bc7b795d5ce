"""Birthdays as a file that calendars read: iCalendar, RFC 5545 (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta


@dataclass(frozen=True)
class YearlyDay:
    """A day that comes back every year. `key` is the same in every file, so that a calendar replaces what it has."""

    key: str
    on: date
    title: str
    notes: str = ""


def calendar_file(days: Iterable[YearlyDay], now: datetime) -> bytes:
    """The file with these days, made at `now`."""
    # Nobody but who asks for the file pays for what it is made with.
    from icalendar import Calendar, Event

    calendar = Calendar({"version": "2.0", "prodid": "-//Ironbook//Birthdays//EN"})
    for day in days:
        event = Event()
        event.add("uid", f"{day.key}@ironbook")
        event.add("dtstamp", now.astimezone(UTC))
        event.add("dtstart", day.on)
        event.add("dtend", day.on + timedelta(days=1))
        event.add("rrule", {"freq": "yearly"})
        event.add("transp", "TRANSPARENT")
        event.add("summary", _printable(day.title))
        if day.notes:
            event.add("description", _printable(day.notes))
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _printable(text: str) -> str:
    """Without control characters, which section 3.3.11 forbids, but for the ends of lines."""
    return "".join(each for each in text.replace("\r\n", "\n").replace("\r", "\n") if each == "\n" or each >= " ")
