"""What a customer's page says: the customer's documents in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.documents.disputes import disputes_in
from app.people.birthdays import next_birthday
from app.web.ages import ago, ahead, day_of
from app.web.customer_machines import MachineLine, MachineState, OpenBulletin, machine_lines, open_bulletins
from app.web.parts_lists import NeedLine, PartTotal, by_part
from app.words import counted

Document = Mapping[str, Any]
SOON_DAYS = 14


@dataclass(frozen=True)
class Contact:
    """One way to reach somebody: `kind` is ``phone`` or ``email``."""

    kind: str
    label: str
    text: str


@dataclass(frozen=True)
class KeepsakeCard:
    """What is remembered about a person. `birthday` is a month and day; `soon`: it is in the next 14 days."""

    id: str
    birthday: str
    when: str
    turns: int | None
    soon: bool
    flowers: str
    family: str
    notes: str
    disputes: int


@dataclass(frozen=True)
class PersonCard:
    """Somebody who works for the customer, with whom they assist and who assists them."""

    id: str
    name: str
    job: str
    contacts: tuple[Contact, ...]
    assists: str
    assisted_by: tuple[str, ...]
    notes: str
    disputes: int
    keepsakes: tuple[KeepsakeCard, ...] = ()


@dataclass(frozen=True)
class ActivityLine:
    """One visit, call, e-mail or note."""

    id: str
    kind: str
    at: str
    when: str
    subject: str
    notes: str
    person: str
    machine_id: str
    machine: str
    salesperson: str
    follow_up: str
    follow_up_when: str
    follow_up_open: bool
    overdue: bool
    disputes: int


@dataclass(frozen=True)
class OpportunityLine:
    """One open opportunity."""

    id: str
    title: str
    stage: str
    value: float | None
    expected_on: str
    when: str
    late: bool
    probability: float | None
    machine_model: str
    salesperson: str
    disputes: int


@dataclass(frozen=True)
class TaskLine:
    """One task that is not done."""

    id: str
    title: str
    due_on: str
    when: str
    late: bool
    assigned_to: str
    about: str
    disputes: int


@dataclass(frozen=True)
class CustomerDocuments:
    """A customer and what belongs to them. `opportunities` and `tasks` are the open ones only, `older` is where older
    activities go on, empty when there are none; `more_machines` says that not all machines are here."""

    customer: Document
    people: Sequence[Document] = ()
    keepsakes: Sequence[Document] = ()
    machines: Sequence[Document] = ()
    more_machines: bool = False
    activities: Sequence[Document] = ()
    older: str = ""
    opportunities: Sequence[Document] = ()
    tasks: Sequence[Document] = ()


def person_cards(people: Iterable[Document], keepsakes: Iterable[Document], today: date) -> list[PersonCard]:
    """The people by name, each with what is remembered about them."""
    people = sorted(people, key=lambda person: str(person.get("name", "")).casefold())
    names = {person["_id"]: str(person.get("name") or "") for person in people}
    assisted_by: dict[str, list[str]] = {}
    for person in people:
        if person.get("assists"):
            assisted_by.setdefault(person["assists"], []).append(names[person["_id"]])
    kept: dict[str, list[KeepsakeCard]] = {}
    for keepsake in keepsakes:
        kept.setdefault(str(keepsake.get("person") or ""), []).append(keepsake_card(keepsake, today))
    return [
        PersonCard(
            id=person["_id"],
            name=names[person["_id"]],
            job=str(person.get("job") or ""),
            contacts=contacts(person),
            assists=names.get(person.get("assists") or "", ""),
            assisted_by=tuple(assisted_by.get(person["_id"], ())),
            notes=str(person.get("notes") or ""),
            disputes=disputes_in(person),
            keepsakes=tuple(kept.get(person["_id"], ())),
        )
        for person in people
    ]


def keepsake_card(keepsake: Document, today: date) -> KeepsakeCard:
    """What is remembered in one keepsake, with when the next birthday is."""
    birthday = next_birthday(keepsake, today)
    return KeepsakeCard(
        id=keepsake["_id"],
        birthday=str(keepsake.get("birthday") or ""),
        when=ahead(birthday.on, today) if birthday else "",
        turns=birthday.turns if birthday else None,
        soon=birthday is not None and birthday.days <= SOON_DAYS,
        flowers=str(keepsake.get("flowers") or ""),
        family=str(keepsake.get("family") or ""),
        notes=str(keepsake.get("notes") or ""),
        disputes=disputes_in(keepsake),
    )


def contacts(person: Document) -> tuple[Contact, ...]:
    """A person's phone numbers, then their e-mail addresses, each with its label."""
    found = []
    for name, kind, key in (("phones", "phone", "number"), ("emails", "email", "address")):
        for row in person.get(name) or ():
            if isinstance(row, Mapping) and row.get(key):
                found.append(Contact(kind, str(row.get("label") or ""), str(row[key])))
    return tuple(found)


