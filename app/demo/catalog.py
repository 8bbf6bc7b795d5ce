"""The demo's manufacturer: makes nobody has, their models with service plans, parts and bulletins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.documents.ids import catalog_id, model_key

Document = dict[str, Any]


@dataclass(frozen=True)
class Model:
    """A model of the demo: what its plan and its machines are made from. Litres are of a whole filling."""

    make: str
    name: str
    kind: str
    hours_per_day: float
    price: int
    engine_oil: float
    hydraulic_oil: float
    axle_oil: float = 0.0


MODELS = (
    Model("Vardheim", "VX 18", "mini excavator", 2.1, 31_000, 4, 24),
    Model("Vardheim", "VX 27", "mini excavator", 2.4, 42_500, 6, 32),
    Model("Vardheim", "VX 55", "midi excavator", 2.8, 71_000, 8, 64),
    Model("Vardheim", "VX 90", "midi excavator", 3.2, 108_000, 11, 90),
    Model("Vardheim", "VX 145", "crawler excavator", 3.9, 154_000, 18, 148),
    Model("Tornquist", "TL 40", "compact wheel loader", 2.0, 48_000, 6, 36, 7),
    Model("Tornquist", "TL 70", "compact wheel loader", 2.9, 69_500, 9, 55, 11),
    Model("Tornquist", "TL 95", "wheel loader", 3.6, 112_000, 14, 82, 18),
    Model("Tornquist", "TL 150", "wheel loader", 4.4, 187_000, 22, 130, 30),
    Model("Kestrin", "KT 6.30", "telehandler", 2.6, 74_000, 9, 70, 9),
    Model("Kestrin", "KT 7.35", "telehandler", 3.0, 88_500, 11, 86, 12),
    Model("Kestrin", "KT 10.40", "telehandler", 3.3, 121_000, 13, 110, 15),
    Model("Lindmoor", "LS 55", "skid-steer loader", 1.7, 38_000, 7, 32, 8),
    Model("Lindmoor", "LS 75", "skid-steer loader", 2.1, 49_000, 9, 38, 12),
    Model("Lindmoor", "LT 85", "compact track loader", 2.5, 66_000, 10, 42, 12),
    Model("Pellworth", "PB 92", "backhoe loader", 3.1, 92_000, 14, 98, 16),
    Model("Pellworth", "PB 98", "backhoe loader", 3.4, 104_000, 15, 110, 18),
    Model("Pellworth", "PD 6", "site dumper", 1.6, 36_500, 7, 40, 6),
    Model("Ruhnau", "RW 26", "tandem roller", 1.3, 39_000, 5, 24),
    Model("Ruhnau", "RW 120", "single-drum roller", 2.2, 98_000, 12, 60, 10),
)
MAKERS_LETTERS = {
    "Vardheim": "VH",
    "Tornquist": "TQ",
    "Kestrin": "KE",
    "Lindmoor": "LM",
    "Pellworth": "PW",
    "Ruhnau": "RN",
}

# (last digits of the number, name, unit, price of the smallest): one of each for every make.
_FILTERS = (
    ("1010", "Engine oil filter", "piece", 11.8),
    ("1120", "Fuel filter", "piece", 17.4),
    ("1125", "Fuel pre-filter with water separator", "piece", 24.9),
    ("1210", "Air filter, outer element", "piece", 29.5),
    ("1215", "Air filter, safety element", "piece", 19.2),
    ("1310", "Hydraulic return filter", "piece", 46.0),
    ("1320", "Hydraulic pilot filter", "piece", 31.7),
    ("1410", "Cab air filter", "piece", 22.3),
    ("1510", "V-belt for fan and alternator", "piece", 27.6),
)
_OWN_PARTS = (
    ("VH-20.2110", "Drive sprocket bolt set", "set", 38.0),
    ("VH-20.2140", "Slew ring grease, 400 g cartridge", "piece", 9.4),
    ("VH-20.3170", "Boom hose set", "set", 412.0),
    ("VH-10.1130", "Fuel filter, engine build K4", "piece", 33.1),
    ("TQ-30.2210", "Articulation joint seal kit", "set", 84.0),
    ("TQ-30.2260", "Parking brake pad set", "set", 126.0),
    ("TQ-10.1012", "Engine oil filter, from engine 40000", "piece", 13.2),
    ("KE-40.2310", "Boom wear pad set", "set", 148.0),
    ("KE-40.2340", "Boom chain grease, 400 g cartridge", "piece", 12.6),
    ("KE-40.2390", "Stabiliser hose set", "set", 233.0),
    ("LM-50.2410", "Chaincase seal kit", "set", 58.0),
    ("LM-50.2450", "Track tension valve", "piece", 91.5),
    ("PW-60.2510", "Kingpost bush set", "set", 176.0),
    ("PW-60.2540", "Fuel filter, engine build RE", "piece", 21.9),
    ("PW-60.2545", "Fuel filter, engine build AK", "piece", 19.8),
    ("RN-70.2610", "Scraper blade set", "set", 67.0),
    ("RN-70.2640", "Vibration damper", "piece", 43.5),
)
ENGINE_OIL, HYDRAULIC_OIL, AXLE_OIL, SLIP_OIL, COOLANT, GREASE = (
    "IB-90.0010", "IB-90.0020", "IB-90.0030", "IB-90.0035", "IB-90.0040", "IB-90.0050",
)  # fmt: skip
_FLUIDS = (
    (ENGINE_OIL, "Engine oil 10W-40", "litre", 4.6),
    (HYDRAULIC_OIL, "Hydraulic oil HVLP 46", "litre", 3.9),
    (AXLE_OIL, "Axle oil GL-5 80W-90", "litre", 5.2),
    (SLIP_OIL, "Axle oil for limited slip, LS 90", "litre", 7.4),
    (COOLANT, "Coolant, ready mixed", "litre", 3.1),
    (GREASE, "Multi-purpose grease, 400 g cartridge", "piece", 4.9),
    ("IB-90.0060", "AdBlue, 10 litre can", "can", 13.5),
    ("IB-90.0070", "Winter washer fluid", "litre", 2.2),
    ("IB-90.0080", "Battery 12 V 100 Ah", "piece", 139.0),
)


def part(make: str, digits: str) -> str:
    """The number of one of the parts that every make has."""
    return f"{MAKERS_LETTERS[make]}-10.{digits}"


def _row(key: str, title: str, number: str, quantity: float = 1, **when: float | bool | str) -> Document:
    part_id = catalog_id("part", number) if number else ""
    return {"id": key, "title": title, "part": part_id, "quantity": quantity, **when}


def _engine_rows(model: Model) -> Iterable[Document]:
    make = model.make
    oil_filter = part(make, "1010")
    # The running-in change once, then the interval: the filter goes with the oil.
    yield _row("run-in-oil-filter", "Engine oil filter, running-in change", oil_filter, first_hours=50, once=True)
    yield _row("oil-filter", "Engine oil filter", oil_filter, every_hours=500, every_months=12)
    yield _row("engine-oil", "Engine oil", ENGINE_OIL, model.engine_oil, every_hours=500, every_months=12)
    yield _row("fuel-pre-filter", "Fuel pre-filter", part(make, "1125"), every_hours=500)
    yield _row("air-outer", "Air filter, outer element", part(make, "1210"), every_hours=500, every_months=12)
    yield _row("air-safety", "Air filter, safety element", part(make, "1215"), every_hours=1000, every_months=24)
    yield _row("cab-filter", "Cab air filter", part(make, "1410"), every_months=12)
    yield _row("coolant", "Coolant", COOLANT, round(model.engine_oil * 1.2), every_months=24)
    yield _row("v-belt", "V-belt, check and renew", part(make, "1510"), every_hours=1500)


def _fuel_rows(model: Model) -> Iterable[Document]:
    if model.name == "VX 145":
        yield _row("fuel-filter", "Fuel filter", part("Vardheim", "1120"), every_hours=500, option="engine K2")
        yield _row("fuel-filter-k4", "Fuel filter, engine K4", "VH-10.1130", every_hours=500, option="engine K4")
    elif model.kind == "backhoe loader":
        yield _row("fuel-filter-ak", "Fuel filter, engine AK", "PW-60.2545", every_hours=500, option="engine AK")
        yield _row("fuel-filter-re", "Fuel filter, engine RE", "PW-60.2540", every_hours=500, option="engine RE")
    else:
        yield _row("fuel-filter", "Fuel filter", part(model.make, "1120"), every_hours=500)


def _hydraulic_rows(model: Model) -> Iterable[Document]:
    return_filter = part(model.make, "1310")
    yield _row("run-in-hydraulic", "Hydraulic return filter, first change", return_filter, first_hours=50, once=True)
    yield _row("hydraulic-return", "Hydraulic return filter", return_filter, every_hours=1000)
    # The 2,000 h visit has the return filter in its own list as well: it is one filter.
    yield _row("hydraulic-2000", "Hydraulic return filter with the oil change", return_filter, every_hours=2000)
    yield _row("hydraulic-oil", "Hydraulic oil", HYDRAULIC_OIL, model.hydraulic_oil, every_hours=2000, every_months=48)
    if model.kind in {"midi excavator", "crawler excavator", "wheel loader", "telehandler"}:
        yield _row("pilot-filter", "Hydraulic pilot filter", part(model.make, "1320"), every_hours=1000)


def _driveline_rows(model: Model) -> Iterable[Document]:
    if model.kind == "skid-steer loader":
        oil = model.axle_oil
        yield _row("chaincase", "Chaincase oil", AXLE_OIL, oil, first_hours=50, every_hours=1000)
        yield _row("chaincase-seals", "Chaincase seals", "LM-50.2410", every_hours=2000)
    elif model.axle_oil and model.make in {"Tornquist", "Pellworth"}:
        oil = model.axle_oil
        start = {"first_hours": 100, "every_hours": 1000}
        yield _row("axle-front", "Front axle oil", AXLE_OIL, oil / 2, option="standard axle", **start)
        yield _row("axle-rear", "Rear axle oil", AXLE_OIL, oil / 2, option="standard axle", **start)
        yield _row("axle-slip", "Limited-slip axle oil", SLIP_OIL, oil, option="limited slip", **start)
    elif model.axle_oil:
        yield _row("axle-oil", "Axle oil", AXLE_OIL, model.axle_oil, first_hours=100, every_hours=1000)


def _own_rows(model: Model) -> Iterable[Document]:
    yield _row("grease", "Grease all points", GREASE, 2, every_hours=500, every_months=12)
    own: dict[str, tuple[Document, ...]] = {
        "crawler excavator": (
            _row("slew-grease", "Slew ring grease", "VH-20.2140", 2, every_hours=500),
            _row("boom-hoses", "Boom hoses", "VH-20.3170", every_hours=4000, every_months=72),
        ),
        "midi excavator": (_row("slew-grease", "Slew ring grease", "VH-20.2140", 1, every_hours=500),),
        "wheel loader": (
            _row("joint-seals", "Articulation joint seals", "TQ-30.2210", every_hours=3000),
            _row("brake-pads", "Parking brake pads", "TQ-30.2260", every_hours=2000),
        ),
        "telehandler": (
            _row("boom-pads", "Boom wear pads", "KE-40.2310", every_hours=1500),
            _row("chain-grease", "Boom chain grease", "KE-40.2340", 2, every_hours=500, every_months=6),
        ),
        "compact track loader": (_row("track-valve", "Track tension valve", "LM-50.2450", every_hours=2000),),
        "backhoe loader": (_row("kingpost", "Kingpost bushes", "PW-60.2510", every_hours=2000),),
        "tandem roller": (_row("scrapers", "Scraper blades", "RN-70.2610", every_hours=500, every_months=12),),
        "single-drum roller": (_row("dampers", "Vibration dampers", "RN-70.2640", 4, every_hours=2000),),
    }
    yield from own.get(model.kind, ())
    yield _row("inspection", "Yearly safety inspection", "", every_months=12)


def plan(model: Model) -> list[Document]:
    """The rows of a model's service plan."""
    makers = (_engine_rows, _fuel_rows, _hydraulic_rows, _driveline_rows, _own_rows)
    return [row for make_rows in makers for row in make_rows(model)]


