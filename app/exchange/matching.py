"""Which machine of the book a piece of equipment is (pure).

In this order: the PIN; the serial number under the same make; the name telematics gave it before, when it brings no
number of its own; a number in its free-text id. Two machines that fit are none: a person decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from app.documents.ids import make_key
from app.exchange.equipment import Equipment
from app.exchange.suggestions import numbers_in
from app.parts.serials import plain

# A whole vehicle identification number is unique in the world, whoever the maker is said to be (ISO 3779, ISO 10261).
WHOLE_PIN = 17


@dataclass(frozen=True, slots=True)
class Match:
    """The machine found, or the several that fit; `how` is for the report.

    `also` is another machine that has its serial number while this one has its PIN: perhaps one machine entered twice.
    """

    machine_id: str = ""
    how: str = ""
    several: tuple[str, ...] = ()
    also: str = ""


class Machines:
    """The machines of a book by their numbers; only what matching needs is kept of each."""

    def __init__(self) -> None:
        self._by_number: dict[str, set[str]] = {}
        self._by_telematics: dict[str, set[str]] = {}
        self._makes: dict[str, str] = {}
        self._spelled: dict[str, str] = {}

    def add(self, machine: Mapping[str, Any]) -> None:
        """Takes in a `machine` document."""
        machine_id, make = str(machine["_id"]), str(machine.get("make") or "")
        self._makes[machine_id] = plain(make_key(make))
        self._spelled.setdefault(plain(make_key(make)), make)
        for name in ("serial", "pin"):
            if plain(machine.get(name)):
                self._by_number.setdefault(plain(machine.get(name)), set()).add(machine_id)
        for name in ("telematics_id", "fleet_number"):
            if machine.get(name):
                self._by_telematics.setdefault(str(machine[name]), set()).add(machine_id)

    def has(self, machine_id: str) -> bool:
        """Whether the book has this machine."""
        return machine_id in self._makes

    def makes(self) -> list[str]:
        """The makes there are, as they are written."""
        return list(self._spelled.values())

    def spelled(self, make: str) -> str:
        """A make as this book writes it, so that "KRAMER" and "Kramer" do not become two."""
        return self._spelled.get(plain(make_key(make)), make)

    def find(self, equipment: Equipment, make: str) -> Match:
        """The machine that `equipment` of this `make` (empty when unknown) is."""
        tries: list[tuple[str, set[str]]] = [
            ("PIN", self._of_number(equipment.pin, make)),
            ("serial number", self._of_number(equipment.serial, make)),
        ]
        if not equipment.pin and not equipment.serial:
            called = self._by_telematics.get(equipment.equipment_id, set()) if equipment.equipment_id else set()
            tries.append(("telematics name", self._same_make(called, make)))
        tries += [
            ("number in the equipment id", self._of_number(number, make))
            for number in numbers_in(equipment.equipment_id)
        ]
        for how, found in tries:
            ids = tuple(sorted(found))
            if len(ids) == 1:
                also = sorted(self._of_number(equipment.serial, make) - found) if how == "PIN" else []
                return Match(ids[0], how, also=also[0] if also else "")
            if ids:
                return Match("", how, ids)
        return Match()

    def _of_number(self, number: str, make: str) -> set[str]:
        found = self._by_number.get(plain(number), set())
        return found if len(plain(number)) >= WHOLE_PIN else self._same_make(found, make)

    def _same_make(self, ids: Iterable[str], make: str) -> set[str]:
        wanted = plain(make_key(make)) if make else ""
        return {machine_id for machine_id in ids if _same(self._makes[machine_id], wanted)}


def _same(one: str, other: str) -> bool:
    """Whether two makes can be one: "Kramer" is "Kramer-Werke", and a make nobody gives can be any."""
    return not one or not other or one.startswith(other) or other.startswith(one)
