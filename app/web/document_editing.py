"""What comes back from a form's page: values, what is wrong with them, and the document as its editor was shown it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest

from app.couch import Database
from app.design.parsing import new_document as begun
from app.design.parsing import parse
from app.documents.ids import document_id, natural_key
from app.web.document_fields import asked_for, submitted
from app.web.lookup import resolve

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from app.design import Form


@dataclass
class Editing:
    """A form being filled in.

    `typed_titles` is what was typed into references that were not found; `asked` are the fields that came back.
    """

    values: Mapping[str, Any]
    base: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    rows_changed: bool = False
    typed_titles: dict[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> bool:
        """Whether the page is to be shown again: something is wrong, or a row was added or removed without saving."""
        return bool(self.errors or self.refusal or self.rows_changed)

    @property
    def base_asked(self) -> dict[str, Any]:
        """The base without the fields that did not come back: nobody said that those are to go."""
        return {name: value for name, value in self.base.items() if name in self.asked or name == "_rev"}

    @property
    def base_text(self) -> str:
        """The base as it travels with the page."""
        return json.dumps(self.base, ensure_ascii=False, separators=(",", ":")) if self.base else ""


def base_for(form: Form, document: Mapping[str, Any], roles: Iterable[str]) -> dict[str, Any]:
    """What an editor of `document` is shown: its revision and the fields that the page asks for."""
    fields = [*asked_for(form, roles), *(each for each in form.fields if each.computed)]
    shown = {each.name: document[each.name] for each in fields if each.name in document}
    return {"_id": document["_id"], "_rev": document["_rev"], **shown}


def base_of(typed: MultiDict[str, str]) -> dict[str, Any]:
    """The base that travelled with a page. Raises BadRequest when it is not one."""
    try:
        base = json.loads(typed.get("base", "") or "{}")
    except ValueError:
        base = None
    if not isinstance(base, dict) or not all(isinstance(base.get(name, ""), str) for name in ("_id", "_rev")):
        raise BadRequest("The page you saved from is damaged, so nothing was saved. Reload it and type again.")
    return base


def read(
    form: Form,
    typed: MultiDict[str, str],
    database: Database,
    roles: Iterable[str],
    zone: tzinfo,
    document: Mapping[str, Any] | None = None,
) -> Editing:
    """What was typed, parsed by the form; references that were typed and not chosen are looked up.

    `zone` is the time zone that times are typed in; `document` the one that is edited.
    """
    fields = asked_for(form, roles)
    raw = submitted(fields, typed)
    base = base_of(typed)
    asked = frozenset({*raw, *(each.name for each in form.fields if each.computed)})
    if "add_row" in typed or "remove_row" in typed:
        return Editing(_rows_changed(raw, typed), base, rows_changed=True, asked=asked)
    unresolved: dict[str, str] = {}
    typed_titles: dict[str, str] = {}
    for each in fields:
        text = typed.get(f"{each.name}:typed", "").strip()
        if each.type == "reference" and text and not raw.get(each.name):
            found, sentence = resolve(database, each.target, text, str(raw.get("customer") or ""))
            raw[each.name] = found or text
            if found is None:
                unresolved[each.name] = sentence
                typed_titles[text] = text
    values, errors = parse(form, raw, document, zone)
    errors = {**errors, **unresolved}
    own_id = str(document["_id"]) if document else ""
    errors |= taken(database, form, {name: value for name, value in values.items() if name not in errors}, own_id)
    if errors:
        # What is wrong stays on the page as it was typed.
        values |= {name: raw[name] for name in raw if name in errors or _has_wrong_row(name, errors)}
    return Editing(values, base, errors, typed_titles=typed_titles, asked=asked)


def taken(database: Database, form: Form, values: Mapping[str, Any], own_id: str) -> dict[str, str]:
    """A sentence for each value that must be unique and that another document has already."""
    asked = {
        (form.name, each.name, str(values[each.name]).lower()): each
        for each in form.fields
        if each.unique and values.get(each.name) not in (None, "")
    }
    if not asked:
        return {}
    rows = database.view("unique", "values", keys=[list(key) for key in asked])
    found = {tuple(row.key): row.id for row in rows if row.id != own_id}
    return {
        each.name: f"{each.label} {values[each.name]} is taken: another {form.label.lower()} has it already."
        for key, each in asked.items()
        if key in found
    }


def given(form: Form, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The values a new document begins with: the form's defaults, and what the address says."""
    return begun(form, "", **{name: arguments[name] for name in arguments if name in form.by_name})


def new_document(database: Database, form: Form, editing: Editing, dealer: str) -> tuple[dict[str, Any] | None, str]:
    """The document to save, or None and the id of the one that is there already, with the reason in `editing`."""
    document = {**filled_in(editing), "type": form.name, "dealer": dealer, "share": form.share}
    try:
        key = natural_key(form.name, document)
    except ValueError as problem:
        editing.refusal = str(problem)
        return None, ""
    if key:
        document["_id"] = document_id(dealer, form.name, key)
        if database.get(document["_id"]) is not None:
            editing.refusal = f"This {form.label.lower()} is in the book already, so it was not added a second time."
            return None, str(document["_id"])
    return document, ""


def filled_in(editing: Editing) -> dict[str, Any]:
    """The values that are something: a field left empty is no field of the document."""
    return {name: value for name, value in editing.values.items() if value is not None}


def _has_wrong_row(name: str, errors: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{name}.") for path in errors)


def _rows_changed(raw: dict[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    added, (removed, _, key) = typed.get("add_row", ""), typed.get("remove_row", "").partition(".")
    if added:
        raw[added] = [*(raw.get(added) or []), {"id": f"new{secrets.token_hex(6)}"}]
    if removed:
        raw[removed] = [row for row in raw.get(removed) or [] if row["id"] != key]
    return raw
