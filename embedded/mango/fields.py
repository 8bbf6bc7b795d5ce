"""What a Mango index has for rows: the values of its fields, of every document that has them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from embedded.http import json_text
from embedded.javascript import Emitted
from embedded.mango.selector import Predicate, compile_selector, field_value, split_field

_MISSING: Final = object()


class FieldMapper:
    """The map functions of a design document of language `query`, each the JSON text of an index's definition."""

    def __init__(self, definitions: Sequence[str]) -> None:
        self._indexes = [_read(json_text.stored(definition)) for definition in definitions]

    def map(self, documents: Sequence[str]) -> list[Emitted]:
        rows = []
        for at, text in enumerate(documents):
            document = json_text.stored(text)
            for number, (paths, admits) in enumerate(self._indexes):
                values = [field_value(document, path, _MISSING) for path in paths]
                if all(value is not _MISSING for value in values) and admits(document):
                    rows.append(Emitted(at, number, json_text.text(values), "null"))
        return rows


def _read(definition: Mapping[str, Any]) -> tuple[list[tuple[str, ...]], Predicate]:
    paths = [split_field(name) for name in definition.get("fields", {})]
    return paths, compile_selector(definition.get("partial_filter_selector") or {})
