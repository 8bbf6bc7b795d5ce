"""A measured figure beside its budget, and how figures are printed."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TextIO


@dataclass(frozen=True)
class Figure:
    """One measurement of `bench`. `budget` is the largest value allowed in `unit`; None when there is no budget."""

    bench: str
    name: str
    value: float
    unit: str
    budget: float | None
    met: bool


def figure(bench: str, name: str, value: float, unit: str, budget: float | None = None, least: bool = False) -> Figure:
    """A figure that meets its budget when it is at most that; with `least`, when it is at least that."""
    met = budget is None or (value >= budget if least else value <= budget)
    return Figure(bench, name, value, unit, budget, met)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of the values do not exceed. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values were measured")
    ordered = sorted(values)
    # A hair less, because 0.95 * 20 is a hair more than 19.
    return ordered[max(0, math.ceil(share * len(ordered) - 1e-9) - 1)]


def print_table(figures: Iterable[Figure], to: TextIO | None = None) -> None:
    """Prints the figures as a table."""
    rows = [("bench", "figure", "measured", "budget", "")]
    for found in figures:
        budget = "" if found.budget is None else f"{_number(found.budget)} {found.unit}"
        verdict = "" if found.budget is None else "met" if found.met else "MISSED"
        rows.append((found.bench, found.name, f"{_number(found.value)} {found.unit}", budget, verdict))
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    for row in rows:
        cells = [
            cell.rjust(width) if at in (2, 3) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), file=to or sys.stdout)


def print_json(figures: Iterable[Figure], to: TextIO | None = None) -> None:
    """Prints one line of JSON a figure."""
    for found in figures:
        print(json.dumps(asdict(found)), file=to or sys.stdout, flush=True)


def show(figures: Iterable[Figure], as_json: bool) -> int:
    """Prints the figures; returns the exit code: 1 when a budget was missed, else 0."""
    found = list(figures)
    (print_json if as_json else print_table)(found)
    return 0 if all(one.met for one in found) else 1


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
