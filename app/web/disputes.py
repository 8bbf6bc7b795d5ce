"""The page on which people decide between two values of one field, after two edited it at the same time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.couch import Database, Row
from app.security.access import needs
from app.web import current, history
from app.web.documents import changes_about, titles_of
from app.web.lookup import title_of

pages = Blueprint("disputes", __name__)

# Documents on one page; the rest follows by key.
PAGE = 25
# Entries of a document's log in which the page looks for who wrote what; a dispute itself says it less exactly.
CHANGES_LOOKED_AT = 20


@dataclass(frozen=True)
class Disputed:
    """A document with the fields that wait for a decision."""

    id: str
    title: str
    type: str
    document: dict[str, Any]
    disputes: list[history.DisputedField]


def book_or_market() -> Database:
    """Where the documents of this node are that people may have disputes about."""
    node = current.node()
    return node.market if node.is_manufacturer else node.book


def count_disputes() -> int:
    """How many fields wait for somebody to decide: one reduced row of each database."""
    rows = [row for database in _databases() for row in database.view("conflicts", "disputes", reduce=True).rows]
    return sum(int(row.value) for row in rows)


def _databases() -> list[Database]:
    """Where people of this node decide: a dealer's catalog is the manufacturer's to settle."""
    node = current.node()
    return [node.catalog, node.market] if node.is_manufacturer else [node.book]


@pages.get("/replication/disputes")
@needs("read:book", "read:market")
def show() -> ResponseReturnValue:
    """Every document with two values for one field, by type, each to be decided with one click.

    The catalog's are few, for one node writes it: they stand before the others, on the first page.
    """
    start = _start(request.args.get("start", ""))
    documents: list[Disputed] = []
    following = None
    for database in _databases():
        if database.name == "catalog" and start:
            continue
        found, following = _page(database, start)
        documents += found
    return render_template(
        "replication/disputes.html",
        documents=documents,
        here=request.full_path.rstrip("?"),
        first=url_for("disputes.show") if start else "",
        next=url_for("disputes.show", start=json.dumps([following.key, following.id])) if following else "",
    )


def _page(database: Database, start: dict[str, Any]) -> tuple[list[Disputed], Row | None]:
    """The disputed documents of a database from `start` on, and the row at which the next page begins."""
    rows = database.view("conflicts", "disputes", reduce=False, include_docs=True, limit=PAGE + 1, **start).rows
    documents = [row.doc for row in rows[:PAGE] if row.doc and current.may("read", row.doc)]
    forms = {str(document["type"]): current.forms().get(str(document["type"])) for document in documents}
    logs = changes_about(database, [document["_id"] for document in documents], CHANGES_LOOKED_AT)
    named: set[str] = set()
    for document in documents:
        named |= history.ids_in((), document, forms[document["type"]])
    titles = titles_of(named, around=database)
    found = [_disputed(each, forms[each["type"]], titles, logs[each["_id"]]) for each in documents]
    return found, rows[PAGE] if len(rows) > PAGE else None


def _disputed(document: dict[str, Any], form: Any, titles: dict[str, str], log: list[dict[str, Any]]) -> Disputed:
    return Disputed(
        id=document["_id"],
        title=title_of(document, current.forms()),
        type=form.label if form else str(document["type"]),
        document=document,
        disputes=history.disputes_of(document, form, titles, current.user().roles, _zone(), entries=log),
    )


def _zone() -> tzinfo:
    zone = current.node().now().tzinfo
    assert zone is not None
    return zone


def _start(text: str) -> dict[str, Any]:
    """Where a page begins; an address that was tampered with begins at the beginning."""
    try:
        key, document_id = json.loads(text)
    except (ValueError, TypeError):
        return {}
    return {"startkey": key, "startkey_docid": str(document_id)}
