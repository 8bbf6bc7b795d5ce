"""Adding in place: a form that opens in a section of a customer's or a machine's page, or beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import NotFound

from app.couch import Conflict, Forbidden
from app.documents import saving
from app.documents.ids import document_id, new_key, reading_key
from app.security.access import needs, require
from app.web import current, document_editing, document_fields
from app.web.addresses import local_page
from app.web.document_editing import Editing
from app.web.document_fields import InputField, InputRow
from app.web.documents import titles_of
from app.web.frame import document_url, is_fragment
from app.web.lookup import title_of

if TYPE_CHECKING:
    from app.design import Form
    from app.web.machine_page import PlanStatus

pages = Blueprint("adding", __name__)
NODE_ROLE = "dealer"

# The sections of each page that a new document of a type changes; the form opens in the first.
SECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "customer": {
        "person": ("people",),
        "keepsake": ("people",),
        "machine": ("machines", "parts", "bulletins"),
        "reading": ("machines", "parts"),
        "service": ("machines", "parts", "bulletins"),
        "activity": ("activities",),
        "opportunity": ("opportunities",),
        "task": ("tasks",),
    },
    "machine": {
        "reading": ("hours", "plan"),
        "service": ("plan", "services", "bulletins", "hours"),
        "activity": (),
        "task": (),
    },
}


@dataclass(frozen=True)
class Place:
    """Where a document is added: the page's document, and the fields of the new one that follow from it."""

    on: dict[str, Any]
    fixed: Mapping[str, str]
    sections: tuple[str, ...]

    @property
    def section(self) -> str:
        """The section in which the form opens; empty for a form that has a page of its own only."""
        return self.sections[0] if self.sections else ""


@pages.route("/add/<document_type>", methods=["GET", "POST"])
@needs("edit:book")
def form(document_type: str) -> ResponseReturnValue:
    """The form for a new document of a type ``on`` the page of a customer or a machine."""
    require("edit", document_type)
    definition = current.forms().get(document_type)
    if definition is None:
        raise NotFound(f"There is no form for documents of the type “{document_type}” on this node.")
    place = _place(definition)
    if request.method == "GET":
        return _page(definition, place, Editing(values=_beginning(definition, place)))
    typed = MultiDict(request.form)
    typed.update(place.fixed)
    editing = document_editing.read(definition, typed, current.node().book, current.user().roles, _zone())
    if editing.unfinished:
        return _page(definition, place, editing, status=200 if editing.rows_changed else 422)
    if document_type == "service":
        editing.values = {**editing.values, "lines": [*_ticked(place), *(editing.values.get("lines") or ())]}
    document, existing = document_editing.new_document(current.node().book, definition, editing, current.node().dealer)
    if document is None:
        return _page(definition, place, editing, existing, status=422)
    try:
        saved = saving.save(current.node().book, document, by=current.user().name)
    except (Forbidden, Conflict) as refusal:
        editing.refusal = str(refusal)
        return _page(definition, place, editing, status=422)
    _follow_on(saved.document)
    return _added(definition, place, saved.document)


@pages.get("/add/close/<section>")
@needs("edit:book")
def close(section: str) -> ResponseReturnValue:
    """An empty place instead of a form that was opened and is not wanted."""
    return render_template("adding/closed.html", section=section)


def _place(definition: Form) -> Place:
    """Where the form stands. Raises NotFound for a page that is none of a customer or a machine."""
    on_id = request.args.get("on", "")
    on = current.node().book.get(on_id) if on_id else None
    if on is None or on.get("type") not in SECTIONS:
        raise NotFound("The customer or machine this was to be added to is not on this node.")
    named = {each.name for each in definition.fields}
    fixed = {name: request.args[name] for name in ("person", "machine", "bulletin") if request.args.get(name)}
    if on["type"] == "machine":
        fixed["machine"] = on["_id"]
        if on.get("customer"):
            fixed["customer"] = on["customer"]
    else:
        fixed["customer"] = on["_id"]
    fixed = {name: value for name, value in fixed.items() if name in named}
    return Place(on, fixed, SECTIONS[on["type"]].get(definition.name, ()))


def _beginning(definition: Form, place: Place) -> dict[str, Any]:
    """What the form begins with: its defaults, what follows from the page, and who is filling it in, now."""
    values = {**document_editing.beginning(definition, request.args), **place.fixed}
    if definition.name == "service" and request.args.get("bulletin"):
        values["kind"] = "bulletin"
    return values


