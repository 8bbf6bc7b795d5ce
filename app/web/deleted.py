"""What was deleted in the last 90 days, by whom and when, and bringing it back with one click."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.documents.deletions import OFFERED_DAYS, Deletion, read_deletions
from app.security.access import needs
from app.web import current
from app.web.lookup import title_of

pages = Blueprint("deleted", __name__)

LINES = 50


@dataclass(frozen=True)
class DeletedLine:
    """A deleted document with the words for it."""

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
    before = request.args.get("before", "")
    found, following = read_deletions(database, before, LINES, lambda entry: current.may("read", entry))
    return render_template(
        "documents/deleted_list.html",
        lines=[_line(each) for each in found],
        days=OFFERED_DAYS,
        first=url_for("deleted.show") if before else "",
        next=url_for("deleted.show", before=following) if following else "",
    )


def _line(found: Deletion) -> DeletedLine:
    form = current.forms().get(found.type)
    return DeletedLine(
        document_id=found.document_id,
        title=title_of({"type": found.type, **found.content}, current.forms()) or found.document_id,
        type=form.label if form else found.type,
        by=found.by,
        at=found.at,
        others=found.others,
        restorable=current.may("edit", found.type),
    )
