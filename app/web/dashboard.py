"""Head office's first page: installed base, parts demand, pipeline, machines on a map, dealers, bulletins."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.market import figures
from app.market.figures import Amount
from app.market.places import Window
from app.parts.plans import number
from app.parts.serials import plain
from app.security.access import needs, polled
from app.web import current, dashboard_page
from app.web.dashboard_page import DealerFigures, DealerLine, MakeLines
from app.web.formatting import format_month
from app.web.machines import read_bulletins
from app.web.market import dealer_choice, make_choice
from app.web.market_scope import Scope, address, all_dealers, as_argument, dealer_name, scope_in

pages = Blueprint("dashboard", __name__)
NODE_ROLE = "manufacturer"

_SHOWN = 8
_PARTS_SHOWN = 10


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
    months = dashboard_page.month_lines(demand.by_month, partial(_month_at, scope))
    places = figures.first_places(node, scope.dealer, scope.make)
    makes = _make_lines(scope, installed)
    stages = dashboard_page.stage_lines(pipeline, opportunities_at)
    return render_template(
        "dashboard/show.html",
        scope=scope,
        scope_words=" · ".join(each for each in (scope.make or "", dealer_name(scope.dealer)) if each),
        choices=[dealer_choice(scope), make_choice(scope)],
        machines=installed.total,
        machines_url=address("market.machines", **scope.arguments),
        gone=installed.gone or 0,
        gone_url=address("market.machines", gone="yes", dealer=scope.dealer),
        makes=makes,
        make_bars=dashboard_page.bars((line.make, line.count, line.url) for line in makes),
        models=dashboard_page.model_bars(installed, partial(_machines_at, scope))[:_PARTS_SHOWN],
        model_count=len(installed.by_model),
        dealer_bars=_dealer_bars(scope, installed.by_dealer)[:_SHOWN],
        dealers=_dealer_lines(installed.by_dealer)[:_SHOWN],
        dealer_count=len(all_dealers()),
        silent=_silent(),
        months=months,
        chart=dashboard_page.month_chart(months, node.settings.currency),
        needed=dashboard_page.total_demand(demand),
        demand_url=address("dashboard.demand", **scope.arguments),
        parts=_part_lines(demand.by_part, scope),
        model_needs=_model_need_lines(demand.by_model, scope),
        open=dashboard_page.open_line(pipeline, opportunities_at),
        stages=stages,
        pipeline_stages=[line.stage for line in stages],
        pipeline=_pipeline_lines(pipeline, [line.stage for line in stages])[:_SHOWN],
        pipeline_dealers=len({dealer for dealer, _ in pipeline}),
        places=dashboard_page.points(places, partial(_square_at, scope)),
        placed=sum(place.count for place in places),
        places_url=address("dashboard.places", **scope.arguments),
        bulletins=_bulletin_lines(scope),
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
        makes=_make_lines(scope, found),
        dealer_bars=_dealer_bars(scope, found.by_dealer),
        scope_words=" · ".join(each for each in (scope.make or "", dealer_name(scope.dealer)) if each),
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
@pages.get("/demand/<month>")
@needs("read:market")
def demand(month: str = "") -> ResponseReturnValue:
    """The parts (or, of a make, the models) behind the demand of a month, or of the coming twelve."""
    node, scope = current.node(), scope_in(request.args)
    month = month or request.args.get("month", "")
    if scope.make is not None and scope.dealer and month:
        return redirect(address("market.demand_machines", month=month, **scope.arguments))
    if month:
        found = figures.demand_of_month(node, month, scope.dealer, scope.make)
    else:
        coming = figures.demand(node, scope.dealer, scope.make, node.today())
        found = dict(coming.by_part or coming.by_model)
    if month and not found:
        abort(404, f"No parts are foreseen for {format_month(month)}.")
    total = sum(found.values(), Amount())
    return render_template(
        "dashboard/demand.html",
        month=month,
        scope_words=" · ".join(each for each in (scope.make or "", dealer_name(scope.dealer)) if each),
        parts=_part_lines(found, scope, month, len(found)) if scope.make is None else [],
        models=_model_need_lines(found, scope, month) if scope.make is not None else [],
        total=total,
        choices=[dealer_choice(scope), make_choice(scope)],
        here=address("dashboard.demand", month=month),
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
    return dashboard_page.dealer_lines(
        all_dealers(), counted, current.node().now(), lambda code: url_for("dealers.show", code=code), address
    )


def _dealer_lines(machines: Any) -> list[DealerLine]:
    node = current.node()
    months = figures.months_until(node.today())
    return dealer_lines(DealerFigures(machines, {}, figures.activities(node, months), months))


def _silent() -> int:
    now = current.node().now()
    states = [dashboard_page.dealer_state(dealer, now) for dealer in all_dealers() if not dealer.left_at]
    return sum(days >= dashboard_page.SILENT_DAYS or days < 0 for _, _, days in states)


def _make_lines(scope: Scope, installed: figures.Installed) -> list[MakeLines]:
    return dashboard_page.make_lines(installed, partial(_machines_at, scope))


def _dealer_bars(scope: Scope, by_dealer: Any) -> list[dashboard_page.Bar]:
    lines = [
        (dealer_name(code), count, address("market.machines", dealer=code, make=as_argument(scope.make)))
        for code, count in sorted(by_dealer.items(), key=lambda each: (-each[1], each[0]))
    ]
    return dashboard_page.bars(lines)


def _pipeline_lines(found: Any, stages: list[str]) -> list[dashboard_page.PipelineLine]:
    return dashboard_page.pipeline_lines(found, stages, dealer_name, partial(_opportunities_at, Scope()))


def _part_lines(found: Any, scope: Scope, month: str = "", count: int = _PARTS_SHOWN) -> list[dict[str, Any]]:
    most = dashboard_page.most_needed(found, count)
    documents = current.node().catalog.get_many(part for part, _ in most)
    return [
        {
            "id": part,
            "number": str(documents.get(part, {}).get("number") or part.removeprefix("part:")),
            "name": str(documents.get(part, {}).get("name") or ""),
            "unit": str(documents.get(part, {}).get("unit") or ""),
            "price": number(documents.get(part, {}).get("price")),
            "quantity": each.quantity,
            "value": each.value,
            "known": part in documents,
            "url": address("market.demand_machines", month=month, part=part, dealer=scope.dealer),
        }
        for part, each in most
    ]


def _model_need_lines(found: Any, scope: Scope, month: str = "") -> list[dict[str, Any]]:
    return [
        {
            "model": model or "not told",
            "quantity": each.quantity,
            "value": each.value,
            "url": address(
                "market.demand_machines", month=month, make=as_argument(scope.make), model=as_argument(model)
            ),
        }
        for model, each in dashboard_page.most_needed(found, len(found))
    ]


def _bulletin_lines(scope: Scope) -> list[dashboard_page.BulletinLine]:
    node = current.node()
    bulletins = [
        bulletin
        for bulletin in read_bulletins(node)
        if scope.make is None or plain(bulletin.get("make")) == plain(scope.make)
    ]
    at: Callable[..., str] = partial(address, "market.bulletin_machines", dealer=scope.dealer)
    return dashboard_page.bulletin_lines(bulletins, figures.bulletins(node, scope.dealer), at)


def _machines_at(scope: Scope, make: str, model: str | None = None) -> str:
    return address("market.machines", dealer=scope.dealer, make=as_argument(make), model=as_argument(model))


def _opportunities_at(scope: Scope, stage: str, dealer: str = "") -> str:
    return address("market.opportunities", dealer=dealer or scope.dealer, stage=as_argument(stage))


def _month_at(scope: Scope, month: str) -> str:
    return address("dashboard.demand", month=month, **scope.arguments)


def _square_at(scope: Scope, square: str) -> str:
    return address("market.machines", square=square, **scope.arguments)
