"""What the demo's dealers did and plan with their customers: activities, opportunities, tasks."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app.demo.decks import Deck
from app.demo.machines import Owned, models_of, weekday_before
from app.demo.regions import TRADES, Region
from app.demo.staff import document
from app.demo.words import STORIES, Story, tell

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
    "Second key for {machine}",
    "Ask the workshop for a date for {machine}",
    "Return the borrowed pallet fork",
    "Print the lifting chart of {machine}",
    "Find a used bucket, 1.20 m",
    "Send the safety data sheet of the hydraulic oil",
    "Name a contact for the tender",
    "Bring a greasing plan for {machine}",
    "Clear up the delivery address",
    "Credit note for the wrong filter",
    "Get the keys of the depot back",
    "Calendar and gloves for the drivers",
    "Ask for the fuel consumption of {machine}",
    "Prepare the handover papers",
)
_HAS = {
    "arm": ("excavator", "backhoe"),
    "bucket": ("excavator", "backhoe", "loader"),
    "telehandler": ("telehandler",),
    "roller": ("roller",),
}
# (title, kinds of model it is said of; empty for all)
_TITLES = (
    ("{model} for the new site", ""),
    ("{model}, the old loader goes", "loader"),
    ("{model} instead of the hired excavator", "excavator"),
    ("{model}, long-term rental with option to buy", ""),
    ("{model} for the second crew", ""),
    ("{model} with quick coupler and three buckets", "excavator"),
    ("{model} with forks and bucket", "loader telehandler"),
    ("{model} against trade-in", ""),
    ("{model} from stock, before the season", ""),
    ("{model} for the road works contract", "roller"),
    ("{model} with tiltrotator", "excavator"),
    ("Fleet renewal, first a {model}", ""),
)
_STAGE_NOTES = {
    "lead": ("Met at the open day, asked for a brochure.", "Rents one all year; buying would pay.", ""),
    "qualified": ("Money is there, decides with the tax adviser.", "Needs it by spring. Competes with one other.", ""),
    "quoted": ("Offer with and without service agreement.", "Offer valid until the end of next month.", ""),
    "negotiation": ("Two percent apart. Bucket set would settle it.", "Wants the old machine taken at a better price."),
    "won": ("Ordered after the demo.", "Delivered with agreement.", ""),
    "lost": ("Lost on delivery time, not on price.", "Bought used, half our price.", "Postponed by two years."),
}


def activities(
    customers: Sequence[Document], people: People, fleets: Fleets, region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Visits, calls, e-mails and notes of the last year, newest with follow-ups around today."""
    promises = Deck([story for story in STORIES if story.again], chance)
    others = Deck(STORIES, chance)
    open_ones = iter(_FOLLOW_UPS)
    for number in range(ACTIVITIES):
        # Good customers are visited often, some hardly ever, and one in nine has been forgotten since spring.
        index = min(int(abs(chance.gauss(0, 0.55)) * len(customers)), len(customers) - 1)
        customer = customers[index]
        days_ago = chance.randint(150, 360) if index % 9 == 4 else 1 + int(360 * chance.random() ** 1.7)
        follow_up = next(open_ones, None) if number % 3 == 0 and index % 9 != 4 else None
        if follow_up is not None:
            # What is still open was promised lately.
            days_ago = chance.randint(2, 12) - min(0, follow_up)
        fleet = [one for one in fleets[customer["_id"]] if one.age > days_ago + 20]
        told_of = [one for one in fleet if one.document["status"] == "in service"]

        def fits(story: Story, told_of: Sequence[Owned] = told_of) -> bool:
            return not story.about or any(_concerns(story, one) for one in told_of)

        story = (promises if follow_up is not None else others).draw(fits)
        concerned = [one for one in told_of if story.about and _concerns(story, one)]
        machine = chance.choice(concerned) if concerned else None
        person = chance.choice(people[customer["_id"]])
        yield _activity(customer, person, machine, story, region, today, days_ago, follow_up, chance)


def _concerns(story: Story, machine: Owned) -> bool:
    return story.about == "any" or any(word in machine.model.kind for word in _HAS[story.about])


