"""What the parts desk is asked: totals by part, by customer and over all, and the needs themselves, from its file.

Sums are made by SQLite over narrow rows, so a page costs no memory for the machines it counts.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.kept_file import state
from app.parts import table
from app.parts.bulletins import open_bulletins
from app.parts.due import FARTHEST_DAYS, Due, schedule, within
from app.parts.needs import Need, Part, in_order
from app.parts.plans import plan_of
from app.parts.table import Document
from app.parts.usage import Usage


@dataclass(frozen=True)
class Question:
    """What is asked about: parts needed until `days` from `today`, of a make, a customer or machine (by id) and a part
    (by the number it is sold under) where these are given, with `overdue` only what is."""

    today: date
    days: int
    make: str = ""
    customer: str = ""
    machine: str = ""
    part: str = ""
    overdue: bool = False

    def end(self) -> int:
        """The last day, as an ordinal."""
        return (self.today + timedelta(days=max(0, min(self.days, FARTHEST_DAYS)))).toordinal()


@dataclass(frozen=True, slots=True)
class PartSum:
    """One part over all machines that need it."""

    part: str
    name: str
    unit: str
    price: float | None
    quantity: float
    overdue_quantity: float
    first_on: date
    machines: int
    customers: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Over all that is needed. `value` counts only the parts that have a price: `unpriced` do not."""

    parts: int
    lines: int
    machines: int
    customers: int
    overdue: int
    value: float
    unpriced: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How one machine stands: its usage, every line of its plan when it is due next, and the bulletins still open."""

    usage: Usage
    due: tuple[Due, ...]
    bulletins: tuple[Document, ...]


_FROM = "FROM visits v JOIN parts p ON p.number=v.part JOIN machines m ON m.number=v.machine"
_NEED = (
    "SELECT m.body, c.body, l.line_id, l.title, l.part, l.overdue, l.reason, l.visits, p.sold_id, p.sold, p.name, "
    "p.unit, p.price, p.instead_of FROM {lines} JOIN lines l ON l.machine=m.number{same_line} "
    "LEFT JOIN parts p ON p.id=l.part LEFT JOIN customers c ON c.id=m.customer"
)


def part_sums(connection: sqlite3.Connection, question: Question, limit: int) -> list[PartSum]:
    """The parts by number, up to `limit`."""
    where, values = _where(question)
    rows = connection.execute(
        "SELECT p.sold, max(p.name), max(p.unit), max(p.price), sum(v.quantity), sum(v.quantity * v.overdue), "
        f"min(v.day), count(DISTINCT v.machine), count(DISTINCT m.customer) {_FROM} {where} "
        "GROUP BY p.sold ORDER BY p.sold LIMIT ?",
        (*values, limit),
    )
    return [
        PartSum(part, name, unit, price, quantity, overdue, date.fromordinal(first), machines, customers)
        for part, name, unit, price, quantity, overdue, first, machines, customers in rows
    ]


def sums(connection: sqlite3.Connection, question: Question) -> Sums:
    """The sums over everything asked about."""
    where, values = _where(question)
    row = connection.execute(
        "SELECT count(DISTINCT p.sold), coalesce(sum(v.first), 0), count(DISTINCT v.machine), "
        "count(DISTINCT m.customer), coalesce(sum(v.first * v.overdue), 0), coalesce(sum(v.quantity * p.price), 0.0), "
        f"count(DISTINCT CASE WHEN p.price IS NULL THEN p.sold END) {_FROM} {where}",
        values,
    ).fetchone()
    return Sums(*row)


def customers(connection: sqlite3.Connection, question: Question, limit: int, after: int = 0) -> list[str]:
    """The ids of the customers who need something, whose first part is due first; "" is the dealer's own stock."""
    where, values = _where(question)
    rows = connection.execute(
        f"SELECT m.customer, min(v.day) AS soonest {_FROM} LEFT JOIN customers c ON c.id=m.customer {where} "
        "GROUP BY m.customer ORDER BY soonest, coalesce(c.sorting, 'own stock'), m.customer LIMIT ? OFFSET ?",
        (*values, limit, after),
    )
    return [customer for customer, _ in rows]


def choices(connection: sqlite3.Connection, question: Question) -> tuple[list[str], list[tuple[str, str]]]:
    """The makes, and the customers (id, name) by name, of machines that need a part within the question's days."""
    needing = "EXISTS (SELECT 1 FROM visits v WHERE v.machine=m.number AND v.day<=?)"
    makes = connection.execute(
        f"SELECT DISTINCT make FROM machines m WHERE make<>'' AND {needing} ORDER BY make",  # noqa: S608
        (question.end(),),
    )
    named = connection.execute(
        f"SELECT id, name FROM customers WHERE id IN (SELECT customer FROM machines m WHERE {needing}) "  # noqa: S608
        "ORDER BY sorting, id",
        (question.end(),),
    )
    return [make for (make,) in makes], named.fetchall()


