"""What one row of a changes feed tells people (pure).

Two kinds of document tell of an edit: the document itself, which says who saved it last, and the entry in the log of
changes. Both are asked, for neither is enough: a document that was made has no entry, and a document in which a merge
put two people's edits together names only the later of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.documents.common import generation

# Entries of the log are read with their document, and definitions are the consultant's business.
UNMARKED_TYPES = frozenset({"change", "form", "view"})


@dataclass(frozen=True)
class News:
    """Somebody made or edited a document.

    `at` is when by the clock of whoever did it: it tells one edit from another and nothing else, for clocks are wrong.
    `is_entry`: the log of changes says so, with the names of the `fields`; `added`: it is the first revision.
    """

    document: str
    type: str
    by: str
    at: str
    is_entry: bool = False
    fields: tuple[str, ...] = ()
    added: bool = False


@dataclass(frozen=True)
class Gone:
    """A document was deleted."""

    document: str


def news_of(change: Mapping[str, Any]) -> News | Gone | None:
    """What a row of ``_changes`` (with its document) tells; None for what nobody wants marked.

    What programs write (``by`` such as ``import:telematics``) is not news: a fleet's positions of every morning would
    bury what people did.
    """
    id = str(change.get("id") or "")
    document = change.get("doc") or {}
    if id.startswith("_design/"):
        return None
    if change.get("deleted") or document.get("_deleted"):
        return Gone(id)
    kind = str(document.get("type") or "")
    if kind == "change":
        return _of_entry(document)
    by = str(document.get("updated_by") or "")
    if not kind or kind in UNMARKED_TYPES or is_program(by):
        return None
    added = generation(document.get("_rev")) == 1
    return News(id, kind, by, str(document.get("updated_at") or ""), added=added)


def _of_entry(entry: Mapping[str, Any]) -> News | None:
    kind, about, by = (str(entry.get(name) or "") for name in ("document_type", "document", "by"))
    # What a merge tells, the entries of those whose edits met have told before it.
    if entry.get("deleted") or entry.get("merged") or not about or not kind or kind in UNMARKED_TYPES or is_program(by):
        return None
    rows = entry.get("changes")
    named = [str(row.get("field") or "") for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    return News(about, kind, by, str(entry.get("at") or ""), True, tuple(dict.fromkeys(filter(None, named))))


def is_program(by: str) -> bool:
    """Whether a program and not a person is named in ``updated_by``."""
    return ":" in by
