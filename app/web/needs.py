"""What the parts desk knows, as lines for pages: the one place where pages ask it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from app.parts import questions
from app.parts.desk import parts_desk
from app.parts.needs import Need
from app.web.customer_machines import MachineState, machine_name
from app.web.home_page import DueMachine, due_machines
from app.web.parts_lists import NeedLine

if TYPE_CHECKING:
    from app.node import Node

_EXTENSION = "web.needs"
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Progress:
    """How far the first reading of the parts desk is: documents, of about so many."""

    done: int
    total: int
    sentence: str


def desk_progress(node: Node, days: int = 0, every_machine: bool = True) -> Progress | None:
    """Brings the parts desk up to date; how far it is when that takes long, None when it is done.

    Without `every_machine` the machines of a customer are left to :func:`customer_needs`.
    """
    building = parts_desk(node).building(days, every_machine)
    return Progress(building.done, building.total, building.sentence()) if building else None


def machines_due(node: Node, days: int, limit: int) -> tuple[list[DueMachine], int]:
    """The first `limit` machines with a part due until `days` from today, what has just become due first, and how
    many there are."""

    def work_out() -> tuple[list[DueMachine], int]:
        desk = parts_desk(node)
        with desk.asking() as connection:
            found, total = questions.machines_due(connection, desk.question(days), limit)
        return due_machines(lines_of(found), node.today()), total

    return kept_answer(node, "machines", (days, limit, node.today()), work_out)


def kept_answer(node: Node, name: str, question: Hashable, work_out: Callable[[], _Answer]) -> _Answer:
    """The last answer of this name, as long as `question` is the same and the parts desk knows nothing new.

    What it gives is shared between requests: nobody changes it. One answer a name is kept, so it should be a page long.
    """
    key = (parts_desk(node).version(), question)
    kept: dict[str, tuple[Any, Any]] = node.extensions.setdefault(_EXTENSION, {})  # type: ignore[assignment]
    found = kept.get(name)
    if found is None or found[0] != key:
        found = kept[name] = (key, work_out())
    answer: _Answer = found[1]
    return answer


def customer_needs(node: Node, customer_id: str, days: int) -> tuple[list[NeedLine], dict[str, MachineState]]:
    """What the machines of one customer need, and what is known of each of them, by id; after :func:`desk_progress`."""
    needs, standings = parts_desk(node).customer(customer_id, days, follow=False)
    states = {id: MachineState(each.usage, each.due, each.bulletins) for id, each in standings.items()}
    return list(lines_of(needs)), states


def lines_of(needs: Iterable[Need]) -> Iterator[NeedLine]:
    """The needs that take a part, as lines of the parts desk (pure)."""
    for need in needs:
        if need.part is None:
            continue
        machine, customer = need.machine, need.customer or {}
        instead = f"{need.due.reason} Replaces {need.part.instead_of}." if need.part.instead_of else need.due.reason
        yield NeedLine(
            part=need.part.number,
            part_name=need.part.name,
            unit=need.part.unit,
            quantity=need.due.quantity,
            on=need.due.on,
            hours=need.due.at_hours,
            overdue=need.due.overdue,
            title=need.due.title,
            reason=instead,
            machine_id=str(machine["_id"]),
            machine=machine_name(machine),
            serial=str(machine.get("serial") or ""),
            fleet_number=str(machine.get("fleet_number") or ""),
            make=str(machine.get("make") or ""),
            customer_id=str(machine.get("customer") or ""),
            customer=str(customer.get("name") or ""),
            place=str(customer.get("city") or ""),
            price=need.part.price,
        )
