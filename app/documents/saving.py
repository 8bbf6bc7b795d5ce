"""Saving: the one way a document of a book or the catalog is written, deleted, brought back and settled.

Deciding what the next revision is is pure (:mod:`app.documents.revising`); here it is read, written with its entry in
the log of changes, and decided again when somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from app.couch import Conflict, Database, Forbidden, NotFound
from app.documents.common import utc_now
from app.documents.deleting import delete, undelete
from app.documents.outcomes import Refused, Saved
from app.documents.settling import resolve_dispute
from app.documents.together import delete_together, undelete_together
from app.documents.writing import ATTEMPTS, Attempt, decide, stored_documents, to_write, with_id, withdraw, written

__all__ = [
    "Refused", "Saved", "delete", "delete_together", "resolve_dispute", "save", "save_many", "undelete",
    "undelete_together",
]  # fmt: skip

_BATCH = 500


def save(
    database: Database,
    document: Mapping[str, Any],
    by: str,
    base: Mapping[str, Any] | None = None,
    now: str | None = None,
) -> Saved:
    """Saves `document` as `by` wants it, merging with whatever was saved since it was shown.

    `base` is the document as its editor was shown it: the whole, or the fields shown with ``_rev``. Fields in neither
    are left alone; fields in `base` only are removed. Without `base`, a `document` with ``_rev`` is taken as the whole
    document made from that revision, and one without ``_rev`` as new: it needs ``type``, ``dealer`` and ``share``, and
    gets its natural id, or a UUIDv7, unless it has an ``_id``. ``type``, ``dealer``, ``share`` and ``created_*`` never
    change afterwards. `now` is ISO 8601 UTC.

    A save that changes nothing writes nothing. Raises Conflict when others keep being faster, Forbidden when a rule
    of the database forbids it, ValueError for a new document without a type or with a natural key incomplete.
    """
    attempt = Attempt(with_id(document, base), base)
    at = now or utc_now()
    for _ in range(ATTEMPTS):
        attempt.stored = stored_documents(database, [attempt.edited["_id"]])[attempt.edited["_id"]]
        saved = decide(database, attempt, by, at)
        if saved is None:
            results = database.bulk(to_write(attempt))
            try:
                saved = written(attempt, results)
            except Forbidden:
                withdraw(database, attempt)
                raise
        else:
            withdraw(database, attempt)
        if saved:
            return saved
    withdraw(database, attempt)
    raise Conflict(f"Others keep saving {attempt.edited['_id']} at this moment. Nothing was saved; try again.")


def save_many(
    database: Database, documents: Iterable[Mapping[str, Any]], by: str, now: str | None = None
) -> list[Saved | Refused]:
    """Saves many documents, in batches, each as :func:`save` without a base would; the results in the same order."""
    at = now or utc_now()
    results: list[Saved | Refused] = []
    for batch in _batches(documents):
        results += _save_batch(database, batch, by, at)
    return results


def _batches(documents: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Batches in which no id comes twice: the second must see what the first became."""
    batch: list[Mapping[str, Any]] = []
    ids: set[str] = set()
    for document in documents:
        id = document.get("_id")
        if len(batch) == _BATCH or (id and id in ids):
            yield batch
            batch, ids = [], set()
        batch.append(document)
        if id:
            ids.add(id)
    if batch:
        yield batch


def _save_batch(database: Database, batch: Sequence[Mapping[str, Any]], by: str, at: str) -> list[Saved | Refused]:
    results: list[Saved | Refused | None] = [None] * len(batch)
    waiting: dict[int, Attempt] = {}
    for number, document in enumerate(batch):
        try:
            waiting[number] = Attempt(with_id(document, None), None)
        except ValueError as problem:
            results[number] = Refused(dict(document), str(problem))
    for _ in range(ATTEMPTS):
        if not waiting:
            break
        _attempt_batch(database, waiting, results, by, at)
    for number, attempt in waiting.items():
        withdraw(database, attempt)
        results[number] = Refused(attempt.edited, "Others keep saving this document at this moment; try again.")
    return [result for result in results if result is not None]


def _attempt_batch(
    database: Database,
    waiting: dict[int, Attempt],
    results: list[Saved | Refused | None],
    by: str,
    at: str,
) -> None:
    stored = stored_documents(database, [attempt.edited["_id"] for attempt in waiting.values()])
    writing: list[tuple[int, Attempt]] = []
    for number, attempt in list(waiting.items()):
        attempt.stored = stored[attempt.edited["_id"]]
        result = _refusing(partial(decide, database, attempt, by, at), attempt)
        if result is None:
            writing.append((number, attempt))
        else:
            withdraw(database, attempt)
            results[number] = result
            del waiting[number]
    lines = database.bulk([document for _, attempt in writing for document in to_write(attempt)])
    position = 0
    for number, attempt in writing:
        length = len(to_write(attempt))
        mine = lines[position : position + length]
        position += length
        result = _refusing(partial(written, attempt, mine), attempt)
        if isinstance(result, Refused):
            withdraw(database, attempt)
        if result is not None:
            results[number] = result
            del waiting[number]


def _refusing(act: Callable[[], Saved | None], attempt: Attempt) -> Saved | Refused | None:
    try:
        return act()
    except (Forbidden, NotFound) as problem:
        return Refused(attempt.edited, str(problem))
