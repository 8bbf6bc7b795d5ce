"""Selectors: does a document match?

`compile_selector` turns a selector into a predicate once; `matches` is for one document. The meaning is CouchDB's
(mango_selector.erl), in particular: a condition on a field the document does not have never holds, not even a negated
one, except `{"$exists": false}`; values compare by view collation; a negation moves inwards to the conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from embedded import collation
from embedded.http import json_text
from embedded.http.errors import bad_request
from embedded.mango.patterns import PatternError, compile_pattern

Predicate = Callable[[Any], bool]
Path = tuple[str, ...]

_MISSING: Final = object()
_RANGES: Final[dict[str, Callable[[int], bool]]] = {
    "$lt": lambda order: order < 0,
    "$lte": lambda order: order <= 0,
    "$eq": lambda order: order == 0,
    "$ne": lambda order: order != 0,
    "$gte": lambda order: order >= 0,
    "$gt": lambda order: order > 0,
}
_OPPOSITES: Final = {
    "$lt": "$gte",
    "$lte": "$gt",
    "$eq": "$ne",
    "$ne": "$eq",
    "$gte": "$lt",
    "$gt": "$lte",
    "$in": "$nin",
    "$nin": "$in",
}
_TYPES: Final[dict[str, Callable[[Any], bool]]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def check(selector: Any) -> None:
    """Raises HttpError 400 (`invalid_selector_json`, `invalid_operator`, `bad_arg`) unless this is a selector."""
    compile_selector(selector)


def matches(selector: Mapping[str, Any], document: Mapping[str, Any]) -> bool:
    """Whether a document, with its `_id`, `_rev` and `_deleted`, matches. Raises like `check`."""
    return _compiled(json_text.text(selector))(document)


@lru_cache(maxsize=64)
def _compiled(text: str) -> Predicate:
    return compile_selector(json_text.stored(text))


def compile_selector(selector: Any) -> Predicate:
    """The predicate of a selector. Raises like `check`."""
    if not isinstance(selector, dict):
        raise bad_request(
            f"Selector must be a JSON object, not: {json_text.text(selector)}", error="invalid_selector_json"
        )
    return _condition(selector, (), False)


def split_field(name: str) -> Path:
    r"""The path a field's name means: `a.b` is b inside a, `a\.b` one name with a dot in it."""
    parts = re.split(r"(?<!\\)\.", name)
    return tuple(part.replace("\\.", ".") for part in parts)


def field_value(document: Any, path: Path, default: Any = None) -> Any:
    """What a document holds at a path; numbers in a path index arrays."""
    found = _value_at(document, path)
    return default if found is _MISSING else found


def _value_at(value: Any, path: Path) -> Any:
    for part in path:
        if isinstance(value, dict):
            value = value.get(part, _MISSING)
        elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
        if value is _MISSING:
            return _MISSING
    return value


# --- compiling: selectors are nested no deeper than json_text.MAXIMUM_DEPTH, so recursion is bounded


def _condition(condition: Any, path: Path, negated: bool) -> Predicate:
    """The predicate of a condition on the value at `path`."""
    if not isinstance(condition, dict):
        return _operator("$eq", condition, path, negated)
    if not condition:
        if not path:
            return lambda document: not negated
        return _operator("$eq", condition, path, negated)
    parts = [
        _operator(name, argument, path, negated)
        if name.startswith("$")
        else _condition(argument, (*path, *split_field(name)), negated)
        for name, argument in condition.items()
    ]
    return _any(parts) if negated else _all(parts)


def _operator(name: str, argument: Any, path: Path, negated: bool) -> Predicate:
    if name in ("$and", "$or", "$nor"):
        return _combination(name, argument, path, negated)
    if name == "$not":
        return _condition(_selector_argument(name, argument), path, not negated)
    if name == "$default":
        raise bad_request("Invalid operator: $default", error="invalid_operator")
    if negated and name in _OPPOSITES:
        name, negated = _OPPOSITES[name], False
    if name == "$exists":
        return _exists(argument, path, negated)
    test = _test(name, argument, raw_strings=path == ("_id",))

    def holds(document: Any) -> bool:
        value = _value_at(document, path)
        return value is not _MISSING and test(value) is not negated

    return holds


def _combination(name: str, argument: Any, path: Path, negated: bool) -> Predicate:
    if not isinstance(argument, list) or not all(isinstance(part, dict) for part in argument):
        raise _bad_argument(name, argument)
    inner_negated = negated != (name == "$nor")
    parts = [_condition(part, path, inner_negated) for part in argument]
    if name == "$and" and not parts:
        return lambda document: not negated
    if name in ("$or", "$nor") and not parts:
        return lambda document: not inner_negated
    return _all(parts) if (name == "$and") is not inner_negated else _any(parts)


