"""A customer's machines as lines: hours and their age, usage, next service, open bulletins (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.documents.disputes import disputes_in
from app.parts.due import Due
from app.parts.usage import Usage
from app.web.ages import ago, ahead
from app.web.machine_page import SEVERITY_TONES

Document = Mapping[str, Any]

# A reading older than this says little about a machine that works.
_OLD_DAYS = 60
_OUT_OF_USE = frozenset({"sold on", "scrapped"})


@dataclass(frozen=True)
class MachineState:
    """What the parts desk knows of a machine: its usage, what is due in the order of the day, its open bulletins."""

    usage: Usage
    due: Sequence[Due]
    bulletins: Sequence[Document] = ()


@dataclass(frozen=True)
class MachineLine:
    """One machine of a customer. `hours` are engine hours now, None when nothing says."""

    id: str
    name: str
    serial: str
    fleet_number: str
    status: str
    hours: float | None
    reading_age: str
    reading_old: bool
    hours_per_day: float | None
    usage_words: str
    next_title: str
    next_on: date | None
    next_when: str
    next_overdue: bool
    next_reason: str
    disputes: int


@dataclass(frozen=True)
class OpenBulletin:
    """A bulletin with the machines of the customer it is open for, each (id, label)."""

    id: str
    code: str
    title: str
    severity: str
    tone: str
    machines: tuple[tuple[str, str], ...]


_SOURCES = {
    "readings": "from its own readings",
    "model average": "average of its model",
    "plan": "as the service plan says",
    "default": "a guess",
}


def machine_lines(machines: Iterable[Document], states: Mapping[str, MachineState], today: date) -> list[MachineLine]:
    """The machines, those in use first, then by name; those that `states` does not know yet without hours."""
    lines = [_line(machine, states.get(str(machine["_id"])), today) for machine in machines]
    return sorted(lines, key=lambda line: (line.status in _OUT_OF_USE, line.name.casefold(), line.serial))


def machine_name(machine: Document) -> str:
    """Make and model."""
    model = str(machine.get("model") or "").removeprefix("model:")
    return " ".join(part for part in (str(machine.get("make") or ""), model) if part) or str(
        machine.get("serial") or ""
    )


def _line(machine: Document, state: MachineState | None, today: date) -> MachineLine:
    usage = state.usage if state else None
    as_of = usage.as_of if usage else None
    following = state.due[0] if state and state.due else None
    return MachineLine(
        id=str(machine["_id"]),
        name=machine_name(machine),
        serial=str(machine.get("serial") or ""),
        fleet_number=str(machine.get("fleet_number") or ""),
        status=str(machine.get("status") or ""),
        hours=usage.hours_now if usage else None,
        reading_age=ago(as_of, today),
        reading_old=as_of is not None and (today - as_of).days > _OLD_DAYS,
        hours_per_day=usage.hours_per_day if usage else None,
        usage_words=_SOURCES.get(usage.source, "") if usage else "",
        next_title=following.title if following else "",
        next_on=following.on if following else None,
        next_when=ahead(following.on, today) if following else "",
        next_overdue=following.overdue if following else False,
        next_reason=following.reason if following else "",
        disputes=disputes_in(machine),
    )


def open_bulletins(machines: Iterable[Document], states: Mapping[str, MachineState]) -> list[OpenBulletin]:
    """The open bulletins of all machines, each once, safety first."""
    found: dict[str, tuple[Document, list[tuple[str, str]]]] = {}
    for machine in machines:
        state = states.get(str(machine["_id"]))
        for bulletin in state.bulletins if state else ():
            label = f"{machine_name(machine)} {machine.get('serial') or ''}".strip()
            found.setdefault(str(bulletin["_id"]), (bulletin, []))[1].append((str(machine["_id"]), label))
    order = tuple(SEVERITY_TONES)
    lines = [_bulletin(bulletin, concerned) for bulletin, concerned in found.values()]
    return sorted(lines, key=lambda line: (order.index(line.severity) if line.severity in order else 9, line.code))


def _bulletin(bulletin: Document, machines: list[tuple[str, str]]) -> OpenBulletin:
    severity = str(bulletin.get("severity") or "advice")
    return OpenBulletin(
        id=str(bulletin["_id"]),
        code=str(bulletin.get("code") or ""),
        title=str(bulletin.get("title") or ""),
        severity=severity,
        tone=SEVERITY_TONES.get(severity, "info"),
        machines=tuple(machines),
    )
