"""The machine's page: hours, usage, service plan, services, bulletins, where it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app.parts.bulletins import open_bulletins
from app.parts.desk import parts_desk
from app.parts.due import schedule
from app.parts.needs import model_id, usage_of
from app.parts.plans import lines_for, plan_of
from app.security.access import needs, require
from app.web import current, dispute_marks, unread
from app.web.machine_page import MachineDocuments, MachinePage, PlanStatus, machine_page
from app.web.own_fields import own_fields
from app.web.readable import readable

if TYPE_CHECKING:
    from app.couch import Database
    from app.node import Node

pages = Blueprint("machines", __name__)
NODE_ROLE = "dealer"

# Telematics brings one a day: these are more than a year's, and enough for any chart.
_READINGS_SHOWN = 400
_MOST = 500


@pages.get("/machines")
@needs("read:book")
def show_all() -> ResponseReturnValue:
    """The list of machines."""
    return redirect(url_for("lists.show", view="machines"))


@pages.get("/machines/<path:document_id>")
@needs("read:book")
def show(document_id: str) -> ResponseReturnValue:
    """A machine with its hours, its service plan and where it is."""
    unread.opened(document_id)
    page = _page(document_id)
    if page is None:
        # Deleted, or of another type: the page drawn from its form says so.
        return redirect(url_for("documents.show", document_id=document_id))
    return _drawn("machines/show.html", page, **own_fields("machine", page.facts))


def draw_sections(machine_id: str, sections: Iterable[str]) -> Markup:
    """The sections as htmx puts them in place: the first where it was asked for, the others by their ids."""
    page = _page(machine_id)
    if page is None:
        abort(404)
    first, *others = sections
    drawn = [_drawn(f"machines/sections/{section}.html", page, oob=others) for section in (first, *others)]
    return Markup("\n").join(Markup(section) for section in drawn)  # noqa: S704 - rendered by templates


def _drawn(template: str, page: MachinePage, oob: Sequence[str] = (), **more: Any) -> str:
    shown = page.ids_shown()
    dispute_marks.expect(shown)
    marked = unread.among(shown)
    return render_template(template, page=page, oob=oob, unread=marked, unread_newest=unread.newest(), **more)


def plan_of_machine(machine_id: str) -> list[PlanStatus]:
    """The lines of the service plan that concern a machine, what is due first before the others."""
    page = _page(machine_id)
    return page.plan if page else []


def _page(machine_id: str) -> MachinePage | None:
    node = current.node()
    found = read_machine(node, machine_id, node.book)
    return page_of(found, parts_desk(node).average(model_id(found.machine)) if found else None)


def page_of(found: MachineDocuments | None, average: float | None) -> MachinePage | None:
    """The page of a machine that was read; `average` is how many hours a day machines of its model run."""
    if found is None:
        return None
    require("read", found.machine)
    today = current.node().today()
    used = usage_of(found.machine, found.readings, found.model, today, average)
    plan = plan_of(found.model)
    options = found.machine.get("options")
    concerned = lines_for(plan, options if isinstance(options, list) else ())
    due = schedule(plan, used, found.services, today, found.machine)
    shown = replace(
        found,
        machine=readable(dict(found.machine)),
        customer=readable(dict(found.customer)) if found.customer else None,
        services=[readable(dict(service)) for service in found.services],
    )
    return machine_page(shown, used, concerned, due, today)


def read_machine(node: Node, machine_id: str, database: Database) -> MachineDocuments | None:
    """A machine's documents, from the book or the market, in five requests; None when there is no such machine."""
    machine = database.get(machine_id)
    if machine is None or machine.get("type") != "machine":
        return None
    owner, catalog_model = str(machine.get("customer") or ""), model_id(machine)
    readings = _readings(database, machine_id)
    services = database.view("machines", "by_machine", **_newest([machine_id, "service"], _MOST)).rows
    documents = [row.doc for row in services if row.doc]
    bulletins = read_bulletins(node)
    return MachineDocuments(
        machine=machine,
        customer=database.get(owner) if owner else None,
        model=node.catalog.get(catalog_model) if catalog_model else None,
        readings=readings[:_READINGS_SHOWN],
        services=documents,
        bulletins=open_bulletins(machine, bulletins, documents),
        readings_cut=len(readings) > _READINGS_SHOWN,
    )


def read_bulletins(node: Node) -> list[dict[str, Any]]:
    """Every bulletin of the catalog: there are few, and each may concern any machine."""
    rows = node.catalog.all_docs(startkey="bulletin:", endkey="bulletin;", include_docs=True).rows
    return [row.doc for row in rows if row.doc]


def _readings(database: Database, machine_id: str) -> list[dict[str, Any]]:
    rows = database.view(
        "readings",
        "by_machine",
        startkey=[machine_id, {}],
        endkey=[machine_id],
        descending=True,
        limit=_READINGS_SHOWN + 1,
    ).rows
    return [{**row.value, "_id": row.id} for row in rows]


def _newest(key: list[str], limit: int) -> dict[str, Any]:
    return {
        "startkey": [*key, {}],
        "endkey": key,
        "descending": True,
        "include_docs": True,
        "reduce": False,
        "limit": limit,
    }
