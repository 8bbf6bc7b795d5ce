"""The replication page: how each connection is doing, the log of its syncs, and what can be done about it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.errors import ConfigurationError, IronbookError
from app.replication import connections, explaining, members, refusals, sync_log
from app.replication.passes import run_pass
from app.replication.results import PassResult, Progress
from app.replication.status import ConnectionStatus, status
from app.security.access import needs, polled
from app.web import current, jobs
from app.web.disputes import count_disputes
from app.web.frame import type_of
from app.web.lookup import title_of
from app.web.replication_page import (
    ConnectionCard,
    PassLine,
    connection_card,
    document_id_in,
    pass_lines,
    readable_times,
)

if TYPE_CHECKING:
    from datetime import datetime

pages = Blueprint("replication", __name__)

LOG_LINES = 20


@dataclass(frozen=True)
class Log:
    """A page of a connection's log; `first` and `next` are addresses, empty when there is nothing in that direction."""

    lines: list[PassLine]
    first: str
    next: str


@dataclass(frozen=True)
class RefusedLine:
    """A refused document with the words for it."""

    document_id: str
    title: str
    type: str
    direction: str
    reason: str
    since: str


@pages.get("/replication")
@needs("read:replication")
def show() -> ResponseReturnValue:
    """Every connection with its state, its refused documents and its last syncs."""
    node = current.node()
    found = status(node, fresh=True)
    before, of = request.args.get("before", ""), request.args.get("of", "")
    cards = [_card(one) for one in found.connections]
    return render_template(
        "replication/show.html",
        sentence=found.sentence,
        cards=cards,
        logs={card.name: _log(card.name, before if card.name == of else "") for card in cards},
        refused={card.name: _refused(card.name) for card in cards if card.refused},
        disputes=count_disputes(),
        invites=bool(node.settings.public_host or not node.settings.embedded) and not node.is_manufacturer,
        members=[] if node.is_manufacturer else members.members(node),
    )


@pages.get("/replication/connections/<name>/state")
@needs("read:replication")
@polled
def state(name: str) -> ResponseReturnValue:
    """The fragment that follows a connection's state, faster while it syncs."""
    for one in status(current.node(), fresh=True).connections:
        if one.connection.name == name:
            return render_template("replication/polled_state.html", card=_card(one))
    raise NotFound(f"There is no connection {name!r} any more.")


@pages.post("/replication/connections/<name>/sync")
@needs("run:replication")
def sync_now(name: str) -> ResponseReturnValue:
    """Starts a sync, or plans one more when one runs already."""
    connection = _find(name)
    schedule = current.schedule()
    if schedule is None:
        return _sync_as_job(connection)
    schedule.run_soon(name)
    flash(f"The sync with {name} has been started; you can go on working.", "info")
    return redirect(url_for("replication.show"))


@pages.post("/replication/connections/<name>/stop")
@needs("run:replication")
def stop(name: str) -> ResponseReturnValue:
    """Ends a running sync soon; the next one goes on from where it was."""
    connection, schedule = _find(name), current.schedule()
    if schedule is not None and schedule.stop_running(connection.name):
        flash(
            f"The sync with {name} is being stopped. What was brought over stays; the next one goes on from there.",
            "info",
        )
    else:
        flash(
            f"No sync with {name} is running in this program. One in a terminal is stopped there, with Ctrl-C.",
            "info",
        )
    return redirect(url_for("replication.show"), 303)


@pages.post("/replication/connections/<name>/pause")
@needs("edit:connections")
def pause(name: str) -> ResponseReturnValue:
    """Takes a connection off its schedule."""
    connections.pause_connection(current.node(), _find(name).name)
    flash(f"{name.capitalize()} is paused: nothing is synced until you resume it or press Sync now.", "info")
    return redirect(url_for("replication.show"))


@pages.post("/replication/connections/<name>/resume")
@needs("edit:connections")
def resume(name: str) -> ResponseReturnValue:
    """Puts a connection back on its schedule."""
    connections.resume_connection(current.node(), _find(name).name)
    flash(f"{name.capitalize()} syncs by its schedule again.", "success")
    return redirect(url_for("replication.show"))


@pages.post("/replication/connections/<name>/remove")
@needs("edit:connections")
def remove(name: str) -> ResponseReturnValue:
    """Forgets a connection; the documents stay."""
    connections.remove_connection(current.node(), _find(name).name)
    flash(f"The connection {name} is removed. All documents are still here.", "success")
    return redirect(url_for("replication.show"))


@pages.route("/replication/new", methods=["GET", "POST"])
@needs("edit:connections")
def new() -> ResponseReturnValue:
    """The form for a new connection."""
    node = current.node()
    values: dict[str, Any] = {
        "name": "" if connections.connections(node) else connections.DEFAULT_NAME,
        "catalog": "catalog",
        "book": f"book-{node.dealer.lower()}",
        "share": "manufacturer",
        "every_minutes": 15,
    }
    if request.method == "GET":
        return render_template("replication/form.html", name="", values=values, configured=False, error="")
    values = _submitted()
    if any(one.name == values["name"] for one in connections.connections(node)):
        error = f"There is a connection {values['name']!r} already: change that one, or choose another name."
        return render_template("replication/form.html", name="", values=values, configured=False, error=error), 422
    return _save("", values)


