"""A list as its page and its CSV show it: columns, rows, categories, and the addresses they lead to (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from app.web.document_fields import NUMERIC, ShownField
from app.web.readable import readable_columns

if TYPE_CHECKING:
    from app.design.forms import Form
    from app.design.listing import Category, ListPage, ListRow
    from app.design.views import Column


@dataclass(frozen=True)
class Asked:
    """What an address asks of a list: ``?in=["open"]&sort=name&order=down&start=…&direction=previous&all=yes``."""

    category: tuple[Any, ...] = ()
    sort: str = ""
    descending: bool | None = None
    start: str = ""
    previous: bool = False
    all: bool = False

    def query(self, **changes: Any) -> str:
        """The query of the same address with `changes`; a new order or category begins at the beginning."""
        values: dict[str, Any] = {name: getattr(self, name) for name in ("category", "sort", "descending", "all")}
        values |= {"start": "", "previous": False} | changes
        pairs = {
            "in": json.dumps(values["category"], ensure_ascii=False) if values["category"] else "",
            "sort": values["sort"],
            "order": "" if values["descending"] is None else "down" if values["descending"] else "up",
            "all": "yes" if values["all"] else "",
            "start": values["start"],
            "direction": "previous" if values["previous"] else "",
        }
        return "?" + urlencode({name: value for name, value in pairs.items() if value})


def asked_in(arguments: Mapping[str, str]) -> Asked:
    """What an address asks; anything that makes no sense is as if it were not there."""
    try:
        category = json.loads(arguments.get("in", "") or "[]")
    except ValueError:
        category = []
    scalars = isinstance(category, list) and not any(isinstance(each, list | dict) for each in category)
    return Asked(
        category=tuple(category) if scalars else (),
        sort=arguments.get("sort", ""),
        descending={"down": True, "up": False}.get(arguments.get("order", "")),
        start=arguments.get("start", ""),
        previous=arguments.get("direction") == "previous",
        all=bool(arguments.get("all")),
    )


@dataclass(frozen=True)
class Head:
    """The head of a column: `url` sorts by it; `sorted` is ``ascending``, ``descending`` or empty."""

    label: str
    numeric: bool
    url: str = ""
    sorted: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the table: a document with its cells."""

    id: str
    cells: Sequence[ShownField]
    disputes: int


@dataclass(frozen=True)
class Group:
    """Rows of one category, or all rows where there are none (then `label` is empty)."""

    label: str
    count: int
    totals: Sequence[ShownField | None]
    url: str
    lines: Sequence[Line]


def columns_for(page: ListPage, form: Form | None, roles: Iterable[str]) -> list[Column]:
    """The columns that somebody with these roles may read, without those that stand in the heads of categories."""
    in_heads = () if page.sort else page.view.category
    return readable_columns([each for each in page.columns if each.field not in in_heads], form, roles)


def cell(column: Column, value: Any, form: Form | None, titles: Mapping[str, str]) -> ShownField:
    """A value of a column, shown as the form shows that field unless the column has a type of its own."""
    field = form.by_name.get(column.field) if form else None
    kind = column.type or (field.type if field else "")
    if kind == "long text" or not kind:
        kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else "text"
    title = titles.get(value, "") if isinstance(value, str) else ""
    labels = field.choice_labels if field else {}
    return ShownField(column.field, column.label, kind, value, title, field.unit if field else "", labels)


def heads(page: ListPage, columns: Sequence[Column], form: Form | None, asked: Asked) -> list[Head]:
    """The heads of the columns, those that can be sorted by with the address that does."""
    found = []
    sorted_by = page.sort or (page.view.sort[0] if not page.view.category else "")
    for column in columns:
        mine = column.field == sorted_by
        url = ""
        if column.sortable:
            url = asked.query(sort=column.field, descending=not page.descending if mine else False)
        state = ("descending" if page.descending else "ascending") if mine else ""
        found.append(Head(column.label, is_numeric(column, form), url, state))
    return found


def category_head(page: ListPage) -> str:
    """What stands over the categories when they are shown alone."""
    return " › ".join(page.view.by_field[name].label for name in page.view.category)


def is_numeric(column: Column, form: Form | None) -> bool:
    """Whether a column's values stand on the right."""
    field = form.by_name.get(column.field) if form else None
    return (column.type or (field.type if field else "")) in NUMERIC


def groups(
    page: ListPage,
    columns: Sequence[Column],
    form: Form | None,
    titles: Mapping[str, str],
    asked: Asked,
) -> list[Group]:
    """The rows of a page under their categories, in the order they come."""
    counted = {category.value: category for category in page.categories}
    found: list[Group] = []
    lines: list[Line] = []
    current: tuple[Any, ...] | None = None
    for row in page.rows:
        if current is None or row.category != current:
            current, lines = row.category, []
            found.append(_group(page, current, counted.get(current), lines, columns, form, titles, asked))
        lines.append(_line(row, columns, form, titles))
    return found


def category_groups(
    page: ListPage, columns: Sequence[Column], form: Form | None, titles: Mapping[str, str], asked: Asked
) -> list[Group]:
    """The categories alone, each leading to its rows; in the order in which their rows come."""
    inside = [each for each in page.categories if each.value[: len(asked.category)] == asked.category]
    if page.descending:
        inside.reverse()
    return [_group(page, each.value, each, [], columns, form, titles, asked) for each in inside]


def totals(
    page: ListPage, columns: Sequence[Column], form: Form | None, sums: Mapping[str, float]
) -> list[ShownField | None]:
    """The totals under their columns; None under a column without one."""
    return [cell(column, sums[column.field], form, {}) if column.field in sums else None for column in columns]


def ids_in(page: ListPage, form: Form | None) -> set[str]:
    """The documents that the rows and categories name, for their titles."""
    referring = {
        column.field
        for column in page.columns
        if (column.type or (form.by_name[column.field].type if form and column.field in form.by_name else ""))
        == "reference"
    }
    values = {row.cells.get(name) for row in page.rows for name in referring}
    for position, name in enumerate(page.view.category):
        if name in referring:
            values |= {each.value[position] for each in page.categories if len(each.value) > position}
    return {value for value in values if isinstance(value, str) and value}


def category_label(page: ListPage, value: tuple[Any, ...], form: Form | None, titles: Mapping[str, str]) -> str:
    """A category in words."""
    words = []
    for name, part in zip(page.view.category, value, strict=False):
        shown = cell(page.view.by_field[name], part, form, titles)
        words.append(str(shown.title or shown.choice_labels.get(part) or part) if part not in (None, "") else "(none)")
    return " › ".join(words)


def _group(
    page: ListPage,
    value: tuple[Any, ...],
    counted: Category | None,
    lines: list[Line],
    columns: Sequence[Column],
    form: Form | None,
    titles: Mapping[str, str],
    asked: Asked,
) -> Group:
    if counted is None:
        return Group("", 0, [], "", lines)
    return Group(
        label=category_label(page, value, form, titles),
        count=counted.count,
        totals=totals(page, columns, form, counted.totals),
        url=asked.query(category=value, all=False),
        lines=lines,
    )


def _line(row: ListRow, columns: Sequence[Column], form: Form | None, titles: Mapping[str, str]) -> Line:
    return Line(row.id, [cell(column, row.cells.get(column.field), form, titles) for column in columns], row.disputes)
