"""Deleting a document and bringing it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.couch import Conflict, Database, NotFound
from app.documents.changes import change_document
from app.documents.common import FIXED_FIELDS, body, same, utc_now
from app.documents.disputes import deletion_dispute, open_disputes
from app.documents.merging import merge
from app.documents.outcomes import Saved
from app.documents.restoring import as_it_was
from app.documents.revising import Revision, next_revision
from app.documents.writing import ATTEMPTS, raise_forbidden, withdrawn, write_revision


def delete(
    database: Database, document: Mapping[str, Any], by: str, now: str | None = None, along_with: str = ""
) -> Saved:
    """Deletes a document in every branch, keeping what replication and undeleting need.

    When somebody changed its fields since the revision in `document`, it stays, with a dispute that says who wanted
    it deleted (outcome ``"merged"``). Deleting what is deleted already is ``"unchanged"``. `along_with` is the id of
    the document whose deletion takes this one along.
    """
    at = now or utc_now()
    for _ in range(ATTEMPTS):
        live = [leaf for leaf in database.leaves(document["_id"]) if not leaf.get("_deleted")]
        if not live:
            return Saved(dict(document), "unchanged")
        merged, shown = merge(live), document.get("_rev")
        if merged.changed and shown is not None:
            # A branch that is not merged yet says something that whoever deletes this has not seen.
            database.bulk([merged.document])
            continue
        current = merged.document
        if shown not in (None, current["_rev"]) and not _says_the_same(document, current):
            saved = _dispute_deletion(database, current, by, at)
            if saved:
                return saved
            continue
        change = went_along(change_document(current, None, by, at), along_with)
        tombstones = [tombstone(leaf, change["_id"], by, at, along_with) for leaf in live]
        # What was deleted is told first: cut off after it, nothing is gone that could not be brought back.
        results = database.bulk([change, *tombstones])
        if not any(result.error for result in results):
            return Saved({**tombstones[0], "_rev": results[1].rev}, "deleted")
        if results[0].rev and not results[0].error:
            database.bulk([withdrawn({**change, "_rev": results[0].rev})])
        raise_forbidden(results)
    raise Conflict(f"Others keep saving {document['_id']} at this moment. It was not deleted; try again.")


def undelete(database: Database, id: str, by: str, now: str | None = None) -> Saved:
    """Brings a deleted document back with the content it had. Raises NotFound when that is not known any more."""
    at = now or utc_now()
    for _ in range(ATTEMPTS):
        leaves = database.leaves(id)
        live = [leaf for leaf in leaves if not leaf.get("_deleted")]
        if live:
            return Saved(merge(live).document, "unchanged")
        restored = as_it_was(database, leaves, by, at)
        if restored is None:
            raise NotFound(f"{id} cannot be brought back: what it held is not known on this node.")
        result = database.bulk([restored])[0]
        if not result.error:
            return Saved({**restored, "_rev": result.rev}, "created")
        raise_forbidden([result])
    raise Conflict(f"Others keep saving {id} at this moment. It was not brought back; try again.")


def _says_the_same(shown: Mapping[str, Any], current: Mapping[str, Any]) -> bool:
    disputes = [[each["id"] for each in open_disputes(document)] for document in (shown, current)]
    return same(body(shown), body(current)) and disputes[0] == disputes[1]


def went_along(change: dict[str, Any] | None, with_document: str) -> dict[str, Any]:
    """The entry of a deletion in the log of changes, saying which document's deletion took it along, if one did."""
    assert change is not None, "a deletion is always a change"
    if with_document:
        change["deleted_with"] = with_document
        change["field_revs"]["deleted_with"] = 1
    return change


def tombstone(leaf: Mapping[str, Any], change_id: str, by: str, at: str, along_with: str = "") -> dict[str, Any]:
    """The deletion of one branch, with what replication and bringing back need of it."""
    # A replication's selector is asked for every deletion too: without these fields it would never arrive.
    kept = {name: leaf[name] for name in FIXED_FIELDS if name in leaf}
    deletion = {"deleted_by": by, "deleted_at": at, "change": change_id}
    if along_with:
        deletion["deleted_with"] = along_with
    # The files stay with the deletion as the fields do with its change: whoever brings it back wants them too.
    files = {"_attachments": leaf["_attachments"]} if leaf.get("_attachments") else {}
    return {"_id": leaf["_id"], "_rev": leaf["_rev"], "_deleted": True, **kept, **deletion, **files}


def _dispute_deletion(database: Database, current: dict[str, Any], by: str, at: str) -> Saved | None:
    wish = deletion_dispute({"_rev": current["_rev"], "deleted_by": by, "deleted_at": at})
    revision = next_revision(current, {}, {"_rev": current["_rev"]}, by, at)
    document = {**revision.document, "disputes": [*open_disputes(current), wish]}
    return write_revision(database, current, Revision(document, True, (), (wish,)), by, at)
