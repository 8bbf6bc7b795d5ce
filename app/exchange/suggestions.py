"""What a free-text equipment id gives away: "Brandt Süd Kramer5085 SN:353424401" holds customer, model and number.

Only ever a suggestion to a person: nothing read here becomes a fact of a document by itself (pure).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.parts.serials import plain

_SERIAL = re.compile(r"\bS\.?\s?N\.?\s*[:.#]?\s*([A-Z0-9][A-Z0-9-]{4,})", re.IGNORECASE)
# "MN", Maschinennummer: what the owner calls the machine.
_FLEET_NUMBER = re.compile(r"\bM\.?\s?N\.?\s*[:.#]\s*([A-Z0-9-]+)", re.IGNORECASE)
_SHORTEST_NUMBER = 6
_LONGEST_MODEL = 8


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What an equipment id seems to say; empty where it says nothing."""

    customer: str = ""
    make: str = ""
    model: str = ""
    number: str = ""
    fleet_number: str = ""

    def words(self) -> str:
        """As a part of a sentence: "customer Brandt Süd, model 5085, serial number 353424401"; empty for nothing."""
        named = (
            ("customer", self.customer),
            ("model", self.model),
            ("serial number", self.number),
            ("the owner's number", self.fleet_number),
        )
        return ", ".join(f"{name} {value}" for name, value in named if value)


def suggest(equipment_id: str, makes: Iterable[str]) -> Suggestion:
    """Reads an equipment id; `makes` are the names of makes to look for in it.

    An id of one word is the name some system gave the machine, and suggests nothing.
    """
    text = " ".join(equipment_id.split())
    if " " not in text and ":" not in text:
        return Suggestion()
    serial, fleet = _SERIAL.search(text), _FLEET_NUMBER.search(text)
    number = serial[1] if serial else ""
    for match in (serial, fleet):
        if match:
            text = text.replace(match[0], " ")
    before, make, after = _around_make(text, makes)
    words_before, words_after = before.split(), after.split()
    if not number:
        for words in (words_after, words_before):
            if words and _is_number(words[-1]):
                number = words.pop()
                break
    model = ""
    for words in (words_after[:1], words_before if len(words_before) == 1 else words_before[:1]):
        if not model and words and _is_model(words[0]):
            model = words[0]
            (words_after if words_after[:1] == words else words_before).remove(model)
    customer = " ".join(words_before) if make or not words_after else " ".join(words_before + words_after)
    if not any(character.isalpha() for character in customer):
        customer = ""
    return Suggestion(customer, make, model, number, fleet[1] if fleet else "")


def numbers_in(equipment_id: str) -> list[str]:
    """The numbers in an equipment id that could be a serial number or PIN, in plain form, the likeliest first."""
    serial, fleet = _SERIAL.search(equipment_id), _FLEET_NUMBER.search(equipment_id)
    text = equipment_id.replace(fleet[0], " ") if fleet else equipment_id
    found = [plain(serial[1])] if serial else []
    found += [plain(word) for word in text.replace(":", " ").split() if _is_number(word)]
    return list(dict.fromkeys(found))


def _around_make(text: str, makes: Iterable[str]) -> tuple[str, str, str]:
    folded = text.casefold()
    for make in sorted({make for make in makes if make}, key=len, reverse=True):
        at = folded.find(make.casefold())
        # "Kramer5085" holds Kramer, "Kramers" does not.
        if at >= 0 and len(folded) == len(text) and not folded[at + len(make) :][:1].isalpha():
            return text[:at], make, text[at + len(make) :]
    return text, "", ""


def _is_number(word: str) -> bool:
    bare = plain(word)
    return len(bare) >= _SHORTEST_NUMBER and sum(character.isdigit() for character in bare) >= 4


def _is_model(word: str) -> bool:
    return len(word) <= _LONGEST_MODEL and any(character.isdigit() for character in word)
