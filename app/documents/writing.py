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
from app.documents.merging import fork_point
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
    """What one save wants written now. `logged` is the entry that an earlier attempt left in the log of changes."""

    edited: dict[str, Any]
    base: Mapping[str, Any] | None
    revision: Revision | None = None
    stored: Stored = field(default_factory=Stored)
    change: dict[str, Any] | None = None
    logged: dict[str, Any] | None = None


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
    fork = None
    if base is None and base_rev:
        base = current if base_rev == current["_rev"] else _revision(database, edited)
        fork = None if base else _fork(database, current, base_rev)
    attempt.revision = next_revision(current, edited, base, by, at, base_rev, fork)
    if "_deleted_by" in current:
        attempt.revision = marked(attempt.revision, current)
    elif attempt.revision.changed:
        attempt.change = _change(attempt, by, at)
    else:
        return Saved(current, "unchanged")
    if attempt.change is None and attempt.logged:
        attempt.change = withdrawn(attempt.logged)
    return None


def _revision(database: Database, edited: Mapping[str, Any]) -> dict[str, Any] | None:
    """The revision an editor began with, while the store still has it."""
    try:
        return database.get(edited["_id"], rev=edited["_rev"])
    except StoreError:
        return None


def _fork(database: Database, current: Mapping[str, Any], base_rev: str) -> int:
    """The generation at which `current` and a revision whose content is gone parted; 0 when that is not known."""
    leaves = database.leaves(current["_id"])
    here, shown = ([_history(leaf, rev) for leaf in leaves] for rev in (current["_rev"], base_rev))
    return max((fork_point(one, other) for one in here for other in shown if one and other), default=0)


def _history(leaf: Mapping[str, Any], rev: str) -> dict[str, Any] | None:
    """A revision on the way to a leaf, with its ``_revisions``; None when it is not on that way."""
    start, ids = leaf["_revisions"]["start"], leaf["_revisions"]["ids"]
    older = ids[max(0, start - generation(rev)) :]
    return {"_revisions": {"start": generation(rev), "ids": older}} if older[:1] == [rev.partition("-")[2]] else None


def _change(attempt: Attempt, by: str, at: str) -> dict[str, Any] | None:
    assert attempt.revision is not None
    logged = attempt.logged
    key = logged["_id"].rpartition(":")[2] if logged else None
    change = change_document(attempt.stored.document, attempt.revision.document, by, at, key)
    if change and logged:
        # It takes the place of the entry that told of an attempt which came too late.
        change["_rev"] = logged["_rev"]
        change["field_revs"] = dict.fromkeys(change["field_revs"], generation(logged["_rev"]) + 1)
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
            attempt.logged = {**attempt.change, "_rev": results[1].rev}
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


def withdraw(database: Database, attempt: Attempt) -> None:
    """Takes the entry of an attempt that came to nothing out of the log of changes."""
    if attempt.logged and not attempt.logged.get("_deleted"):
        database.bulk([withdrawn(attempt.logged)])
        attempt.logged = None


def withdrawn(change: Mapping[str, Any]) -> dict[str, Any]:
    """The deletion of an entry in the log of changes."""
    kept = {name: change[name] for name in ("_id", "_rev", "type", "dealer", "share")}
    return {**kept, "_deleted": True, "deleted_by": change["by"], "deleted_at": change["at"]}


def write_revision(database: Database, current: dict[str, Any], revision: Revision, by: str, at: str) -> Saved | None:
    """Writes a decided revision of `current` with its change; None when somebody was faster."""
    attempt = Attempt({"_id": current["_id"]}, None, revision, Stored(current))
    attempt.change = _change(attempt, by, at)
    results = database.bulk(to_write(attempt))
    saved = None
    try:
        saved = written(attempt, results)
    finally:
        if saved is None:
            withdraw(database, attempt)
    return saved


def raise_forbidden(results: Sequence[BulkResult]) -> None:
    """Raises Forbidden for a document that a rule of the database refused."""
    for result in results:
        if result.error and result.error != "conflict":
            raise Forbidden(f"{result.id} was not saved: {result.reason or result.error}.", 403, result.error)
