"""The parts desk's table: every machine with what is known of it, and what it needs, kept as documents change (pure).

Documents go in, in any order and as often as they change; only the machines they touch are worked out again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from app.documents.ids import document_id, split_id
from app.parts.bulletins import open_bulletins
from app.parts.due import Due, schedule, within
from app.parts.needs import Need, Part, in_order, model_id, sold_as, usage_of
from app.parts.plans import PlanLine, plan_of
from app.parts.usage import Usage

Document = Mapping[str, Any]

# Needs are worked out this far ahead and cut to what is asked for, in days: what pages offer, and a little more.
KNOWN_DAYS = 400
# An average that moves by less, in hours a day, moves nobody's service by a week in a year.
_AVERAGE_MOVES = 0.05
# Fewer machines than this with a usage of their own are no average.
_FEWEST = 3

_KEPT = {
    "machine": (
        "_id", "make", "model", "serial", "pin", "customer", "fleet_number", "stock_number", "status", "year",
        "delivered_on", "options", "agreement",
    ),
    "service": ("machine", "done_on", "hours", "kind", "lines", "bulletin"),
    "customer": ("_id", "name", "number", "city", "postcode", "phone", "salesperson"),
    "reading": ("at", "hours"),
    "part": ("number", "name", "unit", "price", "replaced_by"),
    "model": ("make", "name", "hours_per_day", "plan"),
    "bulletin": ("_id", "code", "title", "make", "models", "serial_from", "serial_to", "issued_on", "severity"),
}  # fmt: skip
KINDS = ("customer", "machine", "reading", "service")
CATALOG_KINDS = ("model", "part", "bulletin")


# A reading or service as it is kept, for there are a hundred thousand: the values of _KEPT in that order, and for the
# rows of a service the values of _KEPT_OF_ROWS.
_Row = tuple[Any, ...]
_KEPT_OF_ROWS = ("plan_line", "part")


def _packed(document: Mapping[str, Any], kind: str) -> _Row:
    return tuple(
        tuple(tuple(_shared(row.get(cell)) for cell in _KEPT_OF_ROWS) for row in value if isinstance(row, Mapping))
        if isinstance(value := document.get(name), list)
        else _shared(value)
        for name in _KEPT[kind]
    )


def _shared(value: Any) -> Any:
    """The same words stand in a thousand documents; they are kept once."""
    return sys.intern(value) if isinstance(value, str) else value


def _unpacked(rows: Iterable[_Row], kind: str) -> list[dict[str, Any]]:
    return [
        {
            name: [dict(zip(_KEPT_OF_ROWS, row, strict=True)) for row in value] if isinstance(value, tuple) else value
            for name, value in zip(_KEPT[kind], packed, strict=True)
        }
        for packed in rows
    ]


@dataclass(slots=True)
class _Entry:
    """One machine. Readings and services may come before it does."""

    machine: dict[str, Any] | None = None
    readings: dict[str, _Row] = field(default_factory=dict)
    services: dict[str, _Row] = field(default_factory=dict)
    usage: Usage | None = None
    scheduled: list[Due] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one machine stands: its usage, every line of its plan when it is due next, and the bulletins still open."""

    usage: Usage
    due: tuple[Due, ...]
    bulletins: tuple[Document, ...]


