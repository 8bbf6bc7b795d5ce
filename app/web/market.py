"""The rows behind head office's figures: machines, opportunities, activities, customers over all dealers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue

from app.couch import Database, Row
from app.market import ranges
from app.market.places import is_square
from app.market.ranges import Range
from app.market.rows import all_rows, read_rows
from app.security.access import needs
from app.web import current, market_rows
from app.web.csv_export import csv_answer
from app.web.dashboard_page import STAGES
from app.web.formatting import format_month
from app.web.market_rows import Known, Table
from app.web.market_scope import Scope, address, all_dealers, as_argument, dealer_name, from_argument, scope_in

pages = Blueprint("market", __name__, url_prefix="/market")
NODE_ROLE = "manufacturer"

ROWS = 50


@dataclass(frozen=True)
class Choice:
    """A choice over a table: the name in the address, its label, `(value, words)`, what is chosen."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Shown:
    """What a page of rows is about: its title, the range, the table, the words under the title, choices over it."""

    title: str
    rows: Range
    table: Table
    words: str = ""
    choices: Sequence[Choice] = ()
    empty: str = "Nothing fits what is chosen."
    above: Sequence[tuple[str, str]] = field(default_factory=tuple)


@pages.get("/machines")
@pages.get("/machines.csv", endpoint="machines_csv")
@needs("read:market")
def machines() -> ResponseReturnValue:
    """Machines of a dealer, a make, a model, in a square of the map, or sold on and scrapped (``gone``)."""
    scope, model = scope_in(request.args), from_argument(request.args.get("model", ""))
    square, gone = request.args.get("square", ""), bool(request.args.get("gone"))
    if not is_square(square):
        abort(404, "This is no part of the map.")
    wanted = ranges.machines(scope.dealer, scope.make, model)
    if gone:
        wanted = ranges.machines_gone(scope.dealer)
    elif square:
        wanted = ranges.places(scope.dealer, scope.make, square)
    words = [] if scope.make is None else [scope.make or "make not told"]
    words += [] if model is None else [model or "model not told"]
    words += ["in one part of the map"] if square else []
    title = "Machines sold on or scrapped" if gone else "Machines"
    choices = [dealer_choice(scope)] if gone else [dealer_choice(scope), make_choice(scope)]
    return _answer(Shown(title, wanted, market_rows.MACHINES, _words(scope, words), choices))


@pages.get("/opportunities")
@pages.get("/opportunities.csv", endpoint="opportunities_csv")
@needs("read:market")
def opportunities() -> ResponseReturnValue:
    """Opportunities of a dealer, in a stage, or ``open``."""
    scope, stage = scope_in(request.args), from_argument(request.args.get("stage", ""))
    stages = [("", "all"), ("open", "open"), *((each, each.capitalize()) for each in STAGES)]
    if stage and stage not in dict(stages):
        stages.append((stage, stage))
    choices = [dealer_choice(scope), Choice("stage", "Stage", stages, as_argument(stage))]
    words = [] if stage is None else [f"stage {stage or 'not told'}" if stage != "open" else "neither won nor lost"]
    wanted = ranges.opportunities(scope.dealer, stage)
    return _answer(Shown("Opportunities", wanted, market_rows.OPPORTUNITIES, _words(scope, words), choices))


@pages.get("/activities")
@pages.get("/activities.csv", endpoint="activities_csv")
@needs("read:market")
def activities() -> ResponseReturnValue:
    """The activities of a month, the newest first."""
    scope = scope_in(request.args)
    month = request.args.get("month", "") or current.node().today().strftime("%Y-%m")
    wanted = ranges.activities(month, scope.dealer)
    words = _words(scope, [format_month(month)])
    shown = Shown("Activities", wanted, market_rows.ACTIVITIES, words, [dealer_choice(scope)])
    return _answer(shown, month=month)


@pages.get("/customers")
@pages.get("/customers.csv", endpoint="customers_csv")
@needs("read:market")
def customers() -> ResponseReturnValue:
    """Customers by dealer and name."""
    scope = scope_in(request.args)
    wanted = ranges.customers(scope.dealer)
    return _answer(Shown("Customers", wanted, market_rows.CUSTOMERS, _words(scope, []), [dealer_choice(scope)]))


@pages.get("/demand/machines")
@pages.get("/demand/machines.csv", endpoint="demand_machines_csv")
@needs("read:market")
def demand_machines() -> ResponseReturnValue:
    """The machines that will need a part, or the parts of a model, in a month or in the coming twelve."""
    scope, model = scope_in(request.args), from_argument(request.args.get("model", ""))
    month, part = request.args.get("month", ""), request.args.get("part", "")
    wanted = ranges.demand(month, part, scope.dealer, scope.make, model)
    if wanted is None:
        abort(404, "This cannot be told in that combination: choose a part or a model.")
    title = "Machines that need parts"
    above = [("Parts demand", address("dashboard.demand", month=month, **scope.arguments))]
    words = [] if scope.make is None else [" ".join(each for each in (scope.make, model) if each)]
    if part:
        document = current.node().catalog.get(part) or {"number": part.removeprefix("part:")}
        title = f"Machines that need {document.get('number')}"
        words.append(str(document.get("name") or ""))
    words.append(format_month(month) if month else "in the coming twelve months")
    table = market_rows.DEMAND if month else market_rows.DEMAND_BY_MONTH
    empty = "No machine is foreseen to need this."
    return _answer(Shown(title, wanted, table, _words(scope, words), (), empty, above))


