"""Head office's first page: installed base, parts demand, pipeline, machines on a map, dealers, bulletins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.market import figures
from app.market.figures import Amount, Sum
from app.market.forecast import is_complete
from app.market.places import Window
from app.parts.plans import number
from app.security.access import needs, polled
from app.web import current, dashboard_page, unread
from app.web.csv_export import csv_answer
from app.web.dealer_lines import DealerFigures, DealerLine
from app.web.dealer_lines import dealer_lines as lines_of_dealers
from app.web.formatting import format_month
from app.web.machines import read_bulletins
from app.web.market import dealer_choice, make_choice, scope_words
from app.web.market_scope import Scope, address, all_dealers, as_argument, dealer_name, scope_in

pages = Blueprint("dashboard", __name__)
NODE_ROLE = "manufacturer"

_SHOWN = 8
_PARTS_SHOWN = 10
# A page of all parts shows so many, those worth most; the CSV has all.
_MOST_PARTS = 200


@pages.get("/")
@needs("read:market")
def start() -> ResponseReturnValue:
    """Where signing in leads on head office's node."""
    return redirect(url_for("dashboard.show"))


@pages.get("/dashboard")
@needs("read:market")
def show() -> ResponseReturnValue:
    """The figures over all dealers, or a dealer's and a make's; each opens into the rows behind it."""
    node, scope = current.node(), scope_in(request.args)
    installed = figures.installed(node, scope.dealer, scope.make)
    pipeline = figures.pipeline(node, scope.dealer)
    demand = figures.demand(node, scope.dealer, scope.make, node.today())
    opportunities_at = partial(_opportunities_at, scope)
    months = dashboard_page.month_lines(demand.by_month, partial(_month_at, scope), partial(_needs_at, scope))
    places = figures.first_places(node, scope.dealer, scope.make)
    stages = dashboard_page.stage_lines(pipeline, opportunities_at)
    counted = _activity_figures(installed.by_dealer if scope.make is None and not scope.dealer else None)
    dealers = dealer_lines(counted)
    return render_template(
        "dashboard/show.html",
        scope=scope,
        unread_card=unread.card(request.full_path.rstrip("?")),
        scope_words=scope_words(scope),
        choices=[dealer_choice(scope), make_choice(scope)],
        machines=installed.total,
        machines_url=address("market.machines", **scope.arguments),
        statuses=dashboard_page.status_lines(installed.by_status, partial(_status_at, scope)),
        make_bars=dashboard_page.bars((line.make, line.count, line.url) for line in _make_lines(scope, installed)),
        models=dashboard_page.model_bars(installed, partial(_machines_at, scope))[:_PARTS_SHOWN],
        model_count=len(installed.by_model),
        installed_url=address("dashboard.installed", **scope.arguments),
        dealer_bars=_dealer_bars(scope, installed.by_dealer)[:_SHOWN],
        dealers=dealers[:_SHOWN],
        dealer_count=len(dealers),
        silent=sum(line.silent for line in dealers),
        months=months,
        chart=dashboard_page.month_chart(months, node.settings.currency),
        needed=dashboard_page.total_demand(demand),
        overdue=demand.overdue,
        overdue_url=address("market.overdue", **scope.arguments),
        demand_url=address("dashboard.demand", **scope.arguments),
        part_count=len(demand.by_part),
        parts=list(_part_lines(demand.by_part, scope, "", _PARTS_SHOWN)),
        complete=is_complete(node),
        open=dashboard_page.open_line(pipeline, opportunities_at),
        stages=stages,
        pipeline_stages=[line.stage for line in stages],
        pipeline=_pipeline_lines(pipeline, [line.stage for line in stages])[:_SHOWN],
        pipeline_dealers=len({dealer for dealer, _ in pipeline}),
        places=dashboard_page.points(places, partial(_square_at, scope)),
        placed=sum(place.count for place in places),
        placed_url=address("market.machines", placed="yes", **scope.arguments),
        placeable=installed.total - installed.gone,
        places_url=address("dashboard.places", **scope.arguments),
        bulletins=_bulletin_lines(scope),
        jobs_url=address("market.bulletin_machines", state="open", **scope.arguments),
    )


