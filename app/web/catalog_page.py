"""What the catalog's pages say: documents in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.parts.needs import Part, sold_as
from app.parts.plans import number, part_id, part_number, plan_of

Document = Mapping[str, Any]
# A part replaced by a part replaced by a part …; a circle of them must end.
MOST_REPLACEMENTS = 12


@dataclass(frozen=True)
class PlanRow:
    """A line of a service plan with the part it takes."""

    title: str
    interval: str
    option: str
    part_id: str
    part: str
    part_name: str
    quantity: float | None
    unit: str
    instead: Part | None


@dataclass(frozen=True)
class Use:
    """Where a part is used: a line of a model's plan, or a bulletin."""

    document_id: str
    document: str
    title: str
    interval: str
    quantity: float | None


def plan_rows(model: Document, parts: Mapping[str, Document]) -> list[PlanRow]:
    """A model's plan, in its order; `parts` are documents by id, with those that replace them."""
    return [
        PlanRow(
            title=line.title,
            interval=line.words(),
            option=line.option,
            part_id=line.part,
            part=str(parts.get(line.part, {}).get("number") or part_number(line.part)),
            part_name=str(parts.get(line.part, {}).get("name") or ""),
            quantity=line.quantity if line.part else None,
            unit=str(parts.get(line.part, {}).get("unit") or ""),
            instead=_instead(line.part, parts),
        )
        for line in plan_of(model)
    ]


def lines_without_interval(model: Document) -> int:
    """How many lines of a plan are never due, for they say neither hours nor months."""
    rows = model.get("plan")
    return len(rows) - len(plan_of(model)) if isinstance(rows, list) else 0


def _instead(part: str, parts: Mapping[str, Document]) -> Part | None:
    sold = sold_as(part, parts) if part else None
    return sold if sold and sold.id != part else None


def uses_of(part: str, documents: Iterable[Document]) -> list[Use]:
    """Where models and bulletins use a part, by what they are called."""
    uses = []
    for document in documents:
        if document.get("type") == "bulletin":
            for row in document.get("parts") or ():
                if isinstance(row, Mapping) and part_id(row.get("part")) == part:
                    uses.append(
                        Use(
                            str(document["_id"]),
                            str(document.get("code") or ""),
                            str(document.get("title") or ""),
                            "once, by the bulletin",
                            number(row.get("quantity")),
                        )
                    )
        elif document.get("type") == "model":
            name = " ".join(str(document[field]) for field in ("make", "name") if document.get(field))
            uses += [
                Use(str(document["_id"]), name, line.title, line.words(), line.quantity)
                for line in plan_of(document)
                if line.part == part
            ]
    return sorted(uses, key=lambda use: (use.document.casefold(), use.title))


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
