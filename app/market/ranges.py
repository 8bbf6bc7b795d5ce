"""What a figure counts, as a range of a reduced view: the same range unreduced is the rows behind the figure (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

# After every other key that begins the same.
END: dict[str, Any] = {}
# A page shows what the indexes held when they were last brought up to date, which every feed and every forecast does at
# its end: nobody waits while thousands of new documents are indexed.
AS_INDEXED: dict[str, Any] = {"update": "lazy"}


class _Any:
    """Stands for every make in the middle of a key."""

    def __repr__(self) -> str:
        return "ANY_MAKE"


ANY_MAKE: Any = _Any()


@dataclass(frozen=True)
class Range:
    """All rows of a view whose key begins with `prefix`. `database` is ``"market"`` or ``"forecast"``, both of which
    have their figures in a design document of that name. A prefix with `ANY_MAKE` in it is one range for each make.
    """

    database: str
    view: str
    prefix: tuple[Any, ...]
    descending: bool = False

    def for_makes(self, makes: Iterable[str]) -> list[Range]:
        """The ranges it consists of, in the view's order when `makes` are; itself where no make is left open."""
        if ANY_MAKE not in self.prefix:
            return [self]
        prefixes = (tuple(make if part is ANY_MAKE else part for part in self.prefix) for make in makes)
        return [replace(self, prefix=prefix) for prefix in prefixes]

    def query(self, group_level: int = 0) -> dict[str, Any]:
        """The options that count the range: as one row, or in groups of `group_level` parts of the key."""
        grouped = {"group_level": group_level} if group_level else {"reduce": True}
        return {"startkey": list(self.prefix), "endkey": [*self.prefix, END], **grouped, **AS_INDEXED}

    def groups(self, more: int = 1) -> dict[str, Any]:
        """The options that count the range by the next part of the key, or the next `more` parts."""
        return self.query(len(self.prefix) + more)


def machines(dealer: str = "", make: str | None = None, model: str | None = None, status: str | None = None) -> Range:
    """The installed base: machines of a dealer, make, model of a make, status; None is any, ``""`` is not told."""
    models = (model,) if make is not None and model is not None else ()
    if status is not None:
        return Range("market", "machines", ("status", dealer or None, make, status, *models))
    makes = (make,) if make is not None else ()
    if dealer:
        return Range("market", "machines", ("dealer", dealer, *makes, *models))
    return Range("market", "machines", ("model", *makes, *models))


def machines_by_dealer(make: str | None = None) -> Range:
    """The machines of a make, or of all, by dealer."""
    return Range("market", "machines", ("dealer",) if make is None else ("make", make))


def statuses(dealer: str = "", make: str | None = None) -> Range:
    """The installed base by status."""
    return Range("market", "machines", ("status", dealer or None, make))


def places(dealer: str = "", make: str | None = None, square: str = "") -> Range:
    """Machines on the map, below a square (digits 0 to 3, see the view)."""
    scope: tuple[str, ...] = ("all",)
    if dealer and make is not None:
        scope = ("dealer and make", dealer, make)
    elif dealer:
        scope = ("dealer", dealer)
    elif make is not None:
        scope = ("make", make)
    return Range("market", "places", (*scope, *map(int, square)))


def opportunities(dealer: str = "", stage: str | None = None) -> Range:
    """The pipeline: a stage, all (None), or the open ones (``"open"``)."""
    if stage == "open":
        return Range("market", "opportunities", ("open", dealer) if dealer else ("open",))
    chosen = () if stage is None else (stage,)
    if dealer:
        return Range("market", "opportunities", ("dealer", dealer, *chosen))
    return Range("market", "opportunities", ("stage", *chosen))


def activities(month: str, dealer: str = "") -> Range:
    """Activities of a month ``YYYY-MM``, newest first within a dealer."""
    return Range("market", "activities", (month, dealer) if dealer else (month,), descending=True)


def customers(dealer: str = "") -> Range:
    """Customers, by dealer and name."""
    return Range("market", "customers", (dealer,) if dealer else ())


def demand(dealer: str = "", make: str | None = None, month: str = "", part: str = "") -> Range:
    """What machines will need, of all parts or one: in a month (a row a machine and part and month), or in the coming
    twelve together (a row a machine and part).
    """
    parts = (part,) if part else ()
    if month:
        return Range("forecast", "by_month", (*_scope(dealer, make, True), month, *parts))
    return Range("forecast", "by_part", (*_scope(dealer, make, bool(part)), *parts))


def months(dealer: str = "", make: str | None = None) -> Range:
    """What machines will need, month by month."""
    return Range("forecast", "by_month", _scope(dealer, make))


def model_demand(make: str, model: str, month: str = "") -> Range:
    """The machines of a model that need parts, in all months or one: a row a machine and month."""
    return Range("forecast", "by_model", (make, model, month) if month else (make, model))


def overdue(dealer: str = "", make: str | None = None) -> Range:
    """Machines with work that should have been done already."""
    return Range("forecast", "overdue", _scope(dealer, make))


def bulletin(bulletin_id: str = "", state: str = "", dealer: str = "", make: str | None = None) -> Range:
    """Machines that a bulletin concerns, or all bulletins: all of them (``""``), those ``"open"`` or ``"done"``."""
    bulletins = (bulletin_id,) if bulletin_id else ()
    return Range("forecast", "bulletins", (*_scope(dealer, make, True), state or "all", *bulletins))


def _scope(dealer: str, make: str | None, more: bool = False) -> tuple[Any, ...]:
    """How the keys of the forecast begin; `more` follows behind the make."""
    if make is not None:
        return (dealer or None, make)
    return (dealer or None, ANY_MAKE) if more else (dealer or None,)
