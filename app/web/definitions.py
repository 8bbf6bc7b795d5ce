"""What a ``form:`` or ``view:`` document defines, as a table for who designs (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.design.fields import DesignError, Field
from app.design.forms import read_form
from app.design.project import table_of
from app.design.views import read_view

FORM_HEADS = ("Section", "Field", "Name", "Type", "Says", "Who")
VIEW_HEADS = ("Column", "Field", "Type", "Says")


@dataclass(frozen=True)
class Definition:
    """A table with a line a field of a form, or a column of a view; `problem` says why there is none."""

    heads: Sequence[str]
    lines: Sequence[Sequence[str]]
    summary: str
    problem: str = ""


def definition_of(document: Mapping[str, Any]) -> Definition | None:
    """The definition that a document holds; None for a document of any other type."""
    if document.get("type") not in ("form", "view"):
        return None
    name = str(document.get("name") or document["_id"]).rpartition(":")[2]
    table = {**table_of(document), "name": name}
    try:
        return _form(table) if document["type"] == "form" else _view(table)
    except DesignError as problem:
        return Definition((), (), "", str(problem))


def _form(table: Mapping[str, Any]) -> Definition:
    form = read_form(table)
    lines = []
    for section in form.sections:
        for field in section.fields:
            lines.append((section.label, field.label, field.name, _kind(field), _says(field), _who(field)))
            lines += [
                ("", f"› {column.label}", f"{field.name}.{column.name}", _kind(column), _says(column), "")
                for column in field.columns
            ]
    leaves = "goes to the manufacturer" if form.share == "manufacturer" else "stays in the dealership"
    summary = f"Documents of the type “{form.name}”, kept in the {form.database}. What is typed {leaves}."
    return Definition(FORM_HEADS, lines, summary)


def _view(table: Mapping[str, Any]) -> Definition:
    view = read_view(table)
    lines = [
        (column.label, column.field, column.type, _joined(["sortable" if column.sortable else "", column.formula]))
        for column in view.columns
    ]
    said = [f"Documents of the type “{view.type}”" if view.type else "Documents of every type"]
    said.append(f"in {', '.join(view.databases)}")
    said.append(f"sorted by {', '.join(view.sort)}" if view.sort else "")
    said.append(f"grouped by {', '.join(view.category)}" if view.category else "")
    said.append(f"added up: {', '.join(view.totals)}" if view.totals else "")
    return Definition(VIEW_HEADS, lines, f"{_joined(said)}.")


def _kind(field: Field) -> str:
    return f"{field.type} to a {field.target}" if field.target else field.type


def _says(field: Field) -> str:
    choices = ", ".join(label for _, label in field.choices)
    bounds = [f"from {field.minimum:g}" if field.minimum is not None else ""]
    bounds.append(f"to {field.maximum:g}" if field.maximum is not None else "")
    when = field.visible_when
    return _joined(
        [
            "required" if field.required else "",
            "unique" if field.unique else "",
            choices,
            *bounds,
            f"= {field.computed}" if field.computed else "",
            f"shown when {when['field']} is {' or '.join(when['values'])}" if when else "",
        ]
    )


def _who(field: Field) -> str:
    read = f"read by {', '.join(field.read)}" if field.read else ""
    return _joined([read, f"edited by {', '.join(field.edit)}" if field.edit else ""])


def _joined(parts: Sequence[str]) -> str:
    return ", ".join(part for part in parts if part)
