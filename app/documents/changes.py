"""The log of changes: a ``change`` document for every edit says who changed which fields from what to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.documents.attachments import field_and_file
from app.documents.common import body, digest, same
from app.documents.ids import document_id, new_key


def change_document(
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    by: str,
    at: str,
    key: str | None = None,
) -> dict[str, Any] | None:
    """The ``change`` that leads from one revision of a document to the next; None when no field differs.

    `before` None is a new document, whose ``created_by`` says it already: there is no change. `after` None is a
    deletion: the change then holds the whole content, from which the document can be brought back on any node, and as
    ``was_disputed`` the disputes that were open and as ``was_resolved`` the ids of those that were not.
    `key` makes the id where the same change may be written by several nodes; otherwise it is a new one.
    """
    if before is None:
        return None
    old, new = body(before), body(after) if after is not None else {}
    rows = [
        {"id": name, "field": name, "from": old.get(name), "to": new.get(name)}
        for name in dict.fromkeys((*old, *new))
        if not same(old.get(name), new.get(name))
    ]
    if after is not None:
        rows += file_rows(before, after)
    if not rows and after is not None:
        return None
    change = entry_of_log(before, key or new_key(), rows, by, at)
    return change if after is not None else _of_deletion(change, before)


def _of_deletion(change: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"was_disputed": before.get("disputes"), "was_resolved": before.get("resolved")}
    told = {"deleted": True, **{name: value for name, value in kept.items() if value}}
    return {**change, **told, "field_revs": {**change["field_revs"], **dict.fromkeys(told, 1)}}


def entry_of_log(about: Mapping[str, Any], key: str, rows: list[dict[str, Any]], by: str, at: str) -> dict[str, Any]:
    """An entry in the log of changes `about` a document, with a row for each thing that changed."""
    dealer = about.get("dealer") or ""
    entry: dict[str, Any] = {
        "_id": document_id(dealer, "change", key),
        "type": "change",
        "dealer": dealer,
        # What a change tells is as private as the document it is about.
        "share": about.get("share") or "dealer",
        "document": about["_id"],
        "document_type": about.get("type") or "",
        "changes": rows,
        "by": by,
        "at": at,
        "created_at": at,
        "created_by": by,
        "updated_at": at,
        "updated_by": by,
    }
    entry["field_revs"] = {
        **dict.fromkeys(sorted(name for name in body(entry)), 1),
        **{f"changes.{row['id']}": 1 for row in rows},
        "*": 1,
    }
    return entry


def file_rows(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each file that was attached or removed: its name, under its field."""
    old, new = before.get("_attachments") or {}, after.get("_attachments") or {}
    rows = []
    for name in sorted(old.keys() ^ new.keys()):
        field, file_name = field_and_file(name)
        pair = {"from": file_name if name in old else None, "to": file_name if name in new else None}
        rows.append({"id": digest(["_attachments", name]), "field": field or "_attachments", **pair})
    return rows


def content_before(change: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they were before a change, as far as it tells: all of them for a deletion."""
    return {row["field"]: row["from"] for row in change.get("changes") or () if row["from"] is not None}


def disputes_before(deletion: Mapping[str, Any]) -> dict[str, Any]:
    """The disputes, open and resolved, that a document had before it was deleted, under the names they have there."""
    return {"disputes": deletion.get("was_disputed"), "resolved": deletion.get("was_resolved")}
