"""Following changes from a sequence that was written down elsewhere and may be of no use any more."""

from __future__ import annotations

import logging
from typing import Any

from app.couch import Changes, Database, Refused

log = logging.getLogger(__name__)


def changes_from(database: Database, since: Any, **options: Any) -> Changes:
    """The changes after `since`, or all of them when the store cannot read it.

    A sequence is the store's own: after a move from one kind of store to another those that were kept say nothing, and
    looking at everything once more is right, if slower. `options` are those of ``Database.changes``.
    """
    try:
        return database.changes(since=since, **options)
    except Refused:
        if since == 0:
            raise
        log.warning(
            "The sequence %.40s of %s cannot be used any more; starting from the beginning.", since, database.name
        )
        return database.changes(since=0, **options)