class Table:
    """What is known. Not safe between threads: the desk holds a lock around it."""

    def __init__(self) -> None:
        # Grows with everything that may change an answer.
        self.version = 0
        self._entries: dict[str, _Entry] = {}
        self._customers: dict[str, dict[str, Any]] = {}
        self._service_machines: dict[str, str] = {}
        self._models: dict[str, dict[str, Any]] = {}
        self._plans: dict[str, list[PlanLine]] = {}
        self._parts: dict[str, dict[str, Any]] = {}
        self._sold_as: dict[str, Part] = {}
        self._bulletins: dict[str, dict[str, Any]] = {}
        self._of_customer: dict[str, set[str]] = {}
        self._averages: dict[str, float] = {}
        self._of_model: dict[str, set[str]] = {}
        self._dirty: set[str] = set()
        self._today: date | None = None

    def take(self, document_id: str, document: Document | None) -> None:
        """Takes in a document as it is now; None when it was deleted. Other types are passed over."""
        try:
            _, kind, key = split_id(document_id)
        except ValueError:
            return
        if kind not in _KEPT:
            return
        self.version += 1
        kept = None
        if document is not None:
            kept = {name: document[name] for name in _KEPT[kind] if document.get(name) not in (None, "")}
        if kind == "machine":
            self._take_machine(document_id, kept)
        elif kind == "reading":
            self._take_reading(document_id, key, kept)
        elif kind == "service":
            self._take_service(document_id, kept)
        elif kind == "model":
            self._take_model(document_id, kept)
        else:
            others = {"customer": self._customers, "part": self._parts, "bulletin": self._bulletins}
            _put(others[kind], document_id, kept)
            self._sold_as.clear()

    def _take_machine(self, machine_id: str, kept: dict[str, Any] | None) -> None:
        entry = self._entries.setdefault(machine_id, _Entry())
        if entry.machine is not None:
            self._of_model.get(model_id(entry.machine), set()).discard(machine_id)
            self._of_customer.get(_owner(entry.machine), set()).discard(machine_id)
        entry.machine = kept
        if kept is not None:
            self._of_customer.setdefault(_owner(kept), set()).add(machine_id)
            self._of_model.setdefault(model_id(kept), set()).add(machine_id)
        self._dirty.add(machine_id)

    def _take_reading(self, reading_id: str, key: str, kept: dict[str, Any] | None) -> None:
        # A reading is named after its machine and its day: no need to look into a deletion to know whose it was.
        dealer, _, _ = split_id(reading_id)
        machine_key, _, day = key.rpartition(":")
        machine_id = document_id(dealer, "machine", machine_key)
        readings = self._entries.setdefault(machine_id, _Entry()).readings
        if kept is None:
            readings.pop(day, None)
        else:
            readings[sys.intern(day)] = _packed(kept, "reading")
        self._dirty.add(machine_id)

    def _take_service(self, service_id: str, kept: dict[str, Any] | None) -> None:
        before = self._service_machines.pop(service_id, "")
        if before:
            self._entries[before].services.pop(service_id, None)
            self._dirty.add(before)
        machine_id = str((kept or {}).get("machine") or "")
        if kept is not None and machine_id:
            self._service_machines[service_id] = machine_id
            self._entries.setdefault(machine_id, _Entry()).services[service_id] = _packed(kept, "service")
            self._dirty.add(machine_id)

    def _take_model(self, catalog_model: str, kept: dict[str, Any] | None) -> None:
        _put(self._models, catalog_model, kept)
        self._plans[catalog_model] = plan_of(kept)
        self._dirty |= self._of_model.get(catalog_model, set())

    def refresh(self, today: date) -> int:
        """Works out again what has been touched, or everything on a new day; returns how many machines that were."""
        if today != self._today:
            self._today = today
            self.version += 1
            self._dirty |= self._entries.keys()
        worked_out = len(self._dirty)
        touched_models = set()
        for machine_id in self._dirty:
            self._work_out(machine_id, today)
            machine = self._entries[machine_id].machine
            touched_models.add(model_id(machine) if machine else "")
        self._dirty.clear()
        for without_own in self._moved_averages(touched_models):
            self._work_out(without_own, today)
            worked_out += 1
        return worked_out

    def _work_out(self, machine_id: str, today: date) -> None:
        entry = self._entries[machine_id]
        if entry.machine is None:
            entry.usage, entry.scheduled = None, []
            return
        of_model = model_id(entry.machine)
        model, average = self._models.get(of_model), self._averages.get(of_model)
        entry.usage = usage_of(entry.machine, _unpacked(entry.readings.values(), "reading"), model, today, average)
        plan = self._plans.get(of_model, [])
        services = _unpacked(entry.services.values(), "service")
        entry.scheduled = schedule(plan, entry.usage, services, today, entry.machine, KNOWN_DAYS)

    def _moved_averages(self, models: Iterable[str]) -> list[str]:
        """Brings the averages of these models up to date; returns the machines that have to follow."""
        following: list[str] = []
        for of_model in models:
            if not of_model:
                continue
            machines = self._of_model.get(of_model, set())
            fitted, others = [], []
            for machine_id in machines:
                used = self._entries[machine_id].usage
                if used is not None and used.source == "readings":
                    fitted.append(used.hours_per_day)
                else:
                    others.append(machine_id)
            now = sum(fitted) / len(fitted) if len(fitted) >= _FEWEST else None
            before = self._averages.get(of_model)
            if now is None:
                if self._averages.pop(of_model, None) is not None:
                    following += others
            elif before is None or abs(now - before) > _AVERAGE_MOVES:
                self._averages[of_model] = now
                following += others
        return following

    def average(self, of_model: str) -> float | None:
        """Hours a day of the machines of a model that have readings, None for too few; by the model's catalog id."""
        return self._averages.get(of_model)

    def needs(self, today: date, horizon_days: int, customer_id: str | None = None) -> list[Need]:
        """What all machines, or one customer's, need until `horizon_days` from today; call refresh() before."""
        found: list[Need] = []
        machines = self._entries if customer_id is None else self._of_customer.get(customer_id, ())
        for machine_id in machines:
            entry = self._entries[machine_id]
            machine = entry.machine
            if machine is None or not entry.scheduled:
                continue
            due_lines = within(self._schedule_of(entry, today, horizon_days), today, horizon_days)
            if due_lines:
                customer = self._customers.get(_owner(machine))
                found += [Need(machine, customer, line, self._part(line.part)) for line in due_lines]
        return in_order(found)

    def _part(self, part: str) -> Part | None:
        if part and part not in self._sold_as:
            self._sold_as[part] = sold_as(part, self._parts)
        return self._sold_as[part] if part else None

    def standings(self, customer_id: str) -> dict[str, Standing]:
        """How each machine of a customer stands, by its id; call refresh() before."""
        found = {}
        for machine_id in self._of_customer.get(customer_id, ()):
            entry = self._entries[machine_id]
            if entry.machine is not None and entry.usage is not None:
                due_lines = sorted(entry.scheduled, key=lambda line: (not line.overdue, line.on, line.title))
                bulletins = open_bulletins(
                    entry.machine, self._bulletins.values(), _unpacked(entry.services.values(), "service")
                )
                found[machine_id] = Standing(entry.usage, tuple(due_lines), tuple(bulletins))
        return found

    def _schedule_of(self, entry: _Entry, today: date, horizon_days: int) -> list[Due]:
        if horizon_days <= KNOWN_DAYS:
            return entry.scheduled
        assert entry.machine is not None
        assert entry.usage is not None
        plan = self._plans.get(model_id(entry.machine), [])
        return schedule(
            plan, entry.usage, _unpacked(entry.services.values(), "service"), today, entry.machine, horizon_days
        )

    def count(self) -> int:
        """How many machines there are."""
        return sum(entry.machine is not None for entry in self._entries.values())


def _owner(machine: Document) -> str:
    return str(machine.get("customer") or "")


def _put(table: dict[str, dict[str, Any]], key: str, kept: dict[str, Any] | None) -> None:
    if kept is None:
        table.pop(key, None)
    else:
        table[key] = kept
