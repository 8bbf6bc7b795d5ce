"""What a consultant added to a form whose page is written by hand: its fields and files, for that page to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.design.project import form_tables
from app.web import current, document_fields
from app.web.documents import titles_of
from app.web.files import file_fields


def own_fields(kind: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """``own_sections``: the sections of the form with the fields that the project's own does not have; ``files``."""
    form = current.forms()[kind]
    known = {field["name"] for section in form_tables()[kind]["sections"] for field in section["fields"]}
    added = [each for each in form.fields if each.name not in known]
    named: dict[str, str] = {}
    if added:
        wanted = {name: document.get(name) for name in (each.name for each in added)}
        named = titles_of(document_fields.references(form, wanted), around=current.database_of_type(kind))
    sections = document_fields.shown_sections(form, document, named, current.user().roles)
    own = [
        document_fields.Section(section.label, [each for each in section.fields if each.name not in known])
        for section in sections
    ]
    return {"own_sections": [section for section in own if section.fields], "files": file_fields(document, form)}
