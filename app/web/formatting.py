"""How values look on a page: the one format of each kind. All pure; ``install`` makes them template filters."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from app.web.ages import ago, ahead, day_of, moment_of
from app.words import noun, unit_for

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Keeps a number and its unit on one line.
_NO_BREAK = "\u00a0"


def format_date(value: Any) -> str:
    """``2026-11-25`` (or a time, or a date) as ``25 Nov 2026``; anything else as it is."""
    day = value if isinstance(value, date) else day_of(value)
    if day is None:
        return "" if value is None else str(value)
    return f"{day.day}{_NO_BREAK}{_MONTHS[day.month - 1]}{_NO_BREAK}{day.year}"


def format_day_of_year(value: Any) -> str:
    """``11-25`` as ``25 Nov``."""
    month, _, day = str(value or "").removeprefix("--").partition("-")
    if month.isdigit() and day.isdigit() and 1 <= int(month) <= 12:
        return f"{int(day)}{_NO_BREAK}{_MONTHS[int(month) - 1]}"
    return str(value or "")


def format_month(value: Any) -> str:
    """``2026-11`` as ``Nov 2026``."""
    year, _, month = str(value or "").partition("-")
    if month[:2].isdigit() and 1 <= int(month[:2]) <= 12:
        return f"{_MONTHS[int(month[:2]) - 1]}{_NO_BREAK}{year}"
    return str(value or "")


def format_time(value: Any, zone: tzinfo | None = None) -> str:
    """A moment (ISO 8601, UTC, or a datetime) as ``25 Nov 2026, 14:05`` in the time zone `zone`."""
    moment = value if isinstance(value, datetime) else moment_of(value)
    if moment is None:
        return "" if value is None else str(value)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    moment = moment.astimezone(zone)
    return f"{format_date(moment.date())}, {moment:%H:%M}"


def format_number(value: Any, digits: int | None = None) -> str:
    """``12345.5`` as ``12,345.5``: `digits` after the point, or as many as there are, two at most."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "" if value is None else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if digits is not None:
        return f"{value:,.{digits}f}"
    text = f"{value:,.2f}"
    return text.rstrip("0").rstrip(".")


def format_hours(value: Any) -> str:
    """Engine hours: ``4,312 h``, without a fraction of an hour."""
    return f"{format_number(value, 0)}{_NO_BREAK}h" if _is_number(value) else ""


def format_money(value: Any, currency: str = "") -> str:
    """``124.5`` as ``124.50 EUR``; whole thousands and more without the cents they do not have."""
    if not _is_number(value):
        return "" if value is None else str(value)
    text = format_number(value, 0 if abs(value) >= 1000 and value == int(value) else 2)
    return f"{text}{_NO_BREAK}{currency}" if currency else text


def format_yes_no(value: Any) -> str:
    """``Yes`` or ``No``; nothing when it is not known."""
    return "" if value is None else "Yes" if value else "No"


def format_size(octets: Any) -> str:
    """A number of bytes as ``512 bytes``, ``3.4 MB``."""
    if not _is_number(octets):
        return ""
    size = float(octets)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{format_number(size, 0 if unit == 'bytes' else 1)}{_NO_BREAK}{unit}"
        size /= 1000
    raise AssertionError("unreachable")


def format_count(number: int, one: str, many: str = "") -> str:
    """``1 machine``, ``2 machines``: `many` only where it is not `one` with an s."""
    return f"{format_number(number)}{_NO_BREAK}{noun(number, one, many)}"


def format_host(link: Any) -> str:
    """A web address as people say it: without ``https://``, ``www.`` and a lone final slash."""
    text = str(link or "")
    return text.split("://", 1)[-1].removeprefix("www.").rstrip("/")


def safe_link(link: Any) -> str:
    """The address if a browser may be sent there (web, mail or telephone), else an empty text."""
    text = str(link or "").strip()
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        return ""
    if not scheme and text and "." in text.split("/")[0]:
        return f"https://{text}"
    return text if scheme in ("http", "https", "mailto", "tel") else ""


def telephone_link(number: Any) -> str:
    """``tel:`` and the digits of a telephone number."""
    digits = "".join(character for character in str(number or "") if character.isdigit() or character == "+")
    return f"tel:{digits}" if digits else ""


def install(app: Flask, now: Callable[[], datetime], currency: str) -> None:
    """Makes every format a template filter. `now` gives the time in the node's time zone."""
    filters: dict[str, Callable[..., str]] = {
        "date": format_date,
        "day_of_year": format_day_of_year,
        "month": format_month,
        "time": lambda value: format_time(value, now().tzinfo),
        "ago": lambda value: ago(day_of(value) if isinstance(value, str) else value, now().date()),
        "ahead": lambda value: ahead(day_of(value) if isinstance(value, str) else value, now().date()),
        "number": format_number,
        "hours": format_hours,
        "money": lambda value: format_money(value, currency),
        "yes_no": format_yes_no,
        "size": format_size,
        "count_of": format_count,
        "noun_of": noun,
        "unit_for": unit_for,
        "host": format_host,
        "safe_link": safe_link,
        "telephone_link": telephone_link,
    }
    app.jinja_env.filters.update(filters)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
