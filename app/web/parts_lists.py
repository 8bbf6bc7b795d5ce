"""The parts desk's lists: what machines need, grouped by part and by customer, and as a pick list (pure)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

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
    """One part over all machines that need it: how many, from when, for how many machines."""

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
    lines: tuple[NeedLine, ...]


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


@dataclass(frozen=True)
class Totals:
    """What stands under the lists. `value` counts only the parts that have a price: `unpriced` do not."""

    parts: int
    lines: int
    machines: int
    customers: int
    overdue: int
    value: float
    unpriced: int


def filtered(lines: Iterable[NeedLine], make: str = "", customer_id: str = "", part: str = "") -> list[NeedLine]:
    """The lines of a make, a customer and a part, where these are given; those due first come first."""
    found = [
        line
        for line in lines
        if (not make or line.make == make)
        and (not customer_id or line.customer_id == customer_id)
        and (not part or line.part == part)
    ]
    return sorted(found, key=_by_day)


def _by_day(line: NeedLine) -> tuple[date, str, str, str]:
    return (line.on, line.customer.casefold(), line.machine_id, line.part)


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


def totals(lines: Sequence[NeedLine]) -> Totals:
    """The sums over `lines`."""
    return Totals(
        parts=len({line.part for line in lines}),
        lines=len(lines),
        machines=len({line.machine_id for line in lines}),
        customers=len({line.customer_id for line in lines}),
        overdue=sum(1 for line in lines if line.overdue),
        value=sum(line.price * line.quantity for line in lines if line.price is not None),
        unpriced=len({line.part for line in lines if line.price is None}),
    )


CSV_COLUMNS = (
    "part", "name", "quantity", "unit", "due on", "due at hours", "overdue", "service", "customer", "place",
    "machine", "serial", "fleet number", "price", "value",
)  # fmt: skip


def as_csv(lines: Iterable[NeedLine]) -> str:
    """The lines as CSV with a heading. What a spreadsheet would run as a formula is written as text."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(CSV_COLUMNS)
    for line in lines:
        writer.writerow(
            [
                _text(line.part),
                _text(line.part_name),
                _plain(line.quantity),
                _text(line.unit),
                line.on.isoformat(),
                "" if line.hours is None else _plain(line.hours),
                "yes" if line.overdue else "",
                _text(line.title),
                _text(line.customer),
                _text(line.place),
                _text(line.machine),
                _text(line.serial),
                _text(line.fleet_number),
                "" if line.price is None else f"{line.price:.2f}",
                "" if line.price is None else f"{line.price * line.quantity:.2f}",
            ]
        )
    return written.getvalue()


def _text(text: str) -> str:
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
