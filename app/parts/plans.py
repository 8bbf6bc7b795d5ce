"""Service plans: which parts a model takes, and at which hours or dates (pure).

A line says *every so many hours*, *every so many months*, or both: then whichever comes first counts. `first_hours` is
where the line starts: "first at 50 h, then every 500 h". With neither interval, or with `once`, the line is done one
time in the machine's life: the running-in service. `option` limits a line to machines that name it in their options:
an engine build, a limited-slip axle.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.documents.ids import catalog_id

# A line below this would say that a machine is serviced more often than it is looked at.
SHORTEST_INTERVAL = 1.0


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a service plan. Hours are engine hours; `part` is a part's id, empty for work without parts."""

    id: str
    title: str
    part: str
    quantity: float
    every_hours: float | None = None
    every_months: int | None = None
    first_hours: float | None = None
    once: bool = False
    option: str = ""

    def words(self) -> str:
        """The interval as a person says it: "first at 50 h, then every 500 h or 12 months"."""
        if self.once:
            months = "" if self.every_months is None else f" after {self.every_months} months"
            return f"once{months}" if self.first_hours is None else f"once at {self.first_hours:,.0f} h"
        intervals = []
        if self.every_hours is not None:
            intervals.append(f"{self.every_hours:,.0f} h")
        if self.every_months is not None:
            intervals.append("month" if self.every_months == 1 else f"{self.every_months} months")
        every = "every " + " or ".join(intervals)
        return every if self.first_hours is None else f"first at {self.first_hours:,.0f} h, then {every}"


def plan_of(model: Mapping[str, Any] | None) -> list[PlanLine]:
    """The plan lines of a catalog `model` document, in its order; empty for None or a model without a plan.

    A row that says nothing of when (no interval, no first hours) or has a value that cannot be one is left out: a plan
    with one bad row still serves with the others.
    """
    rows = (model or {}).get("plan")
    if not isinstance(rows, list):
        return []
    return [line for row in rows if isinstance(row, Mapping) and (line := _line_of(row)) is not None]


def lines_for(plan: Iterable[PlanLine], options: Iterable[str]) -> list[PlanLine]:
    """The lines that concern a machine with these options; capitals do not matter."""
    has = {str(option).strip().casefold() for option in options}
    return [line for line in plan if not line.option or line.option.casefold() in has]


def part_id(value: Any) -> str:
    """The catalog id of a part that a row names by its id or its number; empty for none."""
    text = str(value or "").strip()
    return text if not text or text.startswith("part:") else catalog_id("part", text)


def part_number(part: str) -> str:
    """A part's number, from its id."""
    return part.removeprefix("part:")


def number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        as_float = float(value)
    except OverflowError:
        return None
    return as_float if math.isfinite(as_float) else None


def _line_of(row: Mapping[str, Any]) -> PlanLine | None:
    every_hours = _at_least(row.get("every_hours"), SHORTEST_INTERVAL)
    every_months = _at_least(row.get("every_months"), 1.0)
    first_hours = _at_least(row.get("first_hours"), 0.0)
    if every_hours is None and every_months is None and first_hours is None:
        return None
    title, part = str(row.get("title") or "").strip(), part_id(row.get("part"))
    quantity = number(row.get("quantity"))
    once = bool(row.get("once")) or (every_hours is None and every_months is None)
    if once and first_hours is None:
        # "Once, every 50 h" is how some people enter a running-in service.
        first_hours = every_hours
    return PlanLine(
        id=str(row.get("id") or "") or _derived_id(row),
        title=title or part_number(part),
        part=part,
        quantity=1.0 if quantity is None or quantity <= 0 else quantity,
        every_hours=None if once else every_hours,
        # Once by the calendar alone is still once: "change the first coolant after 24 months".
        every_months=None if once and first_hours is not None else _months(every_months),
        first_hours=first_hours,
        once=once,
        option=str(row.get("option") or "").strip(),
    )


def _at_least(value: Any, least: float) -> float | None:
    found = number(value)
    return None if found is None or found < least else found


def _months(value: float | None) -> int | None:
    return None if value is None else min(1200, round(value))


def _derived_id(row: Mapping[str, Any]) -> str:
    """An id for a row that has none: from what it says, so that it is the same at every reading."""
    words = "\x1f".join(f"{key}={row[key]!r}" for key in sorted(row) if key != "quantity")
    return hashlib.sha256(words.encode()).hexdigest()[:12]
