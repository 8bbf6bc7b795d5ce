"""A believable small business: what the demo's manufacturer publishes and its two dealers have in their books.

The same seed gives the same business; only its dates move with the day it is made on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from app.demo import catalog, regions
from app.demo.dealings import activities, opportunities, tasks
from app.demo.decks import Deck
from app.demo.histories import histories
from app.demo.machines import Owned, own
from app.demo.names import plain
from app.demo.regions import Region
from app.demo.staff import Staff, document

Document = dict[str, Any]

CUSTOMERS = 44
MACHINES = 158
_IN_STOCK = 6


def catalog_documents(today: date) -> list[Document]:
    """Models with their service plans, parts and bulletins, for the catalog."""
    return catalog.documents(today)


def book_documents(dealer: str, today: date) -> list[Document]:
    """Everything in the book of `dealer` (``D001`` or ``D002``), whom others refer to before who refers to them."""
    region = regions.REGIONS[dealer]
    # Not for secrets: a business that is the same every time.
    chance = random.Random(f"ironbook demo {dealer}")  # noqa: S311
    notes = Deck(_CUSTOMER_NOTES, chance)
    customers = [_customer(dealer, region, number, notes, chance) for number in range(CUSTOMERS)]
    staff = Staff(region, chance)
    people = {customer["_id"]: list(staff.people(customer)) for customer in customers}
    everybody = [person for customer in customers for person in people[customer["_id"]]]
    keepsakes = staff.keepsakes(everybody, today)
    owned = list(_fleet(dealer, customers, today, chance))
    history = histories(owned, region, today, chance)
    fleets = {
        customer["_id"]: [one for one in owned if one.document.get("customer") == customer["_id"]]
        for customer in customers
    }
    dealings = [
        *activities(customers, people, fleets, region, today, chance),
        *opportunities(customers, region, today, chance),
        *tasks(customers, people, fleets, region, today, chance),
    ]
    return [*customers, *everybody, *keepsakes, *(one.document for one in owned), *history, *dealings]


def _customer(dealer: str, region: Region, number: int, notes: Deck[str], chance: random.Random) -> Document:
    surname = region.surnames[number]
    trade, industry, _, _ = regions.TRADES[(number * 5 + number // len(regions.TRADES)) % len(regions.TRADES)]
    town = region.towns[number % len(region.towns)]
    name = f"{surname} {trade}"
    site = plain(name)
    return document(
        dealer,
        "customer",
        chance,
        name=name,
        number=f"{10_000 + number * 37}",
        status="prospect" if number % 11 == 7 else "dormant" if number % 17 == 13 else "active",
        industry=industry,
        street=f"{chance.choice(region.streets)} {chance.randint(1, 48)}",
        postcode=town.postcode,
        city=town.name,
        country=region.country,
        phone=f"{region.phone} {town.area} {chance.randint(700, 799)} {chance.randint(10, 99)}",
        email=f"info@{site}.example",
        website=f"https://www.{site}.example" if chance.random() < 0.7 else "",
        position={
            "latitude": round(town.latitude + chance.uniform(-0.015, 0.015), 5),
            "longitude": round(town.longitude + chance.uniform(-0.02, 0.02), 5),
        },
        salesperson=region.salespeople[number % len(region.salespeople)],
        tags=chance.sample(["winter service", "pays early", "framework contract", "own workshop"], 1)
        if chance.random() < 0.5
        else [],
        notes=notes.draw() if chance.random() < 0.6 else "",
    )


_CUSTOMER_NOTES = (
    "Gate closes at 16:30, after that only by the field track.",
    "Invoices by e-mail only, the order number has to be on them.",
    "Has an own fuel station. Diesel sample taken in spring, was fine.",
    "Mechanic of their own, capable.",
    "Brothers who do not always agree. Talk to both.",
    "Never on Mondays.",
    "Wants every machine in company green. Ask for the colour code before ordering.",
    "Deliveries to the yard behind the church, not to the office.",
    "Buys in January, when the accounts are done.",
    "The low loader cannot turn in the yard, unload on the street.",
    "Pays within ten days and expects the discount.",
    "Weighbridge on site, may be used.",
    "Took over two machines of a neighbour who gave up.",
    "Dog in the yard is loud and harmless.",
    "Keeps all machines for eight years, then sells them privately.",
    "Works for the water authority, needs biodegradable oil near streams.",
    "Compares every offer with two others. Be first, not cheapest.",
    "Annual meeting about the fleet in November.",
)


def _fleet(dealer: str, customers: Sequence[Document], today: date, chance: random.Random) -> Iterator[Owned]:
    """The machines of the customers, and a few in stock. Who is only a prospect has none yet."""
    trades = {trade: (many, kinds) for trade, _, many, kinds in regions.TRADES}
    buyers = [customer for customer in customers if customer["status"] != "prospect"]
    wanted = []
    for customer in buyers:
        (least, most), kinds = trades[customer["name"].split(" ", 1)[1]]
        wanted += [(customer, kinds)] * chance.randint(least, most)
    while len(wanted) < MACHINES - _IN_STOCK:
        customer = chance.choice(buyers)
        wanted.append((customer, trades[customer["name"].split(" ", 1)[1]][1]))
    chance.shuffle(wanted)
    everything = ("mini", "loader", "telehandler", "skid", "backhoe", "roller")
    sold = MACHINES - _IN_STOCK
    numbers = {customer["_id"]: _FleetNumbers(chance) for customer in buyers}
    for number, (customer, kinds) in enumerate(wanted[:sold], 1):
        yield own(dealer, customer, number, kinds, numbers[customer["_id"]].next(), today, chance)
    for number in range(sold + 1, MACHINES + 1):
        yield own(dealer, None, number, everything, "", today, chance)


class _FleetNumbers:
    """How one customer numbers its own machines: one after the other, some with a letter, some not at all."""

    def __init__(self, chance: random.Random) -> None:
        self._letter = chance.choice(("M ", "B ", "G ", "", "", None))
        self._last = chance.choice((0, 10, 20, 100))
        self._chance = chance

    def next(self) -> str:
        self._last += self._chance.choice((1, 1, 1, 2, 3))
        return "" if self._letter is None else f"{self._letter}{self._last:02d}"
