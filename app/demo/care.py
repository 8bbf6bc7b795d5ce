"""When the demo's workshops had a machine and what they did to it: its service plan lived through, day by day."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.parts.history import Done, covers, interval_days
from app.parts.plans import PlanLine

_DAYS_A_MONTH = 30.4
# A machine that is in the workshop gets what would be due before long as well: in days, and as a share of the interval.
_AHEAD_DAYS, _AHEAD_SHARE = 45.0, 0.25


@dataclass(frozen=True)
class WorkshopVisit:
    """One planned service: the day, and the lines of the plan that were done."""

    on: date
    lines: tuple[PlanLine, ...]


def visits(
    plan: Sequence[PlanLine],
    delivered_on: date,
    today: date,
    hours_on: Callable[[date], float],
    per_day: float,
    chance: random.Random,
) -> list[WorkshopVisit]:
    """The services of a machine that is looked after, from its delivery until yesterday, none at a weekend.

    `plan` are the lines that concern the machine, `hours_on` its total hours on a day, `per_day` what it gains.
    """
    done: dict[str, Done] = {}
    made: list[WorkshopVisit] = []
    on, early = delivered_on + timedelta(days=3), _days_early(chance)
    by_date, by_hours = _next_due(plan, done, delivered_on)
    while on < today:
        then = on + timedelta(days=early)
        if on.weekday() < 5 and (then >= by_date or hours_on(then) >= by_hours):
            hours = hours_on(on)
            due = [line for line in plan if _due_within(line, done, delivered_on, on, hours, per_day, early)]
            due = [line for line in due if not any(covers(other, line, per_day) for other in due)]
            # Doing a line does what it covers.
            for line in plan:
                if line in due or any(covers(other, line, per_day) for other in due):
                    done[line.id] = Done(on, hours)
            made.append(WorkshopVisit(on, tuple(due)))
            early = _days_early(chance)
            by_date, by_hours = _next_due(plan, done, delivered_on)
        on += timedelta(days=_days_without(on, early, by_date, by_hours - hours_on(on), per_day))
    return made


def _days_without(on: date, early: int, by_date: date, hours_to_go: float, per_day: float) -> int:
    """So many days can be passed over, because nothing can be due in them even if the machine runs twice as much."""
    days = min((by_date - on).days, hours_to_go / (2 * per_day))
    return max(1, int(days) - early - 3)


def _days_early(chance: random.Random) -> int:
    """Most come a few days before the service is due, some a few days late (negative)."""
    return chance.randint(0, 14) if chance.random() < 0.93 else -chance.randint(1, 6)


def _next_due(plan: Sequence[PlanLine], done: dict[str, Done], delivered_on: date) -> tuple[date, float]:
    """The first day and the first hours at which any line is due."""
    dues = [_due(line, done.get(line.id), delivered_on) for line in plan]
    return min(on for on, _ in dues), min(hours for _, hours in dues)


def _due(line: PlanLine, done: Done | None, delivered_on: date) -> tuple[date, float]:
    """The day and the total hours, whichever comes first, at which a line is due next."""
    if line.once and done is not None:
        return date.max, float("inf")
    hours = float("inf")
    if done is not None and line.every_hours is not None:
        hours = max((done.hours or 0.0) + line.every_hours, line.first_hours or 0.0)
    elif done is None:
        hours = line.first_hours or line.every_hours or hours
    if line.every_months is None:
        return date.max, hours
    return (done.on if done else delivered_on) + timedelta(days=int(line.every_months * _DAYS_A_MONTH)), hours


def _due_within(
    line: PlanLine, done: dict[str, Done], delivered_on: date, on: date, hours: float, per_day: float, early: int
) -> bool:
    due_on, due_hours = _due(line, done.get(line.id), delivered_on)
    ahead = min(_AHEAD_DAYS, _AHEAD_SHARE * interval_days(line, per_day)) if not line.once else _AHEAD_DAYS / 3
    ahead = max(ahead, early + 4.0)
    return due_on <= on + timedelta(days=int(ahead)) or due_hours <= hours + ahead * per_day
