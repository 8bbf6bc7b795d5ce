"""The demo's machines with what happened to them: readings, services, bulletins done."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.demo.care import WorkshopVisit, visits
from app.demo.catalog import MODELS, Model, plan, serial_prefix
from app.demo.regions import Region
from app.documents.ids import document_id, machine_key, reading_key
from app.parts.plans import lines_for, plan_of

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
_READING_DAYS = 197
_SILENT_DAYS = 118
# A machine's weeks differ by so much of its average, in a slow wave: sites begin and end.
_SWING = 0.55


@dataclass
class Owned:
    """A machine with the figures its readings and services are made from. Hours are total hours.

    `age` is in days since its delivery; `wave` the length in days and the phase of its busy and quiet times.
    """

    document: Document
    model: Model
    age: int
    per_day: float
    wave: tuple[float, float] = (50.0, 0.0)
    replaced_days_ago: int | None = None

    @property
    def hours(self) -> float:
        """Total hours today."""
        return self.total(0)

    def total(self, days_ago: float) -> float:
        """Total hours so many days ago; they never fall."""
        days = max(0.0, self.age - days_ago)
        length, phase = self.wave
        swing = _SWING * length / math.tau * (math.sin(math.tau * days / length + phase) - math.sin(phase))
        return round(self.per_day * max(0.0, days + swing), 1)

    def meter(self, days_ago: float) -> float:
        """What the meter showed: from zero again after it was replaced."""
        if self.replaced_days_ago is None or days_ago > self.replaced_days_ago:
            return self.total(days_ago)
        return round(self.total(days_ago) - self.total(self.replaced_days_ago), 1)


def own(
    dealer: str,
    customer: Document | None,
    number: int,
    kinds: Sequence[str],
    fleet_number: str,
    today: date,
    chance: random.Random,
) -> Owned:
    """Machine `number` of the dealer, of one of these kinds; in stock, and new, when it has no customer."""
    model = chance.choice(models_of(kinds))
    serial = f"{serial_prefix(model)}{100 + number * 7 % 800:04d}"
    per_day = round(model.hours_per_day * chance.uniform(0.5, 1.35), 2)
    age = chance.randint(40, 2200) if customer else chance.randint(20, 240)
    wave = (chance.uniform(40, 75), chance.uniform(0, math.tau))
    delivered = weekday_before(today - timedelta(days=age))
    age = (today - delivered).days
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
        "year": delivered.year,
        "options": _options(model, chance),
    }
    if customer is None:
        return Owned({**machine, "status": "in stock"}, model, age, 0.0)
    machine |= {
        "customer": customer["_id"],
        "fleet_number": fleet_number,
        "delivered_on": delivered.isoformat(),
        "warranty_until": (delivered + timedelta(days=730)).isoformat(),
        "agreement": chance.choice(["", "", "", "Full service", "Filters and oil", "Inspection only"]),
        "position": {
            "latitude": round(customer["position"]["latitude"] + chance.uniform(-0.07, 0.07), 5),
            "longitude": round(customer["position"]["longitude"] + chance.uniform(-0.1, 0.1), 5),
        },
    }
    return Owned({name: value for name, value in machine.items() if value}, model, age, per_day, wave)


def models_of(kinds: Sequence[str]) -> list[Model]:
    """The models a trade buys, by the words of :data:`app.demo.regions.TRADES`."""
    wanted = {kind for word in kinds for kind in _KINDS[word]}
    return [model for model in MODELS if model.kind in wanted]


def weekday_before(on: date) -> date:
    """The day itself, or the Friday before a weekend."""
    return on - timedelta(days=max(0, on.weekday() - 4))


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
    ``manual`` (every five weeks or so), ``silent`` (telematics until four months ago) or ``none``."""
    if manner == "none":
        return
    machine = owned.document
    days_ago = _READING_DAYS - chance.randint(0, 6)
    stops = _SILENT_DAYS if manner == "silent" else 1
    at = f"T{chance.randint(5, 16):02d}:{chance.randint(0, 59):02d}:00Z"
    while days_ago >= stops:
        # Read in the morning or the evening, but a meter never goes back by itself.
        hours = owned.meter(days_ago + chance.uniform(0, 0.4))
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


