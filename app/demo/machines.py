"""The demo's machines with what happened to them: readings, services, bulletins done."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.demo.catalog import MODELS, Model, plan, serial_prefix
from app.demo.regions import Region
from app.documents.ids import document_id, machine_key, reading_key

Document = dict[str, Any]

_KINDS = {
    "mini": ("mini excavator",),
    "excavator": ("midi excavator", "crawler excavator", "mini excavator"),
    "crawler": ("crawler excavator",),
    "loader": ("wheel loader", "compact wheel loader"),
    "compact": ("compact wheel loader",),
    "skid": ("skid-steer loader", "compact track loader"),
    "telehandler": ("telehandler",),
    "backhoe": ("backhoe loader",),
    "dumper": ("site dumper",),
    "roller": ("tandem roller", "single-drum roller"),
}
_READING_DAYS = 196
_LETTERS_OF_FLEETS = ("M", "B", "G", "")


@dataclass
class Owned:
    """A machine with the figures its readings and services are made from. Hours are total hours today."""

    document: Document
    model: Model
    hours: float
    per_day: float
    replaced_days_ago: int | None = None

    def total(self, days_ago: float) -> float:
        return max(0.0, self.hours - days_ago * self.per_day)

    def meter(self, days_ago: float) -> float:
        """What the meter showed: from zero again after it was replaced."""
        if self.replaced_days_ago is None or days_ago > self.replaced_days_ago:
            return round(self.total(days_ago), 1)
        return round(self.total(days_ago) - self.total(self.replaced_days_ago), 1)


def own(
    dealer: str, customer: Document | None, number: int, kinds: Sequence[str], today: date, chance: random.Random
) -> Owned:
    """Machine `number` of the dealer, of one of these kinds; in stock when it has no customer."""
    wanted = {kind for word in kinds for kind in _KINDS[word]}
    model = chance.choice([model for model in MODELS if model.kind in wanted])
    serial = f"{serial_prefix(model)}{100 + number * 7 % 800:04d}"
    per_day = round(model.hours_per_day * chance.uniform(0.45, 1.5), 2)
    age = chance.randint(40, 2200)
    machine: Document = {
        "_id": document_id(dealer, "machine", machine_key(model.make, serial)),
        "type": "machine",
        "dealer": dealer,
        "share": "manufacturer",
        "make": model.make,
        "model": model.name,
        "serial": serial,
        "stock_number": f"{dealer[-1]}{number:05d}",
        "status": "in service",
        "year": (today - timedelta(days=age)).year,
        "options": _options(model, chance),
    }
    if customer is None:
        return Owned({**machine, "status": "in stock"}, model, round(chance.uniform(0, 4), 1), 0.0)
    delivered = today - timedelta(days=age)
    machine |= {
        "customer": customer["_id"],
        "fleet_number": f"{chance.choice(_LETTERS_OF_FLEETS)} {chance.randint(1, 60):02d}".strip(),
        "delivered_on": delivered.isoformat(),
        "warranty_until": (delivered + timedelta(days=730)).isoformat(),
        "agreement": chance.choice(["", "", "", "Full service", "Filters and oil", "Inspection only"]),
        "position": {
            "latitude": round(customer["position"]["latitude"] + chance.uniform(-0.07, 0.07), 5),
            "longitude": round(customer["position"]["longitude"] + chance.uniform(-0.1, 0.1), 5),
        },
    }
    return Owned({name: value for name, value in machine.items() if value}, model, round(age * per_day, 1), per_day)


def _options(model: Model, chance: random.Random) -> list[str]:
    options = []
    if model.name == "VX 145":
        options.append(chance.choice(["engine K2", "engine K4"]))
    if model.kind == "backhoe loader":
        options.append(chance.choice(["engine AK", "engine RE"]))
    if model.axle_oil and model.make in {"Tornquist", "Pellworth"}:
        options.append(chance.choice(["standard axle", "standard axle", "limited slip"]))
    return options


def readings(owned: Owned, manner: str, today: date, chance: random.Random) -> Iterator[Document]:
    """A machine's readings of the last half year and a little. `manner` is ``telematics`` (weekly, with a position),
    ``manual`` (every five weeks or so) or ``silent`` (telematics until four months ago)."""
    machine = owned.document
    days_ago = _READING_DAYS - chance.randint(0, 6)
    stops = 118 if manner == "silent" else 0
    at = f"T{chance.randint(5, 16):02d}:{chance.randint(0, 59):02d}:00Z"
    while days_ago >= stops:
        # Weeks differ, but a meter never goes back by itself.
        hours = owned.meter(days_ago + chance.uniform(0, min(2.0, 0.6 * owned.per_day)))
        if owned.total(days_ago) > 0:
            day = (today - timedelta(days=days_ago)).isoformat()
            reading: Document = {
                "_id": document_id(machine["dealer"], "reading", reading_key(machine["_id"], day)),
                "type": "reading",
                "dealer": machine["dealer"],
                "share": "manufacturer",
                "machine": machine["_id"],
                "at": day + at,
                "hours": hours,
                "source": "manual" if manner == "manual" else "telematics",
            }
            if manner != "manual":
                machine["position_at"] = reading["at"]
                reading["position"] = machine["position"]
            yield reading
        days_ago -= chance.randint(28, 41) if manner == "manual" else 7


def services(owned: Owned, region: Region, today: date, chance: random.Random, careful: float) -> Iterator[Document]:
    """What the workshop did to a machine. `careful` from 0 to 1 is how much of what was due was really done."""
    if owned.per_day <= 0 or chance.random() > careful + 0.25:
        return
    base = 500.0
    rows = plan(owned.model)
    reached = int(owned.hours // base)
    last_year = 0
    for visit in range(1, reached + 1):
        if chance.random() > careful:
            continue
        milestone = visit * base + chance.uniform(-25, 30)
        days_ago = (owned.hours - milestone) / owned.per_day
        if days_ago < 1:
            continue
        year = int(milestone / owned.per_day // 330)
        done = [row for row in rows if _done_at(row, visit * base, new_year=year > last_year, options=owned.document)]
        last_year = max(year, last_year)
        yield _service(owned, region, today, days_ago, done, chance)
    if owned.hours > 60 and chance.random() < careful:
        first = [row for row in rows if row.get("first_hours") in (50, 100)]
        yield _service(owned, region, today, (owned.hours - 55) / owned.per_day, first, chance)


def _done_at(row: Mapping[str, Any], hours: float, *, new_year: bool, options: Mapping[str, Any]) -> bool:
    if row.get("option") and row["option"] not in options.get("options", ()):
        return False
    every = row.get("every_hours")
    if every is not None:
        return hours % float(every) == 0
    return new_year and "every_months" in row


def _service(
    owned: Owned, region: Region, today: date, days_ago: float, rows: Sequence[Document], chance: random.Random
) -> Document:
    machine = owned.document
    days = int(days_ago)
    service = {
        "_id": document_id(machine["dealer"], "service", key(chance)),
        "type": "service",
        "dealer": machine["dealer"],
        "share": "manufacturer",
        "machine": machine["_id"],
        "customer": machine["customer"],
        "done_on": (today - timedelta(days=days)).isoformat(),
        "hours": owned.meter(days_ago),
        "kind": "planned",
        "lines": [
            {name: value for name, value in _used(index, row).items() if value} for index, row in enumerate(rows, 1)
        ],
        "technician": chance.choice(region.technicians),
        "notes": chance.choice(
            ["", "", "", "All in order.", "Cooler blown out.", "Bucket pins worn, told the driver.", "Battery weak."]
        ),
    }
    return {name: value for name, value in service.items() if value not in ("", [])}


def _used(index: int, row: Document) -> Document:
    return {"id": f"s{index}", "plan_line": row["id"], "part": row["part"], "quantity": row["part"] and row["quantity"]}


def bulletin_done(
    owned: Owned, bulletin: Mapping[str, Any], region: Region, today: date, chance: random.Random
) -> Document:
    """The service that did a bulletin on a machine."""
    days_ago = chance.randint(3, 50)
    service = _service(owned, region, today, days_ago, (), chance)
    lines = [{"id": row["id"], "part": row["part"], "quantity": row["quantity"]} for row in bulletin.get("parts", ())]
    return {**service, "kind": "bulletin", "bulletin": bulletin["_id"], "lines": lines, "notes": "Done on site."}


def key(chance: random.Random) -> str:
    """A key like a UUIDv7, the same for the same seed."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"0198{digits[4:8]}-{digits[8:12]}-7{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
