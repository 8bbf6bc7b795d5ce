"""Which documents wait for somebody to decide between two values: the mark beside each of them in a list."""

from __future__ import annotations

from collections.abc import Iterable

from flask import g

from app.web import current


def expect(ids: Iterable[str]) -> None:
    """Says which documents a page is going to list, so that the store is asked about all of them at once."""
    _known().update((id, None) for id in ids if id and id not in _known())


def is_disputed(document_id: str) -> bool:
    """Whether a document has open disputes, for lists that are not made of the documents themselves.

    One request for all that are expected, whatever is disputed elsewhere; a page without rows asks nothing.
    """
    if not document_id:
        return False
    if _known().get(document_id) is None:
        _ask(document_id)
    return bool(_known()[document_id])


def _ask(document_id: str) -> None:
    """Asks about the document, and about those of its database that are expected and not known yet."""
    database = current.database_of(document_id)
    waiting = [id for id, disputed in _known().items() if disputed is None]
    ids = {document_id, *(id for id in waiting if current.database_of(id).name == database.name)}
    rows = database.view("conflicts", "disputed", keys=sorted(ids)).rows
    _known().update(dict.fromkeys(ids, False) | {str(row.id): True for row in rows})


def _known() -> dict[str, bool | None]:
    """Whether each document is disputed; None for one that is only expected."""
    known: dict[str, bool | None] = g.setdefault("disputed_documents", {})
    return known
