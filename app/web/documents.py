"""Any document by its form: shown, edited, made, deleted and brought back, with its history and its disputes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.couch import Conflict, Database, Forbidden
from app.documents import saving
from app.documents.deletions import OFFERED_DAYS, is_too_old
from app.documents.disputes import DELETED, open_disputes, value_in
from app.documents.ids import split_id
from app.documents.merging import merge
from app.documents.together import Together
from app.security.access import needs, require
from app.web import current, document_editing, document_fields, hanging, history, jobs, unread
from app.web.addresses import local_page
from app.web.catalog_uses import uses_of
from app.web.definitions import definition_of
from app.web.document_editing import Editing
from app.web.files import file_fields
from app.web.formatting import format_count
from app.web.frame import document_url, type_of
from app.web.lookup import title_of
from app.web.readable import readable

if TYPE_CHECKING:
    from app.design import Form

pages = Blueprint("documents", __name__, url_prefix="/documents")

CHANGES_SHOWN = 30
# So many documents are deleted while the browser waits; more are a job.
AT_ONCE = 500
PUBLISHED_TYPES = ("model", "part", "bulletin")
PUBLISHED = "The manufacturer publishes models, parts and bulletins: they are changed there and arrive with the sync."


@pages.get("/<path:document_id>")
@needs("read:book", "read:catalog")
def show(document_id: str) -> ResponseReturnValue:
    """A document: its fields, its disputes, who changed what. Opened, it is read."""
    unread.opened(document_id)
    return _document_page(document_id, {})


def _document_page(document_id: str, typed: Mapping[str, tuple[Any, str]]) -> ResponseReturnValue:
    """The document's page; `typed` are values that did not settle a dispute, by its id, with the reason."""
    database, document = _find(document_id)
    if document is None:
        return _not_there(database, document_id)
    kind = str(document.get("type") or type_of(document_id))
    require("read", document)
    document = readable(document)
    form = current.forms().get(kind)
    entries = _changes(database, document_id)
    named = titles_of(
        document_fields.references(form, document) | history.ids_in(entries, document, form), around=database
    )
    page = render_template(
        "documents/show.html",
        document=document,
        title=title_of(document, current.forms(), named),
        form=form,
        sections=document_fields.shown_sections(form, document, named, current.user().roles) if form else [],
        unknown=document_fields.unknown_fields(form, document),
        files=file_fields(document, form),
        disputes=history.disputes_of(document, form, named, current.user().roles, _zone(), typed, entries),
        changes=history.changes_of(entries, form, named, current.user().roles),
        more_changes=len(entries) == CHANGES_SHOWN,
        editable=form is not None and not form.read_only and current.may("edit", kind),
        definition=definition_of(document),
    )
    return page, 422 if typed else 200


@pages.route("/<path:document_id>/edit", methods=["GET", "POST"])
@needs("edit:book", "edit:catalog")
def edit(document_id: str) -> ResponseReturnValue:
    """Edits a document. Who saves what somebody else saved meanwhile has it merged, and is told."""
    if request.method == "GET":
        unread.opened(document_id)
    database, document = _find(document_id)
    if document is None:
        if request.method == "GET" or "base" not in request.form:
            return _not_there(database, document_id)
        document = document_editing.base_of(request.form)
    kind = str(document.get("type") or type_of(document_id))
    _require_edit(kind)
    form = _form_of(kind)
    if request.method == "GET":
        return _edit_page(
            form, document, Editing(document, document_editing.base_for(form, document, current.user().roles))
        )
    editing = _read(form, database, document)
    if editing.unfinished:
        return _edit_page(form, document, editing), 200 if editing.rows_changed else 422
    try:
        values = {**document_editing.filled_in(editing), "_id": document_id}
        base = {**editing.base_asked, "_id": document_id}
        saved = saving.save(database, values, by=current.user().name, base=base)
    except (Forbidden, Conflict) as refusal:
        editing.refusal = str(refusal)
        return _edit_page(form, document, editing), 422
    _tell(saved, form)
    return redirect(local_page(request.form.get("next", ""), document_url(document_id, kind)), 303)


