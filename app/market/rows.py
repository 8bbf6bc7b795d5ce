"""The rows behind a figure, a page at a time by key."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.couch import Database, Row
from app.market.ranges import AS_INDEXED, END, Range


@dataclass(frozen=True)
class RowsPage:
    """Some rows of a range, each with its document. `next` and `previous` are handed back to :func:`read_rows`;
    empty when there is nothing in that direction.
    """

    rows: list[Row]
    next: str = ""
    previous: str = ""


def read_rows(
    database: Database, wanted: Sequence[Range], start: str = "", backwards: bool = False, limit: int = 50
) -> RowsPage:
    """The page that begins at `start`, or ends before it when `backwards`. A start that is none is the beginning.

    `wanted` are ranges of one view, in its order.
    """
    at, place = _place(wanted, start)
    if backwards and place:
        before: list[Row] = []
        for number in range(at, -1, -1):
            found = _read(database, wanted[number], place if number == at else None, limit + 2, True)
            before += [row for row in found if [row.key, row.id] != place]
            if len(before) > limit:
                rows = before[limit - 1 :: -1]
                return RowsPage(rows, next=start, previous=_encoded(rows[0]))
        at, place = 0, None
    rows = []
    for number in range(at, len(wanted)):
        rows += _read(database, wanted[number], place if number == at else None, limit + 1 - len(rows), False)
        if len(rows) > limit:
            break
    following = _encoded(rows[limit]) if len(rows) > limit else ""
    return RowsPage(rows[:limit], following, _encoded(rows[0]) if place and rows else "")


def all_rows(database: Database, wanted: Sequence[Range], at_once: int = 500) -> Iterator[list[Row]]:
    """Every row of the ranges, `at_once` rows a page."""
    start = ""
    while True:
        page = read_rows(database, wanted, start, limit=at_once)
        yield page.rows
        if not page.next:
            return
        start = page.next


def _place(wanted: Sequence[Range], start: str) -> tuple[int, list[Any] | None]:
    """Which of the ranges a start is in, and where; the beginning for one that is in none."""
    place = _decoded(start)
    for number, each in enumerate(wanted):
        if place and place[0][: len(each.prefix)] == list(each.prefix):
            return number, place
    return 0, None


def _read(database: Database, wanted: Range, place: list[Any] | None, limit: int, reversed: bool) -> list[Row]:
    descending = wanted.descending != reversed
    first, last = list(wanted.prefix), [*wanted.prefix, END]
    begin: dict[str, Any] = {"startkey": last if descending else first}
    if place:
        begin = {"startkey": place[0], "startkey_docid": place[1]}
    return database.view(
        wanted.database, wanted.view, **begin, endkey=first if descending else last,
        descending=descending, reduce=False, include_docs=True, limit=limit, **AS_INDEXED,
    ).rows  # fmt: skip


def _encoded(row: Row) -> str:
    text = json.dumps([row.key, row.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def _decoded(start: str) -> list[Any] | None:
    if not start:
        return None
    try:
        place = json.loads(base64.urlsafe_b64decode(start + "=" * (-len(start) % 4)))
    except (ValueError, binascii.Error):
        return None
    if isinstance(place, list) and len(place) == 2 and isinstance(place[0], list) and isinstance(place[1], str):
        return place
    return None