def serial_prefix(model: Model) -> str:
    """What the serial numbers of a model begin with."""
    return MAKERS_LETTERS[model.make] + "".join(character for character in model.name if character.isdigit())


# (code, title, make, models, serials from and to, days ago, severity, parts, instructions)
_BULLETINS: tuple[tuple[Any, ...], ...] = (
    ("VH-2026-04", "Boom cylinder pin may work loose", "Vardheim", ["VX 55", "VX 90"], "", "", 62, "safety",
     [("VH-20.2110", 1)],
     "Check the lock bolt of the boom cylinder pin. Renew the bolt set, torque 210 Nm, mark with paint."),
    ("VH-2025-11", "Wiring harness rubs at the battery box", "Vardheim", ["VX 18"], "VH180100", "VH180460", 240,
     "important", [], "Lift the harness over the bracket and tie it in two places. Repair the sleeve if it is worn."),
    ("TQ-2026-02", "Parking brake: new pads with steel backing", "Tornquist", ["TL 70", "TL 95"], "", "", 118,
     "important", [("TQ-30.2260", 1)], "Fit the new pads at the next service. Adjust to 0.8 mm, road test on a slope."),
    ("KE-2026-01", "Overload display: new calibration", "Kestrin", ["KT 6.30", "KT 7.35", "KT 10.40"], "", "", 96,
     "safety", [], "Calibrate the overload display with the test weight; write the values into the service book."),
    ("LM-2025-09", "Chaincase breather lets water in", "Lindmoor", ["LS 55", "LS 75"], "", "", 310, "advice",
     [("LM-50.2410", 1)], "Turn the breather to the rear, change the oil if it is milky, then renew the seals."),
    ("PW-2026-03", "Kingpost bushes: shorter greasing interval", "Pellworth", ["PB 92", "PB 98"], "", "", 75, "advice",
     [(GREASE, 2)], "Put the sticker beside the greasing plan and explain the 25 h interval to the driver."),
)  # fmt: skip


