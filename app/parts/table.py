"""The parts desk's table: documents go in as they change, and the machines they touch are worked out again.

Documents come in any order and as often as they change. Every function takes a connection to a
:class:`~app.kept_file.KeptFile` and works in the caller's transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from app.documents.ids import document_id, split_id
from app.kept_file import set_state, state
from app.parts.due import Due, Visit, schedule
from app.parts.needs import Part, model_id, sold_as, usage_of
from app.parts.plans import PlanLine, number, plan_of
from app.parts.usage import Usage

Document = Mapping[str, Any]

# Needs are worked out this far ahead and cut to what is asked for, in days: what pages offer, and a little more.
KNOWN_DAYS = 400
# An average that moves by less, in hours a day, moves nobody's service by a week in a year.
_AVERAGE_MOVES = 0.05
# Fewer machines than this with a usage of their own are no average.
_FEWEST = 3

KINDS = ("customer", "machine", "reading", "service")
CATALOG_KINDS = ("model", "part", "bulletin")
_KEPT = {
    "machine": (
        "_id", "make", "model", "serial", "pin", "customer", "fleet_number", "stock_number", "status", "year",
        "delivered_on", "options", "agreement",
    ),
    "service": ("machine", "done_on", "hours", "kind", "lines", "bulletin"),
    "customer": ("_id", "name", "number", "city", "postcode", "phone", "salesperson"),
    "reading": ("at", "hours"),
    "part": ("number", "name", "unit", "price", "replaced_by"),
    "model": ("make", "name", "hours_per_day", "plan"),
    "bulletin": ("_id", "code", "title", "make", "models", "serial_from", "serial_to", "issued_on", "severity"),
}  # fmt: skip
_KEPT_OF_ROWS = ("plan_line", "part")


def take(connection: sqlite3.Connection, id: str, document: Document | None) -> bool:
    """Takes in a document as it is now, None when it was deleted; False for one of another type."""
    try:
        dealer, kind, key = split_id(id)
    except ValueError:
        return False
    if kind not in _KEPT:
        return False
    kept = None
    if document is not None:
        kept = {name: document[name] for name in _KEPT[kind] if document.get(name) not in (None, "")}
    if kind == "machine":
        _take_machine(connection, id, kept)
    elif kind == "reading":
        # A reading is named after its machine and its day: no need to look into a deletion to know whose it was.
        machine_key, _, day = key.rpartition(":")
        _take_reading(connection, document_id(dealer, "machine", machine_key), day, kept)
    elif kind == "service":
        _take_service(connection, id, kept)
    elif kind == "customer":
        _take_customer(connection, id, kept)
    else:
        _take_catalog(connection, id, kind, kept)
    return True


def _take_machine(connection: sqlite3.Connection, id: str, kept: dict[str, Any] | None) -> None:
    before = connection.execute("SELECT number, model FROM machines WHERE id=?", (id,)).fetchone()
    if before is not None:
        _average_again(connection, before[1])
    if kept is None:
        if before is not None:
            _forget_lines(connection, before[0])
            connection.execute("DELETE FROM machines WHERE number=?", (before[0],))
        return
    connection.execute(
        "INSERT INTO machines (id, make, customer, model, stale, body) VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (id) "
        "DO UPDATE SET make=excluded.make, customer=excluded.customer, model=excluded.model, stale=1, "
        "body=excluded.body",
        (id, _text(kept.get("make")), _text(kept.get("customer")), model_id(kept), _json(kept)),
    )


def _take_reading(connection: sqlite3.Connection, machine: str, day: str, kept: dict[str, Any] | None) -> None:
    if kept is None:
        connection.execute("DELETE FROM readings WHERE machine=? AND day=?", (machine, day))
    else:
        at = kept.get("at")
        values = (machine, day, at if isinstance(at, str) else None, number(kept.get("hours")))
        connection.execute("INSERT OR REPLACE INTO readings VALUES (?, ?, ?, ?)", values)
    _work_out_again(connection, machine)


def _take_service(connection: sqlite3.Connection, id: str, kept: dict[str, Any] | None) -> None:
    before = connection.execute("SELECT machine FROM services WHERE id=?", (id,)).fetchone()
    if before is not None:
        _work_out_again(connection, before[0])
    machine = _text((kept or {}).get("machine"))
    if kept is None or not machine:
        connection.execute("DELETE FROM services WHERE id=?", (id,))
        return
    rows = kept.get("lines")
    kept["lines"] = [
        {cell: row.get(cell) for cell in _KEPT_OF_ROWS}
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping)
    ]
    connection.execute("INSERT OR REPLACE INTO services VALUES (?, ?, ?)", (id, machine, _json(kept)))
    _work_out_again(connection, machine)


def _take_customer(connection: sqlite3.Connection, id: str, kept: dict[str, Any] | None) -> None:
    if kept is None:
        connection.execute("DELETE FROM customers WHERE id=?", (id,))
        return
    name = _text(kept.get("name"))
    values = (id, name, name.casefold(), _json(kept))
    connection.execute("INSERT OR REPLACE INTO customers VALUES (?, ?, ?, ?)", values)


def _take_catalog(connection: sqlite3.Connection, id: str, kind: str, kept: dict[str, Any] | None) -> None:
    if kept is None:
        connection.execute("DELETE FROM catalog WHERE id=?", (id,))
    else:
        connection.execute("INSERT OR REPLACE INTO catalog VALUES (?, ?, ?)", (id, kind, _json(kept)))
    if kind == "model":
        connection.execute("UPDATE machines SET stale=1 WHERE model=?", (id,))
    elif kind == "part":
        set_state(connection, "parts_changed", True)


def _work_out_again(connection: sqlite3.Connection, machine: str) -> None:
    connection.execute("UPDATE machines SET stale=1 WHERE id=? AND NOT stale", (machine,))


def _average_again(connection: sqlite3.Connection, model: str) -> None:
    if model:
        connection.execute(
            "INSERT INTO averages VALUES (?, NULL, 1) ON CONFLICT (model) DO UPDATE SET stale=1", (model,)
        )


def begin_day(connection: sqlite3.Connection, today: date, horizon_days: int) -> None:
    """Has every machine worked out again on a new day, or for a longer horizon than is known."""
    known = int(state(connection, "known_days", KNOWN_DAYS))
    new_day = state(connection, "today") != today.isoformat()
    if not new_day and horizon_days <= known:
        return
    set_state(connection, "today", today.isoformat())
    set_state(connection, "known_days", max(KNOWN_DAYS if new_day else known, horizon_days))
    connection.execute("UPDATE machines SET stale=1 WHERE NOT stale")


def count_stale(connection: sqlite3.Connection) -> int:
    """How many machines have to be worked out."""
    return int(connection.execute("SELECT count(*) FROM machines WHERE stale").fetchone()[0])


def count_machines(connection: sqlite3.Connection) -> int:
    """How many machines there are."""
    return int(connection.execute("SELECT count(*) FROM machines").fetchone()[0])


def work_out(connection: sqlite3.Connection, today: date, limit: int, customer: str | None = None) -> int:
    """Works out up to `limit` machines that have been touched, of a customer where one is given; returns how many."""
    where, values = ("AND customer=?", [customer]) if customer is not None else ("", [])
    rows = connection.execute(
        f"SELECT number, model, body FROM machines WHERE stale {where} ORDER BY number LIMIT ?",  # noqa: S608
        (*values, limit),
    ).fetchall()
    known_days = int(state(connection, "known_days", KNOWN_DAYS))
    plans: dict[str, tuple[dict[str, Any] | None, list[PlanLine], float | None]] = {}
    for machine_number, of_model, body in rows:
        if of_model not in plans:
            model = catalog_document(connection, of_model)
            plans[of_model] = (model, plan_of(model), average(connection, of_model))
        model, plan, model_average = plans[of_model]
        machine = json.loads(body)
        used = usage_of(machine, readings(connection, machine["_id"]), model, today, model_average)
        due_lines = schedule(plan, used, services(connection, machine["_id"]), today, machine, known_days)
        _keep_lines(connection, machine_number, due_lines)
        fitted = used.hours_per_day if used.source == "readings" else None
        connection.execute(
            "UPDATE machines SET stale=0, fitted=?, usage=? WHERE number=?",
            (fitted, _packed_usage(used), machine_number),
        )
    for of_model in plans:
        _average_again(connection, of_model)
    return len(rows)


def move_averages(connection: sqlite3.Connection) -> None:
    """Brings the models' averages up to date; the machines that run as their model's average then follow."""
    for model, before in connection.execute("SELECT model, hours_per_day FROM averages WHERE stale").fetchall():
        fitted, mean = connection.execute(
            "SELECT count(fitted), avg(fitted) FROM machines WHERE model=?", (model,)
        ).fetchone()
        now = mean if fitted >= _FEWEST else None
        moved = (now is None) != (before is None) or (now is not None and abs(now - before) > _AVERAGE_MOVES)
        connection.execute(
            "UPDATE averages SET stale=0, hours_per_day=? WHERE model=?", (now if moved else before, model)
        )
        if moved:
            connection.execute("UPDATE machines SET stale=1 WHERE model=? AND fitted IS NULL", (model,))


def sell_parts_again(connection: sqlite3.Connection) -> None:
    """Looks up again how the parts that plans name are sold, where a part in the catalog has changed."""
    if not state(connection, "parts_changed", False):
        return
    set_state(connection, "parts_changed", False)
    for machine_number, part in connection.execute("SELECT number, id FROM parts").fetchall():
        values = _sold(connection, part)
        connection.execute(
            "UPDATE parts SET sold_id=?, sold=?, name=?, unit=?, price=?, instead_of=? WHERE number=?",
            (*values, machine_number),
        )


def average(connection: sqlite3.Connection, model: str) -> float | None:
    """Hours a day of the machines of a model that have readings, None for too few; by the model's catalog id."""
    row = connection.execute("SELECT hours_per_day FROM averages WHERE model=?", (model,)).fetchone()
    return None if row is None else row[0]


