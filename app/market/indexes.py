"""Building indexes before somebody waits for them."""

from __future__ import annotations

import logging
import threading

from app.couch import Database, StoreError

log = logging.getLogger(__name__)


def build_indexes(database: Database, stop: threading.Event | None = None) -> int:
    """Brings the index of every design document of `database` up to date; returns how many there are.

    One that cannot be built is left to whoever reads it, who is told why.
    """
    rows = database.all_docs(startkey="_design/", endkey="_design0", include_docs=True).rows
    built = 0
    for name, views in ((str(row.id).removeprefix("_design/"), (row.doc or {}).get("views")) for row in rows):
        if not isinstance(views, dict) or not views:
            continue
        if stop and stop.is_set():
            break
        try:
            # All views of a design document are one index: reading any of them builds it.
            database.view(name, next(iter(views)), limit=0, reduce=False)
            built += 1
        except StoreError as error:
            log.warning("The index of %s in %s could not be built: %s", name, database.name, error)
    return built
