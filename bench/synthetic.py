"""A dealer's book of any size, made up from a seed: as many documents of each type as a dealership has."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from app.documents.ids import document_id, machine_key, model_key, reading_key
from app.documents.revising import first_revision

# Documents of each type in a hundred; readings are by far the most where telematics is used.
SHARES = {
    "customer": 4,
    "person": 8,
    "keepsake": 3,
    "machine": 12,
    "reading": 42,
    "service": 9,
    "activity": 16,
    "opportunity": 2,
    "task": 4,
}
MAKES = ("Acme", "Norden", "Terrano", "Bromax")
_MODELS_OF_A_MAKE = 5
_BY = "bench"
_TOWNS = ("Linz", "Graz", "Brno", "Passau", "Győr", "Villach", "Zlín", "Landshut")
_WORDS = ("quarry", "gravel", "forest", "road", "bridge", "harbour", "tunnel", "canal", "orchard", "depot")


def catalog(today: date) -> list[dict[str, Any]]:
    """Twenty models with plans of twelve lines, their parts, and ten bulletins."""
    documents: list[dict[str, Any]] = []
    for make in MAKES:
        for number in range(_MODELS_OF_A_MAKE):
            name = f"{number + 1}00"
            plan = [
                {
                    "id": f"line{line}",
                    "title": f"{hours:,} h service, item {line}",
                    "part": f"{make[:2].upper()}-{number}{line:03}",
                    "quantity": 1 + line % 3,
                    "every_hours": hours,
                    **({"every_months": 12} if line % 4 == 0 else {}),
                }
                for line, hours in enumerate((250, 250, 500, 500, 500, 1000, 1000, 1000, 2000, 2000, 2000, 4000))
            ]
            key = model_key(make, name)
            fields = {"make": make, "name": name, "kind": "excavator", "hours_per_day": 3.0, "plan": plan}
            documents.append(_document(f"model:{key}", "model", "", today, fields))
            documents += [
                _document(
                    f"part:{row['part']}",
                    "part",
                    "",
                    today,
                    {"number": row["part"], "name": f"Part for {row['title']}", "unit": "pc", "price": 12.5},
                )
                for row in plan
            ]
        for number in range(3):
            code = f"{make[:2].upper()}-B{number}"
            fields = {"code": code, "title": f"Check hose {number}", "make": make, "severity": "important"}
            documents.append(_document(f"bulletin:{code}", "bulletin", "", today, fields))
    return documents


def book(documents: int, today: date, dealer: str = "D001", seed: int = 7) -> Iterator[dict[str, Any]]:
    """About `documents` first revisions of a dealer's documents, customers first; the same for the same seed."""
    return _Book(documents, today, dealer, random.Random(seed)).documents()


def reading(dealer: str, machine: str, day: date, hours: float) -> dict[str, Any]:
    """The first revision of a reading of a machine (by its id)."""
    fields = {"machine": machine, "at": f"{day}T06:00:00Z", "hours": hours, "source": "telematics"}
    return _document(document_id(dealer, "reading", reading_key(machine, day)), "reading", dealer, day, fields)


