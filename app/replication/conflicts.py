"""Merging the concurrent edits that replication brought together, in one database (DESIGN section 5).

Candidates are found in the changes since the last merge, so a pass looks at what is new and not at the whole book. A
view over ``_conflicts`` would not do: a deletion that met an edit is no conflict to CouchDB, but it is one to people.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.couch import Database
from app.documents import merging
from app.documents.attachments import other_name
from app.documents.common import generation
from app.documents.merge_log import made_again, merge_entry
from app.replication.sequences import changes_from

log = logging.getLogger(__name__)

_MERGED = "ironbook-merged"
_PAGE = 2500
# How far it came is remembered after what was merged, at the end, and after so many changes without any.
_REMEMBERED_EVERY = 20_000
# Documents merged with one request each for their leaves, the merged documents, and what goes; all in memory meanwhile.
_BATCH = 200

# Called with the changed documents that were looked at, and those still to be looked at.
ShowMerging = Callable[[int, int], None]


@dataclass(frozen=True)
class MergeReport:
    """What a merge did: documents merged, documents or deletions written, new disputes, and those to be tried again."""

    merged: int = 0
    written: int = 0
    disputes: int = 0
    postponed: int = 0


@dataclass(frozen=True)
class _Plan:
    """One document's merge: what to write on the winner's branch, None when it says all already; the leaves that go."""

    id: str
    document: dict[str, Any] | None
    tombstones: list[dict[str, Any]]
    disputes: int
    entry: dict[str, Any] | None


def merge_conflicts(
    database: Database, show: ShowMerging | None = None, stop: threading.Event | None = None
) -> MergeReport:
    """Merges every document of `database` with concurrent leaves that changed since the last merge.

    Safe to repeat and to run on several nodes at once: all come to the same result. A document that is saved by
    somebody at the same moment is left for the next time. Setting `stop` ends it between two batches; what was merged
    stays, and the next merge goes on from there. Raises StoreError.
    """
    remembered = database.get_local(_MERGED) or {"_id": _MERGED}
    since = remembered.get("seq", 0)
    total, looked_at, remembered_at = MergeReport(), 0, 0
    while True:
        written = total.written
        page = changes_from(database, since, limit=_PAGE, style="all_docs")
        remaining = len(page.results) + (page.pending or 0)
        for batch in _batches(page.results):
            if stop and stop.is_set():
                return total
            total = _sum(total, _merge(database, {each["id"]: each for each in batch if _has_leaves(each)}))
            looked_at += len(batch)
            remaining -= len(batch)
            if show:
                show(looked_at, remaining)
        if total.postponed:
            # Not remembered: the next merge starts here again and meets what was postponed.
            return total
        is_last = len(page.results) < _PAGE
        since = page.last_seq if page.results else since
        due = is_last or total.written != written or looked_at - remembered_at >= _REMEMBERED_EVERY
        if due and since != remembered.get("seq", 0):
            remembered = {**remembered, "seq": since}
            database.put_local(remembered)
            remembered_at = looked_at
        if is_last:
            return total


def _batches(changes: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    for start in range(0, len(changes), _BATCH):
        yield changes[start : start + _BATCH]


def _has_leaves(change: Mapping[str, Any]) -> bool:
    return len(change["changes"]) > 1 and not change["id"].startswith("_design/")


def _sum(one: MergeReport, other: MergeReport) -> MergeReport:
    return MergeReport(
        one.merged + other.merged,
        one.written + other.written,
        one.disputes + other.disputes,
        one.postponed + other.postponed,
    )


def _merge(database: Database, changes: Mapping[str, Mapping[str, Any]]) -> MergeReport:
    wanted = {id: [each["rev"] for each in change["changes"]] for id, change in changes.items()}
    plans = [plan for leaves in database.revisions(wanted).values() if leaves and (plan := _plan(database, leaves))]
    # The merged documents first, and a losing leaf is only deleted once what it said is safe. Cut off in between, the
    # next merge finds the same leaves, comes to the same document and has only the deletions left to write.
    postponed = _written(database, [plan.document for plan in plans if plan.document])
    safe = [plan for plan in plans if plan.id not in postponed]
    tombstones = [tombstone for plan in safe for tombstone in plan.tombstones]
    # Another node may have told of the same merge in the same words: that its entry is there already is no failure.
    entries = [plan.entry for plan in safe if plan.entry]
    postponed |= _written(database, [*entries, *tombstones]) - {entry["_id"] for entry in entries}
    return MergeReport(
        merged=len(safe),
        written=sum(plan.document is not None for plan in safe) + len(tombstones),
        disputes=sum(plan.disputes for plan in safe),
        postponed=len(postponed),
    )


def _written(database: Database, documents: Iterable[Mapping[str, Any]]) -> set[str]:
    """Writes the documents and returns the ids of those that somebody else changed meanwhile."""
    failed = set()
    for result in database.bulk(documents):
        if result.error:
            failed.add(result.id)
            if result.error != "conflict":
                log.warning("%s could not be merged: %s %s", result.id, result.error, result.reason)
    return failed


def _plan(database: Database, leaves: Sequence[dict[str, Any]]) -> _Plan | None:
    """What the merge of one document has to write, or None when there is nothing to merge."""
    merged = merging.merge(leaves)
    if not merged.needed:
        return None
    winner = next(leaf for leaf in leaves if leaf["_rev"] == merged.document["_rev"])
    document = _with_attachments(database, merged)
    entry = merge_entry(winner, merged, document) if document else _untold(database, winner, merged)
    return _Plan(str(winner["_id"]), document, merged.tombstones, len(merged.disputes_added), entry)


def _untold(database: Database, winner: merging.Leaf, merged: merging.Merged) -> dict[str, Any] | None:
    """The entry of a merge that was cut off after it wrote `winner`, if it was one and its parent is still known."""
    ids = winner["_revisions"]["ids"]
    if len(ids) < 2:
        return None
    parent = f"{generation(winner['_rev']) - 1}-{ids[1]}"
    found = database.revisions({winner["_id"]: [parent]})[winner["_id"]]
    return made_again(winner, found[0], list(merged.losers)) if found else None


def _with_attachments(database: Database, merged: merging.Merged) -> dict[str, Any] | None:
    """The document to write, with the attachments that only a losing leaf has; None when nothing needs writing."""
    found = dict(merged.document.get("_attachments") or {})
    before = len(found)
    for rev, name in merged.attachments:
        content = _attachment(database, merged.document["_id"], rev, name)
        kept_as = name if name not in found else other_name(name, content["data"])
        found.setdefault(kept_as, content)
    if len(found) == before:
        return merged.document if merged.changed else None
    document = {**merged.document, "_attachments": found}
    # Without a changed field merging has not counted on a new revision: the fields keep theirs, the document moves on.
    document["field_revs"] = {**document.get("field_revs", {}), "*": generation(document["_rev"]) + 1}
    return document


def _attachment(database: Database, document_id: str, rev: str, name: str) -> dict[str, Any]:
    leaf = database.get(document_id, rev=rev, attachments=True) or {}
    whole = leaf["_attachments"][name]
    return {"content_type": whole["content_type"], "data": whole["data"]}