def _all(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    return lambda document: all(part(document) for part in parts)


def _any(parts: Sequence[Predicate]) -> Predicate:
    if len(parts) == 1:
        return parts[0]
    return lambda document: any(part(document) for part in parts)


def _exists(argument: Any, path: Path, negated: bool) -> Predicate:
    if not isinstance(argument, bool):
        raise _bad_argument("$exists", argument)
    wanted = argument is not negated
    return lambda document: (_value_at(document, path) is not _MISSING) is wanted


# --- tests of one value


def _test(name: str, argument: Any, raw_strings: bool) -> Predicate:
    if name in _RANGES:
        return _range_test(_RANGES[name], argument, raw_strings)
    maker = _TESTS.get(name)
    if maker is None:
        raise bad_request(f"Invalid operator: {name}", error="invalid_operator")
    return maker(name, argument)


def _range_test(accepts: Callable[[int], bool], argument: Any, raw_strings: bool) -> Predicate:
    """`_id` compares by its bytes, as `_all_docs` is ordered, and is above all that is no string; else collation."""
    if not raw_strings:
        return lambda value: accepts(collation.compare(value, argument))
    wanted = argument.encode("utf-8", "surrogatepass") if isinstance(argument, str) else None

    def ordered(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        given = value.encode("utf-8", "surrogatepass")
        return accepts(1 if wanted is None else (given > wanted) - (given < wanted))

    return ordered


def _in(name: str, argument: Any) -> Predicate:
    if not isinstance(argument, list):
        raise _bad_argument(name, argument)

    def among(value: Any) -> bool:
        candidates = value if isinstance(value, list) else [value]
        return any(collation.compare(one, wanted) == 0 for wanted in argument for one in candidates)

    return among if name == "$in" else (lambda value: not among(value))


def _all_of(name: str, argument: Any) -> Predicate:
    if not isinstance(argument, list):
        raise _bad_argument(name, argument)

    def holds(value: Any) -> bool:
        if not isinstance(value, list) or not argument:
            return False
        if all(any(same(one, wanted) for one in value) for wanted in argument):
            return True
        return len(argument) == 1 and same(argument[0], value)

    return holds


def same(first: Any, second: Any) -> bool:
    """Equal as JSON: `1` and `true` differ, as they do not in Python."""
    return type(first) is type(second) and bool(first == second)


def _elements(name: str, argument: Any) -> Predicate:
    inner = _condition(_selector_argument(name, argument), (), False)
    if name == "$elemMatch":
        return lambda value: isinstance(value, list) and any(inner(one) for one in value)
    if name == "$allMatch":
        return lambda value: isinstance(value, list) and bool(value) and all(inner(one) for one in value)
    return lambda value: isinstance(value, dict) and any(inner(key) for key in value)


def _type(name: str, argument: Any) -> Predicate:
    if not isinstance(argument, str):
        raise _bad_argument(name, argument)
    return _TYPES.get(argument, lambda value: False)


def _size(name: str, argument: Any) -> Predicate:
    if not _is_integer(argument) or argument < 0:
        raise _bad_argument(name, argument)
    return lambda value: isinstance(value, list) and len(value) == argument


def _modulo(name: str, argument: Any) -> Predicate:
    if not (isinstance(argument, list) and len(argument) == 2 and all(map(_is_integer, argument)) and argument[0] != 0):
        raise _bad_argument(name, argument)
    divisor, wanted = argument

    def holds(value: Any) -> bool:
        # The remainder has the sign of the dividend, as in Erlang and JavaScript.
        if not _is_integer(value):
            return False
        remainder = abs(value) % abs(divisor)
        return bool((remainder if value >= 0 else -remainder) == wanted)

    return holds


def _regex(name: str, argument: Any) -> Predicate:
    if not isinstance(argument, str):
        raise _bad_argument(name, argument)
    try:
        found = compile_pattern(argument)
    except PatternError:
        raise _bad_argument(name, argument) from None
    return lambda value: isinstance(value, str) and found(value)


def _begins_with(name: str, argument: Any) -> Predicate:
    if not isinstance(argument, str):
        raise _bad_argument(name, argument)
    return lambda value: isinstance(value, str) and value.startswith(argument)


_TESTS: Final[dict[str, Callable[[str, Any], Predicate]]] = {
    "$in": _in,
    "$nin": _in,
    "$all": _all_of,
    "$elemMatch": _elements,
    "$allMatch": _elements,
    "$keyMapMatch": _elements,
    "$type": _type,
    "$size": _size,
    "$mod": _modulo,
    "$regex": _regex,
    "$beginsWith": _begins_with,
}


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _selector_argument(name: str, argument: Any) -> dict[str, Any]:
    if not isinstance(argument, dict):
        raise _bad_argument(name, argument)
    return argument


def _bad_argument(name: str, argument: Any) -> Exception:
    return bad_request(f"Bad argument for operator {name}: {json_text.text(argument)}", error="bad_arg")
