"""Running a plan: read rows in order, look at their documents, keep those that match."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from embedded.http import json_text
from embedded.mango.planning import Plan
from embedded.mango.question import Question, bookmark_at, projected
from embedded.mapreduce import linked_documents

_ROWS_AT_ONCE: Final = 100
_SCAN_WARNING: Final = 10
"""CouchDB warns when it looked at more than this many documents for each it found."""
_NO_INDEX: Final = "No matching index found, create an index to optimize query time."
_WIDE_SCAN: Final = (
    "The number of documents examined is high in proportion to the number of results returned. "
    "Consider adding a more specific index to improve this."
)


@dataclass(slots=True)
class Found:
    """`documents` are JSON texts; `last` is the place of the row of the last of them."""

    documents: list[str] = field(default_factory=list)
    last: bytes | None = None
    keys_examined: int = 0
    documents_examined: int = 0


def find(plan: Plan, question: Question, rows: sqlite3.Connection, documents: sqlite3.Connection, number: int) -> Found:
    """`rows`: a connection to the plan's index, `number` its map function there; for ALL_DOCUMENTS the database's."""
    found = Found()
    skip = question.skip
    if question.limit == 0:
        return found
    for batch in _batches(_places(plan, question, rows, number)):
        texts = linked_documents.winners(documents, {id for id, _ in batch}, question.conflicts)
        for id, place in batch:
            found.keys_examined += int(plan.index.design is not None)
            text = texts.get(id)
            if text is None:
                continue
            found.documents_examined += 1
            document = json_text.stored(text)
            if not question.matches(document):
                continue
            if skip:
                skip -= 1
                continue
            found.documents.append(_told(text, document, question))
            found.last = place
            if len(found.documents) == question.limit:
                return found
    return found


def _told(text: str, document: dict[str, Any], question: Question) -> str:
    return text if question.fields is None else json_text.text(projected(document, question.fields))


def _places(plan: Plan, question: Question, rows: sqlite3.Connection, number: int) -> Iterator[tuple[str, bytes]]:
    """(document id, place) in the order asked for, from where the bookmark stands."""
    low, high = plan.low, plan.high
    if question.after is not None:
        if plan.descending:
            high = question.after if high is None else min(high, question.after)
        else:
            low = max(low, question.after + b"\x00")
    order = "DESC" if plan.descending else "ASC"
    if plan.index.design is not None:
        yield from rows.execute(
            f"SELECT id, place FROM rows_{number} WHERE place >= ? AND place < ? ORDER BY place {order}",  # noqa: S608
            (low, b"\xff" if high is None else high),
        )
        return
    for (id,) in rows.execute(
        "SELECT id FROM documents WHERE NOT deleted AND id >= CAST(? AS TEXT) "  # noqa: S608
        f"AND (? IS NULL OR id < CAST(? AS TEXT)) ORDER BY id {order}",
        (low, high, high),
    ):
        if not id.startswith("_design/"):
            yield id, id.encode()


def _batches(places: Iterator[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """Small ones first, so that a question for one document reads hardly more."""
    size = 8
    batch: list[tuple[str, bytes]] = []
    for place in places:
        batch.append(place)
        if len(batch) == size:
            yield batch
            batch = []
            size = min(size * 2, _ROWS_AT_ONCE)
    if batch:
        yield batch


def answer_text(found: Found, plan: Plan, question: Question, warnings: list[str], started: float) -> str:
    """The answer of `_find` as JSON text. `started`: when it began, by `time.perf_counter`."""
    last = found.last if found.documents else None
    warnings = list(warnings)
    if plan.index.design is None:
        warnings.append(_NO_INDEX)
    if found.documents_examined > _SCAN_WARNING * max(1, len(found.documents)):
        warnings.append(_WIDE_SCAN)
    extra = f',\n"warning":{json_text.text(chr(10).join(warnings))}' if warnings else ""
    if question.execution_stats:
        stats = {
            "total_keys_examined": found.keys_examined,
            "total_docs_examined": found.documents_examined,
            "total_quorum_docs_examined": 0,
            "results_returned": len(found.documents),
            "execution_time_ms": round((time.perf_counter() - started) * 1000, 3),
        }
        extra += f',\n"execution_stats":{json_text.text(stats)}'
    bookmark = json_text.text(bookmark_at(last))
    return '{"docs":[\n' + ",\n".join(found.documents) + f'\n],\n"bookmark":{bookmark}{extra}}}'