@pages.route("/replication/connections/<name>/edit", methods=["GET", "POST"])
@needs("edit:connections")
def edit(name: str) -> ResponseReturnValue:
    """The form for a connection there is; of one in ``config.toml`` the password only."""
    connection = _find(name)
    if request.method == "GET":
        return render_template(
            "replication/form.html", name=name, values=connection, configured=connection.configured, error=""
        )
    if connection.configured:
        try:
            connections.set_password(current.node(), name, request.form.get("password", ""))
        except ConfigurationError as problem:
            page = render_template(
                "replication/form.html", name=name, values=connection, configured=True, error=str(problem)
            )
            return page, 422
        flash(f"The password of {name} is kept.", "success")
        return redirect(url_for("replication.show"))
    kept = asdict(connection)
    kept.pop("configured")
    return _save(name, {**kept, **_submitted(), "name": name})


@pages.get("/replication/why")
@needs("read:replication")
def why() -> ResponseReturnValue:
    """Why a document is not over there, in sentences; without one, the question."""
    asked = request.args.get("document", "").strip()
    node, document_id = current.node(), document_id_in(asked)
    try:
        told = explaining.why(node, document_id) if document_id else []
        sentences = [readable_times(sentence, node.now().tzinfo) for sentence in told]
        known = bool(document_id)
    except explaining.UnknownDocument as unknown:
        sentences, known = [str(unknown)], False
    return render_template(
        "replication/why.html", asked=asked, document_id=document_id, sentences=sentences, known=known
    )


def _save(name: str, values: dict[str, Any]) -> ResponseReturnValue:
    try:
        saved = connections.save_connection(current.node(), values, request.form.get("password") or None)
    except ConfigurationError as problem:
        page = render_template("replication/form.html", name=name, values=values, configured=False, error=str(problem))
        return page, 422
    flash(f"The connection {saved.name} is kept and syncs soon.", "success")
    return redirect(url_for("replication.show"))


def _submitted() -> dict[str, Any]:
    values: dict[str, Any] = {
        key: request.form.get(key, "").strip()
        for key in ("name", "url", "user", "catalog", "book", "share", "at", "time_zone")
    }
    values["url"] = values["url"].rstrip("/")
    minutes = request.form.get("every_minutes", "").strip()
    values["every_minutes"] = int(minutes) if minutes.isdigit() else minutes
    return values


def _sync_as_job(connection: connections.Connection) -> ResponseReturnValue:
    node = current.node()

    def work(job: jobs.Job) -> PassResult:
        def show(progress: Progress) -> None:
            total = progress.done + progress.remaining if progress.remaining is not None else 0
            job.done, job.total, job.sentence = progress.done, total, progress.step

        result = run_pass(node, connection, show, job.stopping)
        if result.failure:
            raise IronbookError(result.error)
        return result

    return jobs.start(
        f"Sync with {connection.name}",
        work,
        result_template="replication/result.html",
        back=url_for("replication.show"),
        back_label="Replication",
    )


def _find(name: str) -> connections.Connection:
    try:
        return connections.find_connection(current.node(), name)
    except connections.UnknownConnection as problem:
        raise NotFound(str(problem)) from problem


def _next_run(name: str) -> datetime | None:
    schedule = current.schedule()
    return schedule.next_run(name) if schedule else None


def _card(one: ConnectionStatus) -> ConnectionCard:
    return connection_card(one, _next_run(one.connection.name))


def _log(name: str, before: str) -> Log:
    entries = sync_log.entries(current.node(), name, LOG_LINES + 1, before)
    more = len(entries) > LOG_LINES
    lines = pass_lines(entries[:LOG_LINES])
    return Log(
        lines,
        first=url_for("replication.show", _anchor=f"log-{name}") if before else "",
        next=url_for("replication.show", of=name, before=lines[-1].id, _anchor=f"log-{name}") if more else "",
    )


def _refused(name: str) -> list[RefusedLine]:
    node = current.node()
    listed = refusals.refused_documents(node, name, limit=50)
    found = {} if node.is_manufacturer else node.book.get_many(entry.document_id for entry in listed)
    lines = []
    for entry in listed:
        kind = type_of(entry.document_id)
        form = current.forms().get(kind)
        document = found.get(entry.document_id, {})
        lines.append(
            RefusedLine(
                document_id=entry.document_id,
                title=title_of(document, current.forms()) or entry.document_id,
                type=form.label if form else kind,
                direction=entry.direction,
                reason=entry.reason,
                since=entry.since,
            )
        )
    return lines