def _activity(
    customer: Document,
    person: Document,
    machine: Owned | None,
    story: Story,
    region: Region,
    today: date,
    days_ago: int,
    follow_up: int | None,
    chance: random.Random,
) -> Document:
    on = weekday_before(today - timedelta(days=days_ago))
    words = {
        "person": person["name"].split()[0] if chance.random() < 0.4 else person["name"],
        "machine": f"the {machine.document['model']}" if machine else "",
        "town": customer["city"],
        "hours": f"{round(machine.meter(days_ago), -1):,.0f}" if machine else "",
        "month": (on - timedelta(days=45)).strftime("%B"),
    }
    subject, notes = tell(story, chance, words)
    fields: Document = {
        "customer": customer["_id"],
        "person": person["_id"] if words["person"] in subject + notes or chance.random() < 0.5 else None,
        "machine": machine.document["_id"] if machine else None,
        "kind": chance.choice(story.kinds),
        "at": f"{on.isoformat()}T{chance.randint(6, 15):02d}:{chance.choice((0, 10, 15, 30, 40, 45)):02d}:00Z",
        "subject": subject,
        "notes": notes,
        "salesperson": customer["salesperson"] if chance.random() < 0.85 else chance.choice(region.salespeople),
    }
    if follow_up is not None:
        # Nobody promises to ring on a Sunday; what is for today stays today.
        until = today + timedelta(days=follow_up)
        fields["follow_up"] = (until if follow_up == 0 else weekday_before(until)).isoformat()
        fields["follow_up_done"] = False
    elif story.again and days_ago > 25:
        fields["follow_up"] = weekday_before(on + timedelta(days=chance.randint(6, 20))).isoformat()
        fields["follow_up_done"] = True
    return document(customer["dealer"], "activity", chance, **fields)


def opportunities(
    customers: Sequence[Document], region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Opportunities in all stages, prospects among them: what a customer's trade buys, at about its list price."""
    trades = {trade: kinds for trade, _, _, kinds in TRADES}
    asking, titles = Deck([one for one in customers if one["status"] != "dormant"], chance), Deck(_TITLES, chance)
    notes = {stage: Deck(words, chance) for stage, words in _STAGE_NOTES.items()}
    for stage, count, probability in _STAGES:
        for _ in range(count):
            customer = asking.draw()
            model = chance.choice(models_of(trades[customer["name"].split(" ", 1)[1]]))

            def fits(title: tuple[str, str], kind: str = model.kind) -> bool:
                return not title[1] or any(word in kind for word in title[1].split())

            closed = stage in {"won", "lost"}
            days = chance.randint(-120, -5) if closed else chance.randint(-6, 60 if stage == "negotiation" else 190)
            yield document(
                customer["dealer"],
                "opportunity",
                chance,
                customer=customer["_id"],
                title=titles.draw(fits)[0].format(model=model.name),
                stage=stage,
                value=round(model.price * chance.uniform(0.93, 1.12), -2),
                machine_model=f"{model.make} {model.name}",
                expected_on=weekday_before(today + timedelta(days=days)).isoformat(),
                probability=round(100 * probability),
                salesperson=customer["salesperson"],
                notes=notes[stage].draw(),
            )


def tasks(
    customers: Sequence[Document], people: People, fleets: Fleets, region: Region, today: date, chance: random.Random
) -> Iterator[Document]:
    """Things to do, some of them late, some done."""
    for number in range(TASKS):
        title = _TASKS[number % len(_TASKS)]
        customer = chance.choice([one for one in customers if fleets[one["_id"]] or "{machine}" not in title])
        fleet = fleets[customer["_id"]]
        machine = chance.choice(fleet).document if fleet else None
        yield document(
            customer["dealer"],
            "task",
            chance,
            customer=customer["_id"],
            person=chance.choice(people[customer["_id"]])["_id"],
            machine=machine["_id"] if machine and "{machine}" in title else None,
            title=title.format(machine=f"the {machine['model']}" if machine else ""),
            due_on=weekday_before(today + timedelta(days=chance.randint(-6, 24))).isoformat(),
            done=number % 5 == 4,
            assigned_to=chance.choice((*region.salespeople, region.parts_manager)),
        )
