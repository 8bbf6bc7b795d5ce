"""Head office's first page: installed base, demand for parts, pipeline, machines on a map, each dealer's last sync."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.couch import Row
from app.replication.dealers import dealers
from app.security.access import needs
from app.web import current, frame, lists
from app.web.lookup import title_of

NODE_ROLE = "manufacturer"
pages = Blueprint("dashboard", __name__)

_STAGES = ("lead", "qualified", "quoted", "negotiation", "won", "lost")
_MONTHS = 12
_ROWS = 500


@pages.get("/")
@needs("read:market", "read:catalog")
def start() -> ResponseReturnValue:
    """Where signing in leads on head office's node."""
    return redirect(url_for("dashboard.show"))


@pages.get("/dashboard")
@needs("read:market")
def show() -> ResponseReturnValue:
    """The figures over all dealers; each opens into the rows behind it."""
    market, forecast = current.node().market, current.node().forecast
    installed = market.view("market", "installed", group_level=2).rows
    by_dealer = market.view("market", "installed_by_dealer", group_level=1).rows
    demand = forecast.view("forecast", "by_month", group_level=1).rows[:_MONTHS]
    return render_template(
        "dashboard/show.html",
        models=_models(installed),
        makes=_makes(installed),
        machines=sum(row.value for row in by_dealer),
        dealers=_dealers(by_dealer),
        demand=[(row.key[0], row.value, url_for("dashboard.demand", month=row.key[0])) for row in demand],
        pipeline=_pipeline(market.view("market", "pipeline", group=True).rows),
        points=_points(market.view("market", "places", group=True).rows),
    )


@pages.get("/demand/<month>")
@needs("read:market")
def demand(month: str) -> ResponseReturnValue:
    """The parts that all machines will need in one month."""
    rows = (
        current.node()
        .forecast.view("forecast", "by_month", group=True, startkey=[month], endkey=[month, {}], inclusive_end=True)
        .rows
    )
    if not rows:
        abort(404, f"No parts are foreseen for {month}.")
    parts = current.node().catalog.get_many(row.key[1] for row in rows)
    lines = [
        {
            "title": _part_title(row.key[1], parts),
            "url": frame.document_url(row.key[1]),
            "quantity": row.value,
            "unit": parts.get(row.key[1], {}).get("unit", ""),
            "rows_url": url_for("dashboard.demand_rows", month=month, part=row.key[1]),
        }
        for row in rows
    ]
    return render_template("dashboard/demand.html", month=month, lines=sorted(lines, key=lambda line: line["title"]))


@pages.get("/demand/<month>/<path:part>")
@needs("read:market")
def demand_rows(month: str, part: str) -> ResponseReturnValue:
    """The machines that will need one part in one month."""
    rows = (
        current.node()
        .forecast.view("forecast", "by_month", key=[month, part], reduce=False, include_docs=True, limit=_ROWS)
        .rows
    )
    if not rows:
        abort(404, f"No machine is foreseen to need this part in {month}.")
    lines = [(row.doc, frame.document_url(row.doc["machine"]), row.value) for row in rows if row.doc]
    parts = current.node().catalog.get_many([part])
    return render_template(
        "dashboard/demand_rows.html",
        month=month,
        title=_part_title(part, parts),
        unit=parts.get(part, {}).get("unit", ""),
        lines=lines,
        cut=len(rows) == _ROWS,
    )


def _part_title(part: str, parts: dict[str, dict[str, Any]]) -> str:
    """What a part is called; of one that the catalog does not have, its number."""
    return title_of(parts[part], current.forms()) if part in parts else part.partition(":")[2]


def _models(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {"make": row.key[0], "model": row.key[1], "count": row.value, "url": lists.url_of("machines", row.key[:2])}
        for row in rows
    ]


def _makes(rows: list[Row]) -> list[tuple[str, int]]:
    counted: Counter[str] = Counter()
    for row in rows:
        counted[row.key[0]] += row.value
    return counted.most_common()


def _dealers(rows: list[Row]) -> list[dict[str, Any]]:
    counts = {row.key[0]: row.value for row in rows}
    return [
        {
            "code": dealer.code,
            "name": dealer.name,
            "machines": counts.get(dealer.code, 0),
            "url": lists.url_of("machines-by-dealer", (dealer.code,)),
            "last_sync": dealer.last_sync,
            "refused": sum(report.refused for report in dealer.nodes),
            "left": bool(dealer.left_at),
        }
        for dealer in dealers(current.node())
    ]


def _pipeline(rows: list[Row]) -> list[dict[str, Any]]:
    """A line for each stage, in the order of a sale: count, value, and count and value by dealer."""
    stages: dict[str, dict[str, Any]] = {}
    for row in rows:
        stage, dealer = row.key
        line = stages.setdefault(
            stage, {"stage": stage, "count": 0, "value": 0.0, "url": lists.url_of("opportunities", (stage,)), "by": []}
        )
        line["count"] += row.value["count"]
        line["value"] += row.value["sum"]
        line["by"].append((dealer, row.value["count"], row.value["sum"]))
    order = {stage: position for position, stage in enumerate(_STAGES)}
    return sorted(stages.values(), key=lambda line: (order.get(line["stage"], len(order)), line["stage"]))


def _points(rows: list[Row]) -> list[dict[str, Any]]:
    return [
        {
            "latitude": row.key[0],
            "longitude": row.key[1],
            "title": f"{row.value} machine{'' if row.value == 1 else 's'}",
            "url": "",
            "note": "around here",
        }
        for row in rows
    ]
