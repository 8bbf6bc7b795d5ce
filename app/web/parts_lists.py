"""The parts desk's lists: what machines need, grouped by part and by customer, and as a pick list (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from app.parts.questions import PartSum
from app.web.ages import ahead


@dataclass(frozen=True, slots=True)
class NeedLine:
    """A quantity of one part that one machine needs by a day; `hours`, if any, are the engine hours it is due at."""

    part: str
    part_name: str
    unit: str
    quantity: float
    on: date
    hours: float | None
    overdue: bool
    title: str
    reason: str
    machine_id: str
    machine: str
    serial: str
    fleet_number: str
    make: str
    customer_id: str
    customer: str
    place: str
    price: float | None = None


@dataclass(frozen=True)
class PartTotal:
    """One part over all machines that need it: how many, from when, for how many machines.

    `lines` are given where the machines are those of one customer.
    """

    part: str
    name: str
    unit: str
    quantity: float
    overdue_quantity: float
    first_on: date
    when: str
    machines: int
    customers: int
    value: float | None
    lines: tuple[NeedLine, ...] = ()


@dataclass(frozen=True)
class MachineNeeds:
    """What one machine needs, in order of the day."""

    machine_id: str
    machine: str
    serial: str
    fleet_number: str
    lines: tuple[NeedLine, ...]
    overdue: bool
    first_on: date


@dataclass(frozen=True)
class CustomerNeeds:
    """What one customer's machines need; the customer whose first part is due first comes first."""

    customer_id: str
    customer: str
    place: str
    machines: tuple[MachineNeeds, ...]
    parts: int
    overdue: int
    first_on: date
    when: str


def _by_day(line: NeedLine) -> tuple[date, str, str, str]:
    return (line.on, line.customer.casefold(), line.machine_id, line.part)


def part_totals(sums: Iterable[PartSum], today: date) -> list[PartTotal]:
    """The sums of parts with their value and how long it is until the first is needed."""
    return [
        PartTotal(
            part=each.part,
            name=each.name,
            unit=each.unit,
            quantity=each.quantity,
            overdue_quantity=each.overdue_quantity,
            first_on=each.first_on,
            when=ahead(each.first_on, today),
            machines=each.machines,
            customers=each.customers,
            value=None if each.price is None else each.price * each.quantity,
        )
        for each in sums
    ]


def by_part(lines: Iterable[NeedLine], today: date) -> list[PartTotal]:
    """One total a part, by its number."""
    groups: dict[str, list[NeedLine]] = {}
    for line in lines:
        groups.setdefault(line.part, []).append(line)
    totals = []
    for part, group in sorted(groups.items()):
        group.sort(key=_by_day)
        quantity = sum(line.quantity for line in group)
        price = group[0].price
        totals.append(
            PartTotal(
                part=part,
                name=group[0].part_name,
                unit=group[0].unit,
                quantity=quantity,
                overdue_quantity=sum(line.quantity for line in group if line.overdue),
                first_on=group[0].on,
                when=ahead(group[0].on, today),
                machines=len({line.machine_id for line in group}),
                customers=len({line.customer_id for line in group}),
                value=None if price is None else price * quantity,
                lines=tuple(group),
            )
        )
    return totals


def by_machine(lines: Iterable[NeedLine]) -> list[MachineNeeds]:
    """One group a machine, the one with the first part due first."""
    groups: dict[str, list[NeedLine]] = {}
    for line in lines:
        groups.setdefault(line.machine_id, []).append(line)
    needs = []
    for machine_id, group in groups.items():
        group.sort(key=_by_day)
        first = group[0]
        needs.append(
            MachineNeeds(
                machine_id=machine_id,
                machine=first.machine,
                serial=first.serial,
                fleet_number=first.fleet_number,
                lines=tuple(group),
                overdue=any(line.overdue for line in group),
                first_on=first.on,
            )
        )
    return sorted(needs, key=lambda need: (need.first_on, need.machine, need.machine_id))


def by_customer(lines: Iterable[NeedLine], today: date) -> list[CustomerNeeds]:
    """One group a customer with its machines. Machines without a customer are the dealer's own stock."""
    groups: dict[str, list[NeedLine]] = {}
    for line in lines:
        groups.setdefault(line.customer_id, []).append(line)
    needs = []
    for customer_id, group in groups.items():
        machines = by_machine(group)
        first_on = machines[0].first_on
        needs.append(
            CustomerNeeds(
                customer_id=customer_id,
                customer=group[0].customer or "Own stock",
                place=group[0].place,
                machines=tuple(machines),
                parts=len({line.part for line in group}),
                overdue=sum(1 for line in group if line.overdue),
                first_on=first_on,
                when=ahead(first_on, today),
            )
        )
    return sorted(needs, key=lambda need: (need.first_on, need.customer.casefold()))


CSV_COLUMNS = (
    "part", "name", "quantity", "unit", "due on", "due at hours", "overdue", "service", "customer", "place",
    "machine", "serial", "fleet number", "price", "value",
)  # fmt: skip


def csv_row(line: NeedLine) -> list[str]:
    """A line as a row of the CSV, in the order of `CSV_COLUMNS`."""
    return [
        line.part,
        line.part_name,
        _plain(line.quantity),
        line.unit,
        line.on.isoformat(),
        "" if line.hours is None else _plain(line.hours),
        "yes" if line.overdue else "",
        line.title,
        line.customer,
        line.place,
        line.machine,
        line.serial,
        line.fleet_number,
        "" if line.price is None else f"{line.price:.2f}",
        "" if line.price is None else f"{line.price * line.quantity:.2f}",
    ]


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
