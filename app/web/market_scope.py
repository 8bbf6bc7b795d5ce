"""Whose figures head office is looking at: a dealer's, a make's, or everybody's; and what dealers are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import abort, g, url_for

from app.replication.dealers import Dealer, dealers
from app.web import current

# In addresses, what was not filled in: an empty text there is the choice of all.
NOT_TOLD = "(none)"


@dataclass(frozen=True)
class Scope:
    """A dealer's code, empty for all; a make, None for all, empty for machines that do not say."""

    dealer: str = ""
    make: str | None = None

    @property
    def arguments(self) -> dict[str, str]:
        """What an address says of it; empty values are left out of addresses."""
        return {"dealer": self.dealer, "make": as_argument(self.make)}


def scope_in(arguments: Mapping[str, str]) -> Scope:
    """The scope that an address asks for. Answers 404 for a dealer that there is not."""
    dealer = arguments.get("dealer", "")
    if dealer:
        dealer_of(dealer)
    return Scope(dealer, from_argument(arguments.get("make", "")))


def all_dealers() -> list[Dealer]:
    """Every dealer by code; asked once a request."""
    if "dealers" not in g:
        g.dealers = dealers(current.node())
    return cast("list[Dealer]", g.dealers)


def dealer_of(code: str) -> Dealer:
    """The dealer of a code. Answers 404 when there is none."""
    found = next((dealer for dealer in all_dealers() if dealer.code == code), None)
    if found is None:
        abort(404, f"There is no dealer “{code}” here; the list of dealers shows those there are.")
    return found


def dealer_name(code: str) -> str:
    """What a dealer is called; its code when nobody knows."""
    return next((dealer.name for dealer in all_dealers() if dealer.code == code), code)


def as_argument(value: str | None) -> str:
    """A value that may be any (None) or not told (empty) as it stands in an address."""
    return "" if value is None else value or NOT_TOLD


def from_argument(text: str) -> str | None:
    """The other way round."""
    return None if not text else "" if text == NOT_TOLD else text


def address(endpoint: str, **arguments: str | None) -> str:
    """The address of a page, without what is empty."""
    values: dict[str, Any] = {name: value for name, value in arguments.items() if value}
    return url_for(endpoint, **values)
