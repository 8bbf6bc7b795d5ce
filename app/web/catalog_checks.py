"""What is wrong with a model, a part or a bulletin that somebody saves: in itself, or beside what the catalog has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.documents.ids import catalog_id, natural_key
from app.parts.catalog_rules import replaced_in_a_circle, wrong
from app.parts.plans import part_id, part_number
from app.web import current
from app.web.catalog_page import MOST_REPLACEMENTS

_FOUND_BY = {
    "model": ("name", "Machines find their plan by make and name, so these stay. Add the other as a model of its own."),
    "part": (
        "number",
        "Plans and services name the part by its number, so it stays. Add the new number as a part of its own, and say "
        "here that it replaces this one.",
    ),
    "bulletin": ("code", "Services say by its code that the bulletin is done, so it stays."),
}


def refused(kind: str, values: Mapping[str, Any], document: Mapping[str, Any] | None) -> dict[str, str]:
    """A sentence by field for what cannot be saved like this; `document` is the one that is edited."""
    errors = wrong(kind, values) | _renamed(kind, values, document)
    if kind == "part":
        own_id = str(document["_id"]) if document else catalog_id("part", str(values.get("number") or ""))
        errors |= _replaced_in_a_circle(own_id, part_id(values.get("replaced_by")))
    return errors


def _renamed(kind: str, values: Mapping[str, Any], document: Mapping[str, Any] | None) -> dict[str, str]:
    """What others find the document by does not change: they would go on naming what is not there any more."""
    if document is None or kind not in _FOUND_BY:
        return {}
    field, sentence = _FOUND_BY[kind]
    try:
        same = natural_key(kind, {**document, **values}) == natural_key(kind, dict(document))
    except ValueError:
        return {}
    return {} if same else {field: sentence}


def _replaced_in_a_circle(own_id: str, replaced_by: str) -> dict[str, str]:
    if not replaced_by:
        return {}
    following: dict[str, str] = {}
    step = replaced_by
    for _ in range(MOST_REPLACEMENTS):
        if not step or step == own_id or step in following:
            break
        found = current.node().catalog.get(step) or {}
        following[step] = part_id(found.get("replaced_by"))
        step = following[step]
    circle = replaced_in_a_circle(following, own_id, replaced_by)
    if not circle:
        return {}
    if circle == [own_id]:
        return {"replaced_by": "A part cannot be replaced by itself."}
    words = ", which ".join(f"is replaced by {part_number(part)}" for part in circle[1:])
    return {"replaced_by": f"{part_number(replaced_by)} {words}: the parts would replace one another for ever."}
