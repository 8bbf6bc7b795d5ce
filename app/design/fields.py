"""One field of a form: what it is called, what kind of value it holds, and who may see it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.documents.common import BOOKKEEPING_FIELDS
from app.errors import IronbookError

TYPES = (
    "text",
    "long text",
    "number",
    "money",
    "year",
    "date",
    "time",
    "day of year",
    "yes/no",
    "choice",
    "tags",
    "phone",
    "e-mail",
    "link",
    "reference",
    "position",
    "rows",
    "attachment",
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class DesignError(IronbookError):
    """A form or a view that cannot work; the sentence names the file or document and the place."""


@dataclass(frozen=True)
class Field:
    """A field of a form, or a column of a field of rows (then `columns` of that field holds it).

    `choices` are (value, label). `target` is the type a reference points to. `visible_when` names another `field` and
    the `values` (texts; ``"yes"`` and ``""`` for yes/no) with which this one is asked for. `computed` is an expression
    (:mod:`app.design.expressions`) over the other fields. `read` and `edit` are the roles that may, empty for
    everybody who may open the document.
    """

    name: str
    label: str
    type: str = "text"
    hint: str = ""
    unit: str = ""
    required: bool = False
    unique: bool = False
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    target: str = ""
    columns: tuple[Field, ...] = ()
    visible_when: Mapping[str, Any] = field(default_factory=dict)
    computed: str = ""
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    read: tuple[str, ...] = ()
    edit: tuple[str, ...] = ()
    add_label: str = ""

    @property
    def choice_labels(self) -> dict[str, str]:
        """The label of each choice."""
        return dict(self.choices)

    def may_read(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may see the field."""
        return not self.read or not set(self.read).isdisjoint(roles)

    def may_edit(self, roles: Iterable[str]) -> bool:
        """Whether somebody with these roles may change the field. Nobody edits what is computed."""
        mine = set(roles)
        return not self.computed and self.may_read(mine) and (not self.edit or not mine.isdisjoint(self.edit))

    def is_visible(self, document: Mapping[str, Any]) -> bool:
        """Whether the field is asked for in a document with these values."""
        if not self.visible_when:
            return True
        value = document.get(self.visible_when["field"])
        text = ("yes" if value else "") if value is None or isinstance(value, bool) else str(value)
        return text in self.visible_when["values"]


_TEXTS = ("label", "type", "hint", "unit", "target", "computed", "add_label")
_TRUTHS = ("required", "unique", "whole")
_NUMBERS = ("minimum", "maximum")
_LISTS = ("read", "edit")
_KNOWN = {"name", "default", "choices", "columns", "visible_when", *_TEXTS, *_TRUTHS, *_NUMBERS, *_LISTS}


def read_field(table: Mapping[str, Any], where: str, column: bool = False) -> Field:
    """A field from its table. Raises DesignError, beginning with `where`."""
    name = table.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name in BOOKKEEPING_FIELDS or name == "id":
        raise DesignError(
            f"{where}: a field's name is small letters, digits and _, beginning with a letter, and none of Ironbook's "
            f"own names; not {name!r}."
        )
    where = f"{where}, field {name}"
    unknown = set(table) - _KNOWN
    if unknown:
        raise DesignError(
            f"{where}: {sorted(unknown)[0]!r} is no property of a field; those are {', '.join(sorted(_KNOWN))}."
        )
    values: dict[str, Any] = {"name": name, "default": table.get("default")}
    for keys, kind, words in (
        (_TEXTS, str, "a text"),
        (_TRUTHS, bool, "true or false"),
        (_NUMBERS, (int, float), "a number"),
        (_LISTS, list, "a list of texts"),
    ):
        for key in keys:
            if key in table:
                if not isinstance(table[key], kind):
                    raise DesignError(f"{where}: {key} must be {words}, not {table[key]!r}.")
                values[key] = tuple(map(str, table[key])) if kind is list else table[key]
    values.setdefault("label", name.replace("_", " ").capitalize())
    values["choices"] = _choices(table.get("choices"), where)
    values["visible_when"] = _condition(table.get("visible_when", {}), where)
    values["columns"] = tuple(
        read_field(_table(each, f"{where}: a column"), where, column=True) for each in table.get("columns", ())
    )
    return _checked(Field(**values), where, column)


def _checked(made: Field, where: str, column: bool) -> Field:
    kind = made.type
    if kind not in TYPES:
        raise DesignError(f"{where}: there is no type {kind!r}; the types are {', '.join(TYPES)}.")
    if column and kind in ("rows", "attachment", "position", "day of year"):
        raise DesignError(f"{where}: a column of rows cannot be of the type {kind!r}.")
    for needed, has in (("choice", made.choices), ("reference", made.target), ("rows", made.columns)):
        if (kind == needed) != bool(has):
            what = {"choice": "choices", "reference": "a target", "rows": "columns"}[needed]
            raise DesignError(f"{where}: {what} and the type {needed!r} belong together.")
    if made.unique and (column or kind not in ("text", "number", "phone", "e-mail", "link")):
        raise DesignError(f"{where}: only a field with a text or a number can be unique.")
    if kind == "attachment" and (made.required or made.computed or made.default is not None):
        raise DesignError(f"{where}: files are attached to a document that is there; none is required or given.")
    if made.computed:
        from app.design.expressions import check_expression

        check_expression(made.computed, where)
    return made


def _choices(value: Any, where: str) -> tuple[tuple[str, str], ...]:
    if value is None:
        return ()
    if isinstance(value, Mapping):
        return tuple((str(key), str(label)) for key, label in value.items())
    if isinstance(value, list):
        pairs = [each if isinstance(each, list) else [each, each] for each in value]
        if all(len(pair) == 2 and isinstance(pair[0], str) for pair in pairs):
            return tuple((pair[0], str(pair[1])) for pair in pairs)
    raise DesignError(f"{where}: choices is a list of texts, or of [value, label].")


def _condition(value: Any, where: str) -> Mapping[str, Any]:
    if value == {} or (
        isinstance(value, Mapping)
        and set(value) == {"field", "values"}
        and isinstance(value["field"], str)
        and isinstance(value["values"], list)
        and all(isinstance(each, str) for each in value["values"])
    ):
        return dict(value)
    raise DesignError(f'{where}: visible_when must be like {{field = "stage", values = ["won"]}}, not {value!r}.')


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise DesignError(f"{where} must be a table, not {value!r}.")
    return value
