"""What ``field_revs`` counts: a field, or one row of a field that is a list of rows.

The entry of a plain field is its name. A list of rows is taken apart into ``<field>.<row id>`` for each row, and
``<field>`` itself for the order of the rows, so that two people may each change a row of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.documents.common import body, generation

Entries = dict[str, Any]


def is_rows(value: Any) -> bool:
    """Whether a value is a list of rows: objects with an ``id`` each, all different."""
    if not isinstance(value, list) or not value:
        return False
    ids = [row.get("id") if isinstance(row, dict) else None for row in value]
    return all(isinstance(id, str) and id for id in ids) and len(set(ids)) == len(ids)


def row_fields(documents: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The fields that hold rows in at least one of the documents and nothing else in any."""
    rows: set[str] = set()
    others: set[str] = set()
    for document in documents:
        for name, value in body(document).items():
            if is_rows(value):
                rows.add(name)
            elif value is not None and value != []:
                others.add(name)
    return frozenset(rows - others)


def entries(document: Mapping[str, Any], rows: frozenset[str]) -> Entries:
    """The entries of a document, given which fields hold `rows`. Missing, null and an empty list are the same."""
    found: Entries = {}
    for name, value in body(document).items():
        if value is None or value == []:
            continue
        if name not in rows:
            found[name] = value
        else:
            found[name] = [row["id"] for row in value]
            found.update({f"{name}.{row['id']}": row for row in value})
    return found


def rows_of_whole_fields(
    changed: Iterable[str], rows: frozenset[str], documents: Iterable[Mapping[str, Any]]
) -> set[str]:
    """The entries of rows in `changed` fields that are compared as a whole, because not all `documents` hold rows.

    A form that is upgraded from one text to rows changes the field at once; whoever meets it later row by row has to
    find that each of them changed.
    """
    names = set(changed) - rows
    found = ((name, document.get(name)) for document in documents for name in names)
    return {f"{name}.{row['id']}" for name, value in found if is_rows(value) for row in value or ()}


def field_of(entry: str, rows: frozenset[str]) -> tuple[str, str | None]:
    """``(field, row id)`` of an entry; the row id is None for a plain field and for the order of rows."""
    field, dot, row = entry.partition(".")
    return (field, row) if dot and field in rows else (entry, None)


def fields(found: Mapping[str, Any], rows: frozenset[str], orders: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """The fields that entries make up. Rows no order names come last, as `orders` (other entries) have them."""
    made: dict[str, Any] = {}
    for entry, value in found.items():
        field, row = field_of(entry, rows)
        if row is not None or value is None:
            continue
        if field not in rows:
            made[field] = value
    for field in sorted(rows):
        wanted = [*(found.get(field) or ()), *(id for order in orders for id in order.get(field) or ())]
        prefix = f"{field}."
        wanted += sorted(entry.removeprefix(prefix) for entry in found if entry.startswith(prefix))
        alive = [found[prefix + id] for id in dict.fromkeys(wanted) if found.get(prefix + id) is not None]
        if alive:
            made[field] = alive
    return made


def revisions_of(document: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, int]:
    """The generation that last changed each entry, whoever wrote the document.

    When its ``*`` is of another generation, a program that does not keep ``field_revs`` wrote the document, and any
    entry may have changed in it.
    """
    revs = document.get("field_revs")
    kept: dict[str, int] = revs if isinstance(revs, dict) else {}
    current = generation(document.get("_rev"))
    if not is_foreign(document):
        return {entry: number for entry, number in kept.items() if entry != "*"}
    return {entry: current for entry in (*kept, *found) if entry != "*"}


def is_foreign(document: Mapping[str, Any]) -> bool:
    """Whether a program that does not keep ``field_revs`` wrote this revision, or one that does not know how."""
    kept = document.get("field_revs")
    if not isinstance(kept, dict) or kept.get("*") != generation(document.get("_rev")):
        return True
    return not all(isinstance(number, int) for number in kept.values())
