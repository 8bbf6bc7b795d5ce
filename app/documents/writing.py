"""One attempt at a save: read what is stored, decide the next revision, write it with its entry in the log of changes.

When somebody else was faster the attempt is made again, from what they wrote.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.couch import BulkResult, Database, Forbidden, StoreError
from app.documents.changes import change_document
from app.documents.common import generation
from app.documents.ids import document_id, natural_key, new_key
from app.documents.outcomes import Saved
from app.documents.restoring import deleted_meanwhile, marked
from app.documents.revising import Revision, first_revision, next_revision

log = logging.getLogger(__name__)

# How often a save is decided again because others were faster, before it is given up.
ATTEMPTS = 8


@dataclass(frozen=True)
class Stored:
    """A document as the store has it: `document` when it lives, `deleted` the revision of its deletion."""

    document: dict[str, Any] | None = None
    deleted: str | None = None


@dataclass
class Attempt:
    """What one save wants written now. `written_change` is the (id, revision) of the entry an earlier attempt left."""

    edited: dict[str, Any]
    base: Mapping[str, Any] | None
    revision: Revision | None = None
    stored: Stored = field(default_factory=Stored)
    change: dict[str, Any] | None = None
    written_change: tuple[str, str] | None = None


def with_id(document: Mapping[str, Any], base: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document to save, with its id: its own, the natural one, or a new one."""
    edited = dict(document)
    if base is not None:
        edited.setdefault("_id", base.get("_id"))
    if not edited.get("_id"):
        type_, dealer = edited.get("type"), edited.get("dealer")
        if not type_ or dealer is None:
            raise ValueError("A new document needs a type and a dealer.")
        edited["_id"] = document_id(dealer, type_, natural_key(type_, edited) or new_key())
    return edited


def stored_documents(database: Database, ids: Sequence[str]) -> dict[str, Stored]:
    """How the store has these documents now, in one request."""
    found = {id: Stored() for id in ids}
    for row in database.all_docs(keys=list(found), include_docs=True):
        if row.doc:
            found[row.key] = Stored(row.doc)
        elif row.value and row.value.get("deleted"):
            found[row.key] = Stored(None, row.value["rev"])
    return found


def decide(database: Database, attempt: Attempt, by: str, at: str) -> Saved | None:
    """Sets what is to be written; returns the result at once when nothing is."""
    edited, base, current = attempt.edited, attempt.base, attempt.stored.document
    attempt.change = None
    base_rev = (base or {}).get("_rev") or edited.get("_rev")
    if current is None:
        if not base_rev:
            attempt.revision = first_revision(edited, by, at, attempt.stored.deleted)
            return None
        current = deleted_meanwhile(database, edited["_id"], base or _revision(database, edited), by, at)
        attempt.stored = Stored(current, None)
    if base is None and base_rev:
        base = current if base_rev == current["_rev"] else _revision(database, edited)
    attempt.revision = next_revision(current, edited, base, by, at, base_rev)
    if "_deleted_by" in current:
        attempt.revision = marked(attempt.revision, current)
        return None
    if not attempt.revision.changed:
        return Saved(current, "unchanged")
    attempt.change = _change(attempt, by, at)
    return None


def _revision(database: Database, edited: Mapping[str, Any]) -> dict[str, Any] | None:
    """The revision an editor began with, while the store still has it."""
    try:
        return database.get(edited["_id"], rev=edited["_rev"])
    except StoreError:
        return None


def _change(attempt: Attempt, by: str, at: str) -> dict[str, Any] | None:
    assert attempt.revision is not None
    key = attempt.written_change[0].rpartition(":")[2] if attempt.written_change else None
    change = change_document(attempt.stored.document, attempt.revision.document, by, at, key)
    if change and attempt.written_change:
        change["_rev"] = attempt.written_change[1]
        change["field_revs"] = {name: generation(change["_rev"]) + 1 for name in change["field_revs"]}
    return change


def to_write(attempt: Attempt) -> list[dict[str, Any]]:
    """The documents of one attempt: the revision, and its entry in the log of changes."""
    assert attempt.revision is not None
    return [attempt.revision.document, *([attempt.change] if attempt.change else ())]


def written(attempt: Attempt, results: Sequence[BulkResult]) -> Saved | None:
    """The result of a written save; None when it has to be decided again."""
    assert attempt.revision is not None
    if attempt.change:
        if results[1].rev and not results[1].error:
            attempt.written_change = (attempt.change["_id"], results[1].rev)
        else:
            log.warning("The change of %s was not logged: %s", attempt.edited["_id"], results[1].reason)
    if results[0].error == "conflict":
        return None
    raise_forbidden(results[:1])
    revision = attempt.revision
    document = {**revision.document, "_rev": results[0].rev}
    before = attempt.stored.document
    if before is None:
        return Saved(document, "created")
    merged = bool(revision.kept or revision.disputes)
    who = before.get("updated_by") if merged else None
    return Saved(document, "merged" if merged else "changed", who, revision.disputes, revision.kept)


def cleaned(database: Database, attempt: Attempt, saved: Saved, by: str, at: str) -> Saved:
    """Withdraws the log entry of an attempt that turned out not to be needed."""
    if attempt.written_change:
        id, rev = attempt.written_change
        kept = {name: saved.document.get(name) for name in ("dealer", "share")}
        database.bulk(
            [{"_id": id, "_rev": rev, "_deleted": True, "type": "change", **kept, "deleted_by": by, "deleted_at": at}]
        )
    return saved


def write_revision(database: Database, current: dict[str, Any], revision: Revision, by: str, at: str) -> Saved | None:
    """Writes a decided revision of `current` with its change; None when somebody was faster."""
    attempt = Attempt({"_id": current["_id"]}, None, revision, Stored(current))
    attempt.change = _change(attempt, by, at)
    results = database.bulk(to_write(attempt))
    saved = written(attempt, results)
    if saved is None and attempt.change:
        remove_change(database, attempt.change, results[1])
    return saved


def remove_change(database: Database, change: Mapping[str, Any], result: BulkResult) -> None:
    """Withdraws the log entry of a change that did not happen."""
    if result.rev and not result.error:
        kept = {name: change[name] for name in ("type", "dealer", "share")}
        withdrawn = {"deleted_by": change["by"], "deleted_at": change["at"]}
        database.bulk([{"_id": change["_id"], "_rev": result.rev, "_deleted": True, **kept, **withdrawn}])


def raise_forbidden(results: Sequence[BulkResult]) -> None:
    """Raises Forbidden for a document that a rule of the database refused."""
    for result in results:
        if result.error and result.error != "conflict":
            raise Forbidden(f"{result.id} was not saved: {result.reason or result.error}.", 403, result.error)
