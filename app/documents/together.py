"""Deleting a document with what hangs on it, and bringing back together what was deleted together.

The deletions that went along say so: they and their entries in the log of changes have ``deleted_with``, the id of the
document they went with, and its time. So whoever brings that one back brings them too, on any node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from app.couch import Conflict, Database, Forbidden, NotFound
from app.documents.changes import change_document
from app.documents.common import utc_now
from app.documents.deleting import delete, tombstone, undelete, went_along
from app.documents.outcomes import Saved
from app.documents.restoring import restored
from app.documents.writing import withdrawn

_BATCH = 200


@dataclass(frozen=True)
class Together:
    """What became of a document and of what went along: how many others, and the ids of those that could not."""

    saved: Saved
    others: int = 0
    failed: tuple[str, ...] = ()


def delete_together(
    database: Database,
    document: Mapping[str, Any],
    ids: Iterable[str],
    by: str,
    now: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Together:
    """Deletes a document and the documents `ids` along with it.

    The document itself first: when it has to stay (somebody changed it meanwhile), nothing else is deleted. Those of
    the others that somebody saves at the same moment, or that a rule protects, stay and are named in the result.
    """
    at = now or utc_now()
    saved = delete(database, document, by, at)
    if saved.outcome != "deleted":
        return Together(saved)
    done, failed, remaining = 0, list[str](), iter(ids)
    while batch := list(islice(remaining, _BATCH)):
        refused = _delete_batch(database, batch, document["_id"], by, at)
        failed += refused
        done += len(batch) - len(refused)
        if progress:
            progress(done)
    return Together(saved, done, tuple(failed))


def _delete_batch(database: Database, ids: Sequence[str], root: str, by: str, at: str) -> list[str]:
    rows = database.all_docs(keys=list(ids), include_docs=True, conflicts=True).rows
    simple, alone = list[dict[str, Any]](), list[dict[str, Any]]()
    for document in (row.doc for row in rows if row.doc):
        (alone if document.pop("_conflicts", None) else simple).append(document)
    changes = [went_along(change_document(each, None, by, at), root) for each in simple]
    deletions = [tombstone(each, change["_id"], by, at, root) for each, change in zip(simple, changes, strict=True)]
    # As in deleting one: what was deleted is told first.
    results = database.bulk([*changes, *deletions])
    told = results[: len(changes)]
    late = [number for number, result in enumerate(results[len(changes) :]) if result.error]
    database.bulk(
        [withdrawn({**changes[number], "_rev": told[number].rev}) for number in late if not told[number].error]
    )
    return [
        each["_id"]
        for each in [*alone, *(simple[number] for number in late)]
        if not _delete_alone(database, each["_id"], root, by, at)
    ]


def _delete_alone(database: Database, id: str, root: str, by: str, at: str) -> bool:
    try:
        return delete(database, {"_id": id}, by, at, root).outcome in ("deleted", "unchanged")
    except (Conflict, Forbidden):
        return False


def undelete_together(
    database: Database,
    id: str,
    by: str,
    allowed: Callable[[str], bool] = lambda _type: True,
    now: str | None = None,
) -> Together:
    """Brings a deleted document back, and what was deleted along with it of the types that are `allowed`.

    What was brought back since, or deleted anew for itself, is left alone. Raises NotFound when the content of the
    document is not known here any more.
    """
    at = now or utc_now()
    times = sorted({str(leaf.get("deleted_at")) for leaf in database.leaves(id) if leaf.get("deleted_at")})
    saved = undelete(database, id, by, at)
    done, failed = 0, list[str]()
    for changes in _went_along(database, id, times):
        wanted = {each["document"]: each for each in changes if allowed(str(each.get("document_type", "")))}
        count, refused = _undelete_batch(database, wanted, by, at)
        done += count
        failed += refused
    return Together(saved, done, tuple(failed))


def _went_along(database: Database, root: str, times: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    """The entries in the log of what was deleted along with a document, a batch at a time."""
    for time in times:
        start: dict[str, Any] = {"startkey": [root, time]}
        while True:
            rows = database.view(
                "history", "deleted_with", endkey=[root, time], reduce=False, include_docs=True, limit=_BATCH, **start
            ).rows
            yield [row.doc for row in rows if row.doc]
            if len(rows) < _BATCH:
                break
            start = {"startkey": [root, time], "startkey_docid": rows[-1].id, "skip": 1}


def _undelete_batch(
    database: Database, changes: Mapping[str, dict[str, Any]], by: str, at: str
) -> tuple[int, list[str]]:
    if not changes:
        return 0, []
    found = database.changes(doc_ids=list(changes), include_docs=True, style="all_docs").results
    simple, alone = [], []
    for line in found:
        deletion = line.get("doc") or {}
        if not line.get("deleted") or deletion.get("change") != changes[line["id"]]["_id"]:
            continue
        if len(line["changes"]) > 1 or deletion.get("_attachments"):
            alone.append(line["id"])
        else:
            simple.append(restored(deletion, deletion, [changes[line["id"]]], [deletion], by, at))
    results = database.bulk(simple)
    alone += [result.id for result in results if result.error]
    failed = [id for id in alone if not _undelete_alone(database, id, by, at)]
    return len(simple) + len(alone) - sum(bool(result.error) for result in results) - len(failed), failed


def _undelete_alone(database: Database, id: str, by: str, at: str) -> bool:
    try:
        undelete(database, id, by, at)
    except (Conflict, Forbidden, NotFound):
        return False
    return True
