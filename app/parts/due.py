"""What a machine will need within a horizon, and why (pure).

The schedule of a machine does not depend on the horizon: it is worked out once and cut. So a longer horizon never needs
less. What is overdue is due once, now, however often its interval has gone by: nobody fits twelve filters at once.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from app.parts.history import Done, covers, day, interval_days, last_done, read_services
from app.parts.plans import PlanLine, lines_for
from app.parts.usage import Usage

# Ten years: no plan is meant further ahead, nor is anything said to be overdue for longer.
FARTHEST_DAYS = 3650
# Lines with the same part that come due within this share of their interval are one visit.
_ONE_VISIT = 0.1
_NEVER = math.inf
_OUT_OF_USE = frozenset({"sold on", "scrapped"})


@dataclass(frozen=True, slots=True)
class Visit:
    """One time a line is due: the day, the total hours then (None when unknown), and how many of the part."""

    on: date
    at_hours: float | None
    quantity: float


@dataclass(frozen=True, slots=True)
class Due:
    """One line of the plan that is due. `on` and `at_hours` are of the first time; `on` is in the past when overdue.

    `quantity` is over all `visits`. `reason` is a sentence for the parts manager.
    """

    line_id: str
    title: str
    part: str
    quantity: float
    on: date
    at_hours: float | None
    overdue: bool
    reason: str
    visits: tuple[Visit, ...]


def due(
    plan: Sequence[PlanLine],
    usage: Usage,
    services: Iterable[Mapping[str, Any]],
    today: date,
    horizon_days: int,
    machine: Mapping[str, Any],
) -> list[Due]:
    """What `machine` needs until `horizon_days` from `today`, what is overdue first, then by date.

    `services` are the machine's `service` documents. A machine sold on or scrapped needs nothing.
    """
    return within(schedule(plan, usage, services, today, machine, horizon_days), today, horizon_days)


def within(scheduled: Iterable[Due], today: date, horizon_days: int) -> list[Due]:
    """The part of a schedule that falls within the horizon, in the order of :func:`due`."""
    end = today + timedelta(days=max(0, min(horizon_days, FARTHEST_DAYS)))
    found = []
    for entry in scheduled:
        if entry.on > end:
            continue
        visits = entry.visits[: bisect_right(entry.visits, end, key=lambda visit: visit.on)]
        reason = entry.reason
        if len(visits) > 1:
            reason = f"{reason[:-1]}; {len(visits)} times until {end.isoformat()}."
        quantity = sum(visit.quantity for visit in visits)
        found.append(replace(entry, quantity=quantity, visits=visits, reason=reason))
    return sorted(found, key=lambda entry: (not entry.overdue, entry.on, entry.title, entry.line_id))


def schedule(
    plan: Sequence[PlanLine],
    usage: Usage,
    services: Iterable[Mapping[str, Any]],
    today: date,
    machine: Mapping[str, Any],
    farthest_days: int = FARTHEST_DAYS,
) -> list[Due]:
    """Every time each line of the plan is due from today until `farthest_days`, one entry a line."""
    if machine.get("status") in _OUT_OF_USE:
        return []
    options = machine.get("options")
    lines = lines_for(plan, options if isinstance(options, list) else ())
    done = last_done(lines, read_services(services, usage, today), usage.hours_per_day)
    clock = _Clock(usage, today, _in_use_since(machine, usage, today))
    groups: dict[str, list[PlanLine]] = {}
    for line in lines:
        groups.setdefault(line.part or f"\x00{line.id}", []).append(line)
    farthest = min(max(0, farthest_days), FARTHEST_DAYS) + 1.0
    found = []
    for group in groups.values():
        found += _group_schedule(group, clock, done, farthest)
    return found


@dataclass(frozen=True, slots=True)
class _Clock:
    """Turns hours into days from today and back."""

    usage: Usage
    today: date
    in_use_since: date | None

    def days_until_hours(self, hours: float) -> float:
        now, per_day = self.usage.hours_now, self.usage.hours_per_day
        if now is None:
            return _NEVER
        if hours <= now:
            return max((hours - now) / per_day, -float(FARTHEST_DAYS)) if per_day > 0 else 0.0
        return (hours - now) / per_day if per_day > 0 else _NEVER

    def hours_on(self, days: float) -> float | None:
        now = self.usage.hours_now
        return None if now is None else now + days * self.usage.hours_per_day

    def date_on(self, days: float) -> date:
        return self.today + timedelta(days=math.floor(days))

    def days_until(self, on: date) -> float:
        return float(max((on - self.today).days, -FARTHEST_DAYS))


@dataclass(frozen=True, slots=True)
class _Next:
    """When a line is due next: days from today (past: negative), and the hours its interval names, if hours decide."""

    days: float
    hours: float | None


def _group_schedule(group: list[PlanLine], clock: _Clock, done: Mapping[str, Done], farthest: float) -> list[Due]:
    """The schedule of lines that name one part. At each visit the part is needed for the longest interval that is due
    then, or for a shorter one that takes more of it, but not for both."""
    first = {line.id: _first_due(line, clock, done.get(line.id)) for line in group}
    next_due = dict(first)
    visits: dict[str, list[Visit]] = {line.id: [] for line in group}
    per_day = clock.usage.hours_per_day
    while (soonest := min(entry.days for entry in next_due.values())) <= farthest:
        now = max(soonest, 0.0)
        here = [line for line in group if next_due[line.id].days <= now + _slack(line, group, per_day)]
        for line in _who_takes_the_part(here, per_day):
            entry = next_due[line.id]
            if entry.days > now:
                entry = _Next(now, clock.hours_on(now))
            hours = entry.hours if entry.hours is not None else clock.hours_on(entry.days)
            visits[line.id].append(Visit(clock.date_on(entry.days), hours, line.quantity))
        for line in group:
            if line in here or (not line.once and any(covers(other, line, per_day) for other in here)):
                next_due[line.id] = _due_after(line, clock, now)
    return [
        _entry(line, visits[line.id], clock, done.get(line.id), first[line.id]) for line in group if visits[line.id]
    ]


def _slack(line: PlanLine, group: list[PlanLine], per_day: float) -> float:
    return _ONE_VISIT * interval_days(line, per_day) if len(group) > 1 else 0.0


def _who_takes_the_part(here: list[PlanLine], per_day: float) -> list[PlanLine]:
    by_interval: dict[float, list[PlanLine]] = {}
    for line in here:
        by_interval.setdefault(interval_days(line, per_day), []).append(line)
    most = max(by_interval, key=lambda interval: (sum(line.quantity for line in by_interval[interval]), interval))
    return by_interval[most]


def _first_due(line: PlanLine, clock: _Clock, done: Done | None) -> _Next:
    if done is not None:
        return _NOT_AGAIN if line.once else _soonest(_by_hours(line, clock, done.hours), _by_date(line, clock, done.on))
    return _soonest(_never_done_hours(line, clock), _never_done_date(line, clock))


def _never_done_hours(line: PlanLine, clock: _Clock) -> _Next:
    """The first time; or, when its interval has gone by since, the last time it should have been done before now."""
    start = line.first_hours if line.first_hours is not None else line.every_hours
    if start is None:
        return _NOT_AGAIN
    now = clock.usage.hours_now
    if now is not None and now > start and line.every_hours is not None:
        start += (math.ceil((now - start) / line.every_hours) - 1) * line.every_hours
    return _Next(clock.days_until_hours(start), start)


def _never_done_date(line: PlanLine, clock: _Clock) -> _Next:
    if line.every_months is None:
        return _NOT_AGAIN
    if clock.in_use_since is None:
        # Nobody knows how old it is: better looked at now than forgotten.
        return _Next(0.0, None)
    return _by_date(line, clock, clock.in_use_since)


def _due_after(line: PlanLine, clock: _Clock, days: float) -> _Next:
    if line.once:
        return _NOT_AGAIN
    return _soonest(_by_hours(line, clock, clock.hours_on(days)), _by_date(line, clock, clock.date_on(days)))


def _by_hours(line: PlanLine, clock: _Clock, done_at: float | None) -> _Next:
    if line.every_hours is None or done_at is None:
        return _NOT_AGAIN
    # Done early, before a line's own start: the start still stands.
    hours = max(done_at + line.every_hours, line.first_hours or 0.0)
    return _Next(clock.days_until_hours(hours), hours)


def _by_date(line: PlanLine, clock: _Clock, done_on: date) -> _Next:
    if line.every_months is None:
        return _NOT_AGAIN
    return _Next(clock.days_until(_months_later(done_on, line.every_months)), None)


_NOT_AGAIN = _Next(_NEVER, None)


def _soonest(by_hours: _Next, by_date: _Next) -> _Next:
    return by_hours if by_hours.days <= by_date.days else by_date


def _months_later(start: date, months: int) -> date:
    """The same day so many months on, or the month's last day where it has no such day."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year >= date.max.year:
        return date.max
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last_day = (following - timedelta(days=1)).day
    return date(year, month + 1, min(start.day, last_day))


