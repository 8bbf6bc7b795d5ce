"""What a fleet snapshot wants written: which machines are made, which fields change, which readings come (pure).

The decisions behind it are in docs/decisions/telematics.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.documents.common import utc_text
from app.documents.ids import document_id, machine_key, make_key, reading_key
from app.exchange.customers import Customers
from app.exchange.equipment import Equipment, time_of
from app.exchange.matching import WHOLE_PIN, Machines
from app.exchange.suggestions import Suggestion, suggest
from app.parts.serials import plain

# "RALA34603": four letters or so and a row of digits is what a maker's computer calls a model, not what people do.
_INTERNAL_CODE = re.compile(r"[A-Z]{3,}\d{4,}", re.IGNORECASE)


@dataclass
class Planned:
    """One equipment with what is decided about it. `machine_id` is empty when it is left out.

    `suggestion` is what its equipment id says.
    """

    equipment: Equipment
    machine_id: str = ""
    make: str = ""
    is_new: bool = False
    suggestion: Suggestion = field(default_factory=Suggestion)
    notes: list[str] = field(default_factory=list)

    def reading_id(self) -> str:
        """The id of the reading it brings, or empty when it brings no hours."""
        if not self.machine_id or self.equipment.hours_at is None:
            return ""
        dealer = self.machine_id.split(":", 1)[0]
        return document_id(dealer, "reading", reading_key(self.machine_id, self.equipment.hours_at))


def place_all(equipment: Iterable[Equipment], known: Machines, dealer: str) -> list[Planned]:
    """Finds the machine of each equipment, or says which to make, or why it is left out."""
    fleet = list(equipment)
    makes = {plain(one.make): one.make for one in fleet if one.make}
    only_make = next(iter(makes.values())) if len(makes) == 1 else ""
    all_makes = [*makes.values(), *known.makes()]
    return [_place(one, known, dealer, only_make, all_makes) for one in fleet]


def _place(one: Equipment, known: Machines, dealer: str, only_make: str, makes: list[str]) -> Planned:
    suggestion = suggest(one.equipment_id, makes)
    planned = Planned(one, suggestion=suggestion, notes=list(one.problems))
    make = known.spelled(one.make)
    found = known.find(one, make)
    if found.several:
        planned.notes.append(
            f"Left out: several machines have its {found.how} ({', '.join(found.several)}). "
            f"Correct them, then import again."
        )
        return planned
    if found.machine_id:
        planned.machine_id, planned.make = found.machine_id, make
        if found.how != "serial number":
            planned.notes.append(f"Known by its {found.how}.")
        if found.also:
            planned.notes.append(f"{found.also} has its serial number: perhaps one machine that was entered twice.")
        return planned
    if not make and only_make and plain(suggestion.make) == plain(only_make):
        # Two witnesses: the file has one maker only, and the people who named the machine say the same.
        make = known.spelled(only_make)
        planned.notes.append(f"The file gives no make; {make} is from its equipment id and the rest of the file.")
    serial = one.serial or one.pin
    if not serial or not make:
        missing = "no serial number and no PIN" if not serial else "no make"
        if not serial and not make:
            missing = "no make, no serial number and no PIN"
        planned.notes.append(
            f"Left out: it has {missing}, so it could become a second record of a machine you have. "
            f"Enter the machine{_named(one)}, and its hours come in with the next import."
        )
        _add_suggestion(planned, suggestion)
        return planned
    if not one.serial:
        planned.notes.append("It has no serial number; its PIN was taken as one.")
    planned.make = make
    try:
        planned.machine_id = document_id(dealer, "machine", machine_key(make, serial))
    except ValueError as problem:
        planned.notes.append(f"Left out: {problem}")
        return planned
    planned.is_new = not known.has(planned.machine_id)
    return planned


def _named(one: Equipment) -> str:
    return f" with the telematics name “{one.equipment_id}”" if one.equipment_id else ""


def _add_suggestion(planned: Planned, suggestion: Suggestion) -> None:
    """Adds what the equipment id says beyond the fields of the file."""
    one = planned.equipment
    if one.model and not _INTERNAL_CODE.fullmatch(one.model):
        suggestion = replace(suggestion, model="")
    if plain(suggestion.number) in {plain(one.serial), plain(one.pin)}:
        suggestion = replace(suggestion, number="")
    words = suggestion.words()
    if words:
        planned.notes.append(f"Its equipment id “{planned.equipment.equipment_id}” suggests {words}. Please check.")


class Models:
    """The models of the catalog, as it writes them."""

    def __init__(self, documents: Iterable[Mapping[str, Any]] = ()) -> None:
        self._names = {
            (plain(make_key(str(model.get("make") or ""))), plain(model.get("name"))): str(model.get("name") or "")
            for model in documents
        }

    def spelled(self, make: str, model: str) -> str:
        """A model as the catalog writes it; empty when the catalog does not have it."""
        return self._names.get((plain(make_key(make)), plain(model)), "")


def new_machine(planned: Planned, models: Models, customers: Customers) -> dict[str, Any]:
    """The document of a machine that the book does not have yet."""
    one = planned.equipment
    dealer = planned.machine_id.split(":", 1)[0]
    document: dict[str, Any] = {
        "_id": planned.machine_id,
        "type": "machine",
        "dealer": dealer,
        "share": "manufacturer",
        "make": planned.make,
        "serial": one.serial or one.pin,
        "status": "in service",
    }
    document.update(_changes(document, planned, models, customers))
    suggestion = planned.suggestion
    _add_suggestion(planned, replace(suggestion, customer="") if document.get("customer") else suggestion)
    told = [note for note in planned.notes if "suggests" in note]
    if told:
        document["notes"] = told[0]
    return document


def changed_machine(
    machine: Mapping[str, Any], planned: Planned, models: Models, customers: Customers
) -> dict[str, Any] | None:
    """`machine` with what the equipment adds, or None when it adds nothing.

    What a person has entered is never overwritten: make, serial, model and PIN are filled where they are empty, the
    customer where it always was. The position moves when it is newer; the telematics name is telematics' own.
    """
    changes = _changes(machine, planned, models, customers)
    changed = {name: value for name, value in changes.items() if machine.get(name) != value}
    return {**machine, **changed} if changed else None


def _changes(machine: Mapping[str, Any], planned: Planned, models: Models, customers: Customers) -> dict[str, Any]:
    one = planned.equipment
    changes: dict[str, Any] = {}
    if one.equipment_id:
        changes["telematics_id"] = one.equipment_id
    in_catalog = models.spelled(str(machine.get("make") or ""), one.model)
    if one.model and not in_catalog and _INTERNAL_CODE.fullmatch(one.model):
        changes["telematics_model"] = one.model
        if not machine.get("model"):
            planned.notes.append(f"Its model, {one.model}, is an internal code; enter the model people use.")
    elif one.model and not machine.get("model"):
        changes["model"] = in_catalog or one.model
    elif not one.model and not machine.get("model"):
        planned.notes.append("The file gives no model; enter it, and its service plan applies.")
    if one.pin and not machine.get("pin"):
        changes["pin"] = one.pin
    elif one.pin and plain(one.pin) not in {plain(machine.get("pin")), plain(machine.get("serial"))}:
        planned.notes.append(f"Its PIN differs: {machine.get('pin')} here, {one.pin} in the file. It was not changed.")
    if one.latitude is not None and one.position_at is not None and _is_newer(one.position_at, machine):
        changes["position"] = {"latitude": one.latitude, "longitude": one.longitude}
        changes["position_at"] = utc_text(one.position_at)
    customer = _customer(machine, planned, customers)
    if customer:
        changes["customer"] = customer
    return changes


def lacks_customer(machine: Mapping[str, Any]) -> bool:
    """Whether a machine is at work for a customer whom the book does not name."""
    return not machine.get("customer") and machine.get("status") in (None, "", "in service")


def _customer(machine: Mapping[str, Any], planned: Planned, customers: Customers) -> str:
    """The customer whom the equipment id names, for a machine that never had one; empty when that is not certain."""
    name = planned.suggestion.customer
    # A customer that somebody took away is remembered as a change of the field.
    if not name or not lacks_customer(machine) or "customer" in (machine.get("field_revs") or {}):
        return ""
    if not _is_about(machine, planned):
        planned.notes.append(
            f"Its equipment id names {name}, but beside a number, {planned.suggestion.number}, that is not this "
            f"machine's. Choose its customer."
        )
        return ""
    found = customers.named(name)
    if found.customer_id:
        planned.notes.append(f"Its equipment id names {name}: it was put on the customer {found.name}.")
    elif found.several:
        planned.notes.append(
            f"Its equipment id names {name}, which could be {found.several_words()}. Choose its customer."
        )
    else:
        planned.notes.append(
            f"Its equipment id names {name}, and no customer here is called so. Choose its customer, or enter {name} "
            f"and import the file again."
        )
    return found.customer_id


def _is_about(machine: Mapping[str, Any], planned: Planned) -> bool:
    """Whether the number in the equipment id, if it holds one, is this machine's: units move, and keep their names."""
    number = plain(planned.suggestion.number)
    one = planned.equipment
    own = (plain(each) for each in (one.serial, one.pin, machine.get("serial"), machine.get("pin")))
    # A plate may say the end of the PIN.
    return not number or any(each == number or (len(each) >= WHOLE_PIN and each.endswith(number)) for each in own)


def _is_newer(position_at: datetime, machine: Mapping[str, Any]) -> bool:
    before = time_of(machine.get("position_at"))
    return before is None or position_at > before


def new_reading(planned: Planned, existing: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The reading an equipment brings, or None when it brings none or the book has a later one of that day."""
    one = planned.equipment
    if one.hours is None or one.hours_at is None:
        return None
    at = utc_text(one.hours_at)
    if existing is not None:
        before = time_of(existing.get("at"))
        same_time = before is not None and before == one.hours_at
        if before is not None and (before > one.hours_at or (same_time and existing.get("hours") == one.hours)):
            return None
        if same_time and existing.get("source") != "telematics":
            return None
    fields: dict[str, Any] = {"at": at, "hours": one.hours, "source": "telematics"}
    # A position of another day says nothing of where these hours were run.
    if one.latitude is not None and one.position_at is not None and one.position_at.date() == one.hours_at.date():
        fields["position"] = {"latitude": one.latitude, "longitude": one.longitude}
    if existing is not None:
        return {**existing, **fields}
    return {
        "_id": planned.reading_id(),
        "type": "reading",
        "dealer": planned.machine_id.split(":", 1)[0],
        "share": "manufacturer",
        "machine": planned.machine_id,
        **fields,
    }
