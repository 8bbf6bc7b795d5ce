"""The customer's page: everything about one customer, with everything addable in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.security.access import needs, require
from app.web import current, dispute_marks, unread
from app.web.customer_documents import read_customer
from app.web.customer_page import CustomerDocuments, CustomerPage, Document, customer_page
from app.web.frame import is_fragment
from app.web.needs import customer_needs, desk_progress
from app.web.own_fields import own_fields
from app.web.readable import readable

pages = Blueprint("customers", __name__)
NODE_ROLE = "dealer"

HORIZONS = (30, 90, 180, 365)
# The parts of the page that can be asked for by themselves.
SECTIONS = ("people", "machines", "parts", "bulletins", "activities", "activity_lines", "opportunities", "tasks")


@pages.get("/customers")
@needs("read:book")
def show_all() -> ResponseReturnValue:
    """The list of customers."""
    return redirect(url_for("lists.show", view="customers"))


@pages.get("/customers/<path:document_id>")
@needs("read:book")
def show(document_id: str) -> ResponseReturnValue:
    """A customer: people, machines, parts they will need, activities, opportunities, tasks.

    ``days`` is how far ahead parts are listed, ``before`` where older activities go on, ``section`` a part of the page.
    """
    unread.opened(document_id)
    page = _page(document_id, _days(), request.args.get("before", ""))
    if page is None:
        # Deleted, or of another type: the page drawn from its form says so.
        return redirect(url_for("documents.show", document_id=document_id))
    section = request.args.get("section", "")
    if section == "waiting" and is_fragment():
        return ("", 204) if page.parts_building else draw_sections(document_id, ("parts", "machines", "bulletins"))
    if is_fragment() and section in SECTIONS:
        return _drawn(f"customers/sections/{section}.html", page)
    return _drawn("customers/show.html", page, **own_fields("customer", page.facts))


def draw_sections(customer_id: str, sections: Iterable[str]) -> Markup:
    """The sections as htmx puts them in place: the first where it was asked for, the others by their ids."""
    page = _page(customer_id, _days(), "")
    if page is None:
        abort(404)
    first, *others = sections
    drawn = [_drawn(f"customers/sections/{section}.html", page, oob=others) for section in (first, *others)]
    return Markup("\n").join(Markup(section) for section in drawn)  # noqa: S704 - rendered by templates


def _drawn(template: str, page: CustomerPage, oob: Sequence[str] = (), **more: Any) -> str:
    shown = page.ids_shown()
    dispute_marks.expect(shown)
    marked = unread.among(shown)
    return render_template(
        template, page=page, horizons=HORIZONS, oob=oob, unread=marked, unread_newest=unread.newest(), **more
    )


def _page(customer_id: str, days: int, before: str) -> CustomerPage | None:
    node = current.node()
    found = read_customer(node, customer_id, before, keepsakes=current.may("read", "keepsake"))
    if found is None:
        return None
    require("read", found.customer)
    found = _readable(found)
    progress = desk_progress(node, every_machine=False)
    if progress:
        return customer_page(found, {}, [], days, node.today(), progress.sentence)
    needed, states = customer_needs(node, customer_id, days)
    return customer_page(found, states, needed, days, node.today())


def _readable(found: CustomerDocuments) -> CustomerDocuments:
    def each(documents: Iterable[Document]) -> list[Document]:
        return [readable(dict(document)) for document in documents]

    return replace(
        found,
        customer=readable(dict(found.customer)),
        people=each(found.people),
        keepsakes=each(found.keepsakes),
        machines=each(found.machines),
        activities=each(found.activities),
        opportunities=each(found.opportunities),
        tasks=each(found.tasks),
    )


def _days() -> int:
    text = request.args.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 5 else current.node().settings.horizon_days
    return min(max(days, 1), 3650)
