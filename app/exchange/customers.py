"""Which customer of the book an equipment id names (pure).

Names are compared word by word as people read them: case, punctuation, accents, ``&`` or ``und`` and the legal form do
not count. Nothing else is taken for the same, and a name that could be two customers' is nobody's: a person chooses.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Words = tuple[str, ...]

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "æ": "ae", "å": "aa", "ł": "l"})
_AND = frozenset({"&", "+", "u", "und", "and", "et", "og", "och"})
_BEFORE = frozenset({"fa", "firma"})
# What follows a company's name and is no part of how people call it.
_LEGAL_FORMS = {
    "gmbh", "mbh", "ag", "kg", "kgaa", "ohg", "ug", "haftungsbeschraenkt", "gbr", "ek", "eg", "se", "co", "inc",
    "incorporated", "llc", "llp", "lp", "ltd", "limited", "corp", "corporation", "company", "plc", "pty", "sa", "sas",
    "sarl", "srl", "spa", "snc", "sl", "bv", "nv", "vof", "cv", "aps", "as", "asa", "ab", "oy", "oyj", "kft", "zrt",
    "sro", "doo",
}  # fmt: skip
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Named:
    """The one customer that a name means; or none, and then `several` are those it could be."""

    customer_id: str = ""
    name: str = ""
    several: tuple[str, ...] = ()

    def several_words(self) -> str:
        """The first of those it could be, as a part of a sentence."""
        rest = len(self.several) - _MOST_NAMED
        return ", ".join(self.several[:_MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")


class Customers:
    """The customers that some `names` could mean; of all others nothing is kept."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._called: dict[Words, list[Mapping[str, Any]]] = {words: [] for name in names if (words := words_of(name))}
        self._longer: dict[Words, list[Mapping[str, Any]]] = {words: [] for words in self._called}

    def add(self, customer: Mapping[str, Any]) -> None:
        """Takes in a `customer` document."""
        kept = {name: customer[name] for name in ("_id", "name", "number") if customer.get(name)}
        words = words_of(str(customer.get("name") or ""))
        for length in range(1, len(words) + 1):
            start = words[:length]
            if start in self._called:
                (self._called if start == words else self._longer)[start].append(kept)

    def named(self, name: str) -> Named:
        """The customer called `name`, which is one of the names given at first.

        People shorten: when one customer is called "Brandt" and another "Brandt Süd", "Brandt" is not clearly either.
        """
        words = words_of(name)
        called, longer = self._called.get(words, []), self._longer.get(words, [])
        if len(called) == 1 and not longer:
            return Named(str(called[0]["_id"]), str(called[0]["name"]))
        return Named(several=tuple(sorted(map(_told, [*called, *longer]))))


def _told(customer: Mapping[str, Any]) -> str:
    number = customer.get("number")
    return f"{customer['name']} ({number})" if number else str(customer["name"])


def words_of(name: str) -> Words:
    """The words of a company's name by which two spellings of it are the same."""
    # "e.K." and "G.m.b.H." are one word each; a hyphen parts two.
    text = (
        unicodedata.normalize("NFC", name)
        .casefold()
        .translate(_UMLAUTS)
        .replace(".", "")
        .replace("'", "")
        .replace("’", "")
    )
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    apart = "".join(each if each.isalnum() else f" {each} " if each in "&+" else " " for each in plain)
    words = ["&" if word in _AND else word for word in apart.split()]
    while len(words) > 1 and words[0] in _BEFORE:
        words.pop(0)
    while len(words) > 1 and (words[-1] in _LEGAL_FORMS or words[-1] == "&"):
        words.pop()
    return tuple(words)
