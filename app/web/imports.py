"""Importing a telematics file: upload, progress, and what became of each machine."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from app.exchange.telematics import InterruptedImportError, Report, import_telematics
from app.exchange.unfinished import Unfinished, forget, unfinished
from app.security.access import needs
from app.web import current, jobs
from app.web.formatting import format_time

if TYPE_CHECKING:
    from app.node import Node

NODE_ROLE = "dealer"
_UPLOADS = "uploads"
pages = Blueprint("imports", __name__, url_prefix="/imports")


@pages.get("")
@needs("edit:book")
def show() -> ResponseReturnValue:
    """Where a file is chosen, and what may be in it."""
    return _page()


@pages.post("/telematics")
@needs("edit:book")
def telematics() -> ResponseReturnValue:
    """Takes a fleet snapshot and imports it in the background."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        return _page("Choose a file first; nothing was imported."), 422
    node = current.node()
    if node.is_manufacturer:
        abort(404)
    by = current.user().name
    try:
        path = _kept(node, upload)
    except OSError as problem:
        error = f"The file could not be kept on this computer: {problem.strerror or problem}. Nothing was imported."
        return _page(error), 507
    name = Path(upload.filename).name[:80]
    return jobs.start(
        _title(name),
        lambda job: _import(node, path, by, job, name),
        result_template="imports/report.html",
        back=url_for("imports.show"),
        back_label="Import another file",
    )


@pages.post("/forget")
@needs("edit:book")
def forget_unfinished() -> ResponseReturnValue:
    """Tells no more of an import that did not come to its end."""
    forget(current.node().local, request.form.get("import", ""))
    return redirect(url_for("imports.show"), 303)


def _page(error: str = "") -> str:
    told = [each for each in unfinished(current.node().local) if not jobs.is_running(_title(each.file))]
    return render_template("imports/show.html", error=error, unfinished=[(each.id, _sentence(each)) for each in told])


def _sentence(each: Unfinished) -> str:
    zone = current.node().now().tzinfo
    return each.sentence(format_time(each.began, zone), format_time(each.at, zone))


def _title(name: str) -> str:
    return f"Import {name}"


def _import(node: Node, path: Path, by: str, job: jobs.Job, name: str) -> Report:
    try:
        job.say("Reading the file")
        return import_telematics(node, str(path), by, job.say, job.stopping.is_set, name)
    except InterruptedImportError as error:
        # What was written before the store failed is worth showing too.
        job.result = error.report
        raise
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def remove_uploads(data: Path) -> None:
    """Removes what a process that was killed had still to import; called before anybody can upload again."""
    for left in (data / _UPLOADS).glob("telematics-*"):
        with contextlib.suppress(OSError):
            left.unlink()


def _kept(node: Node, upload: FileStorage) -> Path:
    """The upload in a file of its own: the request's own ends with the request, the job goes on."""
    folder = node.settings.data / _UPLOADS
    folder.mkdir(mode=0o700, exist_ok=True)
    whole = False
    with tempfile.NamedTemporaryFile(dir=folder, prefix="telematics-", delete=False) as file:
        path = Path(file.name)
        try:
            upload.save(file)
            whole = True
        finally:
            # An open file cannot be removed on Windows.
            file.close()
            if not whole:
                path.unlink(missing_ok=True)
    return path
