"""A dealer's own form: the project's with some fields changed or added, as a consultant would save it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from app import design
from app.design.project import form_tables
from app.documents import saving
from app.documents.ids import document_id
from app.node import Node


def override_form(
    node: Node, form_type: str, added: tuple[dict[str, Any], ...] = (), /, **changed: dict[str, Any]
) -> None:
    """Saves the form of `form_type` in the book: `added` fields at its end, ``city={"read": [...]}`` for known ones."""
    table = deepcopy(dict(form_tables()[form_type]))
    for section in table["sections"]:
        for field in section["fields"]:
            field.update(changed.get(field["name"], {}))
    table["sections"][-1]["fields"] += added
    fields = {key: value for key, value in table.items() if key != "share"}
    own = {"_id": document_id(node.dealer, "form", form_type), "type": "form", "dealer": node.dealer, "share": "dealer"}
    saving.save(node.book, {**fields, **own, "of_share": table["share"]}, by="consultant")
    design.refresh(node)
