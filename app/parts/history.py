"""What services say has been done already, line by line of a plan (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.parts.plans import PlanLine, number, part_id
from app.parts.usage import Usage

_DAYS_A_MONTH = 30.44
# Where a machine stands still, intervals are still compared as if it ran a little.
_SLOWEST = 0.1


@dataclass(frozen=True, slots=True)
class Done:
    """When a line was last done: the day, and the total hours then (None when nobody knows)."""

    on: date
    hours: float | None


@dataclass(frozen=True, slots=True)
class Service:
    """A `service` document as this module reads it; `hours` are total hours, `rows` are (plan line id, part id)."""

    on: date
    hours: float | None
    kind: str
    rows: tuple[tuple[str, str], ...]


def day(value: Any) -> date | None:
    """The day of a document's date or time; None for anything else."""
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def read_services(documents: Iterable[Mapping[str, Any]], usage: Usage, today: date) -> list[Service]:
    """The services done until today, oldest first. One dated in the future is a plan or a slip, and counts as neither.

    A service without hours has those the machine must have had by its usage.
    """
    found = []
    for document in documents:
        on = day(document.get("done_on"))
        if on is None or on > today:
            continue
        rows = document.get("lines")
        found.append(
            Service(
                on=on,
                hours=_hours_at(document, usage, on, today),
                kind=str(document.get("kind") or ""),
                rows=tuple(
                    (str(row.get("plan_line") or ""), part_id(row.get("part")))
                    for row in (rows if isinstance(rows, list) else ())
                    if isinstance(row, Mapping)
                ),
            )
        )
    return sorted(found, key=lambda service: (service.on, service.hours or 0.0))


def _hours_at(document: Mapping[str, Any], usage: Usage, on: date, today: date) -> float | None:
    meter = number(document.get("hours"))
    hours = None if meter is None or meter < 0 else usage.total_hours(meter, on)
    if usage.hours_now is None:
        return hours
    if hours is None:
        hours = max(0.0, usage.hours_now - (today - on).days * usage.hours_per_day)
    # Work done cannot have been done at hours that are still to come; a slip must not push the next one out.
    return min(hours, usage.hours_now)


def interval_days(line: PlanLine, hours_per_day: float) -> float:
    """About how many days lie between two times of a line; 0 for a line that comes once."""
    days = []
    if line.every_hours is not None:
        days.append(line.every_hours / max(hours_per_day, _SLOWEST))
    if line.every_months is not None:
        days.append(line.every_months * _DAYS_A_MONTH)
    return 0.0 if line.once or not days else min(days)


def covers(longer: PlanLine, shorter: PlanLine, hours_per_day: float) -> bool:
    """Whether doing one line does the other too: the same part, at a longer interval.

    The 500 h visit contains the 250 h lines: an oil filter listed in both is one filter. Two lines with the same part
    *and* interval are two places on the machine.
    """
    return (
        bool(longer.part)
        and longer.part == shorter.part
        and not longer.once
        and interval_days(longer, hours_per_day) > interval_days(shorter, hours_per_day)
    )


def last_done(plan: Sequence[PlanLine], services: Sequence[Service], hours_per_day: float) -> dict[str, Done]:
    """When each line of the plan was last done, by line id; `services` are oldest first.

    A service does a line when one of its rows names the line, or a line that covers it, or names no line but the part
    and the plan has only one line for that part. A once-only line is also settled by any planned service at or past
    its hours: the workshop had the machine then.
    """
    by_id = {line.id: line for line in plan}
    lines_of_part = Counter(line.part for line in plan if line.part)
    done: dict[str, Done] = {}
    for service in services:
        for line in plan:
            if _does(service, line, by_id, lines_of_part, hours_per_day):
                done[line.id] = Done(service.on, service.hours)
    return done


def _does(
    service: Service,
    line: PlanLine,
    by_id: Mapping[str, PlanLine],
    lines_of_part: Mapping[str, int],
    hours_per_day: float,
) -> bool:
    for plan_line, part in service.rows:
        if plan_line == line.id:
            return True
        named = by_id.get(plan_line)
        if named is not None:
            if covers(named, line, hours_per_day):
                return True
        elif part and part == line.part and lines_of_part[part] == 1:
            return True
    return (
        line.once
        and service.kind == "planned"
        and line.first_hours is not None
        and service.hours is not None
        and service.hours >= line.first_hours
    )
