"""What was deleted in the last 90 days, by whom and when, and bringing it back with one click."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.documents.changes import content_before
from app.documents.together import OFFERED_DAYS, offered_since
from app.security.access import needs
from app.web import current
from app.web.lookup import title_of

if TYPE_CHECKING:
    from app.couch import Database

pages = Blueprint("deleted", __name__)

LINES = 50
# Pages of the index that are read for one of ours, where most of what they name lives again.
_READ_AT_MOST = 10


@dataclass(frozen=True)
class DeletedLine:
    """A deleted document; `others` counts what was deleted along with it and comes back with it."""

    document_id: str
    title: str
    type: str
    by: str
    at: str
    others: int
    restorable: bool


@pages.get("/recently-deleted")
@needs("edit:book", "edit:catalog")
def show() -> ResponseReturnValue:
    """What was deleted and is still deleted, newest first."""
    node = current.node()
    database = node.catalog if node.is_manufacturer else node.book
    lines, cursor = _lines(database, request.args.get("before", ""))
    return render_template(
        "documents/deleted_list.html",
        lines=lines,
        days=OFFERED_DAYS,
        first=url_for("deleted.show") if request.args.get("before") else "",
        next=url_for("deleted.show", before=cursor) if cursor else "",
    )


def _lines(database: Database, before: str) -> tuple[list[DeletedLine], str]:
    """A page of lines, and where the next one begins; empty at the end."""
    lines: list[DeletedLine] = []
    for _ in range(_READ_AT_MOST):
        entries, before = _entries(database, before)
        lines += _still_deleted(database, entries)
        if len(lines) >= LINES or not before:
            break
    return lines, before


def _entries(database: Database, before: str) -> tuple[list[dict[str, Any]], str]:
    """A page of deletions in the log of changes, newest first; `before` is ``<time> <id>`` of the last one seen."""
    at, _, seen = before.partition(" ")
    start = {"startkey": [at], "startkey_docid": seen, "skip": 1} if seen else {"startkey": [{}]}
    rows = database.view(
        "history", "deleted", endkey=[offered_since()], descending=True, include_docs=True, limit=LINES, **start
    ).rows
    entries = [row.doc for row in rows if row.doc]
    return entries, f"{rows[-1].key[0]} {rows[-1].id}" if len(rows) == LINES else ""


def _still_deleted(database: Database, entries: list[dict[str, Any]]) -> list[DeletedLine]:
    """The lines of those entries whose document is deleted by them still, and whose kind the user may read."""
    entries = [each for each in entries if current.may("read", each)]
    if not entries:
        return []
    found = database.changes(doc_ids=sorted({each["document"] for each in entries}), include_docs=True).results
    deletions = {line["id"]: line.get("doc") or {} for line in found if line.get("deleted")}
    shown = [each for each in entries if deletions.get(each["document"], {}).get("change") == each["_id"]]
    keys = [[each["document"], each["at"]] for each in shown]
    rows = database.view("history", "deleted_with", keys=keys, group=True).rows if keys else []
    others = {(row.key[0], row.key[1]): int(row.value) for row in rows}
    return [_line(each, others.get((each["document"], each["at"]), 0)) for each in shown]


def _line(entry: Mapping[str, Any], others: int) -> DeletedLine:
    kind = str(entry.get("document_type", ""))
    form = current.forms().get(kind)
    title = title_of({"type": kind, **content_before(entry)}, current.forms())
    return DeletedLine(
        document_id=str(entry["document"]),
        title=title or str(entry["document"]),
        type=form.label if form else kind,
        by=str(entry.get("by") or ""),
        at=str(entry.get("at") or ""),
        others=others,
        restorable=current.may("edit", kind),
    )
