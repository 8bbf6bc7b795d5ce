"""Files attached to documents: attached, listed, downloaded and removed."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from app.couch import NotFound
from app.documents import saving
from app.documents.attachments import attachment_name, field_and_file
from app.security.access import needs, require
from app.web import current
from app.web.addresses import local_page
from app.web.frame import document_url
from app.web.lookup import title_of

if TYPE_CHECKING:
    from app.design import Form

pages = Blueprint("files", __name__, url_prefix="/files")

# Every laptop of the dealership gets every file, over whatever line it has that day.
LARGEST_FILE = 20 * 1024 * 1024
# What came with a document from elsewhere and belongs to no field of its form.
OTHER = "other"
# A browser may open these by itself; everything else it only keeps, whatever the file says it is.
_HARMLESS = {
    "image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", "text/plain", "text/csv",
}  # fmt: skip


@dataclass(frozen=True)
class AttachedFile:
    """One file: `name` is the attachment's, `file_name` what people call it; `size` in bytes."""

    name: str
    file_name: str
    size: int


@dataclass(frozen=True)
class FileField:
    """A field of a form that holds files, with those of one document."""

    name: str
    label: str
    hint: str
    files: list[AttachedFile]
    editable: bool


def file_fields(document: Mapping[str, Any], form: Form | None) -> list[FileField]:
    """The fields with files that the signed-in user may see, those without one where some may be attached."""
    roles = current.user().roles
    may_edit = current.may("edit", document) and current.database_of(str(document["_id"])).name != "market"
    by_field: dict[str, list[AttachedFile]] = {}
    known = {each.name: each for each in form.fields if each.type == "attachment"} if form else {}
    for name, stub in sorted((document.get("_attachments") or {}).items()):
        field, file_name = field_and_file(name)
        file = AttachedFile(name, file_name if field in known else name, int(stub.get("length") or 0))
        by_field.setdefault(field if field in known else OTHER, []).append(file)
    found = [
        FileField(each.name, each.label, each.hint, by_field.get(each.name, []), may_edit and each.may_edit(roles))
        for each in known.values()
        if each.may_read(roles) and each.is_visible(document)
    ]
    if OTHER in by_field:
        found.append(FileField(OTHER, "Other files", "", by_field[OTHER], may_edit))
    return [each for each in found if each.files or each.editable]


@pages.get("/<field>/<path:document_id>")
@needs("read:book", "read:catalog")
def download(field: str, document_id: str) -> ResponseReturnValue:
    """One file, ``name``, for the browser to keep."""
    document, shown = _field_of(document_id, field)
    file = next((each for each in shown.files if each.name == request.args.get("name")), None)
    if file is None:
        abort(404, "There is no such file at this document (any more).")
    try:
        content, kind = current.database_of(document_id).attachment(document["_id"], file.name)
    except NotFound:
        abort(404, "This file has not arrived on this node yet.")
    kind = kind.partition(";")[0].strip().lower()
    kind = kind if kind in _HARMLESS else "application/octet-stream"
    answer = send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=file.file_name)
    return make_response(answer)


@pages.post("/<field>/<path:document_id>")
@needs("edit:book", "edit:catalog")
def attach(field: str, document_id: str) -> ResponseReturnValue:
    """Attaches what was chosen. Nothing is attached when one of the files cannot be."""
    document, shown = _field_of(document_id, field, edit=True)
    chosen = [file for file in request.files.getlist("file") if file.filename]
    problem = _problem(chosen, field)
    if problem:
        return _problem_page(document, shown, problem)
    known = document.get("_attachments") or {}
    added: dict[str, dict[str, str]] = {}
    for file in chosen:
        name = _free_name(attachment_name(field, str(file.filename)), {**known, **added})
        data = base64.b64encode(file.stream.read()).decode("ascii")
        added[name] = {"content_type": file.mimetype or "application/octet-stream", "data": data}
    saving.save(
        current.database_of(document_id), {**document, "_attachments": {**known, **added}}, by=current.user().name
    )
    names = ", ".join(f"“{field_and_file(name)[1]}”" for name in added)
    flash(f"{names} {'was' if len(added) == 1 else 'were'} attached.", "success")
    return redirect(_back(document_id), 303)


@pages.post("/<field>/<path:document_id>/remove")
@needs("edit:book", "edit:catalog")
def remove(field: str, document_id: str) -> ResponseReturnValue:
    """Removes one file, ``name``."""
    document, shown = _field_of(document_id, field, edit=True)
    file = next((each for each in shown.files if each.name == request.form.get("name")), None)
    if file is None:
        flash("This file was removed already.", "info")
        return redirect(_back(document_id), 303)
    left = {name: stub for name, stub in document["_attachments"].items() if name != file.name}
    saving.save(current.database_of(document_id), {**document, "_attachments": left}, by=current.user().name)
    flash(f"“{file.file_name}” was removed.", "success")
    return redirect(_back(document_id), 303)


def _field_of(document_id: str, field: str, edit: bool = False) -> tuple[dict[str, Any], FileField]:
    """A document and its files in one field. Raises NotFound and 403 as the user's rights have it."""
    document = current.database_of(document_id).get(document_id)
    if document is None:
        abort(404, "There is no such document on this node: it was never here, or was deleted.")
    require("edit" if edit else "read", document)
    form = current.forms().get(str(document.get("type")))
    shown = next((each for each in file_fields(document, form) if each.name == field), None)
    if shown is None or (edit and not shown.editable):
        abort(403 if form and field in form.by_name else 404)
    return document, shown


def _problem(chosen: list[FileStorage], field: str) -> str:
    if field == OTHER:
        return "Files are attached to a field of the form; this is none."
    if not chosen:
        return "Choose a file first; nothing was attached."
    sizes = [(_size(file), str(file.filename)) for file in chosen]
    most = LARGEST_FILE // 1024 // 1024
    for size, name in sizes:
        if size > LARGEST_FILE:
            return f"“{name[:80]}” has more than {most} MB, so nothing was attached. Make it smaller and try again."
    if sum(size for size, _ in sizes) > LARGEST_FILE:
        return f"Together these have more than {most} MB, so nothing was attached. Attach them one after the other."
    return ""


def _size(file: FileStorage) -> int:
    end = file.stream.seek(0, io.SEEK_END)
    file.stream.seek(0)
    return end


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """The name, or with a number where a file of that name is there: nothing is replaced unasked."""
    stem, dot, ending = name.rpartition(".") if "." in name.partition("/")[2] else (name, "", "")
    number, free = 2, name
    while free in taken:
        free, number = f"{stem} ({number}){dot}{ending}", number + 1
    return free


def _problem_page(document: dict[str, Any], shown: FileField, problem: str) -> ResponseReturnValue:
    title = title_of(document, current.forms())
    page = render_template("files/problem.html", document=document, title=title, field=shown, problem=problem)
    return make_response(page, 422)


def _back(document_id: str) -> str:
    return local_page(request.form.get("next", ""), f"{document_url(document_id)}#files")