def _follow_on(document: Mapping[str, Any]) -> None:
    """What a new document brings along: a service's hours are a reading, a next activity ends a follow-up."""
    node, by = current.node(), current.user().name
    if document["type"] == "service" and document.get("hours") is not None and document.get("done_on"):
        at = f"{document['done_on']}T12:00:00Z"
        reading = document_id(node.dealer, "reading", reading_key(document["machine"], at))
        if node.book.get(reading) is None:
            fields = {"machine": document["machine"], "at": at, "hours": document["hours"], "source": "service"}
            common = {"_id": reading, "type": "reading", "dealer": node.dealer, "share": "manufacturer"}
            saving.save(node.book, {**common, **fields}, by=by)
    closes = request.args.get("closes", "")
    closed = node.book.get(closes) if closes else None
    if closed is not None and closed.get("type") == "activity" and not closed.get("follow_up_done"):
        saving.save(node.book, {**closed, "follow_up_done": True}, by=by)


def _zone() -> tzinfo:
    zone = current.node().now().tzinfo
    assert zone is not None
    return zone


def _ticked(place: Place) -> list[dict[str, Any]]:
    """The rows of a service: each line of the plan that was ticked."""
    ticked = [line for line in _plan(place) if request.form.get(f"tick.{line.line_id}")]
    rows: list[dict[str, Any]] = []
    for line in ticked:
        part = {"part": line.part_id, "quantity": line.quantity} if line.part_id else {}
        rows.append({"id": new_key(), "plan_line": line.line_id, **part})
    return rows


def _plan(place: Place) -> list[PlanStatus]:
    from app.web.machines import plan_of_machine

    return plan_of_machine(place.fixed["machine"]) if place.fixed.get("machine") else []


def _page(
    definition: Form, place: Place, editing: Editing, existing: str = "", status: int = 200
) -> ResponseReturnValue:
    node = current.node()
    named = titles_of(document_fields.references(definition, editing.values), around=node.book)
    named.update(editing.typed_titles)
    plan = _plan(place) if definition.name == "service" else []
    sections = document_fields.input_sections(
        definition,
        editing.values,
        editing.errors,
        named,
        current.user().roles,
        str(place.fixed.get("customer") or ""),
        _zone(),
        scope=place.section,
    )
    fields = [each for section in sections for each in section.fields]
    back = local_page(request.args.get("next", ""), f"{document_url(place.on['_id'])}#{place.section}")
    ticked = {key.removeprefix("tick.") for key in request.form if key.startswith("tick.")}
    fragment = is_fragment() and place.section
    on_title = title_of(place.on, current.forms())
    page = render_template(
        "adding/form.html" if fragment else "adding/page.html",
        form=definition,
        title=f"{definition.label} for {_about(place, named) or on_title}",
        on=place.on,
        on_title=on_title,
        section=place.section,
        scope=place.section,
        fields=[each for each in fields if each.name not in place.fixed and each.name != "lines"],
        parts_used=next((_other_parts(each, plan) for each in fields if each.name == "lines"), None),
        labels=definition.labels,
        plan=plan,
        ticked=ticked,
        editing=editing,
        existing_url=document_url(existing) if existing else "",
        url=request.full_path.rstrip("?"),
        back=back,
    )
    response = make_response(page, status)
    if fragment:
        response.headers["HX-Retarget"] = f"#add-{place.section}"
    return response


def _about(place: Place, named: Mapping[str, str]) -> str:
    """The person or the machine that the new document is about, when the page is about more than that."""
    return named.get(place.fixed.get("person", "")) or named.get(place.fixed.get("machine", "")) or ""


def _other_parts(field: InputField, plan: list[PlanStatus]) -> InputField:
    """The rows of a service for parts that no line of the plan brought."""

    def without_line(cells: Sequence[InputField]) -> list[InputField]:
        return [cell for cell in cells if cell.name != "plan_line"]

    return replace(
        field,
        label="Other parts used" if plan else field.label,
        columns=without_line(field.columns),
        rows=[InputRow(row.key, without_line(row.cells)) for row in field.rows],
    )


def _added(definition: Form, place: Place, document: Mapping[str, Any]) -> ResponseReturnValue:
    named = titles_of(document_fields.references(definition, document), around=current.node().book)
    sentence = f"{definition.label} “{title_of(document, current.forms(), named)}” was added."
    if not (is_fragment() and place.section):
        flash(sentence, "success")
        on = f"{document_url(place.on['_id'])}#{place.section}"
        return redirect(local_page(request.args.get("next", ""), on), 303)
    from app.web import customers, machines

    draw = customers.draw_sections if place.on["type"] == "customer" else machines.draw_sections
    return render_template("adding/added.html", sections=draw(place.on["_id"], place.sections), sentence=sentence)
