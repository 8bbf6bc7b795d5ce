"""The body of `_find` and `_explain`, read and checked. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from embedded.http import json_text
from embedded.http.errors import bad_request
from embedded.mango.index_documents import read_sort
from embedded.mango.selector import Path, Predicate, compile_selector, split_field

_LIMIT: Final = 25
_NIL: Final = "nil"


@dataclass(frozen=True, slots=True)
class Question:
    """`after`: the place of the row a bookmark stands at. `fields`: None for whole documents."""

    selector: dict[str, Any]
    matches: Predicate
    limit: int
    skip: int
    sort: list[str]
    descending: bool
    fields: list[Path] | None
    use_index: Any
    allow_fallback: bool
    after: bytes | None
    bookmark: str
    conflicts: bool
    update: bool
    execution_stats: bool


def read_question(body: Mapping[str, Any]) -> Question:
    """Raises 400 with CouchDB's codes."""
    if "selector" not in body:
        raise bad_request("Missing required key: selector", error="missing_required_key")
    selector = body["selector"]
    matches = compile_selector(selector)
    sort = read_sort([] if body.get("sort") is None else body["sort"])
    bookmark = body.get("bookmark", _NIL)
    return Question(
        selector,
        matches,
        _whole_number(body, "limit", _LIMIT),
        _whole_number(body, "skip", 0),
        [name for name, _ in sort],
        bool(sort) and sort[0][1] == "desc",
        _fields(body.get("fields")),
        body.get("use_index") or None,
        _boolean(body, "allow_fallback", True),
        _place(bookmark),
        bookmark,
        _boolean(body, "conflicts", False),
        _boolean(body, "update", True),
        _boolean(body, "execution_stats", False),
    )


def _whole_number(body: Mapping[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise bad_request(
            f"{json_text.text(value)} is not an integer greater than or equal to zero", error="invalid_non_neg_integer"
        )
    return min(value, 2**62)


def _boolean(body: Mapping[str, Any], name: str, default: bool) -> bool:
    value = body.get(name, default)
    if not isinstance(value, bool):
        raise bad_request(
            f"Invalid value for {name}: {json_text.text(value)} is not a boolean", error="invalid_boolean"
        )
    return value


def _fields(given: Any) -> list[Path] | None:
    if given is None or given == "all_fields" or given == []:
        return None
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise bad_request("Fields must be an array of strings.", error="invalid_fields_json")
    return [split_field(name) for name in given]


def bookmark_at(place: bytes | None) -> str:
    """A bookmark that stands at the row of a place."""
    return _NIL if place is None else base64.urlsafe_b64encode(place).decode().rstrip("=")


def _place(bookmark: Any) -> bytes | None:
    if bookmark in (_NIL, ""):
        return None
    try:
        return base64.b64decode(bookmark + "=" * (-len(bookmark) % 4), altchars=b"-_", validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise bad_request(f"Invalid bookmark value: {json_text.text(bookmark)}", error="invalid_bookmark") from None


def projected(document: Mapping[str, Any], fields: list[Path]) -> dict[str, Any]:
    """The fields of a document, nested as they are in it; those it does not have are left out."""
    result: dict[str, Any] = {}
    for path in fields:
        value: Any = document
        for part in path:
            value = value.get(part, _MISSING) if isinstance(value, dict) else _MISSING
            if value is _MISSING:
                break
        if value is not _MISSING:
            _put(result, path, value)
    return result


def _put(result: dict[str, Any], path: Path, value: Any) -> None:
    inside = result
    for part in path[:-1]:
        following = inside.setdefault(part, {})
        if not isinstance(following, dict):
            return
        inside = following
    inside[path[-1]] = value


_MISSING: Final = object()
