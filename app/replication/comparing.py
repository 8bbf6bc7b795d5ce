"""What differs between this replica and its upstream, by type, with the reason for each.

Both sides are paged through by their changes with the connection's own selector (:mod:`app.replication.scanning`). The
other side is never asked about what the connection does not carry: not even the names of private documents are told.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError
from app.errors import IronbookError
from app.replication import differences as kinds
from app.replication.connections import ALL_DOCUMENTS, Connection, password_of
from app.replication.differences import Comparison, Tally
from app.replication.failures import failure_of
from app.replication.passwords import has_joined, reach
from app.replication.running import running
from app.replication.scanning import Job, Look, Progress, Sides, known_to, scan, scan_private, side_in, size_of
from app.replication.sequences import changes_from
from app.replication.state import State, read_state

if TYPE_CHECKING:
    from app.node import Node

EXAMPLES = 20


class CannotCompare(IronbookError):  # noqa: N818
    """The upstream does not answer, so there is nothing to compare with."""


def compare(
    node: Node,
    connection: Connection,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    examples: int = EXAMPLES,
) -> Comparison:
    """Compares the book and the catalog with those of the upstream; writes nothing on either side.

    `examples` ids of each kind are kept. Setting `stop` ends it soon, with what was found so far. Raises CannotCompare
    with a sentence when the upstream cannot be asked.
    """
    try:
        there = reach(node, connection, password_of(node, connection))
        job = Job(progress or (lambda _done, _total, _what: None), stop or threading.Event(), Tally(examples))
        state = read_state(node, connection.name)
        book = _Pair(node, connection, "book", node.book, there.database(connection.book), state)
        catalog = _Pair(node, connection, "catalog", node.catalog, there.database(connection.catalog), state)
        job.total = sum(size_of(each) for each in (book.here, book.there, catalog.here, catalog.there))
        complete = (
            scan(job, book.from_here(job))
            and scan(job, book.from_there(job))
            and scan_private(job, book.name, book.here, _private(connection))
            and scan(job, catalog.from_here(job))
            and scan(job, catalog.from_there(job))
        )
    except StoreError as error:
        joined = has_joined(node, connection.name)
        raise CannotCompare(failure_of(error, connection.url, connection.user, joined).sentence) from error
    syncing = "A sync was running meanwhile; what it exchanged may be counted." if _runs(node, connection) else ""
    return Comparison(connection.name, complete, job.tally.totals(), job.tally.differences(), syncing)


@dataclass(frozen=True)
class _Pair:
    """A database here and over there. The catalog is only pulled, and nobody notes how far."""

    node: Node
    connection: Connection
    name: str
    here: Database
    there: Database
    state: State

    @property
    def selector(self) -> dict[str, Any]:
        return self.connection.book_selector if self.name == "book" else ALL_DOCUMENTS

    @property
    def synced(self) -> bool:
        return bool(self.state.last_success)

    def from_here(self, job: Job) -> Look:
        """The look at what is here and not over there."""

        def lacking(ids: set[str], here: Sides, there: Sides) -> None:
            known = known_to(self.here, there, ids)
            refused = self._refused(ids, "push")
            unsent = self._changed_since(ids, "push") if self.synced else set()
            for id in ids:
                what = kinds.lacking_there(here[id], side_in(there, id), id in known)
                why, detail = kinds.NOT_IN_CATALOG, ""
                if self.name == "book":
                    why, detail = kinds.why_not_there(id, refused, unsent, self.synced)
                job.tally.add(self.name, what, why, id, detail)

        words = f"Comparing the {self.name} with the upstream's"
        return Look(self.name, kinds.HERE, self.here, self.there, self.selector, lacking, words)

    def from_there(self, job: Job) -> Look:
        """The look at what is over there and not here."""

        def lacking(ids: set[str], there: Sides, here: Sides) -> None:
            # What the other side lacks as well was counted from here already, as changed on both sides.
            ids = known_to(self.there, here, ids)
            refused = self._refused(ids, "pull")
            unread = self._changed_since(ids, "pull") if self.synced and ids else set()
            for id in ids:
                why, detail = kinds.why_not_here(id, refused, unread, self.synced)
                job.tally.add(self.name, kinds.lacking_here(side_in(here, id), there[id]), why, id, detail)

        words = f"Comparing the upstream's {self.name} with this one"
        return Look(self.name, kinds.THERE, self.there, self.here, self.selector, lacking, words)

    def _refused(self, ids: Iterable[str], direction: str) -> dict[str, str]:
        """The reasons of those of the documents that are listed as refused."""
        if self.name != "book":
            return {}
        keys = [f"refused:{self.connection.name}:{document_id}" for document_id in ids]
        found = self.node.local.get_many(keys).values()
        return {entry["document"]: entry["reason"] for entry in found if entry["direction"] == direction}

    def _changed_since(self, ids: Iterable[str], direction: str) -> set[str]:
        """Those of the documents that changed since the last sync."""
        asked = list(ids)
        if self.name != "book":
            return set(asked)
        source, since = (
            (self.here, self.state.pushed_seq) if direction == "push" else (self.there, self.state.pulled_seq)
        )
        return {change["id"] for change in changes_from(source, since, doc_ids=asked).results}


def _private(connection: Connection) -> dict[str, Any]:
    """A selector of what the connection does not carry."""
    if connection.shares_all:
        return {"type": {"$exists": False}}
    return {"$or": [{"share": {"$exists": False}}, {"share": "dealer"}]}


def _runs(node: Node, connection: Connection) -> bool:
    return running(node).get(connection.name) is not None
