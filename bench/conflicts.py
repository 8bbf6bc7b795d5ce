"""Ten thousand documents that two nodes changed while apart, merged on an embedded store of its own."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import embedded
from app.couch import Database, Store
from app.replication.conflicts import merge_conflicts
from bench.figures import Figure, figure

_BATCH = 500


def figures(conflicts: int = 10_000) -> list[Figure]:
    """Merging so many documents of about 0.8 KB with two leaves each, beside writing as many in the same run.

    One branch changed the city and the other the website; in every second document both changed the phone as well, so
    that it ends with a dispute.
    """
    password = secrets.token_urlsafe()
    with (
        tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder,
        embedded.start(folder, admin=("bench", password)) as running,
    ):
        store = Store(running.url, "bench", password)
        plain, book = store.create("plain"), store.create("book")
        started = time.perf_counter()
        for batch in _batches(_first(number) for number in range(conflicts)):
            plain.bulk(batch)
        written = time.perf_counter() - started
        for batch in _batches(leaf for number in range(conflicts) for leaf in _leaves(number)):
            book.bulk(batch, new_edits=False)
        started = time.perf_counter()
        report = merge_conflicts(book)
        merged = time.perf_counter() - started
        _check(book, conflicts, report.merged, report.disputes)
    return [
        figure("sync", f"{conflicts:,} conflicts merged", merged, "s", 60.0),
        figure("sync", f"{conflicts:,} conflicts merged, over writing as many documents", merged / written, "times"),
    ]


def _check(book: Database, conflicts: int, merged: int, disputes: int) -> None:
    if (merged, disputes) != (conflicts, (conflicts + 1) // 2) or merge_conflicts(book).written:
        raise RuntimeError(f"{merged:,} of {conflicts:,} conflicts were merged, with {disputes:,} disputes.")


def _first(number: int) -> dict[str, Any]:
    return {
        "_id": f"D001:customer:{number:08}",
        "type": "customer",
        "dealer": "D001",
        "share": "manufacturer",
        "created_at": "2026-11-25T08:00:00Z",
        "created_by": "bench",
        "updated_at": "2026-11-25T08:00:00Z",
        "updated_by": "bench",
        "name": f"Customer {number}",
        "city": f"City {number % 97}",
        "notes": "Wants to be called before noon. " * 12,
        "field_revs": {"name": 1, "city": 1, "notes": 1, "*": 1},
    }


def _leaves(number: int) -> Iterator[dict[str, Any]]:
    first = _first(number)
    root = hashlib.md5(first["_id"].encode(), usedforsecurity=False).hexdigest()
    for who, field in (("anna", "city"), ("bert", "website")):
        digest = hashlib.md5(f"{root}{who}".encode(), usedforsecurity=False).hexdigest()
        fields = {field: f"of {who}", **({"phone": f"of {who}"} if number % 2 == 0 else {})}
        yield {
            **first,
            **fields,
            "_rev": f"2-{digest}",
            "_revisions": {"start": 2, "ids": [digest, root]},
            "updated_by": who,
            "field_revs": {**first["field_revs"], **dict.fromkeys(fields, 2), "*": 2},
        }


def _batches(documents: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch = []
    for document in documents:
        batch.append(document)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
