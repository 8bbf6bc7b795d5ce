"""Checking values against the store: references that must exist, fields that must be unique. One request each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from app.couch import Database
from app.design.forms import Form
from app.design.installing import UNIQUE


def check_references(
    form: Form,
    values: Mapping[str, Any],
    database_of_type: Callable[[str], Database],
    known: Collection[str] = (),
) -> dict[str, str]:
    """An error for each reference in `values` to a document that is not there, by field as ``parse`` gives them.

    `database_of_type` gives the database that documents of a type are in; each is asked once, and none for the ids in
    `known`.
    """
    named = [reference for reference in _references(form, values) if reference[2] not in known]
    wanted: dict[str, set[str]] = {}
    for _, target, id, _ in named:
        wanted.setdefault(target, set()).add(id)
    found: set[str] = set()
    databases: dict[str, tuple[Database, set[str]]] = {}
    for target, ids in wanted.items():
        database = database_of_type(target)
        databases.setdefault(database.name, (database, set()))[1].update(ids)
    for database, ids in databases.values():
        found |= database.get_many(ids).keys()
    return {
        place: f"{label} names a {target} that is not there (any more): choose one from the list."
        for place, target, id, label in named
        if id not in found
    }


def check_unique(form: Form, values: Mapping[str, Any], database: Database, id: str | None = None) -> dict[str, str]:
    """An error for each value that must be unique and that another document than `id` has already."""
    fields = [field for field in form.fields if field.unique and values.get(field.name) not in (None, "")]
    if not fields:
        return {}
    keys = [[form.name, field.name, str(values[field.name]).lower()] for field in fields]
    taken = {row.key[1]: row.id for row in database.view(UNIQUE, "values", keys=keys) if row.id != id}
    return {
        field.name: f"{field.label} “{values[field.name]}” belongs to another {form.label.lower()} already."
        for field in fields
        if field.name in taken
    }


def _references(form: Form, values: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(place, target, id, label) of every reference in the values."""
    found: list[tuple[str, str, str, str]] = []
    for field in form.fields:
        value = values.get(field.name)
        if field.type == "reference" and isinstance(value, str) and value:
            found.append((field.name, field.target, value, field.label))
        if field.type == "rows" and isinstance(value, list):
            for row in value:
                for column in field.columns:
                    if column.type == "reference" and row.get(column.name):
                        place = f"{field.name}.{row['id']}.{column.name}"
                        found.append((place, column.target, row[column.name], column.label))
    return found
