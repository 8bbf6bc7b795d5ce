"""What was deleted lately and is deleted still, from the log of changes: it can be brought back for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from app.couch import Database
from app.documents.changes import content_before
from app.documents.common import utc_text

# Days for which what was deleted is offered to be brought back.
OFFERED_DAYS = 90
PAGE = 50
# Pages of the index that are read for one of ours, where most of what they name lives again.
_READ_AT_MOST = 10


@dataclass(frozen=True)
class Deletion:
    """A deleted document: `content` is what it held; `others` counts what went along and comes back with it."""

    document_id: str
    type: str
    by: str
    at: str
    others: int
    content: Mapping[str, Any]


def offered_since(now: datetime | None = None) -> str:
    """The time (ISO 8601 UTC) since which deletions are offered to be undone."""
    return utc_text((now or datetime.now(UTC)) - timedelta(days=OFFERED_DAYS))


def is_too_old(leaves: Sequence[Mapping[str, Any]], now: datetime | None = None) -> bool:
    """Whether all leaves of a document are deletions from before that time; one without a time is not (pure).

    A deletion from before the document was made was dated by a clock that was wrong.
    """
    since = offered_since(now)
    return all(
        leaf.get("_deleted") and max(str(leaf.get("deleted_at") or since), str(leaf.get("created_at") or "")) < since
        for leaf in leaves
    )


def read_deletions(
    database: Database,
    before: str = "",
    limit: int = PAGE,
    readable: Callable[[Mapping[str, Any]], bool] = lambda _entry: True,
) -> tuple[list[Deletion], str]:
    """About `limit` deletions that are offered, newest first, and where the next page begins; empty at the end.

    `before` is what the page before gave. `readable` is asked for each entry of the log of changes. What lives again,
    and what went along with another document, is left out.
    """
    found: list[Deletion] = []
    for _ in range(_READ_AT_MOST):
        entries, before = _entries(database, before, limit)
        found += _still_deleted(database, [each for each in entries if readable(each)])
        if len(found) >= limit or not before:
            break
    return found, before


def _entries(database: Database, before: str, limit: int) -> tuple[list[dict[str, Any]], str]:
    """Deletions in the log of changes, newest first; `before` is ``<time> <id>`` of the last one seen."""
    at, _, seen = before.partition(" ")
    start = {"startkey": [at], "startkey_docid": seen, "skip": 1} if seen else {"startkey": [{}]}
    rows = database.view(
        "history", "deleted", endkey=[offered_since()], descending=True, include_docs=True, limit=limit, **start
    ).rows
    return [row.doc for row in rows if row.doc], f"{rows[-1].key[0]} {rows[-1].id}" if len(rows) == limit else ""


def _still_deleted(database: Database, entries: Sequence[dict[str, Any]]) -> list[Deletion]:
    """Those whose document is deleted, by this very deletion."""
    if not entries:
        return []
    lines = database.changes(doc_ids=sorted({each["document"] for each in entries}), include_docs=True).results
    tombstones = {line["id"]: line.get("doc") or {} for line in lines if line.get("deleted")}
    shown = [each for each in entries if tombstones.get(each["document"], {}).get("change") == each["_id"]]
    keys = [[each["document"], each["at"]] for each in shown]
    rows = database.view("history", "deleted_with", keys=keys, group=True).rows if keys else []
    others = {(row.key[0], row.key[1]): int(row.value) for row in rows}
    return [
        Deletion(
            document_id=str(each["document"]),
            type=str(each.get("document_type") or ""),
            by=str(each.get("by") or ""),
            at=str(each.get("at") or ""),
            others=others.get((each["document"], each["at"]), 0),
            content=content_before(each),
        )
        for each in shown
    ]
