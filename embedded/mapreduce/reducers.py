"""Reduce functions: CouchDB's own four, and JavaScript ones.

A reduction is kept as a JSON text, so that it goes from a file into an answer or a script without being parsed.
`reduce` turns many lists of rows into one reduction each, `rereduce` many lists of reductions: JavaScript answers all
of them in one call.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any, Final, Protocol

from embedded.http import json_text
from embedded.http.errors import HttpError
from embedded.javascript import ScriptStoppedError, ViewFunctions

Row = tuple[str, str, str]
"""Document id, key and value; key and value as JSON texts."""

_REASONS: Final = {
    "_sum": (
        "The _sum function requires that map values be numbers, arrays of numbers, or objects. Objects cannot be mixed "
        "with other data structures. Objects can be arbitrarily nested, provided that the values for all fields are "
        "themselves numbers, arrays of numbers, or objects."
    ),
    "_stats": "The _stats function requires that map values be numbers or arrays of numbers",
}


class Reducer(Protocol):
    """What every reduce function can do. Lists are never empty."""

    def reduce(self, groups: Sequence[Sequence[Row]]) -> list[str]: ...

    def rereduce(self, groups: Sequence[Sequence[str]]) -> list[str]: ...

    def finish(self, reductions: Sequence[str]) -> list[str]:
        """The values to answer with."""
        ...


class BuiltinError(Exception):
    """A value a built-in function cannot reduce."""

    def __init__(self, cause: Any) -> None:
        super().__init__("builtin_reduce_error")
        self.cause = cause


class _Count:
    def reduce(self, groups: Sequence[Sequence[Row]]) -> list[str]:
        return [str(len(rows)) for rows in groups]

    def rereduce(self, groups: Sequence[Sequence[str]]) -> list[str]:
        return [str(sum(map(int, reductions))) for reductions in groups]

    def finish(self, reductions: Sequence[str]) -> list[str]:
        return list(reductions)


class _Folding:
    """A built-in that folds parsed values; an error takes the place of the result and stays."""

    name = ""

    def fold(self, values: list[Any], again: bool) -> Any:
        raise NotImplementedError

    def reduce(self, groups: Sequence[Sequence[Row]]) -> list[str]:
        return [self._folded([value for _, _, value in rows], False) for rows in groups]

    def rereduce(self, groups: Sequence[Sequence[str]]) -> list[str]:
        return [self._folded(list(reductions), True) for reductions in groups]

    def finish(self, reductions: Sequence[str]) -> list[str]:
        return list(reductions)

    def _folded(self, texts: list[str], again: bool) -> str:
        values = json_text.stored("[" + ",".join(texts) + "]")
        if again:
            for text, value in zip(reversed(texts), reversed(values), strict=True):
                if isinstance(value, dict) and value.get("error") == "builtin_reduce_error":
                    return text
        try:
            return _text(self.fold(values, again))
        except BuiltinError as error:
            return json_text.text(
                {"error": "builtin_reduce_error", "reason": _REASONS[self.name], "caused_by": error.cause}
            )


class _Sum(_Folding):
    name = "_sum"

    def fold(self, values: list[Any], again: bool) -> Any:
        if all(type(value) is int or type(value) is float for value in values):
            return _total(values)
        total: Any = 0
        for value in reversed(values):
            total = add(total, value)
        return total


def _total(numbers: list[int | float]) -> int | float:
    return sum(numbers)


def add(total: Any, value: Any) -> Any:
    """Numbers, arrays of numbers by place, objects by member. Raises BuiltinError."""
    if _is_number(value):
        if _is_number(total):
            return total + value
        if isinstance(total, list):
            return [add(total[0], value), *total[1:]] if total else [value]
    elif isinstance(value, list):
        if not all(map(_is_number, value)):
            raise BuiltinError(value)
        if isinstance(total, list):
            longest = max(len(total), len(value))
            return [_at(total, place) + _at(value, place) for place in range(longest)]
        if _is_number(total):
            return add(value, total) if value else [total]
    elif isinstance(value, dict):
        if total == 0 and not isinstance(total, (dict, list)):
            total = {}
        if isinstance(total, dict):
            return total | {name: _add_member(total.get(name), member) for name, member in value.items()}
    raise BuiltinError(value)


def _add_member(total: Any, value: Any) -> Any:
    return add(0, value) if total is None else add(total, value)


def _at(numbers: list[Any], place: int) -> Any:
    return numbers[place] if place < len(numbers) else 0


class _Stats(_Folding):
    """A number's figures are an object; arrays of numbers make an array of such objects."""

    name = "_stats"

    def fold(self, values: list[Any], again: bool) -> Any:
        if not again and all(type(value) is int or type(value) is float for value in values):
            return {
                "sum": _total(values),
                "count": len(values),
                "min": min(values),
                "max": max(values),
                "sumsqr": _total([value * value for value in values]),
            }
        merged: Any = None
        for value in reversed(values):
            figures = value if again else _figures(value)
            merged = figures if merged is None else _merge_figures(merged, figures, value)
        return merged


