"""Reading a submitted form, and validating documents that came from elsewhere (pure).

Errors are whole sentences by field: they name the field, what was typed, and what is expected. The error of a cell in
a field of rows has the key ``<field>.<row>.<column>``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from typing import Any

from app.design.expressions import compute
from app.design.fields import Field
from app.design.forms import Form
from app.design.values import WrongValue, clean, value_of
from app.documents.common import same

Values = dict[str, Any]
Errors = dict[str, str]
_SHOWN = 40


def parse(
    form: Form,
    typed: Mapping[str, Any],
    document: Mapping[str, Any] | None = None,
    zone: tzinfo = UTC,
    new_row_id: Callable[[], str] = lambda: secrets.token_hex(5),
) -> tuple[Values, Errors]:
    """The values of the fields that were asked for, and an error for each that cannot be.

    `typed` has a text for each field asked for; for a position a mapping with ``latitude`` and ``longitude``; for rows
    a list of mappings with an ``id`` (one that begins with ``new`` gets a new one) and a text a column. `document` is
    the one being edited. `zone` is the person's, in which times are typed. A field left empty has the value None.
    Computed fields have their values too, as soon as anything was asked for.
    """
    values: Values = {}
    errors: Errors = {}
    for field in form.fields:
        if field.name in typed and not field.computed and field.type != "attachment":
            _parse_field(field, typed[field.name], zone, new_row_id, values, errors)
    known = {**(document or {}), **values}
    for field in form.fields:
        missing = field.name in typed and field.name not in errors and _is_empty(values.get(field.name))
        if field.required and missing and field.is_visible(known):
            errors[field.name] = f"{field.label} is missing."
    if values:
        values |= computed_values(form, known)
    return values, errors


def validate(form: Form, document: Mapping[str, Any]) -> Errors:
    """What is wrong with a whole document: required fields missing, values that the form does not allow."""
    errors: Errors = {}
    for field in form.fields:
        value = document.get(field.name)
        if _is_empty(value):
            if field.required and field.is_visible(document):
                errors[field.name] = f"{field.label} is missing."
        elif field.type == "rows":
            _validate_rows(field, value, errors)
        elif field.type != "attachment":
            _validate_value(field, field.name, value, errors)
    return errors


def computed_values(form: Form, document: Mapping[str, Any]) -> Values:
    """The values of the computed fields of a document."""
    return {field.name: compute(field.computed, document) for field in form.fields if field.computed}


def new_document(form: Form, dealer: str, **values: Any) -> Values:
    """A document of this form to begin with: its type, dealer and share, the defaults, and `values`."""
    document: Values = {"type": form.name, "dealer": dealer if form.database == "book" else "", "share": form.share}
    document |= {field.name: field.default for field in form.fields if field.default is not None}
    return {**document, **{name: value for name, value in values.items() if value is not None}}


def _parse_field(
    field: Field,
    typed: Any,
    zone: tzinfo,
    new_row_id: Callable[[], str],
    values: Values,
    errors: Errors,
) -> None:
    if field.type == "rows":
        rows = _parse_rows(field, typed if isinstance(typed, list) else [], zone, new_row_id, errors)
        values[field.name] = rows or None
        return
    if _is_empty(typed):
        values[field.name] = False if field.type == "yes/no" else None
        return
    try:
        value = value_of(field, typed, zone)
    except WrongValue as problem:
        errors[field.name] = _sentence(field, typed, problem)
    else:
        values[field.name] = None if _is_empty(value) else value


def _parse_rows(
    field: Field, typed: list[Any], zone: tzinfo, new_row_id: Callable[[], str], errors: Errors
) -> list[Values]:
    rows: list[Values] = []
    for number, given in enumerate(typed):
        if not isinstance(given, Mapping):
            continue
        key = str(given.get("id") or f"new{number}")
        row: Values = {"id": new_row_id() if key.startswith("new") else key}
        wrong: Errors = {}
        for column in field.columns:
            if _is_empty(given.get(column.name)):
                continue
            try:
                row[column.name] = value_of(column, given[column.name], zone)
            except WrongValue as problem:
                wrong[f"{field.name}.{key}.{column.name}"] = _sentence(column, given[column.name], problem)
        if len(row) == 1 and not wrong:
            continue
        for column in field.columns:
            place = f"{field.name}.{key}.{column.name}"
            if column.required and column.name not in row and place not in wrong:
                wrong[place] = f"{column.label} is missing."
        errors |= wrong
        rows.append(row)
    return rows


def _validate_rows(field: Field, value: Any, errors: Errors) -> None:
    if not isinstance(value, list) or not all(isinstance(row, dict) and row.get("id") for row in value):
        errors[field.name] = f"{field.label} must be a list of rows, each with an id."
        return
    for row in value:
        for column in field.columns:
            place = f"{field.name}.{row['id']}.{column.name}"
            if _is_empty(row.get(column.name)):
                if column.required:
                    errors[place] = f"{column.label} is missing."
            else:
                _validate_value(column, place, row[column.name], errors)


def _validate_value(field: Field, place: str, value: Any, errors: Errors) -> None:
    kinds: dict[str, type | tuple[type, ...]] = {
        "number": (int, float),
        "money": (int, float),
        "year": (int, float),
        "yes/no": bool,
        "tags": list,
        "position": dict,
    }
    try:
        right_kind = isinstance(value, kinds.get(field.type, str))
        if isinstance(value, bool) and field.type != "yes/no":
            right_kind = False
        # What is stored is already in its final form: reading it once more gives the same, or it is not allowed.
        if not right_kind or not _reads_the_same(field, value):
            raise WrongValue("it as Ironbook keeps it")
    except WrongValue as problem:
        errors[place] = _sentence(field, value, problem)


def _reads_the_same(field: Field, value: Any) -> bool:
    read = value_of(field, value)
    return field.type in ("text", "long text", "phone", "time", "position", "tags") or same(read, value)


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not clean(value).strip()
    if isinstance(value, Mapping):
        return all(_is_empty(each) for each in value.values())
    return value is None or value == []


def _sentence(field: Field, typed: Any, problem: WrongValue) -> str:
    if isinstance(typed, Mapping):
        typed = ", ".join(str(each) for each in typed.values())
    text = str(typed)
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return f"{field.label} cannot be “{shown}”: expected is {problem}."
