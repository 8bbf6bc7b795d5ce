"""Forms: the definition of a document type, read from ``forms/<type>.toml`` or a ``form:`` document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.design.expressions import fields_named, filled
from app.design.fields import DesignError, Field, read_field

DATABASES = ("book", "catalog")
# A key that a program made (UUID): nobody calls anything by it.
_MADE_KEY = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SHARES = ("manufacturer", "dealer")


@dataclass(frozen=True)
class Section:
    """A part of a form with a heading of its own."""

    label: str
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Form:
    """A document type. `name` is the type; `database` is ``book`` or ``catalog``; `share` who gets its documents.

    `title` is a template for what a document is called, ``"{make} {model}"``; `parent` the field that holds the
    document this one belongs to (a customer's), which a new one is added from. Nobody fills in a `read_only` form:
    Ironbook writes its documents.
    """

    name: str
    label: str
    plural: str
    share: str
    database: str
    sections: tuple[Section, ...]
    title: str = ""
    parent: str = ""
    read_only: bool = False

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Every field, in the order of the sections."""
        return tuple(each for section in self.sections for each in section.fields)

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """Every field by its name."""
        return {each.name: each for each in self.fields}

    @property
    def labels(self) -> dict[str, str]:
        """The label of each field."""
        return {each.name: each.label for each in self.fields}

    def title_of(self, document: Mapping[str, Any], names: Mapping[str, str] | None = None) -> str:
        """What a document of this type is called; its kind, or its id, when it says nothing.

        `names` is what the documents it refers to are called, by id, as far as that is known.
        """
        known = names or {}

        def spoken(name: str, value: Any) -> str:
            return known.get(str(value)) or self._spoken(name, value)

        named = filled(self.title, document, spoken) if self.title else ""
        if self.title and not named and document.get("_id"):
            named = self.label if any(field.type == "reference" for field in self._titled) else ""
        return named or str(document.get("name") or document.get("title") or document.get("_id") or "")

    @cached_property
    def _titled(self) -> tuple[Field, ...]:
        """The fields that make the title."""
        return tuple(self.by_name[name] for name in fields_named(self.title) if name in self.by_name)

    def _spoken(self, name: str, value: Any) -> str:
        field = self.by_name.get(name)
        if field is None:
            return str(value)
        if field.type == "reference":
            # Without reading the other document, the key in its id is the best there is: model:CAT-320.
            key = str(value).rpartition(":")[2]
            return "" if _MADE_KEY.fullmatch(key) else key
        return field.choice_labels.get(str(value), str(value))


_TEXTS = ("label", "plural", "share", "database", "title", "parent")
_KNOWN = ("name", *_TEXTS, "read_only", "sections")


def read_form(table: Mapping[str, Any], where: str = "") -> Form:
    """A form from its table (a TOML file, or a ``form:`` document). Raises DesignError, beginning with `where`."""
    name = table.get("name")
    if not isinstance(name, str) or not name.isidentifier() or name != name.lower():
        raise DesignError(f"{where or 'A form'}: its name is the type, small letters and _, not {name!r}.")
    where = where or f"The form {name}"
    for key in table:
        if key not in _KNOWN:
            raise DesignError(f"{where}: {key!r} is no property of a form; those are {', '.join(_KNOWN)}.")
    values: dict[str, str] = {}
    for key in _TEXTS:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise DesignError(f"{where}: {key} must be a text, not {value!r}.")
        values[key] = value
    values["label"] = values["label"] or name.replace("_", " ").capitalize()
    values["plural"] = values["plural"] or f"{values['label']}s"
    for key, allowed, default in (("share", SHARES, ""), ("database", DATABASES, "book")):
        values[key] = values[key] or default
        if values[key] not in allowed:
            raise DesignError(f"{where}: {key} must be {' or '.join(allowed)}, not {values[key]!r}.")
    sections = _sections(table.get("sections"), where)
    form = Form(name=name, sections=sections, read_only=table.get("read_only") is True, **values)
    _check_names(form, where)
    return form


def _sections(value: Any, where: str) -> tuple[Section, ...]:
    if not isinstance(value, list) or not value:
        raise DesignError(f"{where} needs at least one section with fields.")
    sections = []
    for table in value:
        if not isinstance(table, Mapping) or not isinstance(table.get("fields"), list):
            raise DesignError(f"{where}: a section has a label and a list of fields.")
        fields = tuple(read_field(each if isinstance(each, Mapping) else {}, where) for each in table["fields"])
        sections.append(Section(str(table.get("label", "")), fields))
    return tuple(sections)


def _check_names(form: Form, where: str) -> None:
    names = [each.name for each in form.fields]
    for name in names:
        if names.count(name) > 1:
            raise DesignError(f"{where} has two fields named {name!r}.")
    for each in form.fields:
        other = each.visible_when.get("field")
        if other is not None and other not in names:
            raise DesignError(f"{where}, field {each.name}: visible_when names {other!r}, which is no field.")
    if form.parent and form.parent not in names:
        raise DesignError(f"{where}: parent is {form.parent!r}, which is no field.")
