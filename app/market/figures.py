"""Head office's figures: what each reduced view says, in few requests however many documents there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from app.couch import Row
from app.market import ranges
from app.market.places import Place, as_places, tiles
from app.market.ranges import Range

if TYPE_CHECKING:
    from app.market.places import Window
    from app.node import Node

# Squares counted together on a map: so many times smaller, in each direction, than a tile of 256 pixels.
_FINER = 2
# The first map: squares of 2.8 degrees of longitude.
_FIRST_DEPTH = 7


@dataclass(frozen=True)
class Amount:
    """What will be needed: quantity in the parts' own units, value at list prices (0 where nobody knows one)."""

    quantity: float = 0.0
    value: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.quantity + other.quantity, self.value + other.value)


@dataclass(frozen=True)
class Sum:
    """Opportunities: how many, and what they are worth together."""

    count: int = 0
    value: float = 0.0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.value + other.value)


@dataclass(frozen=True)
class Installed:
    """Machines by (make, model) and by dealer, and how many of all were sold on or scrapped (None: not counted)."""

    by_model: Mapping[tuple[str, str], int]
    by_dealer: Mapping[str, int]
    gone: int | None

    @property
    def total(self) -> int:
        """All machines."""
        return sum(self.by_model.values())


@dataclass(frozen=True)
class Demand:
    """The coming twelve months: by month, and what is needed most, by part id or, for a make, by model."""

    by_month: Mapping[str, Amount]
    by_part: Mapping[str, Amount]
    by_model: Mapping[str, Amount]


def installed(node: Node, dealer: str, make: str | None) -> Installed:
    """The installed base of a dealer and a make, or of all (one request)."""
    of_dealers = (
        Range("market", "machines", ("make", make)) if make is not None else Range("market", "machines", ("dealer",))
    )
    depth = len(("dealer", dealer)) if dealer else 1
    queries = [
        ranges.machines(dealer, make).query(depth + 2),
        of_dealers.query(3 if make is not None else 2),
        ranges.machines_gone(dealer).query(),
    ]  # fmt: skip
    models, dealers, gone = _queries(node, "machines", queries)
    return Installed(
        by_model={(row.key[-2], row.key[-1]): row.value for row in models},
        by_dealer={row.key[-1]: row.value for row in dealers if not dealer or row.key[-1] == dealer},
        gone=None if make is not None else sum(row.value for row in gone),
    )


def model_by_dealer(node: Node, make: str, model: str) -> dict[str, int]:
    """How many machines of a model each dealer has."""
    rows = node.market.view("market", "machines", **ranges.machines(make=make, model=model).query(4)).rows
    return {row.key[3]: row.value for row in rows}


def pipeline(node: Node, dealer: str) -> dict[tuple[str, str], Sum]:
    """Opportunities by (dealer, stage): as many rows as there are of those, whatever the number of opportunities."""
    wanted = Range("market", "opportunities", ("dealer", dealer) if dealer else ("dealer",))
    rows = node.market.view(wanted.database, wanted.view, **wanted.query(3)).rows
    return {(row.key[1], row.key[2]): Sum(int(row.value["count"]), float(row.value["sum"])) for row in rows}


def activities(node: Node, months: Sequence[str]) -> dict[tuple[str, str], int]:
    """Activities by (dealer, month) in these months (one request)."""
    queries = [ranges.activities(month).query(2) for month in months]
    answers = _queries(node, "activities", queries)
    return {(row.key[1], row.key[0]): row.value for rows in answers for row in rows}


def customers(node: Node) -> dict[str, int]:
    """Customers by dealer."""
    return {
        row.key[0]: row.value for row in node.market.view("market", "customers", **ranges.customers().query(1)).rows
    }


def demand(node: Node, dealer: str, make: str | None, today: date) -> Demand:
    """What the machines of a dealer and a make, or all, will need (two requests at most)."""
    forecast = node.forecast
    by_month: dict[str, Amount] = {}
    by_part: dict[str, Amount] = {}
    by_model: dict[str, Amount] = {}
    if make is not None:
        wanted = ranges.demand(dealer=dealer, make=make)
        assert wanted is not None
        for row in forecast.view("forecast", wanted.view, **wanted.query(4)).rows:
            _add(by_month, row.key[3], row.value)
            if not dealer:
                _add(by_model, row.key[2], row.value)
    elif dealer:
        for row in forecast.view("forecast", "by_dealer", **Range("forecast", "by_dealer", (dealer,)).query(3)).rows:
            _add(by_month, row.key[2], row.value)
            _add(by_part, row.key[1], row.value)
    else:
        for row in forecast.view("forecast", "by_month", group_level=1).rows:
            _add(by_month, row.key[0], row.value)
        for row in forecast.view("forecast", "by_part", group_level=1).rows:
            _add(by_part, row.key[0], row.value)
    coming = {month: by_month.get(month, Amount()) for month in months_from(today)} if by_month else {}
    return Demand({**by_month, **coming}, by_part, by_model)


