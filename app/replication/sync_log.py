"""The sync log in ``local``: one entry ``sync:<connection>:<UTC time>`` a pass, in words and numbers.

Passes in which nothing happened, and failures for one and the same reason, share an entry that says how often: a node
that syncs every minute would otherwise bury the pass that somebody looks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.replication.results import PassResult, Step

if TYPE_CHECKING:
    from app.node import Node

# Entries kept for each connection. Pruning waits until there are some more, so that it is not done at every pass.
KEPT = 400
_SLACK = 50


@dataclass(frozen=True)
class Entry:
    """One line of the log. `passes` counts the syncs it stands for; `start` is the first's, `end` the last's."""

    id: str
    connection: str
    start: str
    end: str
    passes: int
    ok: bool
    failure: str
    sentence: str
    read: int
    written: int
    failed: int
    merged: int
    disputes: int
    refused: int
    steps: tuple[Step, ...]


def next_entry(result: PassResult, last: Mapping[str, Any] | None) -> dict[str, Any]:
    """The document to write for a pass; `last` is the document of the connection's newest entry, if there is one."""
    document = _document(result)
    if last and _say_the_same(last, document):
        again = {"_id": last["_id"], "_rev": last["_rev"], "start": last["start"], "passes": last["passes"] + 1}
        return {**document, **again}
    if last and last["_id"] >= document["_id"]:
        # The clock was set back: the log stays in the order in which things happened.
        document["_id"] = _just_after(last["_id"])
    return document


def _just_after(entry_id: str) -> str:
    known, _, number = entry_id.partition("+")
    return f"{known}+{int(number or 0) + 1:06}"


def prune(node: Node, connection: str) -> int:
    """Deletes the oldest entries of a connection beyond those kept; returns how many."""
    rows = node.local.all_docs(
        startkey=f"sync:{connection};", endkey=f"sync:{connection}:", descending=True, limit=KEPT + 10 * _SLACK
    ).rows
    if len(rows) <= KEPT + _SLACK:
        return 0
    gone = [{"_id": row.id, "_rev": row.value["rev"], "_deleted": True} for row in rows[KEPT:]]
    node.local.bulk(gone)
    return len(gone)


def entries(node: Node, connection: str, limit: int = 50, before: str = "") -> list[Entry]:
    """The newest entries of a connection, newest first; `before` is the id of the last one already seen."""
    start = before or f"sync:{connection};"
    rows = node.local.all_docs(
        startkey=start, endkey=f"sync:{connection}:", descending=True, limit=limit + bool(before), include_docs=True
    ).rows
    return [_entry(row.doc) for row in rows if row.doc and row.id != before][:limit]


def _document(result: PassResult) -> dict[str, Any]:
    return {
        "_id": f"sync:{result.connection}:{result.start}",
        "type": "sync",
        "connection": result.connection,
        "start": result.start,
        "end": result.end,
        "passes": 1,
        "ok": result.failure is None,
        "failure": result.failure.kind if result.failure else "",
        "sentence": f"{result.error} {result.note}".strip(),
        "read": result.read,
        "written": result.written,
        "failed": result.failed,
        "merged": result.merged,
        "disputes": result.disputes,
        "refused": result.refused,
        "steps": [asdict(step) for step in result.steps],
    }


def _say_the_same(before: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    compared = ("ok", "failure", "sentence", "read", "written", "failed", "merged", "disputes", "refused")
    nothing_happened = not any(document[key] for key in ("read", "written", "failed", "merged"))
    return nothing_happened and all(before.get(key) == document[key] for key in compared)


def _entry(document: Mapping[str, Any]) -> Entry:
    values = {name: document.get(name) for name in Entry.__dataclass_fields__ if name not in ("id", "steps")}
    steps = tuple(Step(**step) for step in document.get("steps", ()))
    return Entry(id=str(document["_id"]), steps=steps, **values)  # type: ignore[arg-type]
