"""What is unread: the page, the marks that other pages show, and marking as read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.replication.status import status
from app.security.access import needs
from app.unread.journal import Unread
from app.unread.marks import UnreadMarks, unread_marks
from app.web import current, dispute_marks
from app.web.addresses import local_page
from app.web.formatting import format_count
from app.web.lookup import title_of
from app.web.readable import hidden_fields, readable_documents

pages = Blueprint("unread", __name__)

PAGE = 50
CARD = 8
# Fields named in a line; who wants all of them opens the document.
_FIELDS_NAMED = 4


@dataclass(frozen=True)
class UnreadLine:
    """One unread document: what it is called, and what was done to it last: ``changed Phone, Notes`` or ``added``."""

    id: str
    type: str
    title: str
    kind: str
    by: str
    at: str
    what: str


@dataclass(frozen=True)
class UnreadType:
    """How many documents of a type are unread."""

    name: str
    label: str
    count: int


def opened(document_id: str) -> None:
    """Marks a document as read. To be called before it is read from the store: what comes in between stays unread."""
    _marks().read(current.user().name, [document_id], newest())


def newest() -> int:
    """The number of the last arrival when this request was first asked about marks.

    A page's button marks as read what came until then. To be asked before the page's documents are read.
    """
    _marks()
    return int(g.unread_newest)


def among(ids: Iterable[str]) -> frozenset[str]:
    """Those of the documents that the signed-in user has not read: one query for a whole page."""
    return _marks().among(current.user().name, ids)


def counted() -> list[UnreadType]:
    """The types of which something is unread that the signed-in user may read, by their names."""
    found = _marks().count(current.user().name)
    types = [UnreadType(kind, _plural(kind), number) for kind, number in found.items() if current.may("read", kind)]
    return sorted(types, key=lambda each: each.label.casefold())


def count_of(document_type: str) -> int:
    """How many documents of a type are unread."""
    return next((each.count for each in counted() if each.name == document_type), 0)


def latest_lines(types: Iterable[str], limit: int, before: int = 0) -> tuple[list[UnreadLine], int]:
    """The latest unread documents of these types, and the number of the last of them where there are more, or 0."""
    marks, name = _marks(), current.user().name
    found = marks.latest(name, list(types), limit + 1, before)
    shown = found[:limit]
    documents = _documents(shown)
    gone = [each.document for each in shown if each.document not in documents]
    if gone:
        marks.forget(gone)
    lines = [_line(each, documents) for each in shown if each.document in documents]
    dispute_marks.expect(line.id for line in lines)
    return lines, shown[-1].number if len(found) > limit else 0


@dataclass(frozen=True)
class UnreadCard:
    """What others changed, for the page somebody begins with: how many documents, and the latest of them.

    `newest` is the last arrival it knows of, `here` the page it is on.
    """

    count: int
    lines: list[UnreadLine]
    newest: int
    here: str


def card(here: str) -> UnreadCard:
    """The card of the page whose address is `here`."""
    until, types = newest(), counted()
    lines, _ = latest_lines((each.name for each in types), CARD) if types else ([], 0)
    return UnreadCard(sum(each.count for each in types), lines, until, here)


@pages.get("/unread")
@needs("read:book", "read:catalog")
def show() -> ResponseReturnValue:
    """Everything that others changed since the signed-in user last looked, the latest first; ``type`` is one type."""
    types = counted()
    asked = request.args.get("type", "")
    chosen = [each for each in types if each.name == asked] if asked else types
    start = request.args.get("start", "")
    before = int(start) if start.isdecimal() and len(start) < 16 else 0
    lines, following = latest_lines((each.name for each in chosen), PAGE, before)
    arguments: dict[str, Any] = {"type": asked} if asked else {}
    return render_template(
        "unread/show.html",
        lines=lines,
        tabs=_tabs(types, asked),
        asked=asked,
        total=sum(each.count for each in chosen),
        label=_plural(asked) if asked else "",
        newest=newest(),
        here=request.full_path.rstrip("?"),
        first=url_for("unread.show", **arguments) if before else "",
        next=url_for("unread.show", start=following, **arguments) if following else "",
    )


@pages.post("/unread/read")
@needs("read:book", "read:catalog")
def read() -> ResponseReturnValue:
    """Marks as read: the documents ``id``, a ``type``, or everything. What came after ``until`` stays unread."""
    marks, name = _marks(), current.user().name
    until = request.form.get("until", "")
    number = int(until) if until.isdecimal() and len(until) < 16 else None
    kind, ids = request.form.get("type", ""), request.form.getlist("id")
    if ids:
        marks.read(name, ids, number)
        said = f"{format_count(len(ids), 'document')} marked as read."
    elif kind:
        marks.read_type(name, kind, number)
        said = f"{_plural(kind)} are marked as read."
    else:
        marks.read_all(name, number)
        said = "Everything is marked as read."
    flash(said, "success")
    return redirect(local_page(request.form.get("next", ""), url_for("unread.show")), 303)


def _tabs(types: Iterable[UnreadType], asked: str) -> list[tuple[str, str, bool]]:
    """All, and each type of which something is unread; none where there is nothing to choose."""
    found = [(f"{each.label} ({each.count:,})", url_for("unread.show", type=each.name), each.name == asked)
             for each in types]  # fmt: skip
    return [("All", url_for("unread.show"), not asked), *found] if len(found) > 1 or asked else []


def _marks() -> UnreadMarks:
    """The marks, up to date: followed once a request."""
    marks = unread_marks(current.node())
    if "unread_newest" not in g:
        known = status(current.node())
        marks.follow(settled=not known.connections or bool(known.last_success))
        g.unread_newest = marks.newest()
    return marks


def _documents(found: Iterable[Unread]) -> dict[str, dict[str, Any]]:
    by_database: dict[str, list[str]] = {}
    for each in found:
        by_database.setdefault(current.database_of(each.document).name, []).append(each.document)
    documents: dict[str, dict[str, Any]] = {}
    for ids in by_database.values():
        documents |= current.database_of(ids[0]).get_many(ids)
    return readable_documents(documents)


def _line(each: Unread, documents: Mapping[str, dict[str, Any]]) -> UnreadLine:
    forms = current.forms()
    form = forms.get(each.type)
    return UnreadLine(
        id=each.document,
        type=each.type,
        title=title_of(documents[each.document], forms),
        kind=form.label if form else each.type,
        by=each.by,
        at=each.at,
        what=_what(each),
    )


def _what(each: Unread) -> str:
    """What was done last, without fields that the user may not read."""
    if each.added:
        return "added"
    form = current.forms().get(each.type)
    hidden = hidden_fields(form, current.user().roles)
    named = [name for name in each.fields if name not in hidden]
    labels = [form.by_name[name].label if form and name in form.by_name else name for name in named]
    if not labels:
        return "changed"
    more = f" and {len(labels) - _FIELDS_NAMED} more" if len(labels) > _FIELDS_NAMED else ""
    return f"changed {', '.join(labels[:_FIELDS_NAMED])}{more}"


def _plural(kind: str) -> str:
    form = current.forms().get(kind)
    return form.plural if form else kind
