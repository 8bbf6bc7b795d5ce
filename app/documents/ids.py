"""Ids of documents: ``<dealer>:<type>:<key>`` in a book, ``<type>:<key>`` in the catalog.

The key is natural wherever the world gives one, so that two people who enter the same machine while offline make one
document with a mergeable conflict and not two documents. Otherwise it is a UUIDv7.
"""

from __future__ import annotations

import re
import secrets
import time
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import date, datetime

from app.config import DEALER_CODE

_NOT_IN_A_KEY = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class SerialRule:
    """What of a make's serial numbers people write or leave out as they like."""

    dashes: bool = False
    leading_zeros: bool = False


# Only makes whose own plates and papers differ in it; any other serial number keeps what it has.
SERIAL_RULES = {
    "TAKEUCHI": SerialRule(leading_zeros=True),
    "KUBOTA": SerialRule(dashes=True),
    "BOBCAT": SerialRule(dashes=True),
}
# One machine must not become two because one person writes the make in full.
MAKE_NAMES = {
    "CATERPILLAR": "CAT",
    "JOHNDEERE": "DEERE",
    "VOLVOCE": "VOLVO",
    "VOLVOCONSTRUCTIONEQUIPMENT": "VOLVO",
    "LIEBHERR-WERK": "LIEBHERR",
}


def document_id(dealer: str, type: str, key: str) -> str:
    """The id of a document; with an empty `dealer` that of a catalog document."""
    return f"{dealer}:{type}:{key}" if dealer else f"{type}:{key}"


def split_id(id: str) -> tuple[str, str, str]:
    """``(dealer, type, key)`` of an id; the dealer is empty in the catalog. Raises ValueError for any other id."""
    dealer, _, rest = id.partition(":")
    if DEALER_CODE.fullmatch(dealer):
        type_, colon, key = rest.partition(":")
    else:
        dealer, (type_, colon, key) = "", id.partition(":")
    if not (colon and type_ and key):
        raise ValueError(f"{id!r} is not the id of a document.")
    return dealer, type_, key


def new_key() -> str:
    """A UUIDv7 (RFC 9562): unique anywhere, and in the order of making."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def make_key(make: str) -> str:
    """A make as it stands in keys: upper case, no spaces, one name for makes that have several."""
    key = _plain(make)
    return MAKE_NAMES.get(key, key)


def machine_key(make: str, serial: str) -> str:
    """``<MAKE>-<SERIAL>``. Raises ValueError when make or serial holds nothing that a key can keep."""
    maker, number = make_key(make), _plain(serial)
    rule = SERIAL_RULES.get(maker, SerialRule())
    if rule.dashes:
        number = number.replace("-", "")
    if rule.leading_zeros:
        number = number.lstrip("0") or number
    if not maker or not number:
        raise ValueError("A machine needs a make and a serial number with at least one letter or digit.")
    return f"{maker}-{number}"


def model_key(make: str, model: str) -> str:
    """``<MAKE>-<NAME>`` of a model. Raises ValueError as :func:`machine_key` does."""
    maker, name = make_key(make), _plain(model)
    if not maker or not name:
        raise ValueError("A model needs a make and a name with at least one letter or digit.")
    return f"{maker}-{name}"


def reading_key(machine_id: str, day: date | str) -> str:
    """``<machine key>:<UTC date>``: one reading a machine and day. `machine_id` is the machine's whole id.

    `day` is a date, a datetime, or an ISO 8601 text that begins with the UTC date.
    """
    _, type_, key = split_id(machine_id)
    if type_ != "machine":
        raise ValueError(f"{machine_id!r} is not the id of a machine.")
    if isinstance(day, datetime):
        day = day.date()
    text = day.isoformat() if isinstance(day, date) else day[:10]
    date.fromisoformat(text)
    return f"{key}:{text}"


def catalog_id(type: str, key: str) -> str:
    """``<type>:<KEY>`` of a document of the catalog; forms and views keep their names as they are."""
    return f"{type}:{key}" if type in ("form", "view") else f"{type}:{_plain(key)}"


def natural_key(type: str, fields: dict[str, object]) -> str | None:
    """The key the world gives a document with these `fields`, or None when it needs a :func:`new_key`.

    Raises ValueError, in words for a person, when the fields that make up the key are missing.
    """

    def text(name: str) -> str:
        return str(fields.get(name) or "")

    if type == "machine":
        return machine_key(text("make"), text("serial"))
    if type == "model":
        return model_key(text("make"), text("name"))
    if type == "reading":
        return reading_key(text("machine"), text("at"))
    field = {"part": "number", "bulletin": "code"}.get(type)
    if field is None:
        return None
    key = _plain(text(field))
    if not key:
        raise ValueError(f"A {type} needs a {field} with at least one letter or digit.")
    return key


def _plain(text: str) -> str:
    joined = "".join(unicodedata.normalize("NFKC", text).upper().split())
    return _NOT_IN_A_KEY.sub("-", joined).strip("-._")
