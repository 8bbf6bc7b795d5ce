"""Bringing back what was deleted: a deletion's ``change`` holds the content, on every node that got it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.couch import Database, NotFound
from app.documents.changes import content_before, disputes_before
from app.documents.common import FIXED_FIELDS
from app.documents.disputes import DELETED, Dispute, deletion_dispute, is_settled, ordered, union
from app.documents.merging import merge
from app.documents.revising import Revision, first_revision


def as_it_was(database: Database, leaves: Sequence[dict[str, Any]], by: str, at: str) -> dict[str, Any] | None:
    """The revision that brings a deleted document back as it was; None when its content is not known here."""
    deletions = [leaf for leaf in leaves if leaf.get("_deleted")]
    if not deletions:
        return None
    winner = merge(deletions).document
    known = [leaf for leaf in (winner, *deletions) if leaf.get("change")]
    found = database.get_many(leaf["change"] for leaf in known)
    told = [leaf for leaf in known if leaf["change"] in found]
    if not told:
        return None
    changes = [found[id] for id in dict.fromkeys(leaf["change"] for leaf in told)]
    return restored(winner, told[0], changes, deletions, by, at, _files(database, told[0]))


def restored(
    winner: Mapping[str, Any],
    tombstone: Mapping[str, Any],
    changes: Sequence[Mapping[str, Any]],
    deletions: Sequence[Mapping[str, Any]],
    by: str,
    at: str,
    files: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The revision that follows the deletion `winner` and says again what the entry of `tombstone` kept.

    `changes` are the entries of all deletions that are known, that of `tombstone` first: what was disputed in any
    branch is so again. `deletions` are all that the document has, and `files` what was attached (pure).
    """
    fixed = {name: tombstone[name] for name in FIXED_FIELDS if name in tombstone}
    document = {"_id": winner["_id"], **fixed, **content_before(changes[0])}
    if files:
        document["_attachments"] = dict(files)
    revision = first_revision(document, by, at, winner["_rev"]).document
    found, resolved = union(map(disputes_before, changes))
    # Whoever brings it back knows of these deletions, and of the wish to delete it where somebody had edited it
    # meanwhile; they must not come up as disputes at the next merge.
    resolved |= {deletion_dispute(leaf)["id"] for leaf in deletions if not leaf.get("merged")}
    resolved |= {id for id, each in found.items() if each["field"] == DELETED}
    revision["resolved"] = sorted(resolved)
    disputes = [each for id, each in found.items() if id not in resolved and not is_settled(each, revision)]
    if disputes:
        revision["disputes"] = ordered(disputes)
    return revision


def _files(database: Database, tombstone: Mapping[str, Any]) -> dict[str, Any]:
    """The files that were attached to what was deleted, with what is in them."""
    if not tombstone.get("_attachments"):
        return {}
    whole = database.get(tombstone["_id"], rev=tombstone["_rev"], attachments=True) or {}
    found = whole.get("_attachments") or {}
    return {name: {"content_type": file["content_type"], "data": file["data"]} for name, file in found.items()}


def deleted_meanwhile(database: Database, id: str, base: Mapping[str, Any] | None, by: str, at: str) -> dict[str, Any]:
    """The document as it was before somebody deleted it under its editor's hands, to be edited and marked."""
    leaves = database.leaves(id)
    restored = as_it_was(database, leaves, by, at)
    if restored is None:
        if base is None or "type" not in base:
            raise NotFound(f"{id} was deleted meanwhile, and what it held is not known on this node.")
        restored = {**base, "_id": id}
        if leaves:
            restored["_rev"] = merge(leaves).document["_rev"]
    deletions = [leaf for leaf in leaves if leaf.get("_deleted") and not leaf.get("merged")]
    told = deletions or [merge(leaves).document if leaves else {"_rev": "0-", "deleted_by": ""}]
    # Several people may have deleted it apart: whoever saved it now knew of none of them.
    return {**restored, "_deleted_by": ordered({each["id"]: each for each in map(deletion_dispute, told)}.values())}


def marked(revision: Revision, current: Mapping[str, Any]) -> Revision:
    """The revision of a document that :func:`deleted_meanwhile` gave, with the disputes that say who deleted it."""
    deletions: list[Dispute] = current["_deleted_by"]
    ids = {each["id"] for each in deletions}
    document = {name: value for name, value in revision.document.items() if name != "_deleted_by"}
    document["resolved"] = [id for id in document.get("resolved", ()) if id not in ids]
    document = {name: value for name, value in document.items() if name != "resolved" or value}
    document["disputes"] = [*document.get("disputes", ()), *deletions]
    return Revision(document, True, (), (*revision.disputes, *deletions))
