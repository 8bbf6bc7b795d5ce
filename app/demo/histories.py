"""What happened to the demo's machines: who keeps to the plan, who is late, and what the meters said."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from app.demo import catalog
from app.demo.care import WorkshopVisit
from app.demo.decks import Deck
from app.demo.machines import (
    Owned,
    bulletin_done,
    planned_service,
    readings,
    repair,
    workshop_visits,
)
from app.demo.regions import Region
from app.documents.ids import catalog_id
from app.parts.bulletins import applies

Document = dict[str, Any]

# So many machines have missed their last service, which would have been in these last days.
_LATE, _LATE_DAYS = 9, range(8, 46)
# So many have not seen a workshop for about a year, though they run.
_NEGLECTED, _NEGLECTED_DAYS = 2, 330
_REPAIRS = 46
_METER_DAYS = 80


def histories(owned: Sequence[Owned], region: Region, today: date, chance: random.Random) -> list[Document]:
    """Readings, services, repairs and bulletins done of all machines; sets what some of them are: sold on, scrapped,
    without a meter that can be read."""
    manners = dict(zip((id(one) for one in owned), _manners(owned), strict=True))
    special = _special(owned, manners)
    kept = {id(one): workshop_visits(one, today, chance) for one in owned if manners[id(one)] != "none"}
    missed = _missed([one for one in owned if id(one) not in special], kept, today)
    found: list[Document] = []
    for one in owned:
        if one.per_day <= 0:
            continue
        found += readings(one, manners[id(one)], today, chance)
        for visit in kept.get(id(one), ()):
            if (today - visit.on).days >= missed.get(id(one), 0):
                found.append(planned_service(one, visit, region, today, chance))
        if one.replaced_days_ago:
            note = f"Hour meter replaced, the old one stood at {one.total(one.replaced_days_ago):,.0f} h."
            found.append(repair(one, note, one.replaced_days_ago - 1, {}, region, today, chance))
    found += _bulletins(owned, region, today, chance)
    found += _repairs(owned, region, today, chance)
    return found


def _manners(owned: Sequence[Owned]) -> Iterator[str]:
    """How each machine's hours are known."""
    for index, one in enumerate(owned):
        if one.per_day <= 0 or index % 50 == 21:
            yield "none"
        elif index % 13 == 6:
            yield "silent"
        else:
            yield "manual" if index % 4 == 3 else "telematics"


def _special(owned: Sequence[Owned], manners: dict[int, str]) -> set[int]:
    """One meter that was replaced, one machine sold on, one scrapped, some whose meter nobody can read: every dealer
    has them."""
    old = [one for one in owned if one.age > 900 and manners[id(one)] == "telematics"]
    replaced, sold_on, scrapped = old[3], old[10], old[17]
    replaced.replaced_days_ago = _METER_DAYS
    for one, status in ((sold_on, "sold on"), (scrapped, "scrapped")):
        one.document["status"] = status
        manners[id(one)] = "silent"
    unread = [one for one in owned if one.per_day > 0 and manners[id(one)] == "none"]
    for one in unread:
        one.document["notes"] = "Came with the takeover of a neighbour's yard. Display is dark, hours not known yet."
        for name in ("delivered_on", "warranty_until", "agreement", "year"):
            one.document.pop(name, None)
    return {id(one) for one in (replaced, sold_on, scrapped, *unread)}


def _missed(owned: Sequence[Owned], kept: dict[int, list[WorkshopVisit]], today: date) -> dict[int, int]:
    """For the machines that are behind, by `id`: since how many days they have not been in the workshop."""
    missed: dict[int, int] = {}
    running = [one for one in owned if one.per_day > 0 and one.document["status"] == "in service"]
    neglected = [one for one in running if one.age > 900 and one.document.get("agreement") is None]
    for one in neglected[4::11][:_NEGLECTED]:
        missed[id(one)] = _NEGLECTED_DAYS
    for one in running[::-1]:
        visits = kept.get(id(one), [])
        if len(missed) == _LATE + _NEGLECTED:
            break
        if id(one) in missed or len(visits) < 2 or one.document.get("agreement") == "Full service":
            continue
        ago = (today - visits[-1].on).days
        if ago in _LATE_DAYS and len(visits[-1].lines) >= 3:
            missed[id(one)] = ago + 1
    return missed


def _bulletins(owned: Sequence[Owned], region: Region, today: date, chance: random.Random) -> Iterator[Document]:
    """About half of the machines a bulletin concerns have had it done."""
    bulletins = [document for document in catalog.documents(today) if document["type"] == "bulletin"]
    for one in owned:
        if one.per_day <= 0 or one.document["status"] != "in service":
            continue
        for bulletin in bulletins:
            if applies(bulletin, one.document) and chance.random() < 0.5:
                yield bulletin_done(one, bulletin, region, today, chance)


# (notes, which kinds of machine, quantities by part number)
_REPAIR_NOTES: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("Hydraulic hose at the boom renewed, clamp fitted.", "excavator backhoe", {catalog.HYDRAULIC_OIL: 4}),
    ("Starter battery renewed.", "", {"IB-90.0080": 1}),
    ("Mirror and rear light after a reversing accident.", "loader telehandler roller", {}),
    ("Seat switch renewed, plug cleaned.", "", {}),
    ("Water in the fuel: tank and lines cleaned.", "", {}),
    ("Bucket pins and bushes renewed.", "excavator backhoe wheel loader", {catalog.GREASE: 1}),
    ("Tyre changed on site.", "loader telehandler dumper", {}),
    ("Alternator renewed.", "", {}),
    ("Cooler cleaned, thermostat renewed.", "", {catalog.COOLANT: 6}),
    ("Track put back on, tension set.", "excavator track", {}),
    ("Swivel sealed.", "excavator", {catalog.HYDRAULIC_OIL: 6}),
    ("Windscreen renewed.", "", {}),
    ("Parking brake adjusted.", "loader dumper", {}),
    ("Wiring harness at the boom mended.", "telehandler excavator", {}),
)


def _repairs(owned: Sequence[Owned], region: Region, today: date, chance: random.Random) -> Iterator[Document]:
    """What broke in the last year and a half."""
    running = Deck([one for one in owned if one.per_day > 0 and one.document.get("delivered_on")], chance)
    notes = Deck(_REPAIR_NOTES, chance)
    for _ in range(_REPAIRS):
        one = running.draw()

        def fits(words: tuple[str, str, dict[str, float]], kind: str = one.model.kind) -> bool:
            return not words[1] or any(word in kind for word in words[1].split())

        note, _, taken = notes.draw(fits)
        latest = min(one.age - 5, 540)
        parts = {catalog_id("part", number): quantity for number, quantity in taken.items()}
        yield repair(one, note, chance.randint(3, latest), parts, region, today, chance)
