"""Doing something at clock times: when the next of them is, whatever summer time does. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta, tzinfo

_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


def parse_times(text: str) -> tuple[time, ...]:
    """The times in a text such as ``06:00, 18:30``, sorted, each once; none in an empty one.

    Raises ValueError with the part that is no time.
    """
    found = set()
    for part in re.split(r"[,;\s]+", text.strip()) if text.strip() else ():
        matched = _TIME.fullmatch(part)
        if not matched:
            raise ValueError(part)
        found.add(time(int(matched[1]), int(matched[2])))
    return tuple(sorted(found))


def next_time(times: tuple[time, ...], zone: tzinfo, now: datetime) -> datetime | None:
    """The first moment after `now` (with a time zone) at which a clock in `zone` shows one of the times, UTC.

    A time that summer time leaves out comes as much later as the clock was moved; one that it repeats comes once.
    """
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(today + timedelta(days=days), one, tzinfo=zone).astimezone(UTC)
        for days in (-1, 0, 1, 2)
        for one in times
    )
    return min((moment for moment in moments if moment > now), default=None)
