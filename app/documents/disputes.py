"""Disputes: what was said about a field and did not become its value. A person picks one later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from app.documents.common import digest, same, text_in
from app.documents.entries import field_of

Dispute = dict[str, Any]
# The `field` of a dispute about the whole document: somebody deleted what somebody else edited.
DELETED = "_deleted"


def dispute(entry: str, rows: frozenset[str], value: Any, revision: int, by: str, at: str) -> Dispute:
    """``{id, field, value, by, at}``, and ``row`` (its id) when it is about one row of a field.

    `revision` is the generation that made the value: it tells two edits of one field apart, and stays when other
    fields of that branch change, so that the same edit is the same dispute wherever it is met.
    """
    field, row = field_of(entry, rows)
    made: Dispute = {"id": dispute_id(entry, value, revision), "field": field}
    if row is not None:
        made["row"] = row
    return {**made, "value": value, "by": by, "at": at}


def dispute_id(entry: str, value: Any, revision: int) -> str:
    """The id of a dispute: a digest of what it says."""
    return digest([entry, value, revision])


def deletion_dispute(tombstone: Mapping[str, Any]) -> Dispute:
    """The dispute that says who deleted a document which others went on editing."""
    by, at = text_in(tombstone, "deleted_by"), text_in(tombstone, "deleted_at")
    who = [by, at] if by or at else [tombstone["_rev"]]
    return {"id": digest([DELETED, *who]), "field": DELETED, "value": True, "by": by, "at": at}


def open_disputes(document: Mapping[str, Any]) -> list[Dispute]:
    """The disputes of a document, without what another program may have written there that is none.

    One document that is malformed must not keep all others from being merged and shown.
    """
    found = document.get("disputes")
    return [each for each in found if _is_dispute(each)] if isinstance(found, list) else []


def resolved_disputes(document: Mapping[str, Any]) -> set[str]:
    """The ids of the disputes of a document that were resolved."""
    found = document.get("resolved")
    return {id for id in found if isinstance(id, str)} if isinstance(found, list) else set()


def _is_dispute(each: object) -> bool:
    if not isinstance(each, dict) or "value" not in each:
        return False
    texts = ("id", "field", "row") if "row" in each else ("id", "field")
    return all(isinstance(each.get(name), str) for name in texts)


def union(documents: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Dispute], set[str]]:
    """Every open dispute of the documents by id, and the ids of all that were resolved."""
    found: dict[str, Dispute] = {}
    resolved: set[str] = set()
    for document in documents:
        resolved |= resolved_disputes(document)
        for each in open_disputes(document):
            known = found.get(each["id"])
            found[each["id"]] = each if known is None else min(known, each, key=_age)
    return {id: each for id, each in found.items() if id not in resolved}, resolved


def ordered(found: Iterable[Dispute]) -> list[Dispute]:
    """Disputes in the one order that every node gives them: oldest first."""
    return sorted(found, key=_age)


def entry_of(each: Dispute) -> str:
    """What ``field_revs`` calls that which a dispute is about: its field, or a row of it."""
    return f"{each['field']}.{each['row']}" if "row" in each else str(each["field"])


def disputes_in(document: Mapping[str, Any]) -> int:
    """How many disputes of a document wait for somebody to decide."""
    return len(open_disputes(document))


def value_in(each: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """What the document has now where the dispute has another value."""
    if each["field"] == DELETED:
        return bool(document.get("_deleted"))
    value = document.get(each["field"])
    if "row" not in each:
        return value
    return next((row for row in value or () if isinstance(row, dict) and row.get("id") == each["row"]), None)


def is_settled(each: Dispute, document: Mapping[str, Any]) -> bool:
    """Whether the document already has what the dispute wants."""
    return same(each["value"], value_in(each, document))


def _age(each: Dispute) -> tuple[str, str, str]:
    return str(each.get("at") or ""), str(each.get("by") or ""), each["id"]
