"""Which documents wait for somebody to decide between two values: the mark beside each of them in a list."""

from __future__ import annotations

from flask import g

from app.couch import Database
from app.web import current


def is_disputed(document_id: str) -> bool:
    """Whether a document has open disputes, for lists that are not made of the documents themselves.

    The first question of a page asks the store once, for all of the page; a page without rows asks nothing.
    """
    return bool(document_id) and document_id in _disputed(current.database_of(document_id))


def _disputed(database: Database) -> frozenset[str]:
    known: dict[str, frozenset[str]] = g.setdefault("disputed_documents", {})
    if database.name not in known:
        rows = database.view("conflicts", "disputes", reduce=False).rows
        known[database.name] = frozenset(str(row.id) for row in rows)
    return known[database.name]
