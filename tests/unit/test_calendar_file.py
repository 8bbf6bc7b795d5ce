"""Birthdays in iCalendar, as RFC 5545 wants them."""

from __future__ import annotations

from datetime import UTC, date, datetime

from app.people.calendar_file import YearlyDay, calendar_file

NOW = datetime(2026, 11, 30, 8, 5, 9, tzinfo=UTC)


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def test_a_birthday_is_a_day_that_comes_back_every_year() -> None:
    text = calendar_file([YearlyDay("D001:person:1:12-31", date(2026, 12, 31), "Birthday: Ida")], NOW).decode()
    lines = unfolded(text)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert {"UID:D001:person:1:12-31@ironbook", "DTSTART;VALUE=DATE:20261231", "DTEND;VALUE=DATE:20270101"} <= set(
        lines
    )
    assert {"DTSTAMP:20261130T080509Z", "RRULE:FREQ=YEARLY", "SUMMARY:Birthday: Ida"} <= set(lines)


def test_nothing_that_people_write_ends_a_line_or_a_value() -> None:
    notes = "a, b; c\\d\r\nEND:VEVENT\rnext\x00\x1b"
    lines = unfolded(calendar_file([YearlyDay("k", date(2026, 1, 2), "Ida\nSUMMARY:x", notes)], NOW).decode())
    assert "SUMMARY:Ida\\nSUMMARY:x" in lines
    assert "DESCRIPTION:a\\, b\\; c\\\\d\\nEND:VEVENT\\nnext" in lines
    assert lines.count("END:VEVENT") == 1


def test_no_line_is_longer_than_75_octets_and_no_character_is_cut() -> None:
    title = "Größe 🌷 " * 40
    text = calendar_file([YearlyDay("k", date(2026, 1, 2), title)], NOW).decode()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert f"SUMMARY:{title}" in unfolded(text)