@pages.route("/new/<document_type>", methods=["GET", "POST"])
@needs("edit:book", "edit:catalog")
def new(document_type: str) -> ResponseReturnValue:
    """Makes a document of a type. What the address says (``?customer=…``) is filled in already."""
    _require_edit(document_type)
    form = _form_of(document_type)
    database = current.database_of_type(document_type)
    if request.method == "GET":
        return _new_page(form, Editing(values=document_editing.beginning(form, request.args)))
    editing = _read(form, database)
    if editing.unfinished:
        return _new_page(form, editing), 200 if editing.rows_changed else 422
    dealer = "" if document_type in current.CATALOG_TYPES else current.node().dealer
    document, existing = document_editing.new_document(database, form, editing, dealer)
    if document is None:
        return _new_page(form, editing, existing), 422
    try:
        saved = saving.save(database, document, by=current.user().name)
    except (Forbidden, Conflict) as refusal:
        editing.refusal = str(refusal)
        return _new_page(form, editing), 422
    flash(f"{form.label} “{_title(saved.document)}” was added.", "success")
    return redirect(local_page(request.form.get("next", ""), document_url(saved.document["_id"], document_type)), 303)


@pages.route("/<path:document_id>/delete", methods=["GET", "POST"])
@needs("edit:book", "edit:catalog")
def delete(document_id: str) -> ResponseReturnValue:
    """Asks whether a document is really to be deleted, and deletes it."""
    database, document = _find(document_id)
    if document is None:
        return _not_there(database, document_id)
    _require_edit(document)
    title, uses = _title(document), uses_of(document)
    changed = request.method == "POST" and request.form.get("revision") != document["_rev"]
    if request.method == "GET" or changed or uses.refusal:
        found = [] if database.name == "catalog" else hanging.hanging(database, document, current.forms(), current.may)
        page = render_template(
            "documents/delete.html",
            document=document,
            title=title,
            changed=changed,
            uses=uses,
            hanging=found,
            along={each.type for each in found if each.belongs} if request.method == "GET" else _told_to_go(),
        )
        return page, 200 if request.method == "GET" or changed else 422
    along = [] if database.name == "catalog" else _going_along(database, document)
    back = local_page(request.form.get("next", ""), _above(document))
    if len(along) > AT_ONCE:
        return _delete_as_job(database, document, along, title, back)
    gone = saving.delete_together(database, document, along, by=current.user().name)
    saved = gone.saved
    if saved.outcome == "merged":
        flash(f"“{title}” was changed by somebody else at the same moment, so it stays, marked as disputed.", "warning")
        return redirect(document_url(document_id), 303)
    with_others = f", and {format_count(gone.others, 'document')} along with it" if gone.others else ""
    flash(f"“{title}” was deleted{with_others}. Its page still leads to it, if it is to be brought back.", "success")
    if gone.failed:
        flash(f"{format_count(len(gone.failed), 'document')} could not be deleted along with it and stayed.", "warning")
    return redirect(back, 303)


def _told_to_go() -> set[str]:
    return {kind for kind in request.form.getlist("along") if kind in current.forms()}


def _going_along(database: Database, document: Mapping[str, Any]) -> list[str]:
    return list(hanging.going_along(database, document, sorted(_told_to_go()), current.forms(), current.may))


def _delete_as_job(
    database: Database, document: Mapping[str, Any], along: list[str], title: str, back: str
) -> ResponseReturnValue:
    by = current.user().name

    def work(job: jobs.Job) -> Together:
        # Not to be stopped half way: what went along comes back together.
        def show(done: int) -> None:
            job.done, job.total, job.sentence = done, len(along), "Deleting"

        return saving.delete_together(database, document, along, by, progress=show)

    return jobs.start(f"Delete “{title}”", work, "documents/deleted_together.html", back, "Go on")


