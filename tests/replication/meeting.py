"""Two books with the same customer, edited apart and brought together again."""

from __future__ import annotations

from typing import Any

from app.couch import Database, Store
from app.documents import saving

ID = "D001:customer:1"
AT = "2026-11-25T10:{:02}:00Z"
SELECTOR = {"share": "manufacturer"}


def pair(store: Store, **fields: Any) -> tuple[Database, Database]:
    """Two books with the same customer."""
    here, there = store.create("here"), store.create("there")
    document = {"_id": ID, "type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Kies", **fields}
    saving.save(here, document, "anna", now=AT.format(0))
    carry(here, there)
    return here, there


def carry(source: Database, target: Database) -> None:
    source.store.replicate(source.name, target.name, selector=SELECTOR)


def edit(database: Database, by: str, minute: int, **fields: Any) -> None:
    shown = database.get(ID)
    assert shown is not None
    saving.save(database, {**shown, **fields}, by, base=shown, now=AT.format(minute))
