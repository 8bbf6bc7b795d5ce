"""What machines need, ready for a page: each due line with its machine, its customer and the part as it is sold now.

All of it is pure; :mod:`app.parts.desk` knows the machines of a book.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.documents.ids import catalog_id, model_key
from app.parts.due import Due
from app.parts.history import day
from app.parts.plans import number, part_id, part_number
from app.parts.usage import Usage, usage

Document = Mapping[str, Any]
# A part replaced by a part replaced by a part …; a circle of them must end.
_MOST_REPLACEMENTS = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A part as it is sold now. `instead_of` is the number in the service plan where another has replaced it.

    `name` is empty for a part that the catalog does not have. `price` is in the catalog's currency.
    """

    id: str
    number: str
    name: str = ""
    unit: str = ""
    price: float | None = None
    instead_of: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """A line of the service plan that one machine needs. `customer` is None for a machine without one.

    `part` is None for work without parts. The quantity and the dates are in `due`.
    """

    machine: Document
    customer: Document | None
    due: Due
    part: Part | None


def model_id(machine: Document) -> str:
    """The catalog id of a machine's model, which it names by make and name or by that id; empty when unknown."""
    make, model = str(machine.get("make") or ""), str(machine.get("model") or "")
    if model.startswith("model:"):
        return model
    try:
        return catalog_id("model", model_key(make, model))
    except ValueError:
        return ""


def usage_of(
    machine: Document,
    readings: Iterable[Document],
    model: Document | None,
    today: date,
    model_average: float | None = None,
) -> Usage:
    """A machine's usage, from its documents: the one way every page asks for it."""
    return usage(readings, today, model, model_average=model_average, delivered_on=day(machine.get("delivered_on")))


def sold_as(part: str, parts: Mapping[str, Document]) -> Part:
    """The part of this id as it is sold now, following replacements; `parts` are `part` documents by id."""
    first, found = part, parts.get(part)
    for _ in range(_MOST_REPLACEMENTS):
        following = part_id((found or {}).get("replaced_by"))
        if not following or following == first or following not in parts:
            break
        part, found = following, parts[following]
    instead_of = str((parts.get(first) or {}).get("number") or part_number(first)) if part != first else ""
    if found is None:
        return Part(part, part_number(part))
    return Part(
        id=part,
        number=str(found.get("number") or part_number(part)),
        name=str(found.get("name") or ""),
        unit=str(found.get("unit") or ""),
        price=number(found.get("price")),
        instead_of=instead_of,
    )


def in_order(needs: Iterable[Need]) -> list[Need]:
    """Needs as a list shows them: what is overdue first, then by date, then by machine."""
    return sorted(needs, key=lambda need: (not need.due.overdue, need.due.on, need.machine["_id"], need.due.line_id))
