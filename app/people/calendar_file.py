"""Birthdays as a file that calendars read: iCalendar, RFC 5545 (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

# Octets of a line before it is folded (RFC 5545, section 3.1).
_LINE = 75


@dataclass(frozen=True)
class YearlyDay:
    """A day that comes back every year. `key` is the same in every file, so that a calendar replaces what it has."""

    key: str
    on: date
    title: str
    notes: str = ""


def calendar_file(days: Iterable[YearlyDay], now: datetime) -> str:
    """The file with these days, made at `now`."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Ironbook//Birthdays//EN"]
    for day in days:
        lines += _event(day, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(day: YearlyDay, now: datetime) -> list[str]:
    notes = [f"DESCRIPTION:{_escaped(day.notes)}"] if day.notes else []
    return [
        "BEGIN:VEVENT",
        f"UID:{_escaped(day.key)}@ironbook",
        f"DTSTAMP:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}",
        f"DTSTART;VALUE=DATE:{day.on:%Y%m%d}",
        f"DTEND;VALUE=DATE:{day.on + timedelta(days=1):%Y%m%d}",
        "RRULE:FREQ=YEARLY",
        "TRANSP:TRANSPARENT",
        f"SUMMARY:{_escaped(day.title)}",
        *notes,
        "END:VEVENT",
    ]


def _escaped(text: str) -> str:
    """A text as section 3.3.11 wants it, on one line and without control characters."""
    for character, instead in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\n"), ("\r", "\n")):
        text = text.replace(character, instead)
    return "".join("\\n" if each == "\n" else each for each in text if each == "\n" or each >= " ")


def _folded(line: str) -> Iterator[str]:
    """The line in parts of 75 octets at most, cut between characters; all but the first begin with a space."""
    part, room = "", _LINE
    for character in line:
        octets = len(character.encode())
        if octets > room:
            yield part
            part, room = " ", _LINE - 1
        part += character
        room -= octets
    yield part
