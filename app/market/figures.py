"""Head office's figures: what each reduced view says, in few requests however many documents there are."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from app.market import ranges
from app.market.places import Place, as_places, tiles
from app.market.ranges import Range
from app.market.remembered import remembered

if TYPE_CHECKING:
    from app.couch import Database, Row
    from app.market.places import Window
    from app.node import Node

# Squares counted together on a map: so many times smaller, in each direction, than a tile of 256 pixels.
_FINER = 2
# The first map: squares of 2.8 degrees of longitude.
_FIRST_DEPTH = 7
# Machines that are no longer in anybody's hands whom a dealer knows.
GONE = ("sold on", "scrapped")


@dataclass(frozen=True)
class Amount:
    """What will be needed: how many rows say so (`needs`), their value at list prices, and how many know no price.

    `quantity` is in the part's own unit; it is 0 where several parts are meant, for pieces and litres do not add up.
    """

    needs: int = 0
    quantity: float = 0.0
    value: float = 0.0
    unpriced: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.needs + other.needs,
            self.quantity + other.quantity,
            self.value + other.value,
            self.unpriced + other.unpriced,
        )


@dataclass(frozen=True)
class Sum:
    """Opportunities: how many, and what they are worth together."""

    count: int = 0
    value: float = 0.0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.count + other.count, self.value + other.value)


@dataclass(frozen=True)
class Installed:
    """Machines by (make, model), by dealer and by status; each of them adds up to all machines."""

    by_model: Mapping[tuple[str, str], int]
    by_dealer: Mapping[str, int]
    by_status: Mapping[str, int]

    @property
    def total(self) -> int:
        """All machines."""
        return sum(self.by_model.values())

    @property
    def gone(self) -> int:
        """Those sold on or scrapped."""
        return sum(self.by_status.get(status, 0) for status in GONE)


@dataclass(frozen=True)
class Demand:
    """The coming twelve months: by month, and by part over all of them. `overdue` machines have work that is late."""

    by_month: Mapping[str, Amount]
    by_part: Mapping[str, Amount]
    overdue: int = 0


def installed(node: Node, dealer: str, make: str | None) -> Installed:
    """The installed base of a dealer and a make, or of all (one request)."""
    of_make = 1 if make is None else 0
    queries = [
        ranges.machines(dealer, make).groups(1 + of_make),
        ranges.machines_by_dealer(make).groups(),
        ranges.statuses(dealer, make).groups(),
    ]
    models, dealers, statuses = _queries(node, "machines", queries)
    return Installed(
        by_model={(make if make is not None else row.key[-2], row.key[-1]): row.value for row in models},
        by_dealer={row.key[-1]: row.value for row in dealers if not dealer or row.key[-1] == dealer},
        by_status={row.key[-1]: row.value for row in statuses},
    )


def makes(node: Node) -> dict[str, int]:
    """How many machines there are of each make, of all dealers."""
    return {row.key[1]: row.value for row in _read(node, ranges.machines(), ranges.machines().groups())}


def dealers(node: Node) -> dict[str, int]:
    """How many machines each dealer has."""
    wanted = ranges.machines_by_dealer()
    return {row.key[1]: row.value for row in _read(node, wanted, wanted.groups())}


def model_by_dealer(node: Node, make: str, model: str) -> dict[str, int]:
    """How many machines of a model each dealer has."""
    wanted = ranges.machines(make=make, model=model)
    return {row.key[-1]: row.value for row in _read(node, wanted, wanted.groups())}


def pipeline(node: Node, dealer: str) -> dict[tuple[str, str], Sum]:
    """Opportunities by (dealer, stage): as many rows as there are of those, whatever the number of opportunities."""
    wanted = Range("market", "opportunities", ("dealer", dealer) if dealer else ("dealer",))
    rows = _read(node, wanted, wanted.query(3))
    return {(row.key[1], row.key[2]): Sum(int(row.value["count"]), float(row.value["sum"])) for row in rows}


def activities(node: Node, months: Sequence[str]) -> dict[tuple[str, str], int]:
    """Activities by (dealer, month) in these months (one request)."""
    queries = [ranges.activities(month).query(2) for month in months]
    answers = _queries(node, "activities", queries)
    return {(row.key[1], row.key[0]): row.value for rows in answers for row in rows}


def customers(node: Node) -> dict[str, int]:
    """Customers by dealer."""
    wanted = ranges.customers()
    return {row.key[0]: row.value for row in _read(node, wanted, wanted.groups())}


def demand(node: Node, dealer: str, make: str | None, today: date) -> Demand:
    """What the machines of a dealer and a make, or all, will need (one request; three after the forecast changed)."""
    overdue = ranges.overdue(dealer, make)
    late = node.forecast.view(overdue.database, overdue.view, **overdue.query(), update_seq=True)
    by_month, by_part = remembered(
        node, ("demand", dealer, make), late.update_seq, lambda: _demand(node, dealer, make)
    )  # fmt: skip
    coming = {month: by_month.get(month, Amount()) for month in months_from(today)} if by_month else {}
    return Demand({**by_month, **coming}, by_part, sum(row.value for row in late))


def _demand(node: Node, dealer: str, make: str | None) -> tuple[dict[str, Amount], dict[str, Amount]]:
    """By month and by part: a group for each part of each make, of which a manufacturer has thousands."""
    months, parts = ranges.months(dealer, make), ranges.demand(dealer, make)
    makes = 1 if make is None else 0
    by_month = _sums(_read(node, months, months.groups(1 + makes)), together=True)
    return by_month, _sums(_read(node, parts, parts.groups(1 + makes)))


def demand_of_month(node: Node, month: str, dealer: str, make: str | None) -> dict[str, Amount]:
    """What is needed in one month, by part id (one request; three after the forecast changed)."""

    def work() -> dict[str, Amount]:
        wanted = ranges_of(node, ranges.demand(dealer, make, month))
        return _sums(row for rows in _counts(node, wanted, 1) for row in rows)

    seq = node.forecast.view("forecast", "by_month", reduce=False, limit=0, update_seq=True, **ranges.AS_INDEXED)
    return remembered(node, ("month", month, dealer, make), seq.update_seq, work)


def demand_of_part(node: Node, part: str, today: date) -> dict[str, Amount]:
    """What is needed of a part in each of the coming months that need any (two requests)."""
    makes = _makes_in(node, ranges.months())
    keys = [[None, make, month, part] for make in makes for month in months_from(today)]
    rows = node.forecast.view("forecast", "by_month", keys=keys, group=True, **ranges.AS_INDEXED).rows if keys else []
    found: dict[str, Amount] = {}
    for row in rows:
        found[row.key[2]] = found.get(row.key[2], Amount()) + _amount(row.value)
    return found


def demand_of_model(node: Node, make: str, model: str) -> dict[str, Amount]:
    """How many machines of a model need parts in each month, and what these are worth; quantities are not told."""
    wanted = ranges.model_demand(make, model)
    rows = _read(node, wanted, wanted.groups())
    return {row.key[-1]: Amount(needs=int(row.value[0]), value=float(row.value[1])) for row in rows}


def bulletins(node: Node, dealer: str = "", make: str | None = None) -> dict[str, tuple[int, int]]:
    """For each bulletin that concerns machines: how many it is open for, and how many it is done for (one request)."""
    wanted = Range("forecast", "bulletins", (dealer or None,) if make is None else (dealer or None, make))
    rows = _read(node, wanted, wanted.query(4))
    return _open_and_done((row.key[3], row.key[2], row.value) for row in rows)


def bulletin_by_dealer(node: Node, bulletin_id: str) -> dict[str, tuple[int, int]]:
    """How many machines of each dealer a bulletin is open for, and how many it is done for (three requests)."""
    answers = [
        row
        for state in ("open", "done")
        for rows in _counts(node, ranges_of(node, ranges.bulletin(bulletin_id, state)), 1)
        for row in rows
    ]
    return _open_and_done((row.key[-1], row.key[2], row.value) for row in answers)


def ranges_of(node: Node, wanted: Range) -> list[Range]:
    """The ranges that one which leaves the make open consists of (one request), itself otherwise."""
    return wanted.for_makes(_makes_in(node, wanted) if ranges.ANY_MAKE in wanted.prefix else ())


def counted(node: Node, wanted: Range) -> tuple[Any, list[Range]]:
    """What the reduced view says of a range altogether (0 for nothing), and the ranges in which there is something."""
    parts = ranges_of(node, wanted)
    values = [rows[0].value if rows else 0 for rows in _counts(node, parts, None)]
    together = functools.reduce(_added, (value for value in values if value), 0)
    return together, [each for each, value in zip(parts, values, strict=True) if value] or parts[:1]


def first_places(node: Node, dealer: str, make: str | None) -> list[Place]:
    """The places a map begins with: all of them, from far away."""
    wanted = ranges.places(dealer, make)
    rows = _read(node, wanted, wanted.groups(_FIRST_DEPTH))
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


def database_of(node: Node, wanted: Range) -> Database:
    """The database that a range is in."""
    return node.forecast if wanted.database == "forecast" else node.market


def _read(node: Node, wanted: Range, query: dict[str, Any]) -> list[Row]:
    return database_of(node, wanted).view(wanted.database, wanted.view, **query).rows


def _makes_in(node: Node, wanted: Range) -> list[str]:
    """The makes in a view of the forecast, in its order."""
    query = {"startkey": [None], "endkey": [None, ranges.END], "group_level": 2, **ranges.AS_INDEXED}
    return [row.key[1] for row in _read(node, wanted, query)]


def _counts(node: Node, wanted: Sequence[Range], more: int | None) -> list[list[Row]]:
    """The ranges, all of one view, counted in one request: as one row, or by the next `more` parts of the key."""
    queries = [each.query() if more is None else each.groups(more) for each in wanted]
    if not queries:
        return []
    first = wanted[0]
    return [answer.rows for answer in database_of(node, first).view_queries(first.database, first.view, queries)]


def _queries(node: Node, view: str, queries: list[dict[str, Any]]) -> list[list[Row]]:
    return [answer.rows for answer in node.market.view_queries("market", view, queries)]


def _amount(value: Sequence[float]) -> Amount:
    return Amount(int(value[0]), float(value[1]), float(value[2]), int(value[3]))


def _sums(rows: Iterable[Row], together: bool = False) -> dict[str, Amount]:
    """Amounts by the last part of the key, without a quantity where they are of several parts `together`."""
    found: dict[str, Amount] = {}
    for row in rows:
        each = _amount(row.value)
        found[row.key[-1]] = found.get(row.key[-1], Amount()) + (replace(each, quantity=0.0) if together else each)
    return found


def _added(one: Any, other: Any) -> Any:
    """Two values of a reduced view: numbers, or lists of numbers."""
    if not one:
        return other
    return [a + b for a, b in zip(one, other, strict=True)] if isinstance(one, list) else one + other


def _open_and_done(rows: Iterable[tuple[str, str, int]]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for name, state, count in rows:
        still_open, done = found.get(name, (0, 0))
        if state in ("open", "done"):
            found[name] = (still_open + count, done) if state == "open" else (still_open, done + count)
    return found
