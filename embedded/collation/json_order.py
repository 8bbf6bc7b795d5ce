"""The order of JSON values as CouchDB's views have it (couch_ejson_compare.erl), as comparison and as bytes.

An encoded value is a tag, then: nothing for null, false and true; the number; the string's sort key; or the elements or
members and an end byte below every tag. So `memcmp` orders encoded values, and an array's encoding without its last
byte is a prefix of the encodings of all arrays that begin with the same elements.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final

from embedded.collation.strings import sort_key

END: Final = b"\x00"
MEMBER: Final = b"\x01"
NULL: Final = b"\x10"
FALSE: Final = b"\x11"
TRUE: Final = b"\x12"
NUMBER: Final = b"\x20"
STRING: Final = b"\x30"
ARRAY: Final = b"\x40"
OBJECT: Final = b"\x50"

_EXACT: Final = 2**53
_SIGN: Final = 1 << 63
_ALL_BITS: Final = (1 << 64) - 1
_DOUBLE: Final = struct.Struct(">d")
_WORD: Final = struct.Struct(">Q")


def compare(first: Any, second: Any) -> int:
    """Below 0, 0 or above 0. Equal means equal to CouchDB: `-0.0` and `0`, `"\\u00e9"` and `"e\\u0301"` are."""
    kind = type(first)
    if kind is type(second) and (kind is int or kind is float):
        return int(first > second) - int(first < second)
    one, other = encode(first), encode(second)
    return (one > other) - (one < other)


def encode(value: Any) -> bytes:
    """Bytes that compare as the values do. `value` is JSON as Python's `json` reads it, with string member names."""
    kind = type(value)
    if kind is str:
        return STRING + sort_key(value)
    if kind is list:
        return ARRAY + b"".join([encode(element) for element in value]) + END
    if value is None:
        return NULL
    if value is True:
        return TRUE
    if value is False:
        return FALSE
    if kind is int or kind is float:
        return NUMBER + _encode_number(value)
    if kind is dict:
        members = [MEMBER + sort_key(name) + encode(member) for name, member in value.items()]
        return OBJECT + b"".join(members) + END
    raise TypeError(f"{kind.__name__} is not a JSON value")


def group_prefix(key: Any, level: int) -> bytes:
    """With what the encodings of all keys of this key's group at `group_level` begin.

    Keys that are not arrays, and arrays shorter than the level, are groups of their own: their whole encoding.
    """
    if type(key) is list and len(key) >= level:
        return ARRAY + b"".join([encode(element) for element in key[:level]])
    return encode(key)


def _encode_number(value: int | float) -> bytes:
    """The double nearest, in an order `memcmp` sees; where doubles are further than 1 apart, how far it is off."""
    if value == 0:
        value = 0
    try:
        double = float(value)
    except OverflowError:
        double = math.inf if value > 0 else -math.inf
    (bits,) = _WORD.unpack(_DOUBLE.pack(double))
    ordered = bits ^ _SIGN if bits < _SIGN else bits ^ _ALL_BITS
    encoded = _WORD.pack(ordered)
    if -_EXACT < double < _EXACT:
        return encoded
    if math.isinf(double):
        return encoded + _encode_remainder(int(value))
    return encoded + _encode_remainder(int(value) - int(double))


def _encode_remainder(value: int) -> bytes:
    """Any whole number; those of more bytes are further from zero. Numbers of 4,300 digits have 1,800 bytes."""
    size = (value.bit_length() + 7) // 8
    digits = abs(value).to_bytes(size, "big")
    if value >= 0:
        return (0x8000 + size).to_bytes(2, "big") + digits
    return (0x8000 - size).to_bytes(2, "big") + bytes(byte ^ 0xFF for byte in digits)
