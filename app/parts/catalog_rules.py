"""What a document of the catalog must say to be of use: a plan whose lines come due, a bulletin that finds machines.

All of it is pure.

The sentences are by field as ``app.design.parsing`` gives them: ``plan.<row>.<column>`` for a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.parts.plans import SHORTEST_INTERVAL, number, part_id, plan_of
from app.parts.serials import range_problem

Errors = dict[str, str]


def wrong(kind: str, values: Mapping[str, Any]) -> Errors:
    """What is wrong with the `values` of a document of this type, by field; nothing for other types."""
    if kind == "model":
        return wrong_plan(values)
    if kind == "bulletin":
        return wrong_bulletin(values)
    return {}


def wrong_plan(model: Mapping[str, Any]) -> Errors:
    """A sentence for each line of a model's plan that would never be due, or not as it says."""
    rows = model.get("plan")
    errors: Errors = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and row.get("id"):
            errors |= {f"plan.{row['id']}.{column}": sentence for column, sentence in _wrong_line(row).items()}
    return errors


def wrong_bulletin(bulletin: Mapping[str, Any]) -> Errors:
    """A sentence when the range of serial numbers holds none."""
    problem = range_problem(bulletin.get("serial_from"), bulletin.get("serial_to"))
    errors = {"serial_to": problem} if problem else {}
    for row in bulletin.get("parts") or ():
        if isinstance(row, Mapping) and row.get("id") and number(row.get("quantity")) == 0:
            errors[f"parts.{row['id']}.quantity"] = (
                "Quantity is how many a machine takes: more than 0, or empty for one."
            )
    return errors


def _wrong_line(row: Mapping[str, Any]) -> Errors:
    errors: Errors = {}
    hours, months = number(row.get("every_hours")), number(row.get("every_months"))
    if hours is not None and hours < SHORTEST_INTERVAL:
        errors["every_hours"] = f"An interval is {SHORTEST_INTERVAL:g} hour or more."
    if months is not None and (months < 1 or months != int(months)):
        errors["every_months"] = "An interval is a whole number of months, 1 or more."
    if number(row.get("quantity")) == 0:
        errors["quantity"] = "Quantity is how many a machine takes: more than 0, or empty for one."
    if not errors and not plan_of({"plan": [row]}):
        errors["every_hours"] = "Never due: give hours or months."
    return errors


def replaced_in_a_circle(number_of: Mapping[str, str], part: str, replaced_by: str) -> list[str]:
    """The parts that lead from `replaced_by` back to `part`; empty when they do not.

    `number_of` has for each part's id the id of the part that replaces it.
    """
    seen = [replaced_by]
    while seen[-1] != part:
        following = part_id(number_of.get(seen[-1]))
        if not following or following in seen:
            return []
        seen.append(following)
    return seen