def needs(connection: sqlite3.Connection, question: Question, of_customers: Sequence[str] = ()) -> Iterator[Need]:
    """Every part that is needed, by the day, then by customer and machine; of these customers only, where given.

    Rows come as they are taken, so that a long list needs no memory.
    """
    where, values = _where(question, first=True)
    if of_customers:
        where += f" AND m.customer IN ({', '.join('?' * len(of_customers))})"
        values += of_customers
    lines = "visits v JOIN machines m ON m.number=v.machine"
    # The part's own filter is on the table that is joined for the answer.
    rows = connection.execute(
        f"{_NEED.format(lines=lines, same_line=' AND l.line=v.line')} {where} "
        "ORDER BY v.day, coalesce(c.sorting, ''), m.id, p.sold",
        values,
    )
    for row in rows:
        yield from _needs(row, question.today, question.days)


def all_needs(connection: sqlite3.Connection, question: Question) -> list[Need]:
    """The needs of all machines, or of the question's customer, work without parts too, overdue first."""
    where, values = ("WHERE m.customer=?", [question.customer]) if question.customer else ("", [])
    rows = connection.execute(f"{_NEED.format(lines='machines m', same_line='')} {where}", values)
    return in_order(need for row in rows for need in _needs(row, question.today, question.days))


def machines_due(connection: sqlite3.Connection, question: Question, limit: int) -> tuple[list[Need], int]:
    """What the machines need whose next part is nearest to today, up to `limit` of them, and how many there are."""
    where, values = _where(question, first=True)
    total = connection.execute(f"SELECT count(DISTINCT v.machine) {_FROM} {where}", values).fetchone()[0]
    nearest = connection.execute(
        f"SELECT v.machine, min(abs(v.day-?)) AS distance {_FROM} LEFT JOIN customers c ON c.id=m.customer {where} "
        "GROUP BY v.machine ORDER BY distance, coalesce(c.name, ''), m.id LIMIT ?",
        (question.today.toordinal(), *values, limit),
    ).fetchall()
    found: list[Need] = []
    for machine, _ in nearest:
        rows = connection.execute(
            f"{_NEED.format(lines='machines m', same_line='')} WHERE m.number=? AND l.part<>''", (machine,)
        )
        found += [need for row in rows for need in _needs(row, question.today, question.days)]
    return found, int(total)


def customer(connection: sqlite3.Connection, question: Question) -> tuple[list[Need], dict[str, Standing]]:
    """What the machines of the question's customer need, and how each of them stands, by its id."""
    found: list[Need] = []
    standings: dict[str, Standing] = {}
    rows = connection.execute(
        "SELECT number, usage, body FROM machines WHERE customer=? AND usage IS NOT NULL", (question.customer,)
    ).fetchall()
    bulletins = [json.loads(body) for (body,) in connection.execute("SELECT body FROM catalog WHERE kind='bulletin'")]
    is_known = question.days <= state(connection, "known_days", table.KNOWN_DAYS)
    row = connection.execute("SELECT body FROM customers WHERE id=?", (question.customer,)).fetchone()
    owner = None if row is None else json.loads(row[0])
    for machine_number, packed, body in rows:
        machine, used = json.loads(body), table.usage_kept(packed)
        services = table.services(connection, machine["_id"])
        scheduled = table.lines_of(connection, machine_number)
        farther = scheduled if is_known else _farther(connection, question, machine_number, machine, used)
        for line in within(farther, question.today, question.days):
            found.append(Need(machine, owner, line, table.sold_part(connection, line.part)))
        by_day = sorted(scheduled, key=lambda line: (not line.overdue, line.on, line.title))
        is_open = open_bulletins(machine, bulletins, services)
        standings[machine["_id"]] = Standing(used, tuple(by_day), tuple(is_open))
    return in_order(found), standings


def _farther(
    connection: sqlite3.Connection, question: Question, machine_number: int, machine: Document, used: Usage
) -> list[Due]:
    """The schedule of a machine for a longer time than the file keeps."""
    (model,) = connection.execute("SELECT model FROM machines WHERE number=?", (machine_number,)).fetchone()
    plan = plan_of(table.catalog_document(connection, model))
    services = table.services(connection, str(machine["_id"]))
    return schedule(plan, used, services, question.today, machine, question.days)


def _needs(row: Sequence[Any], today: date, days: int) -> Iterator[Need]:
    machine, owner = json.loads(row[0]), None if row[1] is None else json.loads(row[1])
    part = None if row[8] is None else Part(*row[8:])
    for line in within([table.due_of(*row[2:8])], today, days):
        yield Need(machine, owner, line, part)


def _where(question: Question, first: bool = False) -> tuple[str, list[Any]]:
    conditions = ["v.day<=?"]
    values: list[Any] = [question.end()]
    for condition, value in (
        ("m.make=?", question.make),
        ("m.customer=?", question.customer),
        ("m.id=?", question.machine),
        ("p.sold=?", question.part),
    ):
        if value:
            conditions.append(condition)
            values.append(value)
    conditions += ["v.overdue"] * question.overdue + ["v.first"] * first
    return f"WHERE {' AND '.join(conditions)}", values
