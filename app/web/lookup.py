"""Choosing a document by typing the beginning of any word of what it is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.couch import Database, Row
from app.documents.ids import catalog_id
from app.security.access import needs, require
from app.web import current

if TYPE_CHECKING:
    from app.design import Form

pages = Blueprint("lookup", __name__)

SHOWN = 12
# After any text in the order of the store, so that a range ends where the words stop beginning with what was typed.
_END = "\ufff0"
# What has a number or code of its own that its id is made of.
_NUMBERED = ("part", "bulletin")


@dataclass(frozen=True)
class Match:
    """A document that what was typed may mean; `note` tells it from others of the same name."""

    id: str
    title: str
    note: str


@pages.get("/lookup/<document_type>")
@needs("signed in")
def matches(document_type: str) -> ResponseReturnValue:
    """The list under the field one types into. `q` is what was typed, `context` a customer whose own come first."""
    from app.web.readable import hidden_fields

    require("read", document_type)
    typed = request.args.get("q", "")
    found = find(current.database_of_type(document_type), document_type, typed, request.args.get("context", ""))
    if hidden_fields(current.forms().get(document_type), current.user().roles):
        # What tells documents of one name apart is taken from fields; it may be from one of those.
        found = [replace(match, note="") for match in found]
    return render_template("lookup/matches.html", matches=found, typed=typed)


def find(database: Database, document_type: str, typed: str, context: str = "", limit: int = SHOWN) -> list[Match]:
    """Up to `limit` documents with a word that begins with `typed`; those of the customer `context` come first."""
    beginning = clean(typed)
    groups = [f"{document_type}@{context}"] if context else []
    if beginning:
        groups.append(document_type)
    queries = [
        # A document has a row for each of its words, so there are fewer documents than rows.
        {"startkey": [group, beginning], "endkey": [group, beginning + _END], "limit": limit * 3}
        for group in groups
    ]
    answers = database.view_queries("titles", "by_word", queries)
    return distinct([row for answer in answers for row in answer.rows], limit)


def resolve(database: Database, document_type: str, typed: str, context: str = "") -> tuple[str | None, str]:
    """The id of the one document that is called what was `typed`, and otherwise a sentence why there is none."""
    wanted = clean(typed)
    if document_type in _NUMBERED and clean(typed):
        # Of a part people know the number, and type no more than that.
        numbered = database.get(catalog_id(document_type, typed))
        if numbered is not None and numbered.get("type") == document_type:
            return str(numbered["_id"]), ""
    named = [match for match in find(database, document_type, typed, context, 40) if clean(match.title) == wanted]
    if len(named) == 1:
        return named[0].id, ""
    if named:
        return None, f"Several are called “{typed.strip()}”: type it again and choose one from the list."
    return None, f"There is none called “{typed.strip()}”: type the beginning of a word and choose one from the list."


def clean(typed: str) -> str:
    """What was typed as the index has it: small letters, single spaces."""
    return " ".join(typed.lower().split())[:60]


def distinct(rows: list[Row], limit: int) -> list[Match]:
    """Each document once, in the order of the rows."""
    found: dict[str, Match] = {}
    for row in rows:
        if row.id and row.id not in found:
            title, note = row.value
            found[row.id] = Match(row.id, title, note)
            if len(found) == limit:
                break
    return list(found.values())


def title_of(document: Mapping[str, Any], forms: Mapping[str, Form], names: Mapping[str, str] | None = None) -> str:
    """What people call a document, by its form's title; without a form its name, its title, or its id.

    `names` is what the documents it refers to are called, by id.
    """
    form = forms.get(str(document.get("type")))
    if form:
        return form.title_of(document, names)
    return str(next((document[field] for field in ("name", "title", "label", "_id") if document.get(field)), ""))
