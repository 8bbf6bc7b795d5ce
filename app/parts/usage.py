"""How many hours a machine has now and how many it gains a day, from its hour-meter readings (pure).

*Total hours* are what the machine has really run: what the meter shows plus what replaced meters had counted before.
Days are calendar days throughout, so that weekends and winters are in the figure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from app.parts.plans import number
from app.words import counted, noun

# The readings that say how a machine is used now: DESIGN section 9.
FITTED_DAYS = 180
# Two readings of one working day say nothing of weekends: a fit needs a week at least.
_SHORTEST_FIT_DAYS = 7.0
# Every pair of readings is looked at; thinned to so many readings, that is 780 pairs a machine.
_MOST_FITTED = 40
# Where nothing at all is known: a machine of a mixed fleet, in engine hours a calendar day.
DEFAULT_HOURS_PER_DAY = 2.5
# Meters round, clocks differ: a step back or ahead of less than this, in hours, is not an event.
_METER_TOLERANCE = 2.0
# No meter has counted more than a machine of forty years could.
_MOST_HOURS = 200_000.0


@dataclass(frozen=True, slots=True)
class Usage:
    """A machine's use. `hours_now` is None when nothing says how many hours it has.

    `source` says where `hours_per_day` is from: ``readings``, ``model average``, ``plan`` or ``default``. `as_of` is
    the day of the reading that `hours_now` starts from. `meter_offset` is what replaced meters had counted (0 for
    most); `offsets` are the days from which each held. `notes` are sentences for the person who looks at the machine.
    """

    hours_now: float | None
    hours_per_day: float
    as_of: date | None
    source: str
    meter_offset: float = 0.0
    notes: tuple[str, ...] = ()
    offsets: tuple[tuple[date, float], ...] = ()

    def total_hours(self, meter_hours: float, on: date) -> float:
        """Total hours when the meter showed `meter_hours` on the day `on`: a meter replaced before that day counts."""
        offset = 0.0
        for since, value in self.offsets:
            if since > on:
                break
            offset = value
        return meter_hours + offset


@dataclass(frozen=True, slots=True)
class _Reading:
    at: datetime
    hours: float


@dataclass(frozen=True, slots=True)
class _Point:
    """A reading for the fit: its day, and the days and hours run since the first one, both without what passed over a
    jump or a new meter, of which nobody knows how much was run."""

    on: float
    days: float
    hours: float


@dataclass(slots=True)
class _Meter:
    """The readings that are believed, and their `points` for the fit."""

    points: list[_Point]
    offset: float
    offsets: list[tuple[date, float]]
    last: _Reading | None
    notes: list[str]


def usage(
    readings: Iterable[Mapping[str, Any]],
    today: date,
    model: Mapping[str, Any] | None = None,
    *,
    model_average: float | None = None,
    delivered_on: date | None = None,
) -> Usage:
    """A machine's usage on `today`.

    `readings` are `reading` documents (`at`, `hours`) in any order; `model` is the catalog's, for its `hours_per_day`;
    `model_average` is what other machines of the model gain a day. A machine without readings is taken to have run
    that much since `delivered_on`.
    """
    meter = _believe(_sorted_readings(readings), today)
    per_day, source = _rate(meter.points, today, model, model_average)
    notes = meter.notes
    if meter.last is None:
        if delivered_on is None or delivered_on > today:
            return Usage(None, per_day, None, source, notes=(*notes, "No hour-meter reading is known."))
        run = (today - delivered_on).days * per_day
        notes.append(f"No hour-meter reading is known; {run:,.0f} h are estimated since delivery.")
        return Usage(run, per_day, None, source, notes=tuple(notes))
    as_of = meter.last.at.date()
    age = max(0, (today - as_of).days)
    if age > FITTED_DAYS:
        notes.append(f"The last reading is {age} days old; the hours since are estimated.")
    return Usage(
        hours_now=meter.last.hours + meter.offset + age * per_day,
        hours_per_day=per_day,
        as_of=as_of,
        source=source,
        meter_offset=meter.offset,
        notes=tuple(notes),
        offsets=tuple(meter.offsets),
    )


def _sorted_readings(documents: Iterable[Mapping[str, Any]]) -> list[_Reading]:
    found = []
    for document in documents:
        hours, at = number(document.get("hours")), time_of(document.get("at"))
        if at is not None and hours is not None and 0 <= hours <= _MOST_HOURS:
            found.append(_Reading(at, hours))
    return sorted(found, key=lambda reading: (reading.at, reading.hours))


def time_of(value: Any) -> datetime | None:
    """A time from a document's ISO 8601 text (a bare date is its noon); None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    if len(value.strip()) <= 10:
        at = at.replace(hour=12)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _believe(readings: Sequence[_Reading], today: date) -> _Meter:
    """Goes through the readings in order of time and decides of each what it says.

    Backwards: the meter was replaced and what the old one had counted is kept, unless the next reading is back where
    the one before was: then this one was mistyped. More than 24 h a day: not believed, until the next one confirms it.
    """
    meter = _Meter([], 0.0, [], None, [])
    # One day of grace: a reading of this evening in another time zone is of tomorrow.
    believable = [reading for reading in readings if reading.at.date() <= today + timedelta(days=1)]
    if len(believable) < len(readings):
        count = len(readings) - len(believable)
        meter.notes.append(f"{counted(count, 'reading')} dated in the future {noun(count, 'was', 'were')} ignored.")
    days = run = 0.0
    for index, reading in enumerate(believable):
        before, after = meter.last, believable[index + 1] if index + 1 < len(believable) else None
        gained = 0.0 if before is None else reading.hours - before.hours
        passed = 0.0 if before is None else (reading.at - before.at).total_seconds() / 86400.0
        if before is not None and gained < -_METER_TOLERANCE:
            if after is not None and _follows(before, after):
                meter.notes.append(_disbelieved(reading, "is below the readings around it"))
                continue
            meter.offset += before.hours - reading.hours
            meter.offsets.append((reading.at.date(), meter.offset))
            meter.notes.append(
                f"The meter went back from {before.hours:,.0f} h to {reading.hours:,.0f} h on "
                f"{reading.at.date().isoformat()}: taken as replaced, {meter.offset:,.0f} h are added to what it shows."
            )
            gained = passed = 0.0
        elif before is not None and not _follows(before, reading):
            if after is None or not _follows(reading, after):
                meter.notes.append(_disbelieved(reading, "is more than 24 h a day after the one before"))
                continue
            meter.notes.append(
                f"The meter jumped from {before.hours:,.0f} h to {reading.hours:,.0f} h by "
                f"{reading.at.date().isoformat()}, more than 24 h a day; the later readings confirm it."
            )
            gained = passed = 0.0
        days, run = days + passed, run + max(0.0, gained)
        meter.points.append(_Point(reading.at.timestamp() / 86400.0, days, run))
        # A step back within the tolerance must not lower the total.
        meter.last = reading if gained >= 0 or before is None else _Reading(reading.at, before.hours)
    return meter


