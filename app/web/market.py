"""The rows behind head office's figures: machines, opportunities, activities, customers, needs, over all dealers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, abort, g, render_template, request
from flask.typing import ResponseReturnValue

from app.couch import Database, Row
from app.market import figures, ranges
from app.market.places import is_square
from app.market.ranges import Range
from app.market.rows import all_rows, read_rows
from app.security.access import needs
from app.web import current, market_rows
from app.web.csv_export import csv_answer
from app.web.dashboard_page import STAGES, STATUSES
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
    """What a page of rows is about: its title, the range, the table, what a row is called (one, several), the words
    under the title, choices over it, what is chosen besides, and the pages it hangs below.
    """

    title: str
    rows: Range
    table: Table
    called: tuple[str, str]
    words: Sequence[str] = ()
    choices: Sequence[Choice] = ()
    empty: str = "Nothing fits what is chosen."
    above: Sequence[tuple[str, str]] = field(default_factory=tuple)
    unit: str = ""


_MACHINES = ("machine", "machines")
_NEEDS = ("need", "needs")


@pages.get("/machines")
@pages.get("/machines.csv", endpoint="machines_csv")
@needs("read:market")
def machines() -> ResponseReturnValue:
    """Machines of a dealer, a make, a model, with a status, or those on the map (``placed``), or a square of it."""
    scope, model = scope_in(request.args), from_argument(request.args.get("model", ""))
    square, status = request.args.get("square", ""), from_argument(request.args.get("status", ""))
    if not is_square(square):
        abort(404, "This is no part of the map.")
    if square or request.args.get("placed"):
        words = ["in one part of the map"] if square else ["with a known position"]
        wanted = ranges.places(scope.dealer, scope.make, square)
        return _answer(
            Shown(
                "Machines", wanted, market_rows.MACHINES, _MACHINES, words, [dealer_choice(scope), make_choice(scope)]
            )
        )
    statuses = [("", "all"), *((each, each.capitalize()) for each in STATUSES)]
    if as_argument(status) not in dict(statuses):
        statuses.append((as_argument(status), status or "not told"))
    choices = [dealer_choice(scope), Choice("status", "Status", statuses, as_argument(status))]
    above: list[tuple[str, str]] = []
    if scope.make is not None and model is not None:
        # Another make has other models: the way there leads over all machines of the make.
        above = [(scope.make or "Make not told", address("market.machines", **scope.arguments))]
    else:
        model = None
        choices.insert(1, make_choice(scope))
    words = [] if scope.make is None else [scope.make or "make not told"]
    words += [] if model is None else [model or "model not told"]
    words += [] if status is None else [status or "status not told"]
    wanted = ranges.machines(scope.dealer, scope.make, model, status)
    return _answer(Shown("Machines", wanted, market_rows.MACHINES, _MACHINES, words, choices, above=above))


@pages.get("/opportunities")
@pages.get("/opportunities.csv", endpoint="opportunities_csv")
@needs("read:market")
def opportunities() -> ResponseReturnValue:
    """Opportunities of a dealer, in a stage, or ``open``."""
    scope, stage = scope_in(request.args), from_argument(request.args.get("stage", ""))
    stages = [("", "all"), ("open", "open"), *((each, each.capitalize()) for each in STAGES)]
    if as_argument(stage) not in dict(stages):
        stages.append((as_argument(stage), stage or "not told"))
    choices = [dealer_choice(scope), Choice("stage", "Stage", stages, as_argument(stage))]
    words = [] if stage is None else [f"stage {stage or 'not told'}" if stage != "open" else "neither won nor lost"]
    wanted = ranges.opportunities(scope.dealer, stage)
    called = ("opportunity", "opportunities")
    return _answer(Shown("Opportunities", wanted, market_rows.OPPORTUNITIES, called, words, choices))


@pages.get("/activities")
@pages.get("/activities.csv", endpoint="activities_csv")
@needs("read:market")
def activities() -> ResponseReturnValue:
    """The activities of a month, the newest first."""
    scope = scope_in(request.args)
    month = request.args.get("month", "") or current.node().today().strftime("%Y-%m")
    wanted, called = ranges.activities(month, scope.dealer), ("activity", "activities")
    choices = [dealer_choice(scope)]
    shown = Shown("Activities", wanted, market_rows.ACTIVITIES, called, [format_month(month)], choices)
    return _answer(shown, month=month)


@pages.get("/customers")
@pages.get("/customers.csv", endpoint="customers_csv")
@needs("read:market")
def customers() -> ResponseReturnValue:
    """Customers by dealer and name."""
    scope = scope_in(request.args)
    wanted, called = ranges.customers(scope.dealer), ("customer", "customers")
    return _answer(Shown("Customers", wanted, market_rows.CUSTOMERS, called, (), [dealer_choice(scope)]))


@pages.get("/demand/machines")
@pages.get("/demand/machines.csv", endpoint="demand_machines_csv")
@needs("read:market")
def demand_machines() -> ResponseReturnValue:
    """The machines that will need parts, or one part, in a month or in the coming twelve; or those of a model."""
    scope, model = scope_in(request.args), from_argument(request.args.get("model", ""))
    month, part = request.args.get("month", ""), request.args.get("part", "")
    when = format_month(month) if month else "in the coming twelve months"
    above = [("Parts demand", address("dashboard.demand", month=month, **scope.arguments))]
    empty = "No machine is foreseen to need this."
    if model is not None and scope.make is not None:
        if part or scope.dealer:
            abort(404, "What a model needs is told for all dealers and all parts together.")
        wanted = ranges.model_demand(scope.make, model, month)
        words = [" ".join(each for each in (scope.make, model) if each), when]
        shown = Shown(
            "Machines that need parts", wanted, market_rows.MODEL_NEEDS, _MACHINES, words, (), empty, above
        )  # fmt: skip
        return _answer(shown)
    wanted = ranges.demand(scope.dealer, scope.make, month, part)
    choices = [dealer_choice(scope), make_choice(scope)]
    if not part:
        shown = Shown("What machines need", wanted, market_rows.NEEDS, _NEEDS, [when], choices, empty, above)
        return _answer(shown)
    document = current.node().catalog.get(part) or {"number": part.removeprefix("part:")}
    title = f"Machines that need {document.get('number')}"
    words = [str(document.get("name") or ""), when]
    unit = str(document.get("unit") or "")
    return _answer(Shown(title, wanted, market_rows.NEEDS_OF_PART, _MACHINES, words, choices, empty, above, unit))


@pages.get("/overdue")
@pages.get("/overdue.csv", endpoint="overdue_csv")
@needs("read:market")
def overdue() -> ResponseReturnValue:
    """Machines with work of their service plan that should have been done already."""
    scope = scope_in(request.args)
    wanted, choices = ranges.overdue(scope.dealer, scope.make), [dealer_choice(scope), make_choice(scope)]
    empty = "No machine has work that is overdue."
    return _answer(Shown("Overdue service", wanted, market_rows.OVERDUE, _MACHINES, (), choices, empty))


@pages.get("/bulletin-machines")
@pages.get("/bulletin-machines.csv", endpoint="bulletin_machines_csv")
@needs("read:market")
def bulletin_machines() -> ResponseReturnValue:
    """The machines that a bulletin, or any, concerns: all, those it is ``open`` for, those where it is ``done``."""
    scope, bulletin_id = scope_in(request.args), request.args.get("bulletin", "")
    state = request.args.get("state", "")
    state = state if state in ("open", "done") else ""
    choices = [
        dealer_choice(scope),
        make_choice(scope),
        Choice("state", "Show", [("", "all"), ("open", "open"), ("done", "done")], state),
    ]
    wanted = ranges.bulletin(bulletin_id, state, scope.dealer, scope.make)
    words, empty = [state], "No machine is concerned."
    if not bulletin_id:
        called = ("bulletin job", "bulletin jobs")
        return _answer(Shown("Bulletin jobs", wanted, market_rows.BULLETINS, called, words, choices, empty))
    bulletin = current.node().catalog.get(bulletin_id)
    if bulletin is None or bulletin.get("type") != "bulletin":
        abort(404, f"There is no bulletin “{bulletin_id.removeprefix('bulletin:')}” in the catalog.")
    title = f"Machines of bulletin {bulletin.get('code')}"
    above = [(str(bulletin.get("code")), address("catalog.bulletin", document_id=bulletin_id))]
    words = [str(bulletin.get("title") or ""), state]
    return _answer(Shown(title, wanted, market_rows.BULLETIN, _MACHINES, words, choices, empty, above))


def dealer_choice(scope: Scope) -> Choice:
    """The choice of a dealer, those that left too, for their machines are still here."""
    named = [(dealer.code, f"{dealer.code} {dealer.name}") for dealer in all_dealers()]
    return Choice("dealer", "Dealer", [("", "all"), *named], scope.dealer)


def make_choice(scope: Scope) -> Choice:
    """The choice of a make that a machine is of. Answers 404 for one that no machine is of."""
    if "makes" not in g:
        g.makes = figures.makes(current.node())
    named = [(as_argument(make), make or "not told") for make in g.makes]
    chosen = as_argument(scope.make)
    if chosen and chosen not in dict(named):
        abort(404, f"No machine of the make “{scope.make}” is known here.")
    return Choice("make", "Make", [("", "all"), *named], chosen)


def scope_words(scope: Scope) -> str:
    """Whose figures a page shows, in words; empty for all."""
    make = [] if scope.make is None else [scope.make or "make not told"]
    return " · ".join([*make, *([dealer_name(scope.dealer)] if scope.dealer else [])])


def _answer(shown: Shown, **hidden: str) -> ResponseReturnValue:
    """The page of rows, or all of them as CSV."""
    node = current.node()
    database = figures.database_of(node, shown.rows)
    if request.path.endswith(".csv"):
        title = " ".join([shown.title, *shown.words])
        wanted = figures.ranges_of(node, shown.rows)
        return csv_answer(title, shown.table.csv_heads(node.settings.currency), _csv_rows(database, shown, wanted))
    together, wanted = figures.counted(node, shown.rows)
    page = read_rows(database, wanted, request.args.get("start", ""), bool(request.args.get("back")), ROWS)
    known = _known(shown.table, page.rows)
    arguments = {name: value for name, value in request.args.items() if value and name not in ("start", "back")}
    here = request.endpoint or ""
    chosen = {choice.name for choice in shown.choices}
    said = [each for each in (*shown.words, *_words_of_choices(shown.choices)) if each]
    return render_template(
        "market/rows.html",
        shown=shown,
        tight=market_rows.TIGHT,
        totals=market_rows.totals(together, shown.table, shown.called, node.settings.currency, shown.unit),
        words=list(dict.fromkeys(said)),
        lines=shown.table.lines(page.rows, known),
        here=address(here),
        hidden={name: value for name, value in {**arguments, **hidden}.items() if name not in chosen},
        csv_url=address(f"{here}_csv", **{**arguments, **hidden}),
        first=address(here, **arguments) if page.previous else "",
        previous=address(here, **arguments, start=page.previous, back="yes") if page.previous else "",
        next=address(here, **arguments, start=page.next) if page.next else "",
    )


def _words_of_choices(choices: Sequence[Choice]) -> list[str]:
    """What is chosen, for paper and for who cannot see the choices."""
    scope = scope_in(request.args)
    makes = [scope.make or "make not told"] if scope.make is not None else []
    return [*makes, dealer_name(scope.dealer)] if choices else []


def _known(table: Table, rows: Sequence[Row]) -> Known:
    node = current.node()
    names = {dealer.code: dealer.name for dealer in all_dealers()}
    return Known(
        documents=node.market.get_many(table.named(rows)),
        standings=node.forecast.get_many(table.standings_of(rows)),
        catalog=node.catalog.get_many(table.catalog_of(rows)),
        dealers=names,
        today=node.today(),
    )


def _csv_rows(database: Database, shown: Shown, wanted: Sequence[Range]) -> Iterator[list[Any]]:
    for rows in all_rows(database, wanted):
        yield from shown.table.csv_rows(rows, _known(shown.table, rows))
