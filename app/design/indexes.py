"""Keeps the indexes of a node's databases built, so that after a long sync or import nobody's page builds them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.couch import Database, StoreError, Unreachable

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

# What a page has to add to an index after this many seconds is little.
_EVERY = 20.0


def build_indexes(database: Database, stop: threading.Event | None = None) -> int:
    """Brings the index of every design document of a database up to date; returns how many. Raises StoreError.

    One after the other: the store builds two at a time, and the second place is for who waits for a page. One that
    cannot be built is left to whoever reads it, who is told why. Setting `stop` ends it between two.
    """
    rows = database.all_docs(startkey="_design/", endkey="_design0", include_docs=True).rows
    readable = [found for row in rows if (found := _a_view(row.doc or {}))]
    return sum(_build(database, *view) for view in readable if not (stop and stop.is_set()))


def _a_view(document: Mapping[str, Any]) -> tuple[str, str, bool] | None:
    """Design document, a view of it, and whether that is reduced: all views are one index; a `lib` is none of them."""
    views = document.get("views")
    if not isinstance(views, dict):
        return None
    design = str(document["_id"]).removeprefix("_design/")
    found = ((name, view) for name, view in views.items() if isinstance(view, dict) and "map" in view)
    return next(((design, name, "reduce" in view) for name, view in found), None)


def _build(database: Database, design: str, view: str, is_reduced: bool) -> bool:
    options = {"reduce": False} if is_reduced else {}
    try:
        database.view(design, view, limit=0, **options)
    except Unreachable:
        raise
    except StoreError as error:
        log.warning("The index of %s in %s could not be built: %s", design, database.name, error)
        return False
    return True


class IndexKeeper:
    """A thread that builds the indexes of what was written, by whomever, between `start` and `stop`."""

    def __init__(self, node: Node) -> None:
        self._databases = [node.catalog, node.local, *([node.market] if node.is_manufacturer else [node.book])]
        self._stopping = threading.Event()
        self._built: dict[str, object] = {}

    def start(self) -> None:
        """Begins at once."""
        threading.Thread(target=self._run, name="indexes", daemon=True).start()

    def stop(self) -> None:
        """Ends after the database it is at, or with the store."""
        self._stopping.set()

    def build(self) -> None:
        """Builds the indexes of the databases that were written to since the last time. Raises StoreError."""
        for database in self._databases:
            newest = database.info()["update_seq"]
            if self._built.get(database.name) != newest and not self._stopping.is_set():
                build_indexes(database, self._stopping)
                self._built[database.name] = newest

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.build()
            except StoreError as error:
                log.info("The indexes wait for the store: %s", error)
            self._stopping.wait(_EVERY)
