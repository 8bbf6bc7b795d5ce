"""What comes back from a form's page: values, what is wrong with them, and the document as its editor was shown it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest

from app.couch import Database
from app.design.checking import check_references, check_unique
from app.design.parsing import new_document as begun
from app.design.parsing import parse
from app.documents.common import utc_now
from app.documents.ids import document_id, natural_key
from app.web import catalog_checks, current, meter
from app.web.document_fields import TYPED, asked_for, references, submitted
from app.web.lookup import resolve

if TYPE_CHECKING:
    from werkzeug.datastructures import MultiDict

    from app.design import Field, Form


@dataclass
class Editing:
    """A form being filled in.

    `typed_titles` is what was typed into references that were not found; `asked` are the fields that came back;
    `question` is to be answered before a save.
    """

    values: Mapping[str, Any]
    base: Mapping[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    question: str = ""
    rows_changed: bool = False
    typed_titles: dict[str, str] = field(default_factory=dict)
    asked: frozenset[str] = frozenset()

    @property
    def unfinished(self) -> bool:
        """Whether the page is to be shown again: something is wrong, or a row was added or removed without saving."""
        return bool(self.errors or self.refusal or self.question or self.rows_changed)

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
    unresolved, typed_titles = _look_up(fields, raw, typed)
    if "add_row" in typed or "remove_row" in typed or "move_row" in typed:
        return Editing(_rows_changed(raw, typed), base, rows_changed=True, typed_titles=typed_titles, asked=asked)
    made: list[str] = []
    values, errors = parse(form, raw, document, zone, partial(_new_row_id, made))
    errors = {**errors, **unresolved}
    errors |= _beside(
        _refused(database, form, values, errors, document), dict(zip(made, _new_keys(form, raw), strict=True))
    )
    asking = ""
    if not errors and form.name in ("reading", "service") and "confirmed" not in typed:
        own_id = str(document["_id"]) if document else ""
        asking = meter.question(database, {**(document or {}), **values}, own_id)
    if errors:
        # What is wrong stays on the page as it was typed.
        values |= {name: raw[name] for name in raw if name in errors or _has_wrong_row(name, errors)}
    return Editing(values, base, errors, question=asking, typed_titles=typed_titles, asked=asked)


def _refused(
    database: Database,
    form: Form,
    values: Mapping[str, Any],
    errors: Mapping[str, str],
    document: Mapping[str, Any] | None,
) -> dict[str, str]:
    """What the store has against values that are right in themselves."""
    right = {name: value for name, value in values.items() if name not in errors and not _has_wrong_row(name, errors)}
    own_id = str(document["_id"]) if document else None
    # A reference that was there before is not this editor's mistake, and what it names may only have gone meanwhile.
    known = references(form, document) if document else set()
    return {
        **check_unique(form, right, database, own_id),
        **check_references(form, right, current.database_of_type, known),
        **catalog_checks.refused(form.name, right, document),
    }


def _new_row_id(made: list[str]) -> str:
    made.append(secrets.token_hex(5))
    return made[-1]


def _new_keys(form: Form, raw: Mapping[str, Any]) -> list[str]:
    """The keys that new rows have on the page, in the order in which the form reads them."""
    fields = [each for each in form.fields if each.type == "rows"]
    return [row["id"] for each in fields for row in raw.get(each.name) or () if row["id"].startswith("new")]


def _beside(errors: Mapping[str, str], key_of: Mapping[str, str]) -> dict[str, str]:
    """The errors, those of new rows by the keys that these have on the page: that is where they are said."""
    found = {}
    for place, sentence in errors.items():
        field_name, _, rest = place.partition(".")
        row, _, column = rest.partition(".")
        found[f"{field_name}.{key_of[row]}.{column}" if row in key_of else place] = sentence
    return found


def _look_up(
    fields: Iterable[Field], raw: dict[str, Any], typed: MultiDict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Puts the ids of references that were typed and not chosen into `raw`.

    Returns a sentence for each that names nothing, and what was typed there, which stands in `raw` in its place.
    """
    customer = str(raw.get("customer") or "")
    waiting: list[tuple[str, dict[str, Any], str, str, str]] = []
    for each in fields:
        if each.type == "reference" and (text := typed.get(each.name + TYPED, "").strip()) and not raw.get(each.name):
            waiting.append((each.name, raw, each.name, each.target, text))
        for row in raw.get(each.name) or () if each.type == "rows" else ():
            for column in each.columns:
                text = row.pop(column.name + TYPED, "")
                if column.type == "reference" and text and not row.get(column.name):
                    waiting.append((f"{each.name}.{row['id']}.{column.name}", row, column.name, column.target, text))
    unresolved: dict[str, str] = {}
    answers: dict[tuple[str, str], tuple[str | None, str]] = {}
    for place, holder, name, target, text in waiting:
        if (target, text) not in answers:
            answers[target, text] = resolve(current.database_of_type(target), target, text, customer)
        found, sentence = answers[target, text]
        holder[name] = found or text
        if found is None:
            unresolved[place] = sentence
    return unresolved, {text: text for (_, text), (found, _) in answers.items() if found is None}


def given(form: Form, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The values a new document begins with: the form's defaults, and what the address says."""
    return begun(form, "", **{name: arguments[name] for name in arguments if name in form.by_name})


def beginning(form: Form, arguments: Mapping[str, str]) -> dict[str, Any]:
    """The values of an empty form: :func:`given`, and what follows from who fills it in, and when."""
    values = given(form, arguments)
    user, node = current.user(), current.node()
    today = node.today().isoformat()
    # Who writes down a visit made it; a customer is looked after by a salesperson, whoever enters it.
    own = form.name != "customer" or "sales" in user.roles
    known = {"assigned_to": user.display_name, "at": utc_now(), "done_on": today, "issued_on": today}
    known |= {"salesperson": user.display_name} if own else {}
    return {**{name: value for name, value in known.items() if name in form.by_name}, **values}


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
            editing.refusal = (
                f"This {form.label.lower()} is in the {form.database} already, so it was not added a second time."
            )
            return None, str(document["_id"])
    return document, ""


def filled_in(editing: Editing) -> dict[str, Any]:
    """The values that are something: a field left empty is no field of the document."""
    return {name: value for name, value in editing.values.items() if value is not None}


def _has_wrong_row(name: str, errors: Mapping[str, str]) -> bool:
    return any(path.startswith(f"{name}.") for path in errors)


def _rows_changed(raw: dict[str, Any], typed: MultiDict[str, str]) -> dict[str, Any]:
    """What was typed with a row added, taken out, or a place further up or down: what a form does without a script."""
    added, (removed, _, key) = typed.get("add_row", ""), typed.get("remove_row", "").partition(".")
    if added:
        raw[added] = [*(raw.get(added) or []), {"id": f"new{secrets.token_hex(6)}"}]
    if removed:
        raw[removed] = [row for row in raw.get(removed) or [] if row["id"] != key]
    moved, _, place = typed.get("move_row", "").partition(".")
    if moved:
        key, _, direction = place.rpartition(".")
        raw[moved] = _moved(raw.get(moved) or [], key, -1 if direction == "up" else 1)
    return raw


def _moved(rows: list[dict[str, Any]], key: str, by: int) -> list[dict[str, Any]]:
    at = next((number for number, row in enumerate(rows) if row["id"] == key), None)
    if at is None or not 0 <= at + by < len(rows):
        return rows
    rows = list(rows)
    rows[at], rows[at + by] = rows[at + by], rows[at]
    return rows
