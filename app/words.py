"""Numbers and the nouns beside them, in sentences that people read (pure)."""

from __future__ import annotations

from typing import Any

# Units that parts are sold in, as people write them out; abbreviations and words of other languages stay as they are.
_UNITS = {
    **{one: f"{one}s" for one in ("piece", "litre", "liter", "metre", "meter", "set", "kit", "pair", "roll", "can")},
    **{one: f"{one}s" for one in ("drum", "bottle", "barrel", "bag", "pack", "sheet", "tube", "cartridge", "gallon")},
    **{one: f"{one}s" for one in ("quart", "kilogram", "pound", "hour")},
    "box": "boxes",
    "foot": "feet",
}


def noun(number: float, one: str, many: str = "") -> str:
    """``machine`` or ``machines``: `many` only where it is not `one` with an s."""
    return one if number == 1 else many or f"{one}s"


def counted(number: int, one: str, many: str = "") -> str:
    """``1 machine``, ``2,345 machines``."""
    return f"{number:,} {noun(number, one, many)}"


def unit_for(unit: Any, quantity: Any) -> str:
    """A part's unit as it stands behind a quantity: ``1 piece``, ``8 pieces``, ``0.5 litres``, ``3 kg``."""
    text = str(unit or "")
    if quantity == 1 or text.lower() not in _UNITS:
        return text
    many = _UNITS[text.lower()]
    return many if text.islower() else many.capitalize()