@pages.get("/bulletin-machines")
@pages.get("/bulletin-machines.csv", endpoint="bulletin_machines_csv")
@needs("read:market")
def bulletin_machines() -> ResponseReturnValue:
    """The machines that a bulletin concerns: all, those it is ``open`` for, those where it is ``done``."""
    scope, bulletin_id = scope_in(request.args), request.args.get("bulletin", "")
    bulletin = current.node().catalog.get(bulletin_id)
    if bulletin is None or bulletin.get("type") != "bulletin":
        abort(404, f"There is no bulletin “{bulletin_id.removeprefix('bulletin:')}” in the catalog.")
    state = request.args.get("state", "")
    state = state if state in ("open", "done") else ""
    choices = [dealer_choice(scope), Choice("state", "Show", [("", "all"), ("open", "open"), ("done", "done")], state)]
    wanted = ranges.bulletin(bulletin_id, state, scope.dealer)
    title = f"Machines of bulletin {bulletin.get('code')}"
    above = [(str(bulletin.get("code")), address("catalog.bulletin", document_id=bulletin_id))]
    words = _words(scope, [str(bulletin.get("title") or ""), state])
    return _answer(Shown(title, wanted, market_rows.BULLETIN, words, choices, "No machine is concerned.", above))


def dealer_choice(scope: Scope) -> Choice:
    """The choice of a dealer, those that left too, for their machines are still here."""
    named = [(dealer.code, f"{dealer.code} {dealer.name}") for dealer in all_dealers()]
    return Choice("dealer", "Dealer", [("", "all"), *named], scope.dealer)


def make_choice(scope: Scope) -> Choice:
    """The choice of a make that a machine is of."""
    market = current.node().market
    rows = market.view("market", "machines", startkey=["model"], endkey=["model", {}], group_level=2).rows
    named = [(as_argument(row.key[1]), row.key[1] or "not told") for row in rows]
    chosen = as_argument(scope.make)
    if chosen and chosen not in dict(named):
        abort(404, f"No machine of the make “{scope.make}” is known here.")
    return Choice("make", "Make", [("", "all"), *named], chosen)


def _words(scope: Scope, words: Sequence[str]) -> str:
    said = [*words, dealer_name(scope.dealer) if scope.dealer else ""]
    return " · ".join(each for each in said if each)


def _answer(shown: Shown, **hidden: str) -> ResponseReturnValue:
    """The page of rows, or all of them as CSV."""
    node = current.node()
    database = node.forecast if shown.rows.database == "forecast" else node.market
    if request.path.endswith(".csv"):
        return csv_answer(shown.title, [label for label, _ in shown.table.heads], _csv_rows(database, shown))
    page = read_rows(database, shown.rows, request.args.get("start", ""), bool(request.args.get("back")), ROWS)
    counted = database.view(shown.rows.database, shown.rows.view, **shown.rows.query()).rows
    arguments = {name: value for name, value in request.args.items() if value and name not in ("start", "back")}
    here = request.endpoint or ""
    chosen = {choice.name for choice in shown.choices}
    return render_template(
        "market/rows.html",
        shown=shown,
        total=_count(counted[0].value) if counted else 0,
        lines=shown.table.lines(page.rows, _known(shown.table, page.rows)),
        here=address(here),
        hidden={name: value for name, value in {**arguments, **hidden}.items() if name not in chosen},
        csv_url=address(f"{here}_csv", **arguments),
        first=address(here, **arguments) if page.previous else "",
        previous=address(here, **arguments, start=page.previous, back="yes") if page.previous else "",
        next=address(here, **arguments, start=page.next) if page.next else "",
    )


def _count(value: Any) -> int | None:
    """The number of rows where the view counts them; None where it adds up quantities."""
    if isinstance(value, dict):
        return int(value["count"])
    if isinstance(value, list):
        return int(value[0]) if len(value) == 3 else None
    return int(value)


def _known(table: Table, rows: Sequence[Row]) -> Known:
    node = current.node()
    names = {dealer.code: dealer.name for dealer in all_dealers()}
    return Known(node.market.get_many(table.named(rows)), node.forecast.get_many(table.standings_of(rows)), names)


def _csv_rows(database: Database, shown: Shown) -> Iterator[list[Any]]:
    for rows in all_rows(database, shown.rows):
        for line in shown.table.lines(rows, _known(shown.table, rows)):
            yield [cell.title or cell.value for cell in line.cells]
