"""Fills the demo's nodes: the catalog, two dealers' books, logins, and the first sync."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache
from itertools import islice
from typing import Any

from app.couch import Database
from app.demo import business, regions
from app.demo.folders import DEALERS
from app.documents import saving
from app.documents.outcomes import Refused
from app.errors import IronbookError
from app.market.feed import feed_market
from app.market.forecast import refresh_forecast
from app.node import Node
from app.replication import connections, dealers, passes
from app.replication.results import PassResult
from app.secrets import connection_entry
from app.security import users
from app.security.passwords import hash_password

_BATCH = 500
_BY = "demo"
# (user name, shown name, role) of the demo's logins.
MANUFACTURER_LOGINS = (
    ("anna", "Anna Lindqvist", "analyst"),
    ("paul", "Paul Reuter", "parts"),
    ("admin", "Administrator", "admin"),
)
_DEALER_LOGINS = (("sara", "sales"), ("peter", "parts"), ("petra", "principal"))


_hash = cache(hash_password)


def dealer_logins(code: str) -> tuple[tuple[str, str, str], ...]:
    """The logins of a dealer's node: the same names and roles at each, but not the same people."""
    people = regions.REGIONS[code]
    shown = (people.salespeople[0], people.parts_manager, people.principal)
    named = tuple((name, who, role) for (name, role), who in zip(_DEALER_LOGINS, shown, strict=True))
    return (*named, ("admin", "Administrator", "admin"))


def add_logins(node: Node, password: str) -> None:
    """Makes the demo's logins on one node. They share a password, so it is hashed once: that is made to be slow."""
    hashed = _hash(password)
    for name, shown, role in MANUFACTURER_LOGINS if node.is_manufacturer else dealer_logins(node.dealer):
        users.add_user(node.local, name, shown, [role], password, node.role, hashed)


def fill(database: Database, documents: list[dict[str, Any]], progress: Callable[[str], None]) -> None:
    """Saves the documents in batches. Raises IronbookError when one of them is refused."""
    done = 0
    for batch in _batches(documents):
        for result in saving.save_many(database, batch, _BY):
            if isinstance(result, Refused):
                raise IronbookError(f"The demo's {result.document.get('_id')} was refused: {result.reason}")
        done += len(batch)
        progress(f"{done:,} of {len(documents):,} documents")


def _batches(documents: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    remaining = iter(documents)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def fill_manufacturer(node: Node, password: str, progress: Callable[[str], None]) -> dict[str, str]:
    """Fills the catalog and admits the dealers; returns each dealer's replication password."""
    fill(node.catalog, business.catalog_documents(node.today()), progress)
    add_logins(node, password)
    return {code: dealers.add_dealer(node, code, name).password for code, name in DEALERS.items()}


def fill_dealer(node: Node, replication_password: str, password: str, progress: Callable[[str], None]) -> None:
    """Fills one dealer's book and gives it the password of its connection."""
    node.secrets.set(connection_entry("manufacturer"), replication_password)
    add_logins(node, password)
    fill(node.book, business.book_documents(node.dealer, node.today()), progress)


def sync(node: Node, progress: Callable[[str], None]) -> PassResult:
    """One pass over the dealer's connection. Raises IronbookError with its sentence when it failed."""
    result = passes.run_pass(node, connections.connections(node)[0], wait=60.0)
    if result.error:
        raise IronbookError(f"{node.settings.name} did not sync: {result.error}")
    progress(f"{result.read:,} documents read, {result.written:,} written")
    return result


def aggregate(node: Node) -> None:
    """Brings the manufacturer's market and forecast up to date."""
    feed_market(node)
    refresh_forecast(node)


def count_types(database: Database) -> Counter[str]:
    """How many documents of each type a book or the market holds."""
    counted: Counter[str] = Counter()
    for row in database.all_docs().rows:
        parts = str(row.id).split(":")
        if len(parts) > 2:
            counted[parts[1]] += 1
    return counted