def catalog_document(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    """What is kept of a model, part or bulletin."""
    row = connection.execute("SELECT body FROM catalog WHERE id=?", (id,)).fetchone()
    return None if row is None else json.loads(row[0])


def readings(connection: sqlite3.Connection, machine: str) -> list[dict[str, Any]]:
    """A machine's readings as far as they are kept, oldest first."""
    rows = connection.execute("SELECT at, hours FROM readings WHERE machine=?", (machine,))
    return [{"at": at, "hours": hours} for at, hours in rows]


def services(connection: sqlite3.Connection, machine: str) -> list[dict[str, Any]]:
    """A machine's services as far as they are kept."""
    rows = connection.execute("SELECT body FROM services WHERE machine=? ORDER BY id", (machine,))
    return [json.loads(body) for (body,) in rows]


def lines_of(connection: sqlite3.Connection, machine_number: int) -> list[Due]:
    """What a machine needs as far ahead as is known, by its number in the file."""
    rows = connection.execute(
        "SELECT line_id, title, part, overdue, reason, visits FROM lines WHERE machine=? ORDER BY line",
        (machine_number,),
    )
    return [due_of(*row) for row in rows]


def due_of(line_id: str, title: str, part: str, overdue: int, reason: str, visits: str) -> Due:
    """A line as it is kept, whole."""
    times = tuple(Visit(date.fromordinal(day), hours, quantity) for day, hours, quantity in json.loads(visits))
    quantity = sum(visit.quantity for visit in times)
    return Due(line_id, title, part, quantity, times[0].on, times[0].at_hours, bool(overdue), reason, times)


def _keep_lines(connection: sqlite3.Connection, machine_number: int, due_lines: Iterable[Due]) -> None:
    _forget_lines(connection, machine_number)
    lines: list[tuple[Any, ...]] = []
    visits: list[tuple[Any, ...]] = []
    for line, due in enumerate(due_lines):
        times = _json([[visit.on.toordinal(), visit.at_hours, visit.quantity] for visit in due.visits])
        lines.append((machine_number, line, due.line_id, due.title, due.part, int(due.overdue), due.reason, times))
        if due.part:
            part = _part_number(connection, due.part)
            visits += [(machine_number, line, *visit, int(due.overdue)) for visit in _by_day(due, part)]
    connection.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?, ?, ?)", lines)
    connection.executemany("INSERT INTO visits VALUES (?, ?, ?, ?, ?, ?, ?)", visits)


