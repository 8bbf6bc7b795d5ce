"""How long ago and how far ahead a day is, in the words people use for it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from app.words import counted

_MONTH = 30.44
_YEAR = 365.25


def day_of(value: Any) -> date | None:
    """The day in a document's date (``2026-11-25``) or time (``2026-11-25T10:00:00Z``); None when there is none."""
    if not isinstance(value, str):
        return None
    try:
        return date.fromisoformat(value[:10])
    except ValueError:
        return None


def moment_of(value: Any) -> datetime | None:
    """The moment in a document's time (ISO 8601, UTC); None when there is none."""
    if not isinstance(value, str):
        return None
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None


def ago(day: date | None, today: date) -> str:
    """``today``, ``yesterday``, ``12 days ago``, ``5 months ago``; a day to come is told as :func:`ahead` tells it."""
    if day is None:
        return ""
    days = (today - day).days
    if days < 0:
        return ahead(day, today)
    if days == 0:
        return "today"
    if days == 1:
        return "yesterday"
    return f"{_length(days)} ago"


def ahead(day: date | None, today: date) -> str:
    """``today``, ``tomorrow``, ``in 6 days``, ``in 3 months``; a day that has passed is so many ``days late``."""
    if day is None:
        return ""
    days = (day - today).days
    if days < 0:
        return f"{_length(-days)} late"
    if days == 0:
        return "today"
    if days == 1:
        return "tomorrow"
    return f"in {_length(days)}"


def _length(days: int) -> str:
    if days < 60:
        return counted(days, "day")
    if days < 2 * _YEAR:
        return f"{round(days / _MONTH)} months"
    return f"{round(days / _YEAR)} years"