def workshop_visits(owned: Owned, today: date, chance: random.Random) -> list[WorkshopVisit]:
    """The planned services of a machine whose owner keeps to the plan."""
    if owned.per_day <= 0:
        return []
    lines = lines_for(plan_of({"plan": plan(owned.model)}), owned.document.get("options", ()))
    delivered = today - timedelta(days=owned.age)
    return visits(lines, delivered, today, lambda on: owned.total((today - on).days), owned.per_day, chance)


def planned_service(owned: Owned, visit: WorkshopVisit, region: Region, today: date, chance: random.Random) -> Document:
    """The service document of one visit to the workshop."""
    lines = []
    for index, line in enumerate(visit.lines, 1):
        row = {"id": f"s{index}", "plan_line": line.id}
        lines.append({**row, "part": line.part, "quantity": line.quantity} if line.part else row)
    note = chance.choice(_SERVICE_NOTES) if chance.random() < 0.3 else ""
    return _service(owned, "planned", (today - visit.on).days, lines, note, region, today, chance)


def repair(
    owned: Owned,
    note: str,
    days_ago: int,
    parts: Mapping[str, float],
    region: Region,
    today: date,
    chance: random.Random,
) -> Document:
    """A repair with what it took: quantities by part id."""
    lines = [
        {"id": f"s{index}", "part": part, "quantity": count} for index, (part, count) in enumerate(parts.items(), 1)
    ]
    return _service(owned, "repair", days_ago, lines, note, region, today, chance)


def bulletin_done(
    owned: Owned, bulletin: Mapping[str, Any], region: Region, today: date, chance: random.Random
) -> Document:
    """The service that did a bulletin on a machine."""
    issued = (today - date.fromisoformat(bulletin["issued_on"])).days
    latest = max(2, min(issued - 7, owned.age - 2, 120))
    lines = [{"id": row["id"], "part": row["part"], "quantity": row["quantity"]} for row in bulletin.get("parts", ())]
    note = chance.choice(("Done on site.", "Done together with the wash.", "Driver was shown how.", ""))
    done = _service(owned, "bulletin", chance.randint(2, latest), lines, note, region, today, chance)
    return {**done, "bulletin": bulletin["_id"]}


_SERVICE_NOTES = (
    "All in order.",
    "Cooler blown out, it was full of chaff.",
    "Bucket pins worn, told the driver.",
    "Battery weak, will not last another winter.",
    "Left rear light broken, customer does it himself.",
    "A little oil at the swivel, keep an eye on it.",
    "Washed before we began, thank you.",
    "Seat cushion torn. Offered a new one.",
    "Done on site between two showers.",
    "Tyres at 30 percent.",
    "Fire extinguisher is out of date.",
)


def _service(
    owned: Owned,
    kind: str,
    days_ago: int,
    lines: Sequence[Document],
    notes: str,
    region: Region,
    today: date,
    chance: random.Random,
) -> Document:
    machine = owned.document
    on = weekday_before(today - timedelta(days=days_ago))
    service = {
        "_id": document_id(machine["dealer"], "service", key(chance)),
        "type": "service",
        "dealer": machine["dealer"],
        "share": "manufacturer",
        "machine": machine["_id"],
        "customer": machine["customer"],
        "done_on": on.isoformat(),
        "hours": owned.meter((today - on).days),
        "kind": kind,
        "lines": list(lines),
        "technician": chance.choice(region.technicians),
        "notes": notes,
    }
    return {name: value for name, value in service.items() if value not in ("", [])}


def key(chance: random.Random) -> str:
    """A key like a UUIDv7, the same for the same seed."""
    digits = f"{chance.getrandbits(128):032x}"
    return f"0198{digits[4:8]}-{digits[8:12]}-7{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
