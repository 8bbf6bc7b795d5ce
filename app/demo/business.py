"""A believable small business: what the demo's manufacturer publishes and its two dealers have in their books.

The same seed gives the same business; only its dates move with the day it is made on.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from app.demo import catalog, regions
from app.demo.dealings import activities, opportunities, tasks
from app.demo.machines import Owned, bulletin_done, key, own, readings, services
from app.demo.regions import Region
from app.documents.ids import document_id
from app.parts.bulletins import applies

Document = dict[str, Any]

CUSTOMERS = 44
MACHINES = 158
_IN_STOCK = 6
_JOBS = (
    ("Managing director", 1.0),
    ("Workshop foreman", 0.55),
    ("Site manager", 0.6),
    ("Dispatcher", 0.35),
    ("Driver", 0.2),
)


def catalog_documents(today: date) -> list[Document]:
    """Models with their service plans, parts and bulletins, for the catalog."""
    return catalog.documents(today)


def book_documents(dealer: str, today: date) -> list[Document]:
    """Everything in the book of `dealer` (``D001`` or ``D002``), whom others refer to before who refers to them."""
    region = regions.REGIONS[dealer]
    # Not for secrets: a business that is the same every time.
    chance = random.Random(f"ironbook demo {dealer}")  # noqa: S311
    customers = [_customer(dealer, region, number, chance) for number in range(CUSTOMERS)]
    people = {customer["_id"]: list(_people(customer, region, chance)) for customer in customers}
    keepsakes = _keepsakes([person for staff in people.values() for person in staff], today, chance)
    owned = list(_fleet(dealer, customers, today, chance))
    histories = list(_histories(owned, region, today, chance))
    fleets = {
        customer["_id"]: [one for one in owned if one.document.get("customer") == customer["_id"]]
        for customer in customers
    }
    dealings = [
        *activities(customers, people, fleets, region, today, chance),
        *opportunities(customers, region, today, chance),
        *tasks(customers, people, fleets, region, today, chance),
    ]
    staff = [person for customer in customers for person in people[customer["_id"]]]
    return [*customers, *staff, *keepsakes, *(one.document for one in owned), *histories, *dealings]


def _document(dealer: str, kind: str, chance: random.Random, fields: Mapping[str, Any]) -> Document:
    share = "dealer" if kind == "keepsake" else "manufacturer"
    filled = {name: value for name, value in fields.items() if value not in (None, "", [])}
    return {"_id": document_id(dealer, kind, key(chance)), "type": kind, "dealer": dealer, "share": share, **filled}


def _customer(dealer: str, region: Region, number: int, chance: random.Random) -> Document:
    surname = region.surnames[number % len(region.surnames)]
    trade, industry, _, _ = regions.TRADES[(number * 5 + number // len(region.surnames)) % len(regions.TRADES)]
    town = region.towns[number % len(region.towns)]
    name = f"{surname} {trade}"
    site = _plain(name)
    return _document(
        dealer,
        "customer",
        chance,
        {
            "name": name,
            "number": f"{10_000 + number * 37}",
            "status": "prospect" if number % 11 == 7 else "dormant" if number % 17 == 13 else "active",
            "industry": industry,
            "street": f"{chance.choice(region.streets)} {chance.randint(1, 48)}",
            "postcode": town.postcode,
            "city": town.name,
            "country": region.country,
            "phone": f"{region.phone} {chance.randint(7000, 7999)} {chance.randint(10, 99)}",
            "email": f"info@{site}.example",
            "website": f"https://www.{site}.example" if chance.random() < 0.7 else "",
            "position": {
                "latitude": round(town.latitude + chance.uniform(-0.015, 0.015), 5),
                "longitude": round(town.longitude + chance.uniform(-0.02, 0.02), 5),
            },
            "salesperson": region.salespeople[number % len(region.salespeople)],
            "tags": sorted(chance.sample(["winter service", "pays early", "framework contract", "own workshop"], 1))
            if chance.random() < 0.5
            else [],
            "notes": chance.choice(_CUSTOMER_NOTES),
        },
    )


_CUSTOMER_NOTES = (
    "Gate closes at 16:30, after that only by the field track.",
    "Invoices by e-mail only, the order number has to be on them.",
    "Has an own fuel station. Diesel sample taken in spring, was fine.",
    "Mechanic of their own, capable; sells himself short.",
    "Brothers who do not always agree. Talk to both.",
    "Never on Mondays.",
    "",
    "",
    "",
)


def _people(customer: Document, region: Region, chance: random.Random) -> Iterator[Document]:
    owner = ""
    for job, share in _JOBS:
        if chance.random() > share:
            continue
        person = _person(customer, job, region, chance)
        owner = owner or person["_id"]
        yield person
    if chance.random() < 0.62:
        title = chance.choice(["Assistant to the managing director", "Office and accounts"])
        yield _person(customer, title, region, chance, assists=owner)


def _person(customer: Document, job: str, region: Region, chance: random.Random, assists: str = "") -> Document:
    woman = chance.random() < (0.75 if assists else 0.28)
    first = chance.choice(regions.FIRST_NAMES_W if woman else regions.FIRST_NAMES_M)
    owner = job == "Managing director" and chance.random() < 0.6
    last = customer["name"].split()[0] if owner else chance.choice(regions.FAMILY_NAMES)
    phones = [{"id": "p1", "label": "office", "number": f"{customer['phone']}{chance.randint(0, 9)}"}]
    if chance.random() < 0.8:
        mobile = "+49 170" if region.country == "Germany" else "+43 664"
        phones.append({"id": "p2", "label": "mobile", "number": f"{mobile} {chance.randint(5550000, 5559999)}"})
    address = f"{_plain(first)}.{_plain(last)}@{customer['email'].split('@')[1]}"
    return _document(
        customer["dealer"],
        "person",
        chance,
        {
            "customer": customer["_id"],
            "name": f"{first} {last}",
            "job": job,
            "phones": phones,
            "emails": [{"id": "e1", "label": "work", "address": address}],
            "assists": assists,
            "notes": chance.choice(["", "", "", "Speak slowly, the line is bad.", "Decides, whatever others say."]),
        },
    )


def _keepsakes(staff: Sequence[Document], today: date, chance: random.Random) -> list[Document]:
    """What is remembered of two in three people; the first ten have their birthdays within the next two weeks."""
    remembered = [person for person in staff if person.get("assists") or chance.random() < 0.6]
    chance.shuffle(remembered)
    soon = (0, 1, 2, 4, 6, 7, 9, 11, 12, 13)
    found = []
    for index, person in enumerate(remembered):
        ahead = soon[index] if index < len(soon) else chance.randint(15, 360)
        born = today + timedelta(days=ahead)
        found.append(
            _document(
                person["dealer"],
                "keepsake",
                chance,
                {
                    "person": person["_id"],
                    "customer": person["customer"],
                    "birthday": born.strftime("%m-%d"),
                    "birth_year": today.year - chance.randint(24, 64) if chance.random() < 0.65 else None,
                    "flowers": chance.choice(regions.FLOWERS),
                    "family": chance.choice(regions.FAMILY),
                    "notes": chance.choice(regions.KEEPSAKE_NOTES),
                },
            )
        )
    return found


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
    number = 1
    for customer, kinds in wanted[: MACHINES - _IN_STOCK]:
        owned = own(dealer, customer, number, kinds, today, chance)
        # One meter that was replaced, one machine sold on, one scrapped: every dealer has them.
        if number == 12:
            owned.replaced_days_ago = min(80, int(owned.hours / owned.per_day) - 10) or None
        if number in {33, 34}:
            owned.document["status"] = "sold on" if number == 33 else "scrapped"
        number += 1
        yield owned
    for _ in range(_IN_STOCK):
        yield own(dealer, None, number, everything, today, chance)
        number += 1


def _histories(owned: Sequence[Owned], region: Region, today: date, chance: random.Random) -> Iterator[Document]:
    bulletins = [document for document in catalog.documents(today) if document["type"] == "bulletin"]
    for index, one in enumerate(owned):
        if one.per_day <= 0:
            continue
        manner = "silent" if index % 13 == 6 else "manual" if index % 4 == 3 else "telematics"
        if one.document["status"] != "in service":
            manner = "silent"
        yield from readings(one, manner, today, chance)
        yield from services(one, region, today, chance, careful=chance.choice([0.97, 0.95, 0.9, 0.7, 0.0]))
        for bulletin in bulletins:
            if applies(bulletin, one.document) and chance.random() < 0.45:
                yield bulletin_done(one, bulletin, region, today, chance)


def _plain(text: str) -> str:
    """A name as it stands in an address: no capitals, no spaces, letters a to z."""
    spelled = text.lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss").replace("&", "")
    ascii_only = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode()
    return "-".join(word for word in "".join(c if c.isalnum() else " " for c in ascii_only).split())
