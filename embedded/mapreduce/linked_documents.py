"""The documents of rows for `include_docs`: the row's own, or the one its value links to with `_id`."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from embedded import database_reading, document_text
from embedded.http import json_text
from embedded.mapreduce.reducers import Row
from embedded.revtree import Revision

_IDS_AT_ONCE = 200


def of_rows(
    connection: sqlite3.Connection, rows: Sequence[Row], conflicts: bool, attachments: bool = False
) -> list[str]:
    """A JSON text a row; `null` for a document that is missing or deleted. `attachments`: with their contents."""
    links = [_link(id, value) for id, _, value in rows]
    found = winners(connection, {id for id, rev in links if rev is None}, conflicts, attachments)
    return [found.get(id, "null") if rev is None else _revision(connection, id, rev) for id, rev in links]


def _link(id: str, value: str) -> tuple[str, str | None]:
    if not value.startswith("{") or '"_id"' not in value:
        return id, None
    linked: Any = json_text.stored(value)
    target, rev = linked.get("_id", id), linked.get("_rev")
    if not isinstance(target, str):
        return id, None
    return target, rev if isinstance(rev, str) else None


def winners(
    connection: sqlite3.Connection, ids: set[str], conflicts: bool, with_contents: bool = False
) -> dict[str, str]:
    """The winning revisions of documents that are not deleted, as JSON texts by id."""
    found: dict[str, str] = {}
    wanted = sorted(ids)
    show = document_text.Show(attachments=with_contents)
    for at in range(0, len(wanted), _IDS_AT_ONCE):
        some = wanted[at : at + _IDS_AT_ONCE]
        marks = ",".join("?" * len(some))
        for id, rev, leaves, body, attachments in connection.execute(
            "SELECT d.id, d.rev, d.leaves, b.body, b.attachments FROM documents d "  # noqa: S608
            f"JOIN bodies b ON b.number = d.body WHERE NOT d.deleted AND d.id IN ({marks})",
            some,
        ).fetchall():
            extra = "" if attachments is None else document_text.shown_attachments(connection, attachments, show)
            if conflicts and leaves > 1:
                stored = database_reading.find(connection, id)
                assert stored is not None
                extra += document_text.conflicts_text(stored.tree(), deleted_conflicts=False)
            found[id] = document_text.document_text(id, rev, False, body, extra)
    return found


def _revision(connection: sqlite3.Connection, id: str, rev: str) -> str:
    stored = database_reading.find(connection, id)
    number, _, digest = rev.partition("-")
    if stored is None or not number.isdigit():
        return "null"
    return document_text.revision_text(connection, id, stored.tree(), Revision(int(number), digest)) or "null"
