"""A form's fields as a page shows them, asks for them, and gets them back (pure).

The names of inputs: a field's own name; ``field.day`` and ``field.month`` for a day without a year, ``field.latitude``
and ``field.longitude`` for a position, ``field.ROW.column`` for rows, ``field:typed`` (in a row
``field.ROW.column:typed``) for what was typed into a reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any

from app.web.ages import moment_of

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from app.design import Field, Form

NUMERIC = ("number", "money", "year")
# What is short enough for one line of a column, and never reads well broken; up to so many characters of a text.
_ONE_LINE = ("date", "time", "month", "day of year", "choice", "phone")
_SHORT = 20
# After the name of a reference: what was typed to choose it.
TYPED = ":typed"
# The name of a value that no field of the form has.
NO_FIELD = ""


@dataclass(frozen=True)
class ShownField:
    """A field with its value, as ``ui.value`` draws it; `title` is what a reference's document is called."""

    name: str
    label: str
    type: str
    value: Any
    title: str = ""
    unit: str = ""
    choice_labels: Mapping[str, str] = field(default_factory=dict)
    columns: Sequence[ShownField] = ()
    rows: Sequence[Sequence[ShownField]] = ()

    @property
    def numeric(self) -> bool:
        """Whether it stands on the right in a column."""
        return self.type in NUMERIC

    @property
    def one_line(self) -> bool:
        """Whether it is never broken in a column: a date, a choice, a name of a person."""
        return self.type in _ONE_LINE or (self.type == "text" and len(str(self.value or "")) <= _SHORT)


@dataclass(frozen=True)
class Section:
    """A part of a form: its label and its fields, shown or asked for."""

    label: str
    fields: Sequence[Any]


@dataclass(frozen=True)
class InputField:
    """A field as ``ui.input`` asks for it; `value` is text, or has the parts that its type is typed in.

    `id` is its own on the page, also where two forms with the same fields are open.
    """

    name: str
    label: str
    type: str
    value: Any = ""
    error: str = ""
    hint: str = ""
    required: bool = False
    unit: str = ""
    choices: Sequence[tuple[str, str]] = ()
    target: str = ""
    title: str = ""
    context: str = ""
    columns: Sequence[InputField] = ()
    rows: Sequence[InputRow] = ()
    shown_when: Mapping[str, Any] | None = None
    fixed: bool = False
    add_label: str = ""
    id: str = ""

    @property
    def wide(self) -> bool:
        """Whether it takes the whole width of the form."""
        return self.type in ("long text", "rows")


@dataclass(frozen=True)
class InputRow:
    """A row of a field; `key` is its id, or stands for the one it will get."""

    key: str
    cells: Sequence[InputField]


# Shown


def shown_sections(
    form: Form, document: Mapping[str, Any], titles: Mapping[str, str], roles: Iterable[str]
) -> list[Section]:
    """The form's sections with the fields that have a value and that `roles` may read; empty sections are left out."""
    mine = frozenset(roles)
    sections = []
    for section in form.sections:
        fields = [
            shown(each, document.get(each.name), titles)
            for each in section.fields
            if each.may_read(mine) and not is_empty(document.get(each.name))
        ]
        if fields:
            sections.append(Section(section.label, fields))
    return sections


def shown(each: Field, value: Any, titles: Mapping[str, str]) -> ShownField:
    """One field with its value."""
    columns = tuple(shown(column, None, {}) for column in each.columns)
    rows: list[list[ShownField]] = []
    if each.type == "rows" and isinstance(value, list):
        rows = [
            [shown(column, row.get(column.name), titles) for column in each.columns]
            for row in value
            if isinstance(row, dict)
        ]
    title = titles.get(value, "") if each.type == "reference" and isinstance(value, str) else ""
    return ShownField(each.name, each.label, each.type, value, title, each.unit, each.choice_labels, columns, rows)


def unknown_fields(form: Form | None, document: Mapping[str, Any]) -> list[ShownField]:
    """What a document holds that its form does not know: shown as it is, so that nothing hides."""
    from app.documents.common import body

    known = form.by_name if form else {}
    return [
        ShownField(name, name.replace("_", " ").capitalize(), "text", plain(value))
        for name, value in body(document).items()
        if name not in known and not is_empty(value)
    ]


def references(form: Form | None, document: Mapping[str, Any]) -> set[str]:
    """The ids of every document that this one names, in its fields and in their rows."""
    found: set[str] = set()
    for each in form.fields if form else ():
        value = document.get(each.name)
        if each.type == "reference" and isinstance(value, str) and value:
            found.add(value)
        if each.type == "rows" and isinstance(value, list):
            named = [column.name for column in each.columns if column.type == "reference"]
            found.update(str(row[name]) for row in value if isinstance(row, dict) for name in named if row.get(name))
    return found


def is_empty(value: Any) -> bool:
    """Whether there is nothing to show; false and 0 are something."""
    return value is None or value == "" or value == [] or value == {}