def activity_lines(
    activities: Iterable[Document], people: Mapping[str, str], machines: Mapping[str, str], today: date
) -> list[ActivityLine]:
    """The activities in the order given, with the names of the people and machines they are about."""
    lines = []
    for activity in activities:
        follow_up = day_of(activity.get("follow_up"))
        still_open = follow_up is not None and not activity.get("follow_up_done")
        machine_id = str(activity.get("machine") or "")
        lines.append(
            ActivityLine(
                id=activity["_id"],
                kind=str(activity.get("kind") or "note"),
                at=str(activity.get("at") or ""),
                when=ago(day_of(activity.get("at")), today),
                subject=str(activity.get("subject") or ""),
                notes=str(activity.get("notes") or ""),
                person=people.get(activity.get("person") or "", ""),
                machine_id=machine_id,
                machine=machines.get(machine_id, ""),
                salesperson=str(activity.get("salesperson") or ""),
                follow_up=str(activity.get("follow_up") or ""),
                follow_up_when=ahead(follow_up, today),
                follow_up_open=still_open,
                overdue=still_open and follow_up is not None and follow_up < today,
                disputes=disputes_in(activity),
            )
        )
    return lines


def opportunity_lines(opportunities: Iterable[Document], today: date) -> list[OpportunityLine]:
    """The open opportunities, those expected first before the others."""
    found = [document for document in opportunities if document.get("stage") not in ("won", "lost")]
    found.sort(key=lambda document: (str(document.get("expected_on") or "9999"), str(document.get("title") or "")))
    lines = []
    for document in found:
        expected = day_of(document.get("expected_on"))
        lines.append(
            OpportunityLine(
                id=document["_id"],
                title=str(document.get("title") or ""),
                stage=str(document.get("stage") or ""),
                value=number_of(document.get("value")),
                expected_on=str(document.get("expected_on") or ""),
                when=ahead(expected, today),
                late=expected is not None and expected < today,
                probability=number_of(document.get("probability")),
                machine_model=str(document.get("machine_model") or ""),
                salesperson=str(document.get("salesperson") or ""),
                disputes=disputes_in(document),
            )
        )
    return lines


def task_lines(tasks: Iterable[Document], names: Mapping[str, str], today: date) -> list[TaskLine]:
    """The tasks that are not done, those due first before the others; `names` are of people and machines by id."""
    found = [task for task in tasks if not task.get("done")]
    found.sort(key=lambda task: (str(task.get("due_on") or "9999"), str(task.get("title") or "")))
    lines = []
    for task in found:
        due = day_of(task.get("due_on"))
        about = [names[task[key]] for key in ("person", "machine") if task.get(key) in names]
        lines.append(
            TaskLine(
                id=task["_id"],
                title=str(task.get("title") or ""),
                due_on=str(task.get("due_on") or ""),
                when=ahead(due, today),
                late=due is not None and due < today,
                assigned_to=str(task.get("assigned_to") or ""),
                about=", ".join(about),
                disputes=disputes_in(task),
            )
        )
    return lines