@pages.get("/dashboard/places")
@needs("read:market")
@polled
def places() -> ResponseReturnValue:
    """The machines in the window of the map, counted in squares, as data: the map asks when it is moved."""
    scope = scope_in(request.args)
    sides = [request.args.get(side, type=float) for side in ("south", "west", "north", "east")]
    zoom = request.args.get("zoom", type=int)
    south, west, north, east = (math.nan if side is None else side for side in sides)
    if zoom is None or not all(map(math.isfinite, (south, west, north, east))):
        abort(400, "A part of the map has four sides, in degrees, and a zoom.")
    window = Window(south, west, north, east)
    found = figures.places(current.node(), scope.dealer, scope.make, window, max(0, min(12, zoom)))
    return jsonify(dashboard_page.points(found, partial(_square_at, scope)))


@pages.get("/dashboard/installed")
@needs("read:market")
def installed() -> ResponseReturnValue:
    """The whole installed base by make and model, and by dealer."""
    scope = scope_in(request.args)
    found = figures.installed(current.node(), scope.dealer, scope.make)
    return render_template(
        "dashboard/installed.html",
        choices=[dealer_choice(scope), make_choice(scope)],
        machines=found.total,
        machines_url=address("market.machines", **scope.arguments),
        makes=_make_lines(scope, found),
        dealer_bars=_dealer_bars(scope, found.by_dealer),
        status_bars=dashboard_page.status_lines(found.by_status, partial(_status_at, scope)),
        scope_words=scope_words(scope),
        scope=scope,
    )


@pages.get("/dashboard/pipeline")
@needs("read:market")
def pipeline() -> ResponseReturnValue:
    """The pipeline of every dealer by stage."""
    found = figures.pipeline(current.node(), "")
    stages = dashboard_page.stage_lines(found, partial(_opportunities_at, Scope()))
    return render_template(
        "dashboard/pipeline.html",
        stages=stages,
        open=dashboard_page.open_line(found, partial(_opportunities_at, Scope())),
        pipeline_stages=[line.stage for line in stages],
        pipeline=_pipeline_lines(found, [line.stage for line in stages]),
    )


@pages.get("/demand")
@pages.get("/demand.csv", endpoint="demand_csv")
@pages.get("/demand/<month>")
@needs("read:market")
def demand(month: str = "") -> ResponseReturnValue:
    """The parts behind the demand of a month, or of the coming twelve."""
    node, scope = current.node(), scope_in(request.args)
    month = month or request.args.get("month", "")
    if month:
        found = figures.demand_of_month(node, month, scope.dealer, scope.make)
    else:
        found = dict(figures.demand(node, scope.dealer, scope.make, node.today()).by_part)
    if request.path.endswith(".csv"):
        heads = ["Part", "Name", "Quantity", "Unit", "List price", f"Value, {node.settings.currency}", "Machines"]
        return csv_answer(f"Parts demand {month}", heads, _part_rows(found, scope, month))
    choices = [dealer_choice(scope), make_choice(scope)]
    if month and not found and scope == Scope():
        abort(404, f"No parts are foreseen for {format_month(month)}.")
    return render_template(
        "dashboard/demand.html",
        month=month,
        scope_words=scope_words(scope),
        parts=list(_part_lines(found, scope, month, _MOST_PARTS)),
        part_count=len(found),
        total=sum(found.values(), Amount()),
        unpriced=sum(bool(each.unpriced) for each in found.values()),
        needs_url=_needs_at(scope, month),
        csv_url=address("dashboard.demand_csv", month=month, **scope.arguments),
        choices=choices,
        here=address("dashboard.demand", month=month),
        hidden={},
    )