def plain(value: Any) -> str:
    """Any value in words, for a field that no form describes."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(plain(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {plain(each)}" for name, each in value.items() if name != "id")
    return str(value)


# Asked for


def input_sections(
    form: Form,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    titles: Mapping[str, str],
    roles: Iterable[str],
    context: str = "",
    zone: tzinfo = UTC,
    scope: str = "",
) -> list[Section]:
    """The form's sections as inputs for the fields that `roles` may edit.

    `values` are a document's, or what was typed where `errors` says it is wrong. `context` is a customer whose own
    documents come first where one is chosen by typing; `zone` the time zone that times are typed in. `scope` tells
    the ids of this form's inputs from those of another one on the same page.
    """
    asked = {each.name for each in asked_for(form, roles)}
    return [
        Section(
            section.label,
            [
                as_input(each, values.get(each.name), errors, titles, context, zone, scope=scope)
                for each in section.fields
                if each.name in asked
            ],
        )
        for section in form.sections
    ]


def asked_for(form: Form, roles: Iterable[str]) -> list[Field]:
    """The fields a form's page asks somebody with these roles for."""
    mine = frozenset(roles)
    return [each for each in form.fields if each.may_edit(mine) and each.type != "attachment"]


def as_input(
    each: Field,
    value: Any,
    errors: Mapping[str, str],
    titles: Mapping[str, str],
    context: str = "",
    zone: tzinfo = UTC,
    prefix: str = "",
    scope: str = "",
) -> InputField:
    """One field as an input with its value and what is wrong with it."""
    path = prefix + each.name
    title = titles.get(value, "") if isinstance(value, str) else ""
    if each.type == "reference" and title == value:
        # Typed and not found: no document's id. Were it sent back as one, nobody could correct it without a script.
        value = ""
    columns: tuple[InputField, ...] = ()
    rows: list[InputRow] = []
    if each.type == "rows":
        columns = tuple(as_input(column, None, {}, {}) for column in each.columns)
        rows = [_input_row(each, row, number, errors, titles) for number, row in enumerate(value or ())]
    return InputField(
        name=each.name,
        label=each.label,
        type=each.type,
        value=typed_value(each.type, value, zone),
        error=errors.get(path, ""),
        hint=each.hint,
        required=each.required,
        unit=each.unit,
        choices=each.choices,
        target=each.target,
        title=title,
        context=context,
        columns=columns,
        rows=rows,
        shown_when=each.visible_when or None,
        add_label=each.add_label,
        id=input_id(path, scope),
    )


def input_id(path: str, scope: str = "") -> str:
    """The id of the input with this path (``field`` or ``field.ROW.column``) in a page."""
    return f"field-{scope}-{path}" if scope else f"field-{path}"


def _input_row(
    each: Field, row: Mapping[str, Any], number: int, errors: Mapping[str, str], titles: Mapping[str, str]
) -> InputRow:
    key = str(row.get("id") or f"new{number}")
    cells = [as_input(c, row.get(c.name), errors, titles, prefix=f"{each.name}.{key}.") for c in each.columns]
    return InputRow(key, cells)


def typed_value(kind: str, value: Any, zone: tzinfo = UTC) -> Any:
    """A value as it stands in an input."""
    if kind == "day of year":
        month, _, day = str(value or "").partition("-")
        return {"month": month.lstrip("0"), "day": day.lstrip("0")}
    if kind == "position":
        found = value if isinstance(value, dict) else {}
        return {part: _number_text(found.get(part)) for part in ("latitude", "longitude")}
    if kind == "tags":
        return ", ".join(map(str, value)) if isinstance(value, list) else value or ""
    if kind == "time":
        moment = moment_of(value)
        return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment and moment.tzinfo else value or ""
    if kind in NUMERIC:
        return _number_text(value)
    if kind == "yes/no":
        return value is True or value == "yes"
    return "" if value is None else value


def _number_text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)


# Got back


def submitted(fields: Iterable[Field], typed: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed, by field, each in one value; fields that the page did not ask for are left out."""
    found: dict[str, Any] = {}
    for each in fields:
        name = each.name
        if each.type == "position" and f"{name}.latitude" in typed:
            position = {part: typed.get(f"{name}.{part}", "").strip() for part in ("latitude", "longitude")}
            found[name] = position if any(position.values()) else ""
        elif each.type == "day of year" and f"{name}.day" in typed:
            day, month = typed.get(f"{name}.day", "").strip(), typed.get(f"{name}.month", "").strip()
            found[name] = f"{month.zfill(2)}-{day.zfill(2)}" if day or month else ""
        elif each.type == "rows" and name in typed:
            found[name] = _submitted_rows(each, typed)
        elif each.type == "yes/no" and name in typed:
            found[name] = typed.getlist(name)[-1]
        elif name in typed:
            found[name] = typed[name]
    return found


def _submitted_rows(each: Field, typed: MultiDict[str, str]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for name in typed:
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == each.name:
            rows.setdefault(parts[1], {"id": parts[1]})[parts[2]] = typed[name].strip()
    return [row for row in rows.values() if any(value for column, value in row.items() if column != "id")]
