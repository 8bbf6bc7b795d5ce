"""What one customer's machines need: from the parts desk, or from the store in a constant number of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.parts.desk import parts_desk
from app.parts.needs import MOST_REPLACEMENTS, Need, in_order, model_id, needs_of_machine
from app.parts.plans import part_id, plan_of

if TYPE_CHECKING:
    from app.node import Node

Document = Mapping[str, Any]


def needs_of_customer(node: Node, customer_id: str, horizon_days: int) -> list[Need]:
    """What the machines of a customer need until `horizon_days` from today, overdue first. Raises StoreError.

    The parts desk answers when it is ready; until then the store is asked for this customer alone, five requests and
    one more for each time that a part was replaced by another.
    """
    desk = parts_desk(node)
    if desk.building() is None:
        return desk.needs_of_customer(customer_id, horizon_days)
    return read_needs(node, customer_id, horizon_days)


def read_needs(node: Node, customer_id: str, horizon_days: int) -> list[Need]:
    """The same, from the store, whether or not the desk is ready."""
    rows = node.book.view_queries(
        "customers",
        "by_customer",
        [_range(customer_id, kind) | {"include_docs": True, "reduce": False} for kind in ("customer", "machine")],
    )
    customer = next((row.doc for row in rows[0] if row.doc), None)
    machines = [row.doc for row in rows[1] if row.doc]
    if not machines:
        return []
    ids = [machine["_id"] for machine in machines]
    readings = node.book.view_queries("readings", "by_machine", [_range(machine_id) for machine_id in ids])
    services = node.book.view_queries(
        "machines",
        "by_machine",
        [_range(machine_id, "service") | {"include_docs": True, "reduce": False} for machine_id in ids],
    )
    models = read_models(node, machines)
    parts = read_parts(node, plan_parts(models.values()))
    found: list[Need] = []
    for machine, read, done in zip(machines, readings, services, strict=True):
        found += needs_of_machine(
            machine,
            customer,
            [row.value for row in read],
            [row.doc for row in done if row.doc],
            models.get(model_id(machine)),
            parts,
            node.today(),
            horizon_days,
        )
    return in_order(found)


def _range(*key: str) -> dict[str, Any]:
    return {"startkey": list(key), "endkey": [*key, {}]}


def plan_parts(models: Iterable[Document | None]) -> set[str]:
    """The ids of the parts that these models' plans name."""
    return {line.part for model in models for line in plan_of(model) if line.part}


def read_models(node: Node, machines: Sequence[Document]) -> dict[str, dict[str, Any]]:
    """The catalog's models of these machines by id, in one request."""
    return node.catalog.get_many(sorted({model_id(machine) for machine in machines} - {""}))


def read_parts(node: Node, wanted: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The `part` documents of these ids with all that have replaced them: one request, one more a replacement."""
    found: dict[str, dict[str, Any]] = {}
    missing = set(wanted)
    for _ in range(MOST_REPLACEMENTS):
        if not missing:
            break
        fresh = node.catalog.get_many(sorted(missing))
        found.update(fresh)
        following = {part_id(part.get("replaced_by")) for part in fresh.values()} - {""}
        missing = following - found.keys() - missing
    return found
