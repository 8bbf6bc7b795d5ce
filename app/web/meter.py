"""Hours that cannot be, or hardly: questioned before they are saved, for a slip of a digit moves every service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from app.couch import Database
from app.documents.common import utc_text
from app.parts.plans import number
from app.parts.usage import time_of
from app.web.formatting import format_date

_MOST_A_DAY = 24.0


def question(database: Database, document: Mapping[str, Any], own_id: str = "") -> str:
    """What is to be asked before a reading's or a service's hours are saved; empty when nothing is.

    `own_id` is the reading that is edited: it is not compared with itself.
    """
    machine, hours = document.get("machine"), number(document.get("hours"))
    at = time_of(document.get("at") or (f"{document['done_on']}T12:00:00Z" if document.get("done_on") else None))
    if not machine or hours is None or at is None:
        return ""
    moment = utc_text(at)
    before = {"startkey": [machine, moment], "endkey": [machine], "descending": True, "limit": 2}
    after = {"startkey": [machine, moment], "endkey": [machine, {}], "limit": 2}
    answers = database.view_queries("readings", "by_machine", [before, after])
    return question_about(hours, at, [row.value for answer in answers for row in answer if row.id != own_id])


def question_about(hours: float, at: datetime, readings: Iterable[Mapping[str, Any]]) -> str:
    """The same from the machine's `readings` (with ``at`` and ``hours``, engine hours), in any order (pure)."""
    known = [
        (when, read)
        for reading in readings
        if (when := time_of(reading.get("at"))) and (read := number(reading.get("hours"))) is not None
    ]
    before = max((each for each in known if each[0] <= at), default=None)
    after = min((each for each in known if each[0] > at), default=None)
    if before and hours < before[1]:
        return f"{_stood(before)}, more than {hours:,g} h. Is it a new meter, or a slip?"
    if before and hours - before[1] > _MOST_A_DAY * ((at - before[0]).total_seconds() / 86400 + 1):
        return f"{_stood(before)}. {hours:,g} h would be more than 24 hours a day since. Is it a slip?"
    if after and hours > after[1]:
        return f"{_stood(after)} already, less than {hours:,g} h. Is it a slip, or another meter?"
    return ""


def _stood(reading: tuple[datetime, float]) -> str:
    return f"The meter stood at {reading[1]:,g} h on {format_date(reading[0].date().isoformat())}"
