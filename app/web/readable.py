"""What somebody may see of documents: fields their roles may not read are taken out before a page is made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.web import current
from app.web.frame import type_of

if TYPE_CHECKING:
    from app.couch import Database
    from app.design.forms import Form
    from app.design.listing import ListPage, ListRow
    from app.design.views import Column, View

# A formula names fields as doc.notes or doc["notes"].
_IN_FORMULA = re.compile(r"""\bdoc(?:\.|\[\s*["'])([A-Za-z_]\w*)""")


def readable(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the fields that the signed-in user's roles may not read."""
    return readable_by(document, current.forms(), current.user().roles)


def readable_documents(documents: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same for documents by id."""
    return {id: readable(document) for id, document in documents.items()}


def readable_by(document: dict[str, Any], forms: Mapping[str, Form], roles: Iterable[str]) -> dict[str, Any]:
    """The same for any roles (pure). Of an entry in the log of changes, the fields of the document it is about."""
    kind = str(document.get("type") or "")
    about = str(document.get("document_type") or "") if kind == "change" else kind
    hidden = hidden_fields(forms.get(about), roles)
    if not hidden:
        return document
    if kind == "change":
        rows = [row for row in document.get("changes") or () if row.get("field") not in hidden]
        return {**document, "changes": rows}
    return {name: value for name, value in document.items() if name not in hidden}


def hidden_fields(form: Form | None, roles: Iterable[str]) -> frozenset[str]:
    """The fields of a form that these roles may not read."""
    mine = frozenset(roles)
    return frozenset(each.name for each in form.fields if not each.may_read(mine)) if form else frozenset()


def tells_too_much(view: View, form: Form | None, roles: Iterable[str]) -> bool:
    """Whether a list's very order or categories would tell what these roles may not read."""
    hidden = hidden_fields(form, roles)
    named = [view.by_field[name] for name in (*view.category, *view.sort) if name in view.by_field]
    return any(_names(column, hidden) for column in named)


def readable_columns(columns: Iterable[Column], form: Form | None, roles: Iterable[str]) -> list[Column]:
    """The columns without those that show, or work out something from, a field that these roles may not read."""
    hidden = hidden_fields(form, roles)
    return [column for column in columns if not _names(column, hidden)]


def _names(column: Column, hidden: frozenset[str]) -> bool:
    if column.formula:
        return not hidden.isdisjoint(_IN_FORMULA.findall(column.formula))
    return column.field in hidden


def readable_rows(page: ListPage, database: Database) -> ListPage:
    """A page of a list of several types, or of the log of changes, without the rows the user may not read."""
    if page.view.type not in ("", "change"):
        return page
    changes = {row.id for row in page.rows if type_of(row.id) == "change"}
    known = database.get_many(sorted(changes)) if changes else {}
    rows = [_without_hidden_names(row, known.get(row.id)) for row in page.rows if _may_read(row, known)]
    return replace(page, rows=rows)


def _may_read(row: ListRow, known: Mapping[str, dict[str, Any]]) -> bool:
    kind = type_of(row.id)
    return current.may("read", known.get(row.id, {"type": "change"})) if kind == "change" else current.may("read", kind)


def _without_hidden_names(row: ListRow, change: dict[str, Any] | None) -> ListRow:
    """The row with its column of changed fields naming only those that may be read."""
    if change is None or "fields" not in row.cells:
        return row
    named = [str(each.get("field")) for each in readable(change).get("changes") or ()]
    return replace(row, cells={**row.cells, "fields": ", ".join(named)})
