"""JSON in and out without loss.

Integers keep all their digits, `-0.0` its sign; what a JSON text cannot hold (`NaN`, a lone surrogate, a number beyond
the range of a double) is refused when it comes in, so that everything stored can be sent out again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final, NoReturn

from embedded.http.errors import HttpError, bad_request

MAXIMUM_DEPTH = 500
"""Levels of arrays and objects in one text. Recursive code below (collation, selectors) relies on it."""

_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is out of range")
    return number


_decoder = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)
_stored_decoder = json.JSONDecoder()
# Nothing that came out of a JSON text is inside itself, so nobody looks for it: that costs a third of the time.
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False)
_canonical = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False, sort_keys=True
)


def parse(raw: bytes) -> Any:
    """The value of a JSON text in UTF-8. Raises 400 `bad_request` with CouchDB's reason."""
    try:
        value = _decoder.decode(raw.decode("utf-8"))
        if _SURROGATE_ESCAPE.search(raw):
            _encoder.encode(value).encode("utf-8")
    except (ValueError, RecursionError):
        raise bad_request("invalid UTF-8 JSON") from None
    if raw.count(b"{") + raw.count(b"[") > MAXIMUM_DEPTH and depth(value) > MAXIMUM_DEPTH:
        raise bad_request(f"The JSON is nested deeper than {MAXIMUM_DEPTH} levels.")
    return value


def parse_object(raw: bytes) -> dict[str, Any]:
    """Like `parse`, for a request that must be an object."""
    value = parse(raw)
    if not isinstance(value, dict):
        raise bad_request("Request body must be a JSON object")
    return value


def depth(value: Any) -> int:
    """How many arrays and objects are inside one another; 0 for a scalar. Not recursive, so any depth is fine."""
    level = [value] if isinstance(value, (dict, list)) else []
    levels = 0
    while level:
        levels += 1
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
    return levels


def stored(text: str) -> Any:
    """The value of a text this store wrote itself: exactly one value, without white space around it."""
    return _stored_decoder.raw_decode(text)[0]


def text(value: Any) -> str:
    """The shortest JSON text of a value."""
    return _encoder.encode(value)


quoted: Final[Callable[[str], str]] = json.encoder.encode_basestring
"""The JSON text of a string; as `text` makes it, in a third of the time."""


def canonical(value: Any) -> str:
    """One text for equal values: members sorted by name. For digests."""
    return _canonical.encode(value)


__all__ = ["MAXIMUM_DEPTH", "HttpError", "canonical", "depth", "parse", "parse_object", "quoted", "stored", "text"]
