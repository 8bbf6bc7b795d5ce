"""What the demo's dealers did and plan with their customers: activities, opportunities, tasks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app.demo.catalog import MODELS
from app.demo.machines import Owned, key
from app.demo.regions import Region
from app.demo.words import TOPICS, tell
from app.documents.ids import document_id

Document = dict[str, Any]
People = Mapping[str, Sequence[Document]]
Fleets = Mapping[str, Sequence[Owned]]

ACTIVITIES = 320
OPPORTUNITIES = 34
TASKS = 26
# Follow-ups that are open, in days from today: some late, some today, most to come.
_FOLLOW_UPS = (-9, -6, -4, -3, -2, -1, -1, 0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21)
_STAGES = (
    ("lead", 8, 0.1),
    ("qualified", 7, 0.3),
    ("quoted", 7, 0.5),
    ("negotiation", 4, 0.75),
    ("won", 5, 1.0),
    ("lost", 3, 0.0),
)
_TASKS = (
    "Send the offer for the quick coupler",
    "Order the filter set for {machine}",
    "Check the warranty claim of {machine}",
    "Bring the signed service agreement",
    "Collect the rental machine",
    "Call back about the tyre pressure",
    "Photograph {machine} for the trade-in",
    "Ask accounts for the open invoice",
    "Book the low loader for {machine}",
    "Send the operator's manual as a file",
    "Reserve a demo machine",
    "Put the birthday card in the post",
)
_TITLES = (
    "{model} for the new site",
    "Replace an old loader with a {model}",
    "{model}, long-term rental with option to buy",
    "Second {model} next to the first",
    "{model} with quick coupler and three buckets",
    "Fleet renewal, first a {model}",
)


def activities(
    customers: Sequence[Document], people: People, fleets: Fleets, region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Visits, calls, e-mails and notes of the last year, newest with follow-ups around today."""
    open_ones = iter(_FOLLOW_UPS)
    for number in range(ACTIVITIES):
        # Good customers are visited often, some hardly ever, and one in nine has been forgotten since spring.
        index = min(int(abs(chance.gauss(0, 0.55)) * len(customers)), len(customers) - 1)
        customer = customers[index]
        days_ago = chance.randint(150, 360) if index % 9 == 4 else 1 + int(360 * chance.random() ** 1.7)
        follow_up = next(open_ones, None) if number % 3 == 0 else None
        yield _activity(customer, people, fleets, region, today, days_ago, follow_up, chance)


def _activity(
    customer: Document,
    people: People,
    fleets: Fleets,
    region: Region,
    today: date,
    days_ago: int,
    follow_up: int | None,
    chance: random.Random,
) -> Document:
    person = chance.choice(people[customer["_id"]])
    fleet = fleets[customer["_id"]]
    machine = chance.choice(fleet) if fleet else None
    words = {
        "person": person["name"].split()[0] if chance.random() < 0.4 else person["name"],
        "machine": f"the {machine.document['model']}" if machine else "the hired excavator",
        "town": customer["city"],
        "hours": f"{machine.meter(days_ago):,.0f}" if machine else "900",
    }
    topic = chance.choice(TOPICS if machine else ("sale", "care"))
    subject, notes = tell(topic, chance, words)
    on = today - timedelta(days=days_ago)
    about_machine = machine is not None and topic != "care"
    fields: Document = {
        "customer": customer["_id"],
        "person": person["_id"],
        "machine": machine.document["_id"] if machine is not None and about_machine else None,
        "kind": chance.choices(["visit", "call", "e-mail", "note"], [5, 4, 2, 1])[0],
        "at": f"{on.isoformat()}T{chance.randint(6, 15):02d}:{chance.choice((0, 10, 15, 30, 40, 45)):02d}:00Z",
        "subject": subject,
        "notes": notes,
        "salesperson": customer["salesperson"] if chance.random() < 0.85 else chance.choice(region.salespeople),
    }
    if follow_up is not None:
        fields["follow_up"] = max(today + timedelta(days=follow_up), on + timedelta(days=1)).isoformat()
        fields["follow_up_done"] = False
    elif chance.random() < 0.3 and days_ago > 30:
        fields["follow_up"] = (on + timedelta(days=chance.randint(5, 21))).isoformat()
        fields["follow_up_done"] = True
    return _document("activity", customer["dealer"], fields, chance)


def opportunities(
    customers: Sequence[Document], region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Opportunities in all stages, prospects among them."""
    for stage, count, probability in _STAGES:
        for _ in range(count):
            customer, model = chance.choice(customers), chance.choice(MODELS)
            closed = stage in {"won", "lost"}
            days = chance.randint(-120, -5) if closed else chance.randint(-12, 190)
            yield _document(
                "opportunity",
                customer["dealer"],
                {
                    "customer": customer["_id"],
                    "title": chance.choice(_TITLES).format(model=model.name),
                    "stage": stage,
                    "value": round(model.price * chance.uniform(0.9, 1.15), -2),
                    "machine_model": f"{model.make} {model.name}",
                    "expected_on": (today + timedelta(days=days)).isoformat(),
                    "probability": round(100 * probability),
                    "salesperson": customer["salesperson"],
                    "notes": "Lost on delivery time, not on price." if stage == "lost" else "",
                },
                chance,
            )


def tasks(
    customers: Sequence[Document], people: People, fleets: Fleets, region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Things to do, some of them late, some done."""
    for number in range(TASKS):
        customer = chance.choice(customers)
        fleet = fleets[customer["_id"]]
        machine = chance.choice(fleet).document if fleet else None
        title = _TASKS[number % len(_TASKS)]
        if machine is None and "{machine}" in title:
            title = _TASKS[0]
        yield _document(
            "task",
            customer["dealer"],
            {
                "customer": customer["_id"],
                "person": chance.choice(people[customer["_id"]])["_id"],
                "machine": machine["_id"] if machine and "{machine}" in title else None,
                "title": title.format(machine=f"the {machine['model']}" if machine else ""),
                "due_on": (today + timedelta(days=chance.randint(-8, 24))).isoformat(),
                "done": number % 5 == 4,
                "assigned_to": chance.choice((*region.salespeople, "Peter Brandl")),
            },
            chance,
        )


def _document(kind: str, dealer: str, fields: Mapping[str, Any], chance: random.Random) -> Document:
    filled = {name: value for name, value in fields.items() if value not in (None, "")}
    return {
        "_id": document_id(dealer, kind, key(chance)),
        "type": kind,
        "dealer": dealer,
        "share": "manufacturer",
        **filled,
    }