class _Book:
    def __init__(self, documents: int, today: date, dealer: str, chance: random.Random) -> None:
        self.today = today
        self.dealer = dealer
        self.chance = chance
        self.counts = {kind: max(1, documents * share // 100) for kind, share in SHARES.items()}
        self.customers = [document_id(dealer, "customer", f"c{n:07}") for n in range(self.counts["customer"])]
        self.people: list[tuple[str, str]] = []
        self.machines: list[tuple[str, str]] = []

    def documents(self) -> Iterator[dict[str, Any]]:
        yield from self._customers()
        yield from self._people()
        yield from self._keepsakes()
        yield from self._machines()
        yield from self._readings()
        yield from self._services()
        yield from self._diary()

    def _make(self, kind: str, id: str, fields: dict[str, Any]) -> dict[str, Any]:
        return _document(id, kind, self.dealer, self.today, fields)

    def _day(self, back: int, ahead: int = 0) -> str:
        return (self.today + timedelta(days=self.chance.randint(-back, ahead))).isoformat()

    def _words(self, count: int) -> str:
        return " ".join(self.chance.choice(_WORDS) for _ in range(count))

    def _customers(self) -> Iterator[dict[str, Any]]:
        for n, id in enumerate(self.customers):
            yield self._make(
                "customer",
                id,
                {
                    "name": f"{self._words(1).title()} {self._words(1).title()} {n}",
                    "number": str(10_000 + n),
                    "status": "active",
                    "city": self.chance.choice(_TOWNS),
                    "street": f"Street {n}",
                    "country": "Austria",
                    "phone": f"+43 {n:07}",
                    "salesperson": f"sales{n % 6}",
                    "notes": self._words(30),
                },
            )

    def _people(self) -> Iterator[dict[str, Any]]:
        for n in range(self.counts["person"]):
            id, customer = document_id(self.dealer, "person", f"p{n:07}"), self.customers[n % len(self.customers)]
            fields: dict[str, Any] = {
                "customer": customer,
                "name": f"Person {n}",
                "job": "Workshop",
                "phones": [{"id": "a", "label": "mobile", "number": f"+43 660 {n:06}"}],
            }
            if n >= len(self.customers):
                fields["assists"] = self.people[n - len(self.customers)][0]
            self.people.append((id, customer))
            yield self._make("person", id, fields)

    def _keepsakes(self) -> Iterator[dict[str, Any]]:
        for n in range(self.counts["keepsake"]):
            person, customer = self.people[n % len(self.people)]
            fields = {
                "person": person,
                "customer": customer,
                "birthday": f"{n % 12 + 1:02}-{n % 28 + 1:02}",
                "flowers": "white tulips",
            }
            yield self._make("keepsake", document_id(self.dealer, "keepsake", f"k{n:07}"), fields)

    def _machines(self) -> Iterator[dict[str, Any]]:
        for n in range(self.counts["machine"]):
            make, customer = MAKES[n % len(MAKES)], self.customers[n % len(self.customers)]
            id = document_id(self.dealer, "machine", machine_key(make, f"{100_000 + n}"))
            self.machines.append((id, customer))
            fields = {
                "make": make,
                "model": f"model:{model_key(make, f'{n % _MODELS_OF_A_MAKE + 1}00')}",
                "serial": f"{100_000 + n}",
                "customer": customer,
                "fleet_number": f"F{n}",
                "status": "in service",
                "year": 2020,
                "delivered_on": self._day(1500),
                "position": {"latitude": 48 + n % 100 / 100, "longitude": 14 + n % 77 / 77},
            }
            yield self._make("machine", id, fields)

    def _readings(self) -> Iterator[dict[str, Any]]:
        each = -(-self.counts["reading"] // len(self.machines))
        for n, (machine, _) in enumerate(self.machines):
            hours = float(self.chance.randint(200, 9000))
            for step in range(each, 0, -1):
                day = self.today - timedelta(days=step * 21 + n % 20)
                hours += self.chance.uniform(20, 90)
                id = document_id(self.dealer, "reading", reading_key(machine, day))
                fields = {
                    "machine": machine,
                    "at": f"{day}T06:00:00Z",
                    "hours": round(hours, 1),
                    "source": "telematics",
                }
                yield self._make("reading", id, fields)

    def _services(self) -> Iterator[dict[str, Any]]:
        for n in range(self.counts["service"]):
            machine, customer = self.machines[n % len(self.machines)]
            fields = {
                "machine": machine,
                "customer": customer,
                "done_on": self._day(400),
                "kind": "planned",
                "lines": [{"id": "a", "plan_line": f"line{n % 12}", "quantity": 1}],
            }
            yield self._make("service", document_id(self.dealer, "service", f"s{n:07}"), fields)

    def _diary(self) -> Iterator[dict[str, Any]]:
        fields: dict[str, Any]
        for n in range(self.counts["activity"]):
            fields = {
                "customer": self.chance.choice(self.customers),
                "kind": self.chance.choice(("visit", "call", "e-mail")),
                "at": f"{self._day(700)}T09:00:00Z",
                "subject": self._words(4),
                "notes": self._words(40),
                "salesperson": f"sales{n % 6}",
                **({"follow_up": self._day(20, 40)} if n % 10 == 0 else {}),
            }
            yield self._make("activity", document_id(self.dealer, "activity", f"a{n:07}"), fields)
        for n in range(self.counts["opportunity"]):
            fields = {
                "customer": self.chance.choice(self.customers),
                "title": self._words(3),
                "stage": self.chance.choice(("lead", "qualified", "quoted", "won", "lost")),
                "value": float(self.chance.randint(20, 400) * 1000),
                "expected_on": self._day(30, 200),
                "salesperson": f"sales{n % 6}",
            }
            yield self._make("opportunity", document_id(self.dealer, "opportunity", f"o{n:07}"), fields)
        for n in range(self.counts["task"]):
            fields = {
                "customer": self.chance.choice(self.customers),
                "title": self._words(3),
                "due_on": self._day(20, 60),
                "assigned_to": f"sales{n % 6}",
            }
            yield self._make("task", document_id(self.dealer, "task", f"t{n:07}"), fields)


def _document(id: str, kind: str, dealer: str, today: date, fields: dict[str, Any]) -> dict[str, Any]:
    share = "dealer" if kind == "keepsake" else "manufacturer"
    document = {"_id": id, "type": kind, "dealer": dealer, "share": share, **fields}
    return first_revision(document, _BY, f"{today.isoformat()}T00:00:00Z").document
