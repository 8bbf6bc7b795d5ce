"""Mango indexes as design documents, in CouchDB's own form, so that they mean the same to either store. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from embedded import partitions
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request
from embedded.mango.planning import ALL_DOCUMENTS, MangoIndex
from embedded.mango.selector import check

_DIRECTIONS: Final = ("asc", "desc")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An index somebody asks for. `design` is the id of its design document, `definition` what was asked, as it was."""

    design: str
    name: str
    fields: dict[str, str]
    definition: dict[str, Any]
    partitioned: bool = True

    def view(self) -> dict[str, Any]:
        mapped: dict[str, Any] = {"fields": self.fields}
        if self.definition.get("partial_filter_selector") is not None:
            mapped["partial_filter_selector"] = self.definition["partial_filter_selector"]
        return {"map": mapped, "reduce": "_count", "options": {"def": self.definition}}


def read_wanted(body: Mapping[str, Any]) -> Wanted:
    """The body of `POST _index`. Raises 400, or 501 for a kind of index there is not."""
    if "index" not in body:
        raise bad_request("Missing required key: index", error="missing_required_key")
    definition = body["index"]
    if not isinstance(definition, dict):
        raise bad_request("Index must be a JSON object.", error="invalid_index_json")
    kind = body.get("type", "json")
    if kind in ("text", "nouveau"):
        raise HttpError(501, "not_implemented", "This store has no text indexes; use an index of type json.")
    if kind != "json":
        raise bad_request(f"Invalid type for index: {json_text.text(kind)}", error="invalid_index_type")
    fields = _fields(definition.get("fields"))
    partial = definition.get("partial_filter_selector")
    if partial is not None:
        check(partial)
    defined = {name: definition[name] for name in ("fields", "partial_filter_selector") if name in definition}
    identity = json_text.canonical([list(fields.items()), partial, body.get("name")])
    digest = hashlib.sha1(identity.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()
    design = str(body.get("ddoc", digest)).removeprefix("_design/")
    partitioned = body.get("partitioned", True)
    if not isinstance(partitioned, bool):
        raise bad_request("`partitioned` must be a boolean.", error="invalid_partitioned_option")
    return Wanted(f"_design/{design}", str(body.get("name", digest)), fields, defined, partitioned)


def _fields(given: Any) -> dict[str, str]:
    if not isinstance(given, list):
        raise bad_request("Index fields must be an array of field names.", error="invalid_index_fields")
    fields: dict[str, str] = {}
    for name, direction in read_sort(given):
        fields[name] = direction
    return fields


def read_sort(given: Any) -> list[tuple[str, str]]:
    """`sort`, or the fields of an index: names, or objects of a name and a direction, which must all be the same."""
    if not isinstance(given, list):
        raise bad_request("Sort must be an array of sort specs.", error="invalid_sort_json")
    found = []
    for one in given:
        if isinstance(one, str):
            found.append((one, "asc"))
        elif isinstance(one, dict) and len(one) == 1 and next(iter(one.values())) in _DIRECTIONS:
            found.append(next(iter(one.items())))
        else:
            raise bad_request(f"Invalid sort field: {json_text.text(one)}", error="invalid_sort_field")
    if len({direction for _, direction in found}) > 1:
        raise bad_request(
            "Sorts currently only support a single direction for all fields.", error="unsupported_mixed_sort"
        )
    return found


def indexes_of(design: Mapping[str, Any], partitioned: bool) -> list[MangoIndex]:
    """The indexes in one design document; none when it is not one of Mango's. `partitioned`: its database is."""
    views = design.get("views")
    if design.get("language") != "query" or not isinstance(views, dict):
        return []
    found = []
    is_partitioned = partitions.is_partitioned(partitioned, design.get("options"))
    for name, view in sorted(views.items()):
        mapped = view.get("map") if isinstance(view, dict) else None
        fields = mapped.get("fields") if isinstance(mapped, dict) else None
        if isinstance(mapped, dict) and isinstance(fields, dict):
            found.append(MangoIndex(str(design["_id"]), name, tuple(fields), _definition(mapped), is_partitioned))
    return found


def _definition(mapped: Mapping[str, Any]) -> dict[str, Any]:
    definition: dict[str, Any] = {"fields": [{name: direction} for name, direction in mapped["fields"].items()]}
    partial = mapped.get("partial_filter_selector")
    return definition | {"partial_filter_selector": partial} if partial else definition


def described(index: MangoIndex) -> dict[str, Any]:
    """An index as `GET _index` and `_explain` tell it."""
    if index.design is None:
        return {"ddoc": None, "name": index.name, "type": "special", "def": {"fields": [{"_id": "asc"}]}}
    return {
        "ddoc": index.design,
        "name": index.name,
        "type": "json",
        "partitioned": index.partitioned,
        "def": index.definition,
    }


def with_index(design: Mapping[str, Any] | None, wanted: Wanted, partitioned: bool) -> dict[str, Any] | None:
    """The design document with the index in it; None when it is there. `partitioned`: its database is.

    Raises 400 for a design document of another kind.
    """
    made: dict[str, Any] = {"_id": wanted.design, "language": "query", "views": {}}
    if partitioned:
        made["options"] = {"partitioned": wanted.partitioned}
    document: dict[str, Any] = dict(design or made)
    if document.get("language") != "query":
        raise bad_request(f"{wanted.design} is a design document of another language.", error="invalid_ddoc_lang")
    views = dict(document.get("views", {}))
    if views.get(wanted.name) == wanted.view():
        return None
    views[wanted.name] = wanted.view()
    return document | {"views": views}


def without_index(design: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """The design document without an index, deleted when it was the last; None when there is no such index."""
    views = dict(design.get("views", {})) if design.get("language") == "query" else {}
    if name not in views:
        return None
    del views[name]
    if views:
        return dict(design) | {"views": views}
    return {"_id": design["_id"], "_rev": design["_rev"], "_deleted": True}


def named(indexes: Sequence[MangoIndex], use_index: Any) -> list[MangoIndex]:
    """The indexes `use_index` names: a design document, with or without `_design/`, and the name of one in it."""
    parts = [use_index] if isinstance(use_index, str) else use_index
    if isinstance(use_index, str) and use_index.removeprefix("_design/").count("/") == 1:
        parts = use_index.removeprefix("_design/").split("/")
    if not isinstance(parts, list) or not 1 <= len(parts) <= 2 or not all(isinstance(part, str) for part in parts):
        raise bad_request(f"Invalid index name: {json_text.text(use_index)}", error="invalid_index_name")
    design = "_design/" + parts[0].removeprefix("_design/")
    return [index for index in indexes if index.design == design and index.name in (parts[1:] or [index.name])]


__all__ = [
    "ALL_DOCUMENTS", "Wanted", "described", "indexes_of", "named", "read_sort", "read_wanted", "with_index",
    "without_index",
]  # fmt: skip