@pages.post("/<path:document_id>/undelete")
@needs("edit:book", "edit:catalog")
def undelete(document_id: str) -> ResponseReturnValue:
    """Brings a deleted document back as it was, with what was deleted along with it and the user may edit."""
    _require_edit(type_of(document_id))
    database = current.database_of(document_id)
    leaves = database.leaves(document_id)
    if leaves and is_too_old(leaves):
        abort(410, f"This was deleted more than {OFFERED_DAYS} days ago and cannot be brought back here any more.")
    back = saving.undelete_together(
        database, document_id, by=current.user().name, allowed=lambda kind: current.may("edit", kind)
    )
    with_others = f", and {format_count(back.others, 'document')} along with it" if back.others else ""
    flash(f"“{_title(back.saved.document)}” was brought back{with_others}.", "success")
    if back.failed:
        flash(f"{format_count(len(back.failed), 'document')} could not be brought back along with it.", "warning")
    return redirect(document_url(document_id), 303)


@pages.post("/<path:document_id>/disputes/<dispute_id>")
@needs("edit:book", "edit:catalog")
def resolve(document_id: str, dispute_id: str) -> ResponseReturnValue:
    """Settles a dispute with the value that stands (``now``), the one in the dispute (``other``), or one ``typed``."""
    database, document = _find(document_id)
    if document is None:
        return _not_there(database, document_id)
    require("edit", document)
    disputed = next((each for each in open_disputes(document) if each["id"] == dispute_id), None)
    back = local_page(request.form.get("next", ""), url_for("documents.show", document_id=document_id))
    if disputed is None:
        flash("This was settled already.", "info")
        return redirect(back, 303)
    form = current.forms().get(str(document["type"]))
    field = form.by_name.get(disputed["field"]) if form else None
    if field is not None and not field.may_edit(current.user().roles):
        abort(403, f"Your role may not change the field “{field.label}”, so this is for somebody else to settle.")
    choice = request.form.get("choice")
    if choice == "typed" and form is not None and field is not None and "row" not in disputed:
        editing = _read(form, database, document)
        if editing.errors:
            return _document_page(
                document_id, {dispute_id: (editing.values.get(field.name), next(iter(editing.errors.values())))}
            )
        value = editing.values.get(field.name)
    elif choice in ("now", "other"):
        value = disputed["value"] if choice == "other" else value_in(disputed, document)
    else:
        abort(400, "Choose one of the two values.")
    if disputed["field"] == DELETED:
        value = choice == "other"
    saved = saving.resolve_dispute(database, document_id, dispute_id, value, by=current.user().name)
    if saved.outcome == "deleted":
        flash(f"“{_title(document)}” was deleted.", "success")
        return redirect(_above(document), 303)
    flash("Settled.", "success")
    return redirect(back, 303)


def titles_of(ids: set[str], around: Database) -> dict[str, str]:
    """What the documents with these ids are called: one request to `around`, one to the catalog where it is another."""
    in_catalog = {each for each in ids if each.split(":", 1)[0] in current.CATALOG_TYPES}
    found = current.node().catalog.get_many(sorted(in_catalog))
    if ids - in_catalog:
        database = around if around.name != "catalog" else current.database_of(next(iter(ids - in_catalog)))
        found.update(database.get_many(sorted(ids - in_catalog)))
    return {document_id: _title(document) for document_id, document in found.items()}


def _require_edit(subject: str | Mapping[str, Any]) -> None:
    """Answers 403 unless the user may edit; at a dealer, who publishes what the catalog holds."""
    kind = subject if isinstance(subject, str) else str(subject.get("type", ""))
    if kind in PUBLISHED_TYPES and not current.node().is_manufacturer:
        abort(403, PUBLISHED)
    require("edit", subject)
    form = current.forms().get(kind)
    if form is not None and form.read_only:
        abort(403, f"{form.plural} are written by Ironbook alone; nobody fills them in.")


def _title(document: Mapping[str, Any]) -> str:
    return title_of(document, current.forms())


def _find(document_id: str) -> tuple[Database, dict[str, Any] | None]:
    try:
        split_id(document_id)
    except ValueError:
        abort(404, "This is not the address of a document.")
    database = current.database_of(document_id)
    return database, database.get(document_id)


