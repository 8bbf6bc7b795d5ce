"""The parts desk: what all machines will need within a horizon, by part and by customer, as CSV and as a pick list."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, render_template, request, stream_template, url_for
from flask.typing import ResponseReturnValue

from app.parts import questions
from app.parts.desk import PartsDesk, parts_desk
from app.parts.questions import Question
from app.security.access import needs
from app.web import current, dispute_marks
from app.web.csv_export import csv_answer
from app.web.frame import is_fragment
from app.web.lookup import title_of
from app.web.needs import desk_progress, kept_answer, lines_of
from app.web.parts_lists import CSV_COLUMNS, CustomerNeeds, by_customer, csv_row, part_totals
from app.web.pieces import in_pieces
from app.words import counted

pages = Blueprint("parts_desk", __name__)
NODE_ROLE = "dealer"

HORIZONS = (7, 14, 30, 90, 180, 365)
# A page nobody scrolls through to its end: the CSV and the pick list have everything.
_PARTS_SHOWN = 300
_CUSTOMERS_SHOWN = 60


@dataclass(frozen=True)
class Filters:
    """What of the needs is shown; empty texts for everything."""

    days: int
    by: str = "part"
    make: str = ""
    customer: str = ""
    machine: str = ""
    part: str = ""
    only: str = ""

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The filters as an address has them; those that say nothing are left out."""
        changed = replace(self, **changes)
        return {name: value for name, value in vars(changed).items() if value}

    def question(self) -> Question:
        """What the parts desk is asked."""
        only_overdue = self.only == "overdue"
        return parts_desk(current.node()).question(
            self.days,
            make=self.make,
            customer=self.customer,
            machine=self.machine,
            part=self.part,
            overdue=only_overdue,
        )


@pages.get("/parts-desk")
@needs("read:book")
def show() -> ResponseReturnValue:
    """What is needed, grouped by part or by customer."""
    filters = _filters()
    template = "parts_desk/body.html" if is_fragment() else "parts_desk/show.html"
    building = desk_progress(current.node(), filters.days)
    links = _links(filters)
    if building is not None:
        return render_template(template, building=building, days=filters.days, links=links)
    question = filters.question()
    answer = kept_answer(current.node(), "parts desk", (filters.by, question), lambda: _answer(filters.by, question))
    rows = answer["rows"]
    if filters.by == "part":
        rows = [
            {**vars(total), "url": url_for("parts_desk.show", **filters.arguments(by="customer", part=total.part))}
            for total in rows
        ]
    else:
        for customer in rows:
            dispute_marks.expect([customer.customer_id, *(machine.machine_id for machine in customer.machines)])
    return render_template(template, building=None, **vars(filters), **{**answer, "rows": rows}, links=links)


def _answer(by: str, question: Question) -> dict[str, Any]:
    """What the page shows of a question, the same for everybody."""
    rows: Sequence[Any]
    with parts_desk(current.node()).asking() as connection:
        if by == "customer":
            customers = questions.customers(connection, question, _CUSTOMERS_SHOWN + 1)
            more = len(customers) > _CUSTOMERS_SHOWN
            rows = _of_customers(connection, question, customers[:_CUSTOMERS_SHOWN])
        else:
            parts = questions.part_sums(connection, question, _PARTS_SHOWN + 1)
            more = len(parts) > _PARTS_SHOWN
            rows = part_totals(parts[:_PARTS_SHOWN], question.today)
        makes, customers_to_choose = questions.choices(connection, question)
        totals = questions.sums(connection, question)
    return {
        "rows": rows,
        "more": more,
        "totals": totals,
        "horizons": sorted({*HORIZONS, question.days}),
        "makes": makes,
        "customers": customers_to_choose,
    }


def _of_customers(connection: sqlite3.Connection, question: Question, customers: Sequence[str]) -> list[CustomerNeeds]:
    if not customers:
        return []
    return by_customer(lines_of(questions.needs(connection, question, customers)), question.today)


@pages.get("/parts-desk/needed.csv")
@needs("read:book")
def download() -> ResponseReturnValue:
    """Every line that the filters let through, as a CSV file, sent as it is read."""
    filters = _filters()
    desk, question = parts_desk(current.node()), filters.question()
    desk.bring_up_to_date(filters.days)

    name = f"parts-needed-{question.today.isoformat()}-{filters.days}-days"
    return csv_answer(name, CSV_COLUMNS, _csv_rows(desk, question))


def _csv_rows(desk: PartsDesk, question: Question) -> Iterator[list[str]]:
    with desk.asking() as connection:
        for line in lines_of(questions.needs(connection, question)):
            yield csv_row(line)


@pages.get("/parts-desk/pick-list")
@needs("read:book")
def pick_list() -> ResponseReturnValue:
    """What to take from the shelves, by customer and machine, made to be printed; sent as it is drawn."""
    filters = _filters()
    node = current.node()
    desk, question = parts_desk(node), filters.question()
    desk.bring_up_to_date(filters.days)
    with desk.asking() as connection:
        totals = questions.sums(connection, question)
    drawn = stream_template(
        "parts_desk/pick_list.html",
        customers=_every_customer(desk, question),
        totals=totals,
        about=_about(filters),
        days=filters.days,
        printed_at=node.now(),
        links=_links(filters),
    )
    return Response(in_pieces(drawn), mimetype="text/html")


def _every_customer(desk: PartsDesk, question: Question) -> Iterator[CustomerNeeds]:
    """All customers who need something, a few at a time, on one moment of the desk."""
    with desk.asking() as connection:
        customers = questions.customers(connection, question, -1)
        for at in range(0, len(customers), _CUSTOMERS_SHOWN):
            yield from _of_customers(connection, question, customers[at : at + _CUSTOMERS_SHOWN])


def _about(filters: Filters) -> str:
    said = [f"due within {counted(filters.days, 'day')}, or overdue" if not filters.only else "overdue"]
    customer = current.node().book.get(filters.customer) if filters.customer else None
    if customer:
        said.insert(0, f"for {customer.get('name') or 'a customer without a name'}")
    machine = current.node().book.get(filters.machine) if filters.machine else None
    if machine:
        said.insert(0, f"for {title_of(machine, current.forms())}")
    if filters.make:
        said.append(f"{filters.make} only")
    if filters.part:
        said.append(f"part {filters.part} only")
    return f"Parts {', '.join(said)}."


def _links(filters: Filters) -> dict[str, str]:
    return {
        "here": url_for("parts_desk.show", **filters.arguments()),
        "overdue": url_for("parts_desk.show", **filters.arguments(only="overdue")),
        "all_parts": url_for("parts_desk.show", **filters.arguments(part="")),
        "all_machines": url_for("parts_desk.show", **filters.arguments(machine="")),
        "csv": url_for("parts_desk.download", **filters.arguments()),
        "pick_list": url_for("parts_desk.pick_list", **filters.arguments()),
    }


def _filters() -> Filters:
    text = request.args.get("days", "")
    days = int(text) if text.isdecimal() and len(text) < 5 else current.node().settings.horizon_days
    return Filters(
        days=min(max(days, 1), 3650),
        by="customer" if request.args.get("by") == "customer" else "part",
        make=request.args.get("make", ""),
        customer=request.args.get("customer", ""),
        machine=request.args.get("machine", ""),
        part=request.args.get("part", ""),
        only="overdue" if request.args.get("only") == "overdue" else "",
    )