def _follows(earlier: _Reading, later: _Reading) -> bool:
    """Whether a machine can have gone from one reading to the other without a new meter."""
    days = (later.at - earlier.at).total_seconds() / 86400.0
    return -_METER_TOLERANCE <= later.hours - earlier.hours <= 24.0 * days + _METER_TOLERANCE


def _disbelieved(reading: _Reading, why: str) -> str:
    return f"The reading of {reading.hours:,.0f} h on {reading.at.date().isoformat()} {why}; it is ignored."


def _rate(
    points: Sequence[_Point],
    today: date,
    model: Mapping[str, Any] | None,
    model_average: float | None,
) -> tuple[float, str]:
    end = datetime(today.year, today.month, today.day, tzinfo=UTC).timestamp() / 86400.0
    recent = [point for point in points if point.on >= end - FITTED_DAYS]
    if len(recent) >= 2 and recent[-1].days - recent[0].days >= _SHORTEST_FIT_DAYS:
        return _median_slope(_thinned(recent)), "readings"
    if model_average is not None:
        return _within_a_day(model_average), "model average"
    planned = number((model or {}).get("hours_per_day"))
    if planned is not None and planned >= 0:
        return _within_a_day(planned), "plan"
    return DEFAULT_HOURS_PER_DAY, "default"


def _thinned(points: Sequence[_Point]) -> list[_Point]:
    if len(points) <= _MOST_FITTED:
        return list(points)
    step = (len(points) - 1) / (_MOST_FITTED - 1)
    return [points[round(index * step)] for index in range(_MOST_FITTED)]


def _median_slope(points: Sequence[_Point]) -> float:
    """Hours a day as the median over all pairs of readings (Theil and Sen): a few odd readings do not move it.

    Each pair counts by the days between its readings, so that a machine that stands still five weeks in six is not
    taken for one that never runs.
    """
    slopes = []
    for first in range(len(points)):
        for second in range(first + 1, len(points)):
            days = points[second].days - points[first].days
            if days >= 0.5:
                slopes.append(((points[second].hours - points[first].hours) / days, days))
    if not slopes:
        return 0.0
    slopes.sort()
    half, so_far = sum(days for _, days in slopes) / 2, 0.0
    for slope, days in slopes:
        so_far += days
        if so_far >= half:
            return _within_a_day(slope)
    return _within_a_day(slopes[-1][0])


def _within_a_day(hours: float) -> float:
    return min(24.0, max(0.0, hours))
