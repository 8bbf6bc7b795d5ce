"""The parts desk: what every machine of the book needs, kept in this process and brought up to date by ``_changes``.

The first time, all machines with their readings and services are read; afterwards a page costs one request that
answers what has changed since the last one, and the work for the machines concerned.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import Database, NotFound
from app.parts.needs import Need
from app.parts.table import CATALOG_KINDS, KINDS, Standing, Table

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

_EXTENSION = "parts_desk"
_PAGE = 1000
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Building:
    """How far the first reading is: documents read, of about so many."""

    done: int
    total: int

    def sentence(self) -> str:
        """For the page that waits."""
        return f"Reading machines, readings and services: {self.done:,} of about {self.total:,} documents."


class PartsDesk:
    """One a node; safe between threads. Use :func:`parts_desk` to get it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._table = Table()
        self._since: dict[str, Any] = {}
        self._building: Building | None = None
        self._thread: threading.Thread | None = None
        self._ready = False
        self._failure: Exception | None = None

    def building(self) -> Building | None:
        """None when the desk is ready. Otherwise starts the first reading, unless it runs, and says how far it is.

        Raises the StoreError that ended the reading before; the next call starts again.
        """
        if self._ready:
            return None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        with _making:
            if not self._ready and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._build_quietly, name="parts-desk", daemon=True)
                self._thread.start()
        return self._building or Building(0, 0)

    def needs(self, horizon_days: int) -> list[Need]:
        """What all machines need until `horizon_days` from today, overdue first. Waits for the first reading.

        Raises StoreError.
        """
        with self._lock:
            self._up_to_date()
            return self._table.needs(self._node.today(), horizon_days)

    def version(self) -> tuple[int, int]:
        """Brings the desk up to date; as long as this stays the same, so do its answers. Raises StoreError."""
        with self._lock:
            self._up_to_date()
            return id(self._table), self._table.version

    def customer(self, customer_id: str, horizon_days: int) -> tuple[list[Need], dict[str, Standing]]:
        """What one customer's machines need, and how each of them stands, by its id. Raises StoreError."""
        with self._lock:
            self._up_to_date()
            needs = self._table.needs(self._node.today(), horizon_days, customer_id)
            return needs, self._table.standings(customer_id)

    def average(self, model_id: str) -> float | None:
        """Hours a day of this book's machines of a model (by its catalog id); None for too few, or while not ready."""
        return self._table.average(model_id) if self._ready else None

    def _up_to_date(self) -> None:
        """Brings the table up to date; with the lock held."""
        if not self._ready:
            self._build()
        for database in (self._node.catalog, self._node.book):
            try:
                self._follow(database)
            except NotFound:
                # Somebody has emptied the book and begun anew: so does the desk.
                self._ready = False
                raise
        self._table.refresh(self._node.today())

    def _build_quietly(self) -> None:
        try:
            with self._lock:
                self._up_to_date()
        except Exception as error:
            log.warning("The parts desk could not be built: %s", error)
            self._failure = error

    def _build(self) -> None:
        node = self._node
        table = Table()
        total = int(node.book.info().get("doc_count") or 0)
        since = {database.name: database.info()["update_seq"] for database in (node.catalog, node.book)}
        done = 0
        prefixes = [(node.catalog, kind) for kind in CATALOG_KINDS]
        prefixes += [(node.book, f"{node.dealer}:{kind}") for kind in KINDS]
        for database, prefix in prefixes:
            for rows in _pages(database, prefix):
                for row in rows:
                    table.take(row.id, row.doc)
                done += len(rows)
                self._building = Building(done, max(total, done))
        self._table, self._since = table, since
        table.refresh(node.today())
        self._ready, self._building = True, None

    def _follow(self, database: Database) -> None:
        while True:
            page = database.changes(since=self._since[database.name], limit=_PAGE, include_docs=True)
            for change in page.results:
                self._table.take(change["id"], None if change.get("deleted") else change.get("doc"))
            self._since[database.name] = page.last_seq
            if len(page.results) < _PAGE:
                return


def _pages(database: Database, prefix: str) -> Iterator[list[Any]]:
    """The documents of one type, a page at a time: their ids stand together."""
    start = f"{prefix}:"
    while True:
        rows = database.all_docs(startkey=start, endkey=f"{prefix};", include_docs=True, limit=_PAGE).rows
        yield rows
        if len(rows) < _PAGE:
            return
        start = f"{rows[-1].id}\x00"


def parts_desk(node: Node) -> PartsDesk:
    """The node's parts desk, made at the first call. Raises IronbookError on the manufacturer's node."""
    assert node.book  # the manufacturer's node says that it has none
    with _making:
        desk = node.extensions.get(_EXTENSION)
        if not isinstance(desk, PartsDesk):
            desk = PartsDesk(node)
            node.extensions[_EXTENSION] = desk
    return desk
