"""Serial numbers as people compare them (pure): capitals, spaces, dashes and leading zeros do not count."""

from __future__ import annotations

import re
from typing import Any

_RUNNING_NUMBER = re.compile(r"(.*?)(\d*)", re.DOTALL)


def plain(serial: Any) -> str:
    """A serial number in capitals, letters and digits only; empty for None."""
    return "".join(character for character in str(serial or "").upper() if character.isalnum())


def in_range(serial: Any, first: Any, last: Any) -> bool:
    """Whether `serial` is from `first` to `last`, both included; an empty end is open, two empty ends are everybody.

    A serial is a prefix and a running number: "SK-0142" is SK and 142. Only serials with the prefix of an end compare
    with it, so that "SK-0500" is not between "TL-0001" and "TL-0900"; ends with two prefixes ("A900" to "B100") are
    taken as a run of prefixes of the same length.
    """
    low, high, found = _split(first), _split(last), _split(serial)
    if not plain(serial):
        return False
    if not plain(first) or not plain(last):
        end = low if plain(first) else high
        if plain(first) or plain(last):
            return found[0] == end[0] and (found >= low if plain(first) else found <= high)
        return True
    if low[0] == high[0]:
        return found[0] == low[0] and low[1] <= found[1] <= high[1]
    return len(found[0]) == len(low[0]) == len(high[0]) and low <= found <= high


def range_problem(first: Any, last: Any) -> str:
    """A sentence when no serial number can be from `first` to `last`; empty for a range that can hold some."""
    if not plain(first) or not plain(last):
        return ""
    low, high = _split(first), _split(last)
    if low[0] == high[0]:
        return f"{last} comes before {first}: no serial number is in between." if high[1] < low[1] else ""
    if len(low[0]) != len(high[0]):
        return f"{first} and {last} begin differently, so no serial number is in between: make it two bulletins."
    return f"{last} comes before {first}: no serial number is in between." if high < low else ""


def digits(serial: Any) -> int:
    """How many characters a serial has once written plainly."""
    return len(plain(serial))


def _split(serial: Any) -> tuple[str, int]:
    match = _RUNNING_NUMBER.fullmatch(plain(serial))
    prefix, number = (match[1], match[2]) if match else ("", "")
    # Longer than any serial: not worth a number of thousands of digits.
    return prefix, int(number[-40:]) if number else -1
