"""What a figure counts, as a range of a reduced view: the same range unreduced is the rows behind the figure (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

# After every other key that begins the same.
END: dict[str, Any] = {}


@dataclass(frozen=True)
class Range:
    """All rows of a view whose key begins with `prefix`. `database` is ``"market"`` or ``"forecast"``, both of which
    have their figures in a design document of that name.
    """

    database: str
    view: str
    prefix: tuple[Any, ...]
    descending: bool = False

    def query(self, group_level: int = 0) -> dict[str, Any]:
        """The options that count the range: as one row, or in groups of `group_level` parts of the key."""
        grouped = {"group_level": group_level} if group_level else {"reduce": True}
        return {"startkey": list(self.prefix), "endkey": [*self.prefix, END], **grouped}


def machines(dealer: str = "", make: str | None = None, model: str | None = None) -> Range:
    """The installed base: machines of a dealer, a make, a model of a make; None is any, ``""`` is not told."""
    chosen = [part for part in (make, model) if part is not None] if make is not None else []
    if dealer:
        return Range("market", "machines", ("dealer", dealer, *chosen))
    return Range("market", "machines", ("model", *chosen))


def machines_gone(dealer: str = "") -> Range:
    """Machines sold on or scrapped."""
    return Range("market", "machines", ("gone", dealer) if dealer else ("gone",))


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


def demand(
    month: str = "", part: str = "", dealer: str = "", make: str | None = None, model: str | None = None
) -> Range | None:
    """What machines will need; None for a combination that nothing counts.

    Of a part (and month), everywhere or at a dealer; of a month; of a make, or a model of it (and month); of a make at
    a dealer (and month).
    """
    months = (month,) if month else ()
    parts = (part,) if part else ()
    if make is not None:
        if part:
            return None
        if dealer:
            return Range("forecast", "by_model", ("dealer", dealer, make, *months)) if model is None else None
        if model is None:
            return None if month else Range("forecast", "by_model", ("model", make))
        return Range("forecast", "by_model", ("model", make, model, *months))
    if dealer:
        return Range("forecast", "by_dealer", (dealer, *parts, *months)) if part or not month else None
    if month:
        return Range("forecast", "by_month", (month, *parts))
    return Range("forecast", "by_part", parts)


def bulletin(bulletin_id: str, state: str = "", dealer: str = "") -> Range:
    """Machines that a bulletin concerns: all, those ``"open"`` or ``"done"``, everywhere or at a dealer."""
    states = (state,) if state else ()
    if dealer:
        return Range("forecast", "bulletins", ("dealer", dealer, bulletin_id, *states))
    return Range("forecast", "bulletins", ("bulletin", bulletin_id, *states))