def dealer_figures() -> DealerFigures:
    """What the list of dealers counts."""
    node = current.node()
    months = figures.months_until(node.today())
    return DealerFigures(
        machines=figures.installed(node, "", None).by_dealer,
        customers=figures.customers(node),
        activities=figures.activities(node, months),
        months=months,
    )


def dealer_lines(counted: DealerFigures) -> list[DealerLine]:
    """The lines of the dealers with these figures."""
    return lines_of_dealers(
        all_dealers(), counted, current.node().now(), lambda code: url_for("dealers.show", code=code), address
    )


def _activity_figures(machines: Mapping[str, int] | None) -> DealerFigures:
    node = current.node()
    months = figures.months_until(node.today())
    by_dealer = figures.dealers(node) if machines is None else machines
    return DealerFigures(by_dealer, {}, figures.activities(node, months), months)


def _make_lines(scope: Scope, installed: figures.Installed) -> list[dashboard_page.MakeLines]:
    return dashboard_page.make_lines(installed, partial(_machines_at, scope))


def _dealer_bars(scope: Scope, by_dealer: Mapping[str, int]) -> list[dashboard_page.Bar]:
    lines = [
        (dealer_name(code), count, address("market.machines", dealer=code, make=as_argument(scope.make)))
        for code, count in sorted(by_dealer.items(), key=lambda each: (-each[1], each[0]))
    ]
    return dashboard_page.bars(lines)


def _pipeline_lines(found: Mapping[tuple[str, str], Sum], stages: list[str]) -> list[dashboard_page.PipelineLine]:
    return dashboard_page.pipeline_lines(found, stages, dealer_name, partial(_opportunities_at, Scope()))


def _part_lines(found: Mapping[str, Amount], scope: Scope, month: str, count: int) -> Iterator[dict[str, Any]]:
    most = dashboard_page.most_needed(found, count)
    documents = current.node().catalog.get_many(part for part, _ in most)
    for part, each in most:
        document = documents.get(part, {})
        yield {
            "id": part,
            "number": str(document.get("number") or part.removeprefix("part:")),
            "name": str(document.get("name") or ""),
            "unit": str(document.get("unit") or ""),
            "price": number(document.get("price")),
            "quantity": each.quantity,
            "value": None if each.unpriced else each.value,
            "machines": each.needs,
            "known": part in documents,
            "url": address("market.demand_machines", month=month, part=part, **scope.arguments),
        }


def _part_rows(found: Mapping[str, Amount], scope: Scope, month: str) -> Iterator[list[Any]]:
    for part in _part_lines(found, scope, month, len(found)):
        value = None if part["value"] is None else round(part["value"], 2)
        yield [
            part["number"], part["name"], round(part["quantity"], 3), part["unit"], part["price"], value,
            part["machines"],
        ]  # fmt: skip


def _bulletin_lines(scope: Scope) -> list[dashboard_page.BulletinLine]:
    node = current.node()
    found = figures.bulletins(node, scope.dealer, scope.make)
    at: Callable[..., str] = partial(address, "market.bulletin_machines", **scope.arguments)
    every = scope == Scope()
    bulletins = [each for each in read_bulletins(node) if every or each["_id"] in found]
    return dashboard_page.bulletin_lines(bulletins, found, at)


def _machines_at(scope: Scope, make: str, model: str | None = None) -> str:
    return address("market.machines", dealer=scope.dealer, make=as_argument(make), model=as_argument(model))


def _status_at(scope: Scope, status: str) -> str:
    return address("market.machines", status=as_argument(status), **scope.arguments)


def _opportunities_at(scope: Scope, stage: str, dealer: str = "") -> str:
    return address("market.opportunities", dealer=dealer or scope.dealer, stage=as_argument(stage))


def _month_at(scope: Scope, month: str) -> str:
    return address("dashboard.demand", month=month, **scope.arguments)


def _needs_at(scope: Scope, month: str) -> str:
    return address("market.demand_machines", month=month, **scope.arguments)


def _square_at(scope: Scope, square: str) -> str:
    return address("market.machines", square=square, **scope.arguments)
