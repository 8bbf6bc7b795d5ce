"""What the home page says: rows of the ``diary`` views and the documents they name in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.web.ages import ago, ahead, day_of
from app.web.parts_lists import NeedLine

Document = Mapping[str, Any]
NO_DAY = date(9999, 12, 31)
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DiaryLine:
    """A follow-up, task or opportunity as home shows it. `day` is None for one without a date."""

    id: str
    title: str
    day: date | None
    when: str
    overdue: bool
    customer_id: str
    customer: str
    place: str
    phone: str
    person: str
    who: str
    note: str
    value: float | None = None


@dataclass(frozen=True)
class Unvisited:
    """An active customer whom nobody has visited for long; `last_visit` is None if nobody ever did."""

    customer_id: str
    customer: str
    place: str
    salesperson: str
    last_visit: date | None
    when: str


def ids_named(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The customers and persons that rows of ``diary/upcoming`` (their values) name: fetched in one request."""
    return {value[field] for value in rows for field in ("customer", "person") if value.get(field)}


def diary_lines(
    rows: Iterable[tuple[str, Mapping[str, Any], str]], named: Mapping[str, Document], today: date
) -> list[DiaryLine]:
    """One line a row; `rows` are (document id, value, day) of ``diary/upcoming`` in the view's order: by day."""
    lines = []
    for document_id, value, day_text in rows:
        day = day_of(day_text)
        if day == NO_DAY:
            day = None
        customer = named.get(value.get("customer") or "", {})
        person = named.get(value.get("person") or "", {})
        lines.append(
            DiaryLine(
                id=document_id,
                title=value.get("title") or "(no subject)",
                day=day,
                when=ahead(day, today) if day else "",
                overdue=day is not None and day < today,
                customer_id=value.get("customer") or "",
                customer=customer.get("name") or "",
                place=customer.get("city") or "",
                phone=first_phone(person) or customer.get("phone") or "",
                person=person.get("name") or "",
                who=value.get("who") or "",
                note=_note(value, today),
                value=_number(value.get("value")),
            )
        )
    return lines


def _note(value: Mapping[str, Any], today: date) -> str:
    if value.get("stage"):
        return str(value["stage"]).capitalize()
    at = day_of(value.get("at"))
    if value.get("kind") and at:
        return f"after the {value['kind']} {ago(at, today)}"
    return ""


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def first_phone(document: Document) -> str:
    """A person's first phone number; empty when there is none."""
    for row in document.get("phones") or ():
        if isinstance(row, Mapping) and row.get("number"):
            return str(row["number"])
    return ""


def unvisited(last_visits: Iterable[tuple[str, float]], today: date, days: int = 90) -> list[tuple[str, date | None]]:
    """The customers not visited for `days` days or more, longest ago first, those never visited before all.

    `last_visits` are (customer id, days since 1970-01-01, 0 for never), one a customer.
    """
    limit = (today - timedelta(days=days) - EPOCH).days
    late = sorted((max(0, int(day)), customer) for customer, day in last_visits if day <= limit)
    return [(customer, EPOCH + timedelta(days=day) if day else None) for day, customer in late]


def unvisited_lines(
    late: Sequence[tuple[str, date | None]], customers: Mapping[str, Document], today: date
) -> list[Unvisited]:
    """The lines for those of `late` who are customers still and not dormant (a prospect counts)."""
    lines = []
    for customer_id, day in late:
        customer = customers.get(customer_id)
        if not customer or customer.get("status") == "dormant":
            continue
        lines.append(
            Unvisited(
                customer_id=customer_id,
                customer=customer.get("name") or "",
                place=customer.get("city") or "",
                salesperson=customer.get("salesperson") or "",
                last_visit=day,
                when=ago(day, today) if day else "never",
            )
        )
    return lines


@dataclass(frozen=True)
class DueMachine:
    """A machine with work due: the line of its plan that is nearest to today, and how many `others` there are."""

    machine_id: str
    machine: str
    serial: str
    customer_id: str
    customer: str
    title: str
    others: int
    when: str
    overdue: bool


def due_machines(lines: Iterable[NeedLine], today: date) -> list[DueMachine]:
    """One line a machine, nearest to today first: what has just become due is still to be sold."""
    groups: dict[str, list[NeedLine]] = {}
    for line in lines:
        groups.setdefault(line.machine_id, []).append(line)

    def distance(line: NeedLine) -> tuple[int, str, str]:
        return (abs((line.on - today).days), line.customer, line.machine_id)

    nearest = sorted((min(group, key=distance) for group in groups.values()), key=distance)
    return [
        DueMachine(
            machine_id=line.machine_id,
            machine=line.machine,
            serial=line.serial,
            customer_id=line.customer_id,
            customer=line.customer,
            title=line.title,
            others=len(groups[line.machine_id]) - 1,
            when=ahead(line.on, today),
            overdue=line.overdue,
        )
        for line in nearest
    ]


_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def long_date(day: date) -> str:
    """``Wednesday, 25 November``."""
    return f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]}"


def greeting(hour: int, display_name: str) -> str:
    """``Good morning, Sara``, by the hour of the day (0 to 23)."""
    part = "morning" if 4 <= hour < 12 else "afternoon" if 12 <= hour < 18 else "evening"
    first = display_name.split()[0] if display_name.split() else ""
    return f"Good {part}, {first}" if first else f"Good {part}"
