"""The catalog's pages: a model with its service plan, a part and where it is used, a bulletin and how far it has come.

At a dealer they are read only; at head office they count machines and demand as well.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.market import figures
from app.parts.bulletins import concerns_model
from app.parts.cost import plan_cost
from app.parts.needs import model_id
from app.parts.plans import number, part_id, plan_of
from app.security.access import needs, require
from app.web import catalog_page, current, dashboard_page, lists, unread
from app.web.catalog_uses import naming
from app.web.dashboard_page import BulletinLine
from app.web.lookup import title_of
from app.web.machines import read_bulletins
from app.web.market_scope import address, as_argument, dealer_name
from app.web.own_fields import own_fields

pages = Blueprint("catalog", __name__, url_prefix="/catalog")


@pages.get("/models/<path:document_id>")
@needs("read:catalog")
def model(document_id: str) -> ResponseReturnValue:
    """A model: its service plan, and at head office its machines in the field and what they need."""
    document = _read(document_id, "model")
    if document is None:
        return _as_document(document_id)
    make, name = str(document.get("make") or ""), str(document.get("name") or "")
    parts = _parts(catalog_page.parts_named(document))
    hours_per_day = number(document.get("hours_per_day"))
    rows = catalog_page.plan_rows(document, parts)
    cost = plan_cost(plan_of(document), parts, hours_per_day)
    return render_template(
        "catalog/model.html",
        document=document,
        title=title_of(document, current.forms()),
        plan=rows,
        never_due=sum(row.never for row in rows),
        priced=any(row.price is not None for row in rows),
        cost=cost.per_thousand_hours,
        cost_note=catalog_page.cost_note(cost, hours_per_day),
        machines_url=_machines_url(make, name),
        field=_field(make, name),
        bulletins=_bulletins_of(make, name),
        **own_fields("model", document),
    )


@pages.get("/parts/<path:document_id>")
@needs("read:catalog")
def part(document_id: str) -> ResponseReturnValue:
    """A part: what replaced it, which plans and bulletins use it, and at head office how many will be needed."""
    document = _read(document_id, "part")
    if document is None:
        return _as_document(document_id)
    named_in = naming(document_id)
    replacing = part_id(document.get("replaced_by"))
    chain = _chain(replacing) if replacing else []
    demand: list[Any] = []
    node = current.node()
    if node.is_manufacturer:
        at = partial(address, "market.demand_machines", part=document_id)
        found = figures.demand_of_part(node, document_id, node.today())
        demand = dashboard_page.month_lines(found, lambda month: at(month=month))
    return render_template(
        "catalog/part.html",
        document=document,
        title=title_of(document, current.forms()),
        chain=chain,
        replaces=[each for each in named_in if each.get("type") == "part"],
        uses=catalog_page.uses_of(document_id, named_in),
        demand=demand,
        chart=dashboard_page.month_chart(demand, node.settings.currency) if demand else None,
        shows_demand=node.is_manufacturer,
        demand_url=address("market.demand_machines", part=document_id) if node.is_manufacturer else "",
        **own_fields("part", document),
    )


@pages.get("/bulletins/<path:document_id>")
@needs("read:catalog")
def bulletin(document_id: str) -> ResponseReturnValue:
    """A bulletin: what to do, with which parts, on which machines, and at head office how far it has come."""
    document = _read(document_id, "bulletin")
    if document is None:
        return _as_document(document_id)
    node = current.node()
    wanted = {part_id(row["part"]) for row in document.get("parts") or () if isinstance(row, dict) and row.get("part")}
    by_dealer: list[Any] = []
    together = None
    if node.is_manufacturer:
        at = partial(address, "market.bulletin_machines")
        found = figures.bulletin_by_dealer(node, document_id)
        by_dealer = [
            (dealer_name(code), dashboard_page.bulletin_line(document, each, partial(at, dealer=code)))
            for code, each in sorted(found.items(), key=lambda each: (-each[1][0], each[0]))
        ]
        sums = (sum(each[0] for each in found.values()), sum(each[1] for each in found.values()))
        together = dashboard_page.bulletin_line(document, sums, at)
    return render_template(
        "catalog/bulletin.html",
        document=document,
        title=title_of(document, current.forms()),
        concerned=catalog_page.concerned_words(document),
        parts=catalog_page.needed_parts(document, _parts(wanted)),
        by_dealer=by_dealer,
        together=together,
        counted_soon=node.is_manufacturer and catalog_page.is_just_saved(document, node.now()),
        machines_url="" if node.is_manufacturer else lists.url_of("machines", (str(document.get("make") or ""),)),
        unknown_models=_unknown_models(document) if node.is_manufacturer else [],
        **own_fields("bulletin", document),
    )


def _read(document_id: str, kind: str) -> dict[str, Any] | None:
    unread.opened(document_id)
    document = current.node().catalog.get(document_id)
    if document is None or document.get("type") != kind:
        return None
    require("read", document)
    return document


def _as_document(document_id: str) -> ResponseReturnValue:
    # Deleted, or of another type: the page drawn from its form says so.
    return redirect(url_for("documents.show", document_id=document_id))


def _parts(wanted: set[str]) -> dict[str, dict[str, Any]]:
    """The parts with these ids and those that replace them: a request for each step of replacement."""
    parts: dict[str, dict[str, Any]] = {}
    for _ in range(catalog_page.MOST_REPLACEMENTS):
        if not wanted:
            break
        read = current.node().catalog.get_many(sorted(wanted))
        parts.update(read)
        wanted = catalog_page.next_replacements(parts, list(read))
    return parts


def _chain(first: str) -> list[dict[str, Any]]:
    """The parts that replace one another, from the first to the one sold now; one that is missing ends it."""
    parts = _parts({first})
    chain: list[dict[str, Any]] = []
    while first in parts and parts[first] not in chain:
        chain.append(parts[first])
        first = part_id(parts[first].get("replaced_by"))
    return chain


def _bulletins_of(make: str, name: str) -> list[BulletinLine]:
    """The bulletins for a model, at head office with how far each has come on all machines it concerns."""
    node = current.node()
    found = [each for each in read_bulletins(node) if concerns_model(each, make, name)]
    progress = figures.bulletins(node) if node.is_manufacturer and found else {}
    at = partial(address, "market.bulletin_machines") if node.is_manufacturer else _nowhere
    return dashboard_page.bulletin_lines(found, progress, at)


def _nowhere(**_arguments: str) -> str:
    return ""


def _unknown_models(bulletin: dict[str, Any]) -> list[str]:
    """The models a bulletin names that the catalog does not have: if they are misspelt, nobody is told of it."""
    models = bulletin.get("models")
    named = {
        str(model): model_id({"make": bulletin.get("make"), "model": model})
        for model in (models if isinstance(models, list) else ())
    }
    known = current.node().catalog.get_many(sorted({each for each in named.values() if each}))
    return [model.removeprefix("model:") for model, each in named.items() if each not in known]


def _machines_url(make: str, name: str) -> str:
    if current.node().is_manufacturer:
        return address("market.machines", make=as_argument(make), model=as_argument(name))
    return lists.url_of("machines", (make, name))


def _field(make: str, name: str) -> dict[str, Any] | None:
    """A model's machines in the field by dealer and what they will need, at head office."""
    node = current.node()
    if not node.is_manufacturer:
        return None
    by_dealer = figures.model_by_dealer(node, make, name)
    at = partial(address, "market.demand_machines", make=as_argument(make), model=as_argument(name))
    months = dashboard_page.month_lines(figures.demand_of_model(node, make, name), lambda month: at(month=month))
    return {
        "machines": sum(by_dealer.values()),
        "by_dealer": dashboard_page.bars(
            (
                dealer_name(code),
                count,
                address("market.machines", dealer=code, make=as_argument(make), model=as_argument(name)),
            )
            for code, count in sorted(by_dealer.items(), key=lambda each: (-each[1], each[0]))
        ),
        "months": months,
        "value": sum(line.value for line in months),
        "needs": sum(line.needs for line in months),
        "demand_url": at(),
    }
