"""Strings in the order of ICU's root collation, as sort keys: bytes that compare as CouchDB compares the strings.

A sort key is the primary weights; then, only where they differ from the common ones, 0x01 and the secondary weights
(accents), 0x01 and the tertiary weights (case, variants); then 0x00. Trailing common weights are left out and runs of
them are one byte, so that most keys are hardly longer than their string. The algorithm is that of Unicode Technical
Standard 10 with ICU's defaults: three levels, punctuation counts, no normalization beyond what the table holds.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from embedded.collation.table import COMMON, Elements, RootTable

LEVEL: Final = b"\x01"
END: Final = b"\x00"

_LONGEST_REMEMBERED: Final = 80
_TOKENS: Final = re.compile(COMMON + "{1,70}|.", re.DOTALL)


@cache
def _table() -> RootTable:
    return RootTable()


class _Characters(dict[str, Elements]):
    """Elements by character; a block of 256 is read when one of its characters is first asked for."""

    def __missing__(self, character: str) -> Elements:
        self.update(_table().block(ord(character) >> 8))
        return self[character]


class _LevelBytes(dict[str, bytes]):
    """Bytes of a weight, or of a run of common weights.

    A run is followed by a higher weight, for there are none below the common one: the longer it is, the lower it sorts.
    """

    def __missing__(self, token: str) -> bytes:
        if token[0] == COMMON:
            encoded = bytes([0x4F - len(token)])
        elif ord(token) < 0x90:
            encoded = bytes([0x50 + ord(token)])
        else:
            encoded = bytes([0xE0 + (ord(token) >> 7), 0x02 + (ord(token) & 0x7F)])
        self[token] = encoded
        return encoded


_characters = _Characters()
_level_bytes = _LevelBytes()


@cache
def _ascii() -> tuple[dict[int, str], dict[int, str]]:
    """For `str.translate`: the primary and the tertiary weights of ASCII characters."""
    characters = [chr(point) for point in range(128)]
    return (
        {ord(one): _characters[one].primary.decode("latin-1") for one in characters},
        {ord(one): _characters[one].tertiary for one in characters},
    )


@cache
def _may_contract() -> re.Pattern[str]:
    """Finds a character that may be the second or a later one of a contraction: without one there is none."""
    later = sorted({character for text in _table().contractions for character in text[1:]})
    return re.compile("[" + re.escape("".join(later)) + "]")


def sort_key(text: str) -> bytes:
    """Bytes in the order of the strings; no key is a prefix of another. Equal for strings that ICU calls equal."""
    return _remembered(text) if len(text) <= _LONGEST_REMEMBERED else _make_key(text)


def _make_key(text: str) -> bytes:
    if text.isascii():
        primaries, tertiaries = _ascii()
        primary = text.translate(primaries).encode("latin-1")
        if text.lower() == text:
            return primary + END
        return _join(primary, "", text.translate(tertiaries))
    elements = _elements(text)
    return _join(
        b"".join([one.primary for one in elements]),
        "".join([one.secondary for one in elements]),
        "".join([one.tertiary for one in elements]),
    )


_remembered = lru_cache(maxsize=8192)(_make_key)


def _join(primary: bytes, secondary: str, tertiary: str) -> bytes:
    second, third = _level(secondary), _level(tertiary)
    if third:
        return primary + LEVEL + second + LEVEL + third + END
    return primary + LEVEL + second + END if second else primary + END


def _level(weights: str) -> bytes:
    weights = weights.rstrip(COMMON)
    return b"".join([_level_bytes[token] for token in _TOKENS.findall(weights)]) if weights else b""


def _elements(text: str) -> list[Elements]:
    if _may_contract().search(text) is None:
        return [_characters[character] for character in text]
    return _contracted(list(text))


def _contracted(characters: list[str]) -> list[Elements]:
    """With the longest contraction at each place, over combining marks in between where those do not block."""
    table = _table()
    found: list[Elements] = []
    at = 0
    while at < len(characters):
        match = characters[at]
        size = 1
        longer = match
        while longer in table.contraction_prefixes and at + len(longer) < len(characters):
            longer += characters[at + len(longer)]
            if longer in table.contractions:
                match, size = longer, len(longer)
        if match in table.contraction_prefixes:
            match = _over_marks(table, characters, at + size, match)
        found.append(table.contractions.get(match) or _characters[match])
        at += size
    return found


def _over_marks(table: RootTable, characters: list[str], at: int, match: str) -> str:
    """The contraction grown by marks after `at` that no mark of their own or a higher class precedes; takes them."""
    last_class = 0
    longer = match
    pending: list[int] = []
    while at < len(characters):
        this_class = table.combining_class.get(characters[at], 0)
        if this_class == 0:
            break
        grown = longer + characters[at]
        if last_class < this_class and (grown in table.contractions or grown in table.contraction_prefixes):
            longer = grown
            pending.append(at)
        else:
            last_class = this_class
        if longer in table.contractions and pending:
            match = longer
            for index in reversed(pending):
                del characters[index]
            at -= len(pending)
            pending = []
        at += 1
    return match
