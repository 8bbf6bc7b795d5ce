"""Editing in place: what a customer's page lists is edited in its section, without leaving the page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from app.couch import Conflict, Forbidden
from app.documents import saving
from app.security.access import needs, require
from app.web import current, document_editing, document_fields, unread
from app.web.adding import SECTIONS
from app.web.document_editing import Editing
from app.web.documents import titles_of
from app.web.frame import document_url, is_fragment
from app.web.lookup import title_of

if TYPE_CHECKING:
    from app.design import Form

pages = Blueprint("editing_in_place", __name__)
NODE_ROLE = "dealer"


@pages.route("/edit-in-place/<path:document_id>", methods=["GET", "POST"])
@needs("edit:book")
def form(document_id: str) -> ResponseReturnValue:
    """The form of a document in its section of the page ``on`` a customer; without htmx its own page."""
    book, on = current.node().book, request.args.get("on", "")
    if request.method == "GET":
        unread.opened(document_id)
    document = book.get(document_id)
    definition = current.forms().get(str(document.get("type"))) if document else None
    if document is None or definition is None:
        raise NotFound("This is not on this node any more; somebody may have deleted it. Nothing was saved.")
    require("edit", document)
    sections = SECTIONS["customer"].get(definition.name, ())
    if not is_fragment() or not sections or document.get("customer") != on:
        return redirect(url_for("documents.edit", document_id=document_id, next=document_url(on) if on else None))
    roles = current.user().roles
    if request.method == "GET":
        editing = Editing(document, document_editing.base_for(definition, document, roles))
        return _page(definition, document, editing, sections[0])
    editing = document_editing.read(definition, request.form, book, roles, _zone(), document)
    if editing.unfinished:
        return _page(definition, document, editing, sections[0], 200 if editing.rows_changed else 422)
    try:
        values = {**document_editing.filled_in(editing), "_id": document_id}
        saved = saving.save(book, values, by=current.user().name, base={**editing.base_asked, "_id": document_id})
    except (Forbidden, Conflict) as refusal:
        editing.refusal = str(refusal)
        return _page(definition, document, editing, sections[0], 422)
    return _saved(saved, definition, on, sections)


def _page(
    definition: Form, document: Mapping[str, Any], editing: Editing, section: str, status: int = 200
) -> ResponseReturnValue:
    named = titles_of(document_fields.references(definition, editing.values), around=current.node().book)
    named.update(editing.typed_titles)
    customer = str(document.get("customer") or "")
    drawn = document_fields.input_sections(
        definition, editing.values, editing.errors, named, current.user().roles, customer, _zone(), scope=section
    )
    page = render_template(
        "adding/form.html",
        title=f"Edit {title_of(document, current.forms(), named)}",
        section=section,
        scope=section,
        fields=[each for part in drawn for each in part.fields if each.name != "customer"],
        labels=definition.labels,
        editing=editing,
        url=request.full_path.rstrip("?"),
        back=document_url(customer),
    )
    response = make_response(page, status)
    response.headers["HX-Retarget"] = f"#add-{section}"
    return response


def _saved(saved: saving.Saved, definition: Form, on: str, sections: tuple[str, ...]) -> str:
    """The sections drawn anew; what was merged with somebody else's save is said where the form was."""
    from app.web.customers import draw_sections

    told = saved.sentences(definition.labels)
    drawn = draw_sections(on, sections)
    if told:
        place = f'<div id="add-{sections[0]}"></div>'
        drawn = Markup(drawn.replace(place, render_template("adding/told.html", section=sections[0], sentences=told)))  # noqa: S704 - rendered by templates
    named = titles_of(document_fields.references(definition, saved.document), around=current.node().book)
    sentence = f"{definition.label} “{title_of(saved.document, current.forms(), named)}” was saved."
    return render_template("adding/added.html", sections=drawn, sentence=" ".join([sentence, *told]))


def _zone() -> tzinfo:
    zone = current.node().now().tzinfo
    assert zone is not None
    return zone