def demand_of_month(node: Node, month: str, dealer: str, make: str | None) -> dict[str, Amount]:
    """What is needed in one month: by part id, or for a make by model."""
    found: dict[str, Amount] = {}
    wanted = Range("forecast", "by_month", (month,))
    if make is not None:
        wanted = Range("forecast", "by_model", ("model", make))
    elif dealer:
        wanted = Range("forecast", "by_dealer", (dealer,))
    depth = 4 if make is not None else 3 if dealer else 2
    for row in node.forecast.view("forecast", wanted.view, **wanted.query(depth)).rows:
        if wanted.view == "by_month" or row.key[-1] == month:
            _add(found, row.key[1] if wanted.view != "by_model" else row.key[2], row.value)
    return found


def demand_by_month(node: Node, wanted: Range) -> dict[str, Amount]:
    """What is needed of a part or for a model, month by month: the last part of the range's keys."""
    rows = node.forecast.view("forecast", wanted.view, **wanted.query(len(wanted.prefix) + 1)).rows
    return {row.key[-1]: _amount(row.value) for row in rows}


def bulletins(node: Node, dealer: str = "") -> dict[str, tuple[int, int]]:
    """For each bulletin that concerns machines: how many it is open for, and how many it is done for."""
    wanted = Range("forecast", "bulletins", ("dealer", dealer) if dealer else ("bulletin",))
    rows = node.forecast.view("forecast", "bulletins", **wanted.query(len(wanted.prefix) + 2)).rows
    return _open_and_done((row.key[-2], row.key[-1], row.value) for row in rows)


def bulletin_by_dealer(node: Node, bulletin_id: str) -> dict[str, tuple[int, int]]:
    """How many machines of each dealer a bulletin is open for, and how many it is done for."""
    rows = node.forecast.view("forecast", "bulletins", **ranges.bulletin(bulletin_id).query(4)).rows
    return _open_and_done((row.key[3], row.key[2], row.value) for row in rows)


def first_places(node: Node, dealer: str, make: str | None) -> list[Place]:
    """The places a map begins with: all of them, from far away."""
    wanted = ranges.places(dealer, make)
    rows = node.market.view("market", "places", **wanted.query(len(wanted.prefix) + _FIRST_DEPTH)).rows
    return as_places(((row.key, row.value) for row in rows), len(wanted.prefix))


def places(node: Node, dealer: str, make: str | None, window: Window, zoom: int) -> list[Place]:
    """The places in the window of a map that is zoomed in so far (one request)."""
    squares = tiles(window, zoom)
    depth = len(ranges.places(dealer, make).prefix) + (len(squares[0]) if squares else 0) + _FINER
    answers = _queries(node, "places", [ranges.places(dealer, make, square).query(depth) for square in squares])
    scope = len(ranges.places(dealer, make).prefix)
    return as_places(((row.key, row.value) for rows in answers for row in rows), scope)


def months_from(today: date, count: int = 12) -> list[str]:
    """``YYYY-MM`` of this month and those after it."""
    first = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(first, first + count)]


def months_until(today: date, count: int = 2) -> list[str]:
    """``YYYY-MM`` of this month and those before it, the newest first."""
    last = today.year * 12 + today.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(last, last - count, -1)]


def _queries(node: Node, view: str, queries: list[dict[str, Any]]) -> list[list[Row]]:
    return [answer.rows for answer in node.market.view_queries("market", view, queries)]


def _add(found: dict[str, Amount], name: str, value: Sequence[float]) -> None:
    found[name] = found.get(name, Amount()) + _amount(value)


def _amount(value: Sequence[float]) -> Amount:
    return Amount(float(value[0]), float(value[1]))


def _open_and_done(rows: Any) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for name, state, count in rows:
        still_open, done = found.get(name, (0, 0))
        found[name] = (still_open, done + count) if state == "done" else (still_open + count, done)
    return found
