"""Birthdays as lines: who, when, which flowers, whose assistant (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.people.birthdays import Birthday
from app.people.calendar_file import YearlyDay
from app.web.ages import ahead
from app.web.home_page import first_phone

Document = Mapping[str, Any]


@dataclass(frozen=True)
class BirthdayLine:
    """One birthday to come, with what a salesperson needs to congratulate."""

    person_id: str
    person: str
    job: str
    phone: str
    customer_id: str
    customer: str
    place: str
    assists: str
    on: date
    when: str
    today: bool
    turns: int | None
    flowers: str
    family: str
    notes: str


def names_behind(birthdays: Iterable[Birthday]) -> set[str]:
    """The ids of the people and customers of these birthdays: fetched in one request."""
    return {name for birthday in birthdays for name in (birthday.person, birthday.customer) if name}


def assisted(people: Iterable[Document]) -> set[str]:
    """The ids of the people whom these assist: fetched in a second request."""
    return {str(person["assists"]) for person in people if person.get("assists")}


def birthday_lines(birthdays: Iterable[Birthday], named: Mapping[str, Document], today: date) -> list[BirthdayLine]:
    """One line a birthday whose person is still known, in the order given."""
    lines = []
    for birthday in birthdays:
        person = named.get(birthday.person)
        if not person:
            continue
        customer_id = str(person.get("customer") or birthday.customer)
        customer = named.get(customer_id, {})
        lines.append(
            BirthdayLine(
                person_id=birthday.person,
                person=str(person.get("name") or ""),
                job=str(person.get("job") or ""),
                phone=first_phone(person) or str(customer.get("phone") or ""),
                customer_id=customer_id,
                customer=str(customer.get("name") or ""),
                place=str(customer.get("city") or ""),
                assists=str(named.get(str(person.get("assists") or ""), {}).get("name") or ""),
                on=birthday.on,
                when=ahead(birthday.on, today),
                today=birthday.days == 0,
                turns=birthday.turns,
                flowers=birthday.flowers,
                family=birthday.family,
                notes=birthday.notes,
            )
        )
    return lines


def as_yearly_day(line: BirthdayLine) -> YearlyDay:
    """A birthday for a calendar, with what is to be known on the day."""
    told = (
        line.customer,
        f"Flowers: {line.flowers}" if line.flowers else "",
        line.family,
        line.notes,
        line.phone,
    )
    notes = "\n".join(each for each in told if each)
    return YearlyDay(f"{line.person_id}:{line.on:%m-%d}", line.on, f"Birthday: {line.person}", notes)
