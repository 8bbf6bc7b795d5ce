"""What a service plan's parts cost by the hour at list prices (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.parts.needs import sold_as
from app.parts.plans import PlanLine

# Long enough that every usual interval comes round: 250, 500, 1,500, 2,000, 3,000 and 4,000 h all divide it.
_SPAN_HOURS = 12_000.0
_PER_HOURS = 1_000.0
_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True, slots=True)
class PlanCost:
    """Parts for 1,000 engine hours, in the catalog's currency.

    `options` are lines for machines with an option, `unpriced` parts without a price and `by_date` lines that only the
    calendar makes due of a model nobody knows the use of; all of them are left out.
    """

    per_thousand_hours: float
    options: int
    unpriced: int
    by_date: int


def plan_cost(
    plan: Iterable[PlanLine], parts: Mapping[str, Mapping[str, Any]], hours_per_day: float | None
) -> PlanCost:
    """The parts of a plan's repeated lines for a machine that runs `hours_per_day`; what is done once does not count.

    `parts` are documents by id, with those that replace them. A part that several lines name is needed once at a visit
    they share, as in :mod:`app.parts.due`.
    """
    options = by_date = 0
    intervals: dict[str, list[tuple[float, float]]] = {}
    for line in plan:
        if line.option:
            options += 1
        elif line.part and not line.once:
            interval = _interval(line, hours_per_day)
            if interval is None:
                by_date += 1
            else:
                intervals.setdefault(line.part, []).append((interval, line.quantity))
    prices = {part: sold_as(part, parts).price for part in intervals}
    value = sum((prices[part] or 0.0) * _quantity(lines) for part, lines in intervals.items())
    unpriced = sum(price is None for price in prices.values())
    return PlanCost(value * _PER_HOURS / _SPAN_HOURS, options, unpriced, by_date)


def _interval(line: PlanLine, hours_per_day: float | None) -> float | None:
    """Hours between two visits; months are turned into hours, and the shorter counts."""
    found = [] if line.every_hours is None else [line.every_hours]
    if line.every_months is not None and hours_per_day:
        found.append(line.every_months * _DAYS_A_MONTH * hours_per_day)
    return max(1.0, min(found)) if found else None


def _quantity(lines: list[tuple[float, float]]) -> float:
    """How many of one part its lines, each ``(interval, quantity)``, take over the span."""
    if len(lines) == 1:
        ((interval, quantity),) = lines
        return quantity * _SPAN_HOURS / interval
    visits: dict[int, float] = {}
    for interval, quantity in lines:
        for visit in range(1, int(_SPAN_HOURS / interval) + 1):
            at = round(visit * interval)
            visits[at] = max(visits.get(at, 0.0), quantity)
    return sum(visits.values())