def _changes(database: Database, document_id: str) -> list[dict[str, Any]]:
    return changes_about(database, [document_id], CHANGES_SHOWN)[document_id]


def changes_about(database: Database, ids: Sequence[str], limit: int) -> dict[str, list[dict[str, Any]]]:
    """The newest `limit` entries in the log of changes of each document, newest first, in one request."""
    queries = [
        {"startkey": [id, {}], "endkey": [id], "descending": True, "include_docs": True, "limit": limit} for id in ids
    ]
    answers = database.view_queries("history", "by_document", queries)
    return {id: [row.doc for row in rows if row.doc] for id, rows in zip(ids, answers, strict=True)}


def _read(form: Form, database: Database, document: Mapping[str, Any] | None = None) -> Editing:
    return document_editing.read(form, request.form, database, current.user().roles, _zone(), document)


def _zone() -> tzinfo:
    zone = current.node().now().tzinfo
    assert zone is not None
    return zone


def _form_of(kind: str) -> Form:
    form = current.forms().get(kind)
    if form is None:
        abort(404, f"There is no form for documents of the type “{kind}” on this node.")
    return form


def _not_there(database: Database, document_id: str) -> ResponseReturnValue:
    leaves = [leaf for leaf in database.leaves(document_id) if leaf.get("_deleted")]
    if not leaves:
        abort(404, "There is no such document on this node: it was never here, or has not arrived yet.")
    kind = type_of(document_id)
    require("read", kind)
    tombstone = merge(leaves).document
    entries = _changes(database, document_id)
    deletion = next((entry for entry in entries if entry.get("deleted")), None)
    title = _title({"type": kind, **_content(deletion)}) if deletion else ""
    page = render_template(
        "documents/deleted.html",
        document_id=document_id,
        title=title or document_id,
        tombstone=tombstone,
        restorable=deletion is not None and current.may("edit", kind) and not is_too_old(leaves),
        too_old=is_too_old(leaves),
        days=OFFERED_DAYS,
    )
    return page, 410


def _content(deletion: Mapping[str, Any]) -> dict[str, Any]:
    return {row["field"]: row["from"] for row in deletion.get("changes") or ()}


def _edit_page(form: Form, document: Mapping[str, Any], editing: Editing) -> str:
    named = titles_of(document_fields.references(form, document), around=current.database_of(str(document["_id"])))
    return _form_page(form, editing, f"Edit {title_of(document, current.forms(), named)}", document)


def _new_page(form: Form, editing: Editing, existing: str = "") -> str:
    return _form_page(form, editing, f"Add {form.label[:1].lower()}{form.label[1:]}", None, existing)


def _form_page(form: Form, editing: Editing, title: str, document: Mapping[str, Any] | None, existing: str = "") -> str:
    named = titles_of(document_fields.references(form, editing.values), around=current.database_of_type(form.name))
    named.update(editing.typed_titles)
    context = str(editing.values.get("customer") or "")
    back = document_url(str(document["_id"])) if document else document_url(context) if context else "/"
    return render_template(
        "documents/edit.html",
        form=form,
        title=title,
        document=document,
        sections=document_fields.input_sections(
            form, editing.values, editing.errors, named, current.user().roles, context, _zone()
        ),
        labels=form.labels,
        editing=editing,
        existing=existing,
        existing_url=document_url(existing) if existing else "",
        next=local_page(request.values.get("next", ""), ""),
        cancel=local_page(request.values.get("next", ""), back),
    )


def _tell(saved: saving.Saved, form: Form) -> None:
    if saved.outcome == "unchanged":
        flash("Nothing was different, so nothing was saved.", "info")
        return
    sentences = saved.sentences(form.labels)
    for sentence in sentences:
        flash(sentence, "warning")
    if not sentences:
        flash("Saved.", "success")


def _above(document: Mapping[str, Any]) -> str:
    above = next((document[field] for field in ("machine", "person", "customer") if document.get(field)), "")
    return document_url(str(above)) if above else "/"
