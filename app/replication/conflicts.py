"""Merging the concurrent edits that replication brought together, in one database (DESIGN section 5).

Candidates are found in the changes since the last merge, so a pass looks at what is new and not at the whole book. A
view over ``_conflicts`` would not do: a deletion that met an edit is no conflict to CouchDB, but it is one to people.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.couch import Database
from app.documents import merging
from app.documents.attachments import other_name
from app.documents.common import generation
from app.replication.sequences import changes_from

log = logging.getLogger(__name__)

_MERGED = "ironbook-merged"
_PAGE = 1000
# Documents written in one request: their leaves are in memory meanwhile.
_BATCH = 200


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


def merge_conflicts(database: Database) -> MergeReport:
    """Merges every document of `database` with concurrent leaves that changed since the last merge.

    Safe to repeat and to run on several nodes at once: all come to the same result. A document that is saved by
    somebody at the same moment is left for the next time. Raises StoreError.
    """
    remembered = database.get_local(_MERGED) or {"_id": _MERGED}
    since = remembered.get("seq", 0)
    total = MergeReport()
    while True:
        page = changes_from(database, since, limit=_PAGE, style="all_docs")
        ids = [change["id"] for change in page.results if _has_leaves(change)]
        for start in range(0, len(ids), _BATCH):
            total = _sum(total, _merge(database, ids[start : start + _BATCH]))
        if total.postponed:
            # Not remembered: the next merge starts here again and meets what was postponed.
            return total
        if page.last_seq != since and page.results:
            since = page.last_seq
            remembered = {**remembered, "seq": since}
            database.put_local(remembered)
        if len(page.results) < _PAGE:
            return total


def _has_leaves(change: Mapping[str, Any]) -> bool:
    return len(change["changes"]) > 1 and not change["id"].startswith("_design/")


def _sum(one: MergeReport, other: MergeReport) -> MergeReport:
    return MergeReport(
        one.merged + other.merged,
        one.written + other.written,
        one.disputes + other.disputes,
        one.postponed + other.postponed,
    )


def _merge(database: Database, ids: Sequence[str]) -> MergeReport:
    plans = [plan for document_id in ids if (plan := _plan(database, document_id))]
    # The merged documents first, and a losing leaf is only deleted once what it said is safe. Cut off in between, the
    # next merge finds the same leaves, comes to the same document and has only the deletions left to write.
    postponed = _written(database, [plan.document for plan in plans if plan.document])
    safe = [plan for plan in plans if plan.id not in postponed]
    tombstones = [tombstone for plan in safe for tombstone in plan.tombstones]
    postponed |= _written(database, tombstones)
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


def _plan(database: Database, document_id: str) -> _Plan | None:
    """What the merge of one document has to write, or None when there is nothing to merge."""
    leaves = database.leaves(document_id)
    if not leaves:
        return None
    merged = merging.merge(leaves)
    if not merged.needed:
        return None
    document = _with_attachments(database, merged)
    return _Plan(document_id, document, merged.tombstones, len(merged.disputes_added))


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
