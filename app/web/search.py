"""The search box: customers, machines and people by the beginning of a word, or by a number."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.documents.disputes import disputes_in
from app.security.access import needs
from app.web import unread
from app.web.customer_machines import machine_name
from app.web.disputes import book_or_market
from app.web.frame import document_url
from app.web.home_page import first_phone
from app.web.lookup import clean
from app.web.readable import readable_documents

pages = Blueprint("search", __name__)

_SHOWN = 12
# A document has a row for each of its words, so there are fewer documents than rows.
_ROWS = 60
_END = "\ufff0"
_FEWEST_DIGITS = 2
_GROUPS = (
    ("customer", "Customers", "customer"),
    ("machine", "Machines", "machine"),
    ("person", "People", "person"),
)


@dataclass(frozen=True)
class Line:
    """One document that was found."""

    id: str
    title: str
    sub: str
    side: str
    disputes: int = 0


@dataclass(frozen=True)
class Group:
    """What was found of one type; `more` when not all of it is shown."""

    label: str
    icon: str
    lines: list[Line]
    more: bool


@pages.get("/search")
@needs("read:book", "read:market")
def show() -> ResponseReturnValue:
    """What begins with ``q``. The only one that is meant by a number is opened at once."""
    asked = " ".join(request.args.get("q", "").split())[:100]
    if not clean(asked):
        return render_template("search/show.html", asked="", groups=[])
    by_word, by_number = _ids(asked)
    found = {**by_word, **by_number}
    if len(found) == 1 and numbers_in(asked):
        return redirect(document_url(next(iter(found))))
    shown = {kind: [id for id in found if _type_of(id) == kind][: _SHOWN + 1] for kind, _, _ in _GROUPS}
    listed = book_or_market().get_many(id for ids in shown.values() for id in ids[:_SHOWN])
    documents = readable_documents(listed)
    owners = {str(document["customer"]) for document in documents.values() if document.get("customer")}
    customers = book_or_market().get_many(sorted(owners - documents.keys())) | documents
    groups = [
        Group(
            label,
            icon,
            [line_of(documents[id], customers, found[id]) for id in shown[kind][:_SHOWN] if id in documents],
            len(shown[kind]) > _SHOWN,
        )
        for kind, label, icon in _GROUPS
    ]
    return render_template(
        "search/show.html",
        asked=asked,
        groups=[group for group in groups if group.lines],
        unread=unread.among(line.id for group in groups for line in group.lines),
    )


def _ids(asked: str) -> tuple[dict[str, str], dict[str, str]]:
    """The ids found by a word and by a number, each with what kind of number it is (empty for a word)."""
    beginning = clean(asked)
    queries = [
        {"startkey": [kind, beginning], "endkey": [kind, beginning + _END], "limit": _ROWS} for kind, _, _ in _GROUPS
    ]
    answers = book_or_market().view_queries("titles", "by_word", queries)
    by_word = {str(row.id): "" for answer in answers for row in answer}
    keys = numbers_in(asked)
    ranges = [{"startkey": key, "endkey": key + _END, "limit": _ROWS} for key in keys]
    rows = [row for answer in book_or_market().view_queries("numbers", "by_number", ranges) for row in answer]
    return by_word, {str(row.id): str(row.value) for row in rows if str(row.id) not in by_word}


def numbers_in(asked: str) -> list[str]:
    """What was typed as numbers are looked up; empty for what is none (pure).

    >>> numbers_in("0561 72-85")
    ['05617285', '5617285']
    """
    key = re.sub(r"[^0-9A-Z]", "", asked.upper())
    if sum(character.isdigit() for character in key) < _FEWEST_DIGITS:
        return []
    without_zeros = key.lstrip("0")
    return [key] if without_zeros in (key, "") else [key, without_zeros]


def line_of(document: Mapping[str, Any], customers: Mapping[str, Mapping[str, Any]], number: str) -> Line:
    """A document as it is listed; `number` is the kind of number it was found by (pure)."""
    disputes = disputes_in(document)
    owner = str(customers.get(str(document.get("customer") or ""), {}).get("name") or "")
    if document["type"] == "machine":
        numbers = (
            ("serial no.", document.get("serial")),
            ("fleet no.", document.get("fleet_number")),
            ("PIN", document.get("pin") if number == "PIN" else ""),
        )
        side = ", ".join(f"{label} {value}" for label, value in numbers if value)
        return Line(str(document["_id"]), machine_name(document), owner or "own stock", side, disputes)
    if document["type"] == "person":
        sub = _joined([document.get("job"), owner])
        return Line(str(document["_id"]), str(document.get("name") or ""), sub, first_phone(document), disputes)
    sub = _joined([document.get("city"), document.get("number")])
    return Line(str(document["_id"]), str(document.get("name") or ""), sub, str(document.get("phone") or ""), disputes)


def _joined(parts: Iterable[Any]) -> str:
    return ", ".join(str(part) for part in parts if part)


def _type_of(document_id: str) -> str:
    return document_id.split(":", 2)[1] if document_id.count(":") >= 2 else ""
