"""The parts desk: what all machines will need within a horizon, by part and by customer, as CSV and as a pick list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.security.access import needs
from app.web import current
from app.web.frame import is_fragment
from app.web.needs import desk_progress, kept_answer, need_lines
from app.web.parts_lists import NeedLine, as_csv, by_customer, by_part, filtered, totals

pages = Blueprint("parts_desk", __name__)
NODE_ROLE = "dealer"

HORIZONS = (14, 30, 90, 180, 365)
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
    part: str = ""
    only: str = ""

    def arguments(self, **changes: Any) -> dict[str, Any]:
        """The filters as an address has them; those that say nothing are left out."""
        changed = replace(self, **changes)
        return {name: value for name, value in vars(changed).items() if value}

    def of(self, lines: list[NeedLine]) -> list[NeedLine]:
        """The lines that these filters let through."""
        found = filtered(lines, self.make, self.customer, self.part)
        return [line for line in found if line.overdue] if self.only == "overdue" else found


@pages.get("/parts-desk")
@needs("read:book")
def show() -> ResponseReturnValue:
    """What is needed, grouped by part or by customer."""
    filters = _filters()
    template = "parts_desk/body.html" if is_fragment() else "parts_desk/show.html"
    building = desk_progress(current.node())
    links = _links(filters)
    if building is not None:
        return render_template(template, building=building, days=filters.days, links=links)
    answer = kept_answer(current.node(), "parts desk", filters, lambda: _answer(filters))
    rows = answer["rows"]
    if filters.by == "part":
        rows = [
            {**vars(total), "url": url_for("parts_desk.show", **filters.arguments(by="customer", part=total.part))}
            for total in rows
        ]
    return render_template(template, building=None, **vars(filters), **{**answer, "rows": rows}, links=links)


def _answer(filters: Filters) -> dict[str, Any]:
    """What the page shows with these filters, the same for everybody."""
    today = current.node().today()
    every = need_lines(current.node(), filters.days)
    lines = filters.of(every)
    groups: Sequence[Any] = by_customer(lines, today) if filters.by == "customer" else by_part(lines, today)
    shown = groups[: _CUSTOMERS_SHOWN if filters.by == "customer" else _PARTS_SHOWN]
    return {
        "rows": shown,
        "more": len(groups) > len(shown),
        "totals": totals(lines),
        "horizons": sorted({*HORIZONS, filters.days}),
        "makes": sorted({line.make for line in every if line.make}),
        "customers": sorted({(line.customer_id, line.customer) for line in every if line.customer_id}, key=_name),
    }


@pages.get("/parts-desk/needed.csv")
@needs("read:book")
def download() -> ResponseReturnValue:
    """Every line that the filters let through, as a CSV file."""
    filters = _filters()
    lines = filters.of(need_lines(current.node(), filters.days))
    name = f"parts-needed-{current.node().today().isoformat()}-{filters.days}-days.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # The mark at the beginning has spreadsheets read it as UTF-8.
    return Response("\ufeff" + as_csv(lines), mimetype="text/csv", headers=headers)


@pages.get("/parts-desk/pick-list")
@needs("read:book")
def pick_list() -> ResponseReturnValue:
    """What to take from the shelves, by customer and machine, made to be printed."""
    filters = _filters()
    node = current.node()
    lines = filters.of(need_lines(node, filters.days))
    return render_template(
        "parts_desk/pick_list.html",
        customers=by_customer(lines, node.today()),
        totals=totals(lines),
        about=_about(filters, lines),
        days=filters.days,
        printed_at=node.now(),
        links=_links(filters),
    )


def _about(filters: Filters, lines: list[NeedLine]) -> str:
    said = [f"due within {filters.days} days, or overdue" if not filters.only else "overdue"]
    if filters.customer and lines:
        said.insert(0, f"for {lines[0].customer}")
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
        part=request.args.get("part", ""),
        only="overdue" if request.args.get("only") == "overdue" else "",
    )


def _name(pair: tuple[str, str]) -> str:
    return pair[1].casefold()
