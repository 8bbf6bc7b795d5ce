"""Views: lists of documents in Notes' sense, read from ``views/<name>.toml`` or a ``view:`` document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.design.fields import TYPES, DesignError

DATABASES = ("book", "catalog", "market")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_FIELD = re.compile(r"[a-z_][a-z0-9_]{0,39}")
_TESTS = ("is", "is_not", "has", "at_least", "at_most")


@dataclass(frozen=True)
class Condition:
    """One condition of a selection: the `field` is, is not (`value` may be a list), is at least, is at most, or has
    a value at all (`value` is whether).
    """

    field: str
    test: str
    value: Any


@dataclass(frozen=True)
class Column:
    """A column of a list. `type` is one of a field's, and decides how it is shown; empty: as the form's field.

    `sortable` columns can be clicked to sort by. `order` lists values in the order that they sort in (stages).
    `formula` is a JavaScript expression over ``doc`` instead of a field's value. `only_in` limits it to one database.
    """

    field: str
    label: str
    type: str = ""
    sortable: bool = False
    empty_last: bool = False
    order: tuple[str, ...] = ()
    formula: str = ""
    only_in: str = ""


@dataclass(frozen=True)
class View:
    """A list of documents. `type` is theirs, empty for all; `databases` those in which it is installed.

    `sort` are the columns it is sorted by, in turn, `descending` if so; `category` those that its rows are grouped
    by, with counts; `totals` those that are added up, by category and altogether. `formula` is a JavaScript
    expression over ``doc`` that selects more finely than `where` can.
    """

    name: str
    label: str
    type: str
    databases: tuple[str, ...]
    columns: tuple[Column, ...]
    sort: tuple[str, ...]
    descending: bool = False
    category: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    formula: str = ""
    about: str = ""

    @cached_property
    def by_field(self) -> dict[str, Column]:
        """Every column by its field."""
        return {each.field: each for each in self.columns}

    @property
    def sorts(self) -> tuple[str, ...]:
        """The columns one can sort by with a click."""
        return tuple(each.field for each in self.columns if each.sortable)

    @property
    def design(self) -> str:
        """The name of its design document; its rows are in the view ``rows``, its counts and totals in ``totals``."""
        return f"list-{self.name}"

    def in_database(self, name: str) -> View:
        """The view as it is in a database: with the columns that belong there."""
        role = "market" if name == "market" else name.partition("-")[0]
        columns = tuple(each for each in self.columns if each.only_in in ("", role))
        return self if len(columns) == len(self.columns) else replace(self, columns=columns)


_TEXTS = ("label", "type", "formula", "about")
_LISTS = ("databases", "sort", "category", "totals")
_KNOWN = ("name", *_TEXTS, *_LISTS, "descending", "where", "columns")


def read_view(table: Mapping[str, Any], where: str = "") -> View:
    """A view from its table (a TOML file, or a ``view:`` document). Raises DesignError, beginning with `where`."""
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DesignError(f"{where or 'A view'}: its name is small letters, digits and dashes, not {name!r}.")
    where = where or f"The view {name}"
    for key in table:
        if key not in _KNOWN:
            raise DesignError(f"{where}: {key!r} is no property of a view; those are {', '.join(_KNOWN)}.")
    values: dict[str, Any] = {}
    for key in _TEXTS:
        values[key] = _text(table, key, where)
    for key in _LISTS:
        values[key] = _texts(table, key, where)
    values["label"] = values["label"] or name.replace("-", " ").capitalize()
    values["databases"] = values["databases"] or ("book",)
    unknown = set(values["databases"]) - set(DATABASES)
    if unknown:
        raise DesignError(f"{where}: there is no database {sorted(unknown)[0]!r}; there are {', '.join(DATABASES)}.")
    columns = tuple(_column(each, where) for each in table.get("columns") or ())
    conditions = tuple(_condition(each, where) for each in table.get("where") or ())
    view = View(name=name, columns=columns, where=conditions, descending=table.get("descending") is True, **values)
    _check(view, where)
    return view


def _check(view: View, where: str) -> None:
    if not view.columns:
        raise DesignError(f"{where} needs at least one column.")
    fields = [each.field for each in view.columns]
    for field in fields:
        if fields.count(field) > 1:
            raise DesignError(f"{where} has two columns of the field {field!r}.")
    for key, named in (("sort", view.sort), ("category", view.category), ("totals", view.totals)):
        for field in named:
            if field not in fields:
                raise DesignError(f"{where}: {key} names {field!r}, which is no column.")
    if not view.sort:
        raise DesignError(f"{where}: sort must name at least one column.")
    if len(view.category) > 2:
        raise DesignError(f"{where}: a list is grouped by two columns at most.")


def _column(table: Any, where: str) -> Column:
    if not isinstance(table, Mapping) or not _FIELD.fullmatch(str(table.get("field", ""))):
        raise DesignError(f"{where}: a column is a table with the name of a field, not {table!r}.")
    field = table["field"]
    where = f"{where}, column {field}"
    known = ("field", "label", "type", "sortable", "empty_last", "order", "formula", "only_in")
    for key in table:
        if key not in known:
            raise DesignError(f"{where}: {key!r} is no property of a column; those are {', '.join(known)}.")
    column = Column(
        field=field,
        label=_text(table, "label", where) or field.replace("_", " ").capitalize(),
        type=_text(table, "type", where),
        sortable=table.get("sortable") is True,
        empty_last=table.get("empty_last") is True,
        order=_texts(table, "order", where),
        formula=_text(table, "formula", where),
        only_in=_text(table, "only_in", where),
    )
    if column.type and column.type not in TYPES:
        raise DesignError(f"{where}: there is no type {column.type!r}; the types are {', '.join(TYPES)}.")
    return column


def _condition(table: Any, where: str) -> Condition:
    if isinstance(table, Mapping) and len(table) == 2 and _FIELD.fullmatch(str(table.get("field", ""))):
        test = next(key for key in table if key != "field")
        value = table[test]
        scalar = isinstance(value, str | int | float)
        if test in _TESTS and (scalar or (test in ("is", "is_not") and isinstance(value, list))):
            return Condition(table["field"], test, value)
    raise DesignError(
        f'{where}: a condition is a field and one of {", ".join(_TESTS)}, such as {{field = "stage", is = "won"}}, '
        f"not {table!r}."
    )


def _text(table: Mapping[str, Any], key: str, where: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise DesignError(f"{where}: {key} must be a text, not {value!r}.")
    return value


def _texts(table: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise DesignError(f"{where}: {key} must be a list of texts, not {value!r}.")
    return tuple(value)
