"""What the catalog's pages say: documents in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.parts.cost import PlanCost
from app.parts.needs import Part, sold_as
from app.parts.plans import PlanLine, number, part_id, part_number, plan_of
from app.web.ages import moment_of
from app.web.formatting import format_count, format_number

Document = Mapping[str, Any]
# Longer than it takes until what was saved is in the figures.
_COUNTED_WITHIN = timedelta(seconds=90)
# A part replaced by a part replaced by a part …; a circle of them must end.
MOST_REPLACEMENTS = 12


@dataclass(frozen=True)
class PlanRow:
    """A line of a service plan with the part it takes; `never` for one that is never due. `price` is of a visit."""

    title: str
    interval: str
    option: str
    part_id: str
    part: str
    part_name: str
    quantity: float | None
    unit: str
    price: float | None
    instead: Part | None
    never: bool


@dataclass(frozen=True)
class Use:
    """Where a part is used: a line of a model's plan, or `once` by a bulletin."""

    document_id: str
    document: str
    title: str
    interval: str
    quantity: float | None
    once: bool = False


def is_just_saved(document: Document, now: datetime) -> bool:
    """Whether the figures about a document may be those of before it was saved."""
    saved = moment_of(document.get("updated_at"))
    return saved is not None and now - saved < _COUNTED_WITHIN


def plan_rows(model: Document, parts: Mapping[str, Document]) -> list[PlanRow]:
    """A model's plan, in its order; `parts` are documents by id, with those that replace them."""
    return [_plan_row(row, parts) for row in _rows(model.get("plan"))]


def _plan_row(row: Document, parts: Mapping[str, Document]) -> PlanRow:
    line = _line(row)
    part = part_id(row.get("part"))
    sold = sold_as(part, parts) if part else None
    quantity = line.quantity if line else number(row.get("quantity"))
    return PlanRow(
        title=str(row.get("title") or part_number(part)),
        interval=line.words() if line else "never due",
        option=str(row.get("option") or ""),
        part_id=part,
        part=str(parts.get(part, {}).get("number") or part_number(part)),
        part_name=str(parts.get(part, {}).get("name") or ""),
        quantity=quantity if part else None,
        unit=str(parts.get(part, {}).get("unit") or ""),
        price=sold.price * (1 if quantity is None else quantity) if sold and sold.price is not None else None,
        instead=sold if sold and sold.id != part else None,
        never=line is None,
    )


def parts_named(model: Document) -> set[str]:
    """The ids of the parts that a model's plan names, in lines that are never due as well."""
    return {part_id(row["part"]) for row in _rows(model.get("plan")) if row.get("part")}


def _rows(value: Any) -> list[Document]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _line(row: Document) -> PlanLine | None:
    return next(iter(plan_of({"plan": [row]})), None)


def uses_of(part: str, documents: Iterable[Document]) -> list[Use]:
    """Where models and bulletins use a part, by what they are called."""
    uses = []
    for document in documents:
        if document.get("type") == "bulletin":
            for row in _rows(document.get("parts")):
                if part_id(row.get("part")) == part:
                    title, quantity = str(document.get("title") or ""), number(row.get("quantity"))
                    code = str(document.get("code") or "")
                    uses.append(Use(str(document["_id"]), code, title, "once, by the bulletin", quantity, once=True))
        elif document.get("type") == "model":
            named = [row for row in plan_rows(document, {}) if row.part_id == part]
            called_so = called(document)
            uses += [Use(str(document["_id"]), called_so, row.title, row.interval, row.quantity) for row in named]
    return sorted(uses, key=lambda use: (use.document.casefold(), use.title))


def called(document: Document) -> str:
    """What people call a model, a part or a bulletin."""
    fields = {"model": ("make", "name"), "part": ("number", "name"), "bulletin": ("code", "title")}
    names = [str(document[name]) for name in fields.get(str(document.get("type")), ("name",)) if document.get(name)]
    return " ".join(names) or str(document.get("_id") or "")


def cost_note(cost: PlanCost, hours_per_day: float | None) -> str:
    """What the cost of a plan counts, and what it leaves out."""
    said = ["list prices"]
    if hours_per_day:
        said.append(f"at {format_number(hours_per_day, 1)}\u00a0h a day")
    left_out = []
    if cost.options:
        left_out.append(format_count(cost.options, "line") + " for options")
    if cost.unpriced:
        left_out.append(format_count(cost.unpriced, "part") + " without a price")
    if cost.by_date:
        left_out.append(format_count(cost.by_date, "line") + " due by date")
    if left_out:
        said.append("without " + " and ".join(left_out))
    return ", ".join(said)


def needed_parts(bulletin: Document, parts: Mapping[str, Document]) -> list[tuple[str, str, str, float | None, str]]:
    """The parts that a bulletin takes on each machine: ``(id, number, name, quantity, unit)``."""
    found = []
    for row in bulletin.get("parts") or ():
        if isinstance(row, Mapping) and row.get("part"):
            each = part_id(row["part"])
            document = parts.get(each, {})
            found.append(
                (
                    each,
                    str(document.get("number") or part_number(each)),
                    str(document.get("name") or ""),
                    number(row.get("quantity")),
                    str(document.get("unit") or ""),
                )
            )
    return found


def concerned_words(bulletin: Document) -> str:
    """Which machines a bulletin is for, in words."""
    models = bulletin.get("models")
    names = [str(model).removeprefix("model:") for model in models] if isinstance(models, list) else []
    words = f"{bulletin.get('make') or ''} {', '.join(names) if names else 'of every model'}".strip()
    first, last = bulletin.get("serial_from"), bulletin.get("serial_to")
    if first and last:
        return f"{words}, serial numbers {first} to {last}"
    if first:
        return f"{words}, serial numbers from {first}"
    return f"{words}, serial numbers up to {last}" if last else f"{words}, every serial number"


def next_replacements(parts: Mapping[str, Document], wanted: Sequence[str]) -> set[str]:
    """The parts that replace some of `wanted` and are not read yet."""
    following = {part_id(parts[part].get("replaced_by")) for part in wanted if part in parts}
    return {part for part in following if part and part not in parts}