def _in_use_since(machine: Mapping[str, Any], usage: Usage, today: date) -> date | None:
    """Since when the calendar counts: delivery, or as many days ago as its hours take, though not before its year."""
    delivered = day(machine.get("delivered_on"))
    if delivered is not None:
        return min(delivered, today)
    if machine.get("status") == "in stock":
        # What stands in the yard is not used: its calendar begins with the delivery.
        return today
    since = None
    if usage.hours_now is not None and usage.hours_per_day > 0:
        since = today - timedelta(days=min(FARTHEST_DAYS, math.floor(usage.hours_now / usage.hours_per_day)))
    year = machine.get("year")
    if isinstance(year, int) and not isinstance(year, bool) and 1950 <= year <= today.year:
        since = max(since, date(year, 1, 1)) if since is not None else date(year, 1, 1)
    return since


def _entry(line: PlanLine, visits: list[Visit], clock: _Clock, done: Done | None, first: _Next) -> Due:
    overdue = first.days < 0 and visits[0].on <= clock.today
    return Due(
        line_id=line.id,
        title=line.title,
        part=line.part,
        quantity=sum(visit.quantity for visit in visits),
        on=visits[0].on,
        at_hours=visits[0].at_hours,
        overdue=overdue,
        reason=_reason(line, visits[0], clock, done, first, overdue),
        visits=tuple(visits),
    )


def _reason(line: PlanLine, visit: Visit, clock: _Clock, done: Done | None, first: _Next, overdue: bool) -> str:
    now = clock.usage.hours_now
    interval = line.words()
    if overdue and done is None:
        at = f", and it has {now:,.0f} h now" if now is not None else ""
        return f"No service on record: {interval}{at}."
    if done is None:
        last = "not done before"
    elif done.hours is None:
        last = f"last done on {done.on.isoformat()}"
    else:
        last = f"last done at {done.hours:,.0f} h on {done.on.isoformat()}"
    if overdue and first.hours is not None and now is not None:
        return f"Overdue by {max(now - first.hours, 0.0):,.0f} h: {interval}, {last}."
    if overdue:
        return f"Overdue since {visit.on.isoformat()}: {interval}, {last}."
    at = (
        f"at {visit.at_hours:,.0f} h, about {visit.on.isoformat()}"
        if first.hours is not None and visit.at_hours
        else ""
    )
    return f"Due {at or 'on ' + visit.on.isoformat()}: {interval}, {last}."