def _by_day(due: Due, part: int) -> Iterator[tuple[int, int, float, int]]:
    """(day, part, quantity, whether it is the first) of a line, the visits of one day together."""
    days: dict[int, float] = {}
    for visit in due.visits:
        day = visit.on.toordinal()
        days[day] = days.get(day, 0.0) + visit.quantity
    for at, (day, quantity) in enumerate(days.items()):
        yield day, part, quantity, int(at == 0)


def _forget_lines(connection: sqlite3.Connection, machine_number: int) -> None:
    connection.execute("DELETE FROM lines WHERE machine=?", (machine_number,))
    connection.execute("DELETE FROM visits WHERE machine=?", (machine_number,))


def _part_number(connection: sqlite3.Connection, part: str) -> int:
    row = connection.execute("SELECT number FROM parts WHERE id=?", (part,)).fetchone()
    if row is None:
        values = (part, *_sold(connection, part))
        inserted = connection.execute(
            "INSERT INTO parts (id, sold_id, sold, name, unit, price, instead_of) VALUES (?, ?, ?, ?, ?, ?, ?)", values
        )
        return int(inserted.lastrowid or 0)
    return int(row[0])


def sold_part(connection: sqlite3.Connection, part: str) -> Part | None:
    """A part that a plan names, by its id, as it is sold now; None for work without one."""
    row = connection.execute(
        "SELECT sold_id, sold, name, unit, price, instead_of FROM parts WHERE id=?", (part,)
    ).fetchone()
    if row is not None:
        return Part(*row)
    return sold_as(part, _Catalog(connection)) if part else None


