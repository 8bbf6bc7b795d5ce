"""One page of a list: by key, never by skipping, in two requests however long the list is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.couch import Database, Row, Rows
from app.design.views import Column, View

Direction = Literal["next", "previous"]
# After every other key that begins the same.
_END: dict[str, Any] = {}


@dataclass(frozen=True)
class ListRow:
    """A document in a list: its cells by the column's field, and how many disputes it has."""

    id: str
    cells: dict[str, Any]
    category: tuple[Any, ...] = ()
    disputes: int = 0


@dataclass(frozen=True)
class Category:
    """A category with the number of its rows and their totals by field. `value` is what ``page`` takes."""

    value: tuple[Any, ...]
    count: int
    totals: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ListPage:
    """A page of a list.

    `next` and `previous` are starts of the neighbouring pages, to hand back with that direction, or None. `total_rows`
    and `totals` are of the whole list, or of the category it is limited to; `categories` are all there are.
    """

    view: View
    rows: list[ListRow]
    next: str | None
    previous: str | None
    total_rows: int
    totals: dict[str, float]
    categories: list[Category]
    sort: str
    descending: bool
    category: tuple[Any, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that the rows have."""
        return self.view.columns


def page(
    database: Database,
    view: View,
    start: str | None = None,
    direction: Direction = "next",
    limit: int = 50,
    category: Sequence[Any] | None = None,
    sort: str = "",
    descending: bool | None = None,
) -> ListPage:
    """The page of `view` that begins at `start` (or, with direction ``"previous"``, ends before it).

    `category` limits it to one of ``ListPage.categories`` (its value); `sort` is a sortable column, empty for the
    view's own order, which alone has categories. A start that is not one is the beginning. Raises NotFound when the
    view is not installed in the database.
    """
    view = view.in_database(database.name)
    if sort not in view.sorts:
        sort = ""
    wanted = tuple(category or ()) if not sort else ()
    backwards = (view.descending and not sort) if descending is None else descending
    reading = _Reading(database, view, sort, _key_of(view, wanted), backwards)
    at = _decoded(start, sort)
    if direction == "previous" and at:
        rows = reading.before(at, limit + 1)
        if len(rows) > limit:
            return _page(reading, rows[-limit:], wanted, has_before=True, following=at)
        # There is less than a page before it: the first page is what one wants to see.
        at = None
    rows = reading.after(at, limit + 1)
    following = _place(rows[limit]) if len(rows) > limit else None
    return _page(reading, rows[:limit], wanted, has_before=at is not None, following=following)


Place = tuple[Any, str]


@dataclass(frozen=True)
class _Reading:
    database: Database
    view: View
    sort: str
    category: list[Any]
    descending: bool

    @property
    def _ends(self) -> tuple[list[Any], list[Any]]:
        first, last = [self.sort, *self.category], [self.sort, *self.category, _END]
        return (last, first) if self.descending else (first, last)

    def after(self, at: Place | None, limit: int) -> list[Row]:
        """Rows from a place on, that place included."""
        first, last = self._ends
        begin: dict[str, Any] = {"startkey": first}
        if at:
            begin = {"startkey": at[0], "startkey_docid": at[1]}
        return self._rows(**begin, endkey=last, limit=limit, descending=self.descending)

    def before(self, at: Place, limit: int) -> list[Row]:
        """The rows before a place, the nearest `limit` of them, in the list's order."""
        first, _ = self._ends
        rows = self._rows(
            startkey=at[0], startkey_docid=at[1], endkey=first, limit=limit + 1, descending=not self.descending
        )
        return [row for row in reversed(rows) if _place(row) != at][-limit:]

    def _rows(self, **options: Any) -> list[Row]:
        return self.database.view(self.view.design, "rows", **options).rows

    def totals(self) -> Rows:
        """Counts and totals by category; one row for a list without categories."""
        level = len(self.view.category)
        options: dict[str, Any] = {"group_level": level} if level else {"reduce": True}
        return self.database.view(self.view.design, "totals", **options)


def _page(
    reading: _Reading, rows: list[Row], wanted: tuple[Any, ...], has_before: bool, following: Place | None
) -> ListPage:
    view = reading.view
    categories = [_counted(view, row) for row in reading.totals()]
    inside = [each for each in categories if each.value[: len(wanted)] == wanted]
    return ListPage(
        view=view,
        rows=[_list_row(view, row, reading.sort) for row in rows],
        next=_encoded(following, reading.sort) if following else None,
        previous=_encoded(_place(rows[0]), reading.sort) if has_before and rows else None,
        total_rows=sum(each.count for each in inside),
        totals={name: sum(each.totals[name] for each in inside) for name in view.totals},
        categories=categories if view.category else [],
        sort=reading.sort,
        descending=reading.descending,
        category=wanted,
    )


def _list_row(view: View, row: Row, sort: str) -> ListRow:
    cells = {column.field: value for column, value in zip(view.columns, row.value, strict=False)}
    parts = row.key[1 : 1 + len(view.category)] if not sort else ()
    return ListRow(str(row.id), cells, _plain(view, parts), int(row.value[len(view.columns)]))


def _counted(view: View, row: Row) -> Category:
    count, *totals = row.value
    return Category(_plain(view, row.key or ()), int(count), dict(zip(view.totals, totals, strict=True)))


def _plain(view: View, parts: Sequence[Any]) -> tuple[Any, ...]:
    """The values of categories from their parts of a key, where a value may stand behind its place in an order."""
    ordered = (view.by_field[field].order for field in view.category)
    return tuple(part[1] if order else part for part, order in zip(parts, ordered, strict=False))


def _key_of(view: View, category: Sequence[Any]) -> list[Any]:
    parts: list[Any] = []
    for name, value in zip(view.category, category, strict=False):
        order = view.by_field[name].order
        place = order.index(value) if value in order else len(order)
        parts.append([place, value] if order else value)
    return parts


def _place(row: Row) -> Place:
    return row.key, str(row.id)


def _encoded(place: Place, sort: str) -> str:
    text = json.dumps([*place, sort], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode("ascii").rstrip("=")


def _decoded(start: str | None, sort: str) -> Place | None:
    if not start:
        return None
    try:
        key, id, ordered_by = json.loads(base64.urlsafe_b64decode(start + "=" * (-len(start) % 4)))
    except (ValueError, TypeError, binascii.Error):
        return None
    if not isinstance(key, list) or not isinstance(id, str) or ordered_by != sort or key[:1] != [sort]:
        return None
    return key, id