def _figures(value: Any) -> Any:
    if _is_number(value):
        return {"sum": value, "count": 1, "min": value, "max": value, "sumsqr": value * value}
    if isinstance(value, list) and value and all(map(_is_number, value)):
        return [_figures(number) for number in value]
    if isinstance(value, dict) and all(
        _is_number(value.get(name)) for name in ("sum", "count", "min", "max", "sumsqr")
    ):
        return {name: value[name] for name in ("sum", "count", "min", "max", "sumsqr")}
    raise BuiltinError(value)


def _merge_figures(one: Any, other: Any, cause: Any) -> Any:
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_merge_figures(first, second, cause) for first, second in zip(one, other, strict=True)]
    if isinstance(one, list) or isinstance(other, list):
        raise BuiltinError(cause)
    return {
        "sum": one["sum"] + other["sum"],
        "count": one["count"] + other["count"],
        "min": min(one["min"], other["min"]),
        "max": max(one["max"], other["max"]),
        "sumsqr": one["sumsqr"] + other["sumsqr"],
    }


class _ApproximateCountDistinct:
    """HyperLogLog over the keys with 2,048 registers, CouchDB's precision; about 2 % off for many keys."""

    BITS = 11

    def reduce(self, groups: Sequence[Sequence[Row]]) -> list[str]:
        return [self._registers_of({key for _, key, _ in rows}) for rows in groups]

    def rereduce(self, groups: Sequence[Sequence[str]]) -> list[str]:
        return [self._merged(reductions) for reductions in groups]

    def finish(self, reductions: Sequence[str]) -> list[str]:
        return [str(self._estimate(json_text.stored(text))) for text in reductions]

    def _registers_of(self, keys: set[str]) -> str:
        registers: dict[str, int] = {}
        for key in keys:
            digest = int.from_bytes(
                hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big"
            )
            register = str(digest >> (64 - self.BITS))
            rest = digest & ((1 << (64 - self.BITS)) - 1)
            rank = 64 - self.BITS - rest.bit_length() + 1
            registers[register] = max(registers.get(register, 0), rank)
        return json_text.text(registers)

    def _merged(self, reductions: Sequence[str]) -> str:
        registers: dict[str, int] = {}
        for text in reductions:
            for register, rank in json_text.stored(text).items():
                registers[register] = max(registers.get(register, 0), rank)
        return json_text.text(registers)

    def _estimate(self, registers: dict[str, int]) -> int:
        size = 1 << self.BITS
        zeros = size - len(registers)
        raw = 0.7213 / (1 + 1.079 / size) * size * size / (zeros + sum(2.0**-rank for rank in registers.values()))
        if raw <= 2.5 * size and zeros:
            return round(size * math.log(size / zeros))
        return round(raw)


class _JavaScript:
    """`number` is the function's among those of the index. Values are handed over last first, as CouchDB does."""

    def __init__(self, functions: ViewFunctions, number: int) -> None:
        self._functions = functions
        self._number = number

    def reduce(self, groups: Sequence[Sequence[Row]]) -> list[str]:
        return self._run([self._first_call(rows) for rows in groups])

    def rereduce(self, groups: Sequence[Sequence[str]]) -> list[str]:
        return self._run([self._again_call(reductions) for reductions in groups])

    def finish(self, reductions: Sequence[str]) -> list[str]:
        return self.rereduce([[reduction] for reduction in reductions])

    def _first_call(self, rows: Sequence[Row]) -> str:
        newest_first = rows[::-1]
        keys = ",".join([f"[{key},{json_text.text(id)}]" for id, key, _ in newest_first])
        values = ",".join([value for _, _, value in newest_first])
        return f"[{self._number},[{keys}],[{values}],false]"

    def _again_call(self, reductions: Sequence[str]) -> str:
        return f"[{self._number},null,[{','.join(reductions)}],true]"

    def _run(self, calls: list[str]) -> list[str]:
        try:
            return self._functions.reduce(calls)
        except ScriptStoppedError as error:
            raise HttpError(500, "reduce_error", f"The reduce function was stopped: {error}") from None


def reducer_for(source: str, functions: ViewFunctions, javascript: Sequence[str]) -> Reducer:
    """`javascript`: the sources of the JavaScript reduce functions, in the order `functions` numbers them."""
    if source.startswith("_count"):
        return _Count()
    if source.startswith("_sum"):
        return _Sum()
    if source.startswith("_stats"):
        return _Stats()
    if source.startswith("_approx_count_distinct"):
        return _ApproximateCountDistinct()
    if source.startswith("_"):
        raise HttpError(400, "invalid_design_doc", f"`{source}` is not a supported reduce function.")
    return _JavaScript(functions, javascript.index(source))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(value: Any) -> str:
    try:
        return json_text.text(value)
    except ValueError:
        return "null"  # a sum beyond the range of numbers
