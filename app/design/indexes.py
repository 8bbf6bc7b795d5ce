"""Keeps the indexes of a node's databases built, so that after a long sync or import nobody's page builds them."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.couch import Database, StoreError

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

# What a page has to add to an index after this many seconds is little.
_EVERY = 20.0


def build_indexes(database: Database) -> int:
    """Brings every index of a database up to date; returns how many. Raises StoreError.

    One after the other: the store builds two at a time, and the second place is for who waits for a page.
    """
    rows = database.all_docs(startkey="_design/", endkey="_design0", include_docs=True).rows
    built = 0
    for row in rows:
        views = (row.doc or {}).get("views")
        if not isinstance(views, dict) or not views:
            continue
        # The views of one design document are one index; a `lib` is none of them.
        name = next((name for name, view in views.items() if isinstance(view, dict) and "map" in view), None)
        if name is not None:
            options = {"reduce": False} if "reduce" in views[name] else {}
            database.view(str(row.id).removeprefix("_design/"), name, limit=0, **options)
            built += 1
    return built


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
                build_indexes(database)
                self._built[database.name] = newest

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.build()
            except StoreError as error:
                log.info("The indexes wait for the store: %s", error)
            self._stopping.wait(_EVERY)
