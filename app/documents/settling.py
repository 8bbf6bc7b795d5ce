"""Settling disputes."""

from __future__ import annotations

from typing import Any

from app.couch import Conflict, Database, NotFound
from app.documents.common import same, text_in, utc_now
from app.documents.deleting import delete
from app.documents.disputes import DELETED, Dispute, dispute, open_disputes, value_in
from app.documents.entries import is_rows, revisions_of
from app.documents.outcomes import Saved
from app.documents.revising import Revision, resolution
from app.documents.writing import ATTEMPTS, write_revision


def resolve_dispute(
    database: Database, document_id: str, dispute_id: str, value: Any, by: str, now: str | None = None
) -> Saved:
    """Settles a dispute: its field gets `value` (the one in it, the one in the field, or another), the dispute goes.

    `value` is that of the whole field, or of the row when the dispute is about a row (None removes it). For a dispute
    about a deletion, true deletes the document and false keeps it. One already settled is ``"unchanged"``.
    """
    at = now or utc_now()
    for _ in range(ATTEMPTS):
        current = database.get(document_id)
        if current is None:
            raise NotFound(f"{document_id} is not there any more.")
        disputed = next((each for each in open_disputes(current) if each["id"] == dispute_id), None)
        if disputed is None:
            return Saved(current, "unchanged")
        if disputed["field"] == DELETED and value is True:
            return delete(database, current, by, at)
        saved = write_revision(database, current, _resolved(current, disputed, value, by, at), by, at)
        if saved:
            return saved
    raise Conflict(f"Others keep saving {document_id} at this moment. The dispute is still open; try again.")


def _resolved(current: dict[str, Any], disputed: Dispute, value: Any, by: str, at: str) -> Revision:
    alike = {
        each["id"]
        for each in open_disputes(current)
        if (each["field"], each.get("row")) == (disputed["field"], disputed.get("row"))
        and (same(each["value"], disputed["value"]) or same(each["value"], value))
    }
    name = disputed["field"]
    if name == DELETED:
        return resolution(current, alike, {}, by, at)
    if "row" not in disputed:
        return resolution(current, alike, {name: value}, by, at)
    row_id, now = disputed["row"], current.get(name)
    if now and not is_rows(now):
        # Somebody whose form knows no rows has typed one text for all of them meanwhile: it is not in the row's place.
        if value is None:
            return resolution(current, alike, {}, by, at)
        return resolution(current, alike, {name: [{**value, "id": row_id}]}, by, at, [_set_aside(current, name)])
    rows = list(now or ())
    if value is None:
        rows = [row for row in rows if row.get("id") != row_id]
    elif value_in(disputed, current) is None:
        rows.append({**value, "id": row_id})
    else:
        rows = [{**value, "id": row_id} if row.get("id") == row_id else row for row in rows]
    return resolution(current, alike, {name: rows or None}, by, at)


def _set_aside(current: dict[str, Any], name: str) -> Dispute:
    revision = revisions_of(current, current).get(name, 0)
    by, at = text_in(current, "updated_by"), text_in(current, "updated_at")
    return dispute(name, frozenset(), current[name], revision, by, at)