def number_of(value: Any) -> float | None:
    """A document's number; None for anything that is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def machine_label(machine: Document, model_name: str = "") -> str:
    """A machine as people call it: make, model and, when the customer gave it one, its fleet number."""
    name = " ".join(part for part in (str(machine.get("make") or ""), model_name or _model_text(machine)) if part)
    fleet = str(machine.get("fleet_number") or "")
    return f"{name} ({fleet})" if fleet and name else name or fleet or str(machine.get("serial") or "")


def _model_text(machine: Document) -> str:
    model = str(machine.get("model") or "")
    return model.rsplit(":", 1)[-1] if model.startswith("model:") else model


def addresses(customer: Document) -> Sequence[str]:
    """A customer's postal address, a line each."""
    town = " ".join(str(customer[key]) for key in ("postcode", "city") if customer.get(key))
    lines = (str(customer.get("street") or ""), town, str(customer.get("country") or ""))
    return [line for line in lines if line]


STATUS_TONES = {"active": "good", "prospect": "info", "dormant": ""}


@dataclass(frozen=True)
class CustomerPage:
    """Everything a customer's page shows, in finished values. `days` is how far ahead `parts` are listed;
    `parts_building` says how far the parts desk is while it is not ready."""

    id: str
    name: str
    place: str
    address: Sequence[str]
    status: str
    status_tone: str
    facts: Document
    salesperson: str
    phone: str
    tags: tuple[str, ...]
    disputes: int
    people: list[PersonCard]
    machines: list[MachineLine]
    machine_count: int
    more_machines: bool
    days: int
    parts: list[PartTotal]
    parts_building: str
    no_parts: str
    bulletins: list[OpenBulletin]
    activities: list[ActivityLine]
    older_activities: str
    opportunities: list[OpportunityLine]
    tasks: list[TaskLine]

    def ids_shown(self) -> list[str]:
        """Every document that has a line on the page."""
        found = [line.id for line in self.people] + [line.id for line in self.machines]
        found += [line.id for line in self.activities] + [line.id for line in self.opportunities]
        found += [line.id for line in self.tasks] + [line.id for line in self.bulletins]
        return found + [keepsake.id for person in self.people for keepsake in person.keepsakes]


def customer_page(
    found: CustomerDocuments,
    states: Mapping[str, MachineState],
    needed: Iterable[NeedLine],
    days: int,
    today: date,
    building: str = "",
) -> CustomerPage:
    """The page of a customer from their documents, what is known of their machines, and what these need."""
    customer = found.customer
    people = {str(person["_id"]): str(person.get("name") or "") for person in found.people}
    machines = {str(machine["_id"]): machine_label(machine) for machine in found.machines}
    status = str(customer.get("status") or "")
    return CustomerPage(
        id=str(customer["_id"]),
        name=str(customer.get("name") or "(no name)"),
        place=str(customer.get("city") or ""),
        address=addresses(customer),
        status=status,
        status_tone=STATUS_TONES.get(status, ""),
        facts=customer,
        salesperson=str(customer.get("salesperson") or ""),
        phone=str(customer.get("phone") or ""),
        tags=tuple(str(tag) for tag in customer.get("tags") or ()),
        disputes=disputes_in(customer),
        people=person_cards(found.people, found.keepsakes, today),
        machines=machine_lines(found.machines, states, today),
        machine_count=len(found.machines),
        more_machines=found.more_machines,
        days=days,
        parts=sorted(by_part(needed, today), key=lambda total: (total.first_on, total.part)),
        parts_building=building,
        no_parts=_no_parts(found.machines, states, days),
        bulletins=open_bulletins(found.machines, states),
        activities=activity_lines(found.activities, people, machines, today),
        older_activities=found.older,
        opportunities=opportunity_lines(found.opportunities, today),
        tasks=task_lines(found.tasks, {**people, **machines}, today),
    )


def _no_parts(machines: Sequence[Document], states: Mapping[str, MachineState], days: int) -> str:
    if not machines:
        return "There is no machine here yet."
    if not any(state.due for state in states.values()):
        return "No service plan is known for these machines: the catalog needs their make and model."
    return f"No part is due within {counted(days, 'day')}."