def _sold(connection: sqlite3.Connection, part: str) -> tuple[str, str, str, str, float | None, str]:
    found = sold_as(part, _Catalog(connection))
    return found.id, found.number, found.name, found.unit, found.price, found.instead_of


class _Catalog(Mapping[str, Document]):
    """The catalog's documents by id, looked up when they are asked for."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getitem__(self, id: str) -> Document:
        found = catalog_document(self._connection, id)
        if found is None:
            raise KeyError(id)
        return found

    def __iter__(self) -> Iterator[str]:
        return (id for (id,) in self._connection.execute("SELECT id FROM catalog"))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM catalog").fetchone()[0])


def _packed_usage(used: Usage) -> str:
    as_of = None if used.as_of is None else used.as_of.toordinal()
    offsets = [[since.toordinal(), offset] for since, offset in used.offsets]
    return _json([used.hours_now, used.hours_per_day, as_of, used.source, used.meter_offset, list(used.notes), offsets])


def usage_kept(packed: str) -> Usage:
    """A machine's usage as it is kept, whole."""
    hours_now, hours_per_day, as_of, source, meter_offset, notes, offsets = json.loads(packed)
    return Usage(
        hours_now,
        hours_per_day,
        None if as_of is None else date.fromordinal(as_of),
        source,
        meter_offset,
        tuple(notes),
        tuple((date.fromordinal(since), offset) for since, offset in offsets),
    )


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _text(value: Any) -> str:
    return str(value) if value else ""