def documents(today: date) -> list[Document]:
    """Models, parts and bulletins as catalog documents."""
    return [*_models(), *_parts(), *_bulletins(today)]


def _document(kind: str, key: str, fields: Document) -> Document:
    return {"_id": catalog_id(kind, key), "type": kind, "dealer": "", "share": "manufacturer", **fields}


def _models() -> Iterable[Document]:
    for model in MODELS:
        fields = {"make": model.make, "name": model.name, "kind": model.kind, "hours_per_day": model.hours_per_day}
        yield _document("model", model_key(model.make, model.name), {**fields, "plan": plan(model)})


def _parts() -> Iterable[Document]:
    for index, make in enumerate(MAKERS_LETTERS):
        for digits, name, unit, price in _FILTERS:
            fields: Document = {"name": f"{name}, {make}", "unit": unit, "price": round(price * (1 + index * 0.11), 2)}
            if (make, digits) == ("Tornquist", "1010"):
                fields["replaced_by"] = catalog_id("part", "TQ-10.1012")
            yield _document("part", part(make, digits), {"number": part(make, digits), **fields})
    for number, name, unit, price in (*_OWN_PARTS, *_FLUIDS):
        yield _document("part", number, {"number": number, "name": name, "unit": unit, "price": price})


def _bulletins(today: date) -> Iterable[Document]:
    for code, title, make, models, first, last, days_ago, severity, parts, instructions in _BULLETINS:
        fields = {
            "code": code,
            "title": title,
            "make": make,
            "models": models,
            "serial_from": first,
            "serial_to": last,
            "issued_on": (today - timedelta(days=days_ago)).isoformat(),
            "severity": severity,
            "parts": [
                {"id": f"p{index}", "part": catalog_id("part", number), "quantity": quantity}
                for index, (number, quantity) in enumerate(parts, 1)
            ],
            "instructions": instructions,
        }
        yield _document("bulletin", code, fields)
