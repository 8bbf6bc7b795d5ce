"""What a machine's page says: the machine's documents and what is due in, finished lines out (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.documents.disputes import disputes_in
from app.parts.due import Due
from app.parts.history import last_done, read_services
from app.parts.plans import PlanLine, number, part_number
from app.parts.usage import FITTED_DAYS, Usage, time_of
from app.web.ages import ago, ahead, day_of
from app.words import counted

Document = Mapping[str, Any]

_SOURCES = {"telematics": "Telematics", "manual": "Read by hand", "service": "At a service"}
# How far the chart goes on beyond today along the usage, in days.
_CHART_AHEAD = 90
_SOON_DAYS = 30


@dataclass(frozen=True)
class ReadingLine:
    """One hour-meter reading."""

    id: str
    at: str
    hours: float | None
    source: str
    where: bool
    gained: float | None


@dataclass(frozen=True)
class PlanStatus:
    """One line of the service plan: when it was last done and is due next, in words. `part` is the part's number."""

    line_id: str
    title: str
    part_id: str
    part: str
    quantity: float
    interval: str
    last_on: str
    last_hours: float | None
    next_on: date | None
    next_hours: float | None
    when: str
    overdue: bool
    soon: bool
    reason: str


@dataclass(frozen=True)
class ServiceLine:
    """Work that was done."""

    id: str
    done_on: str
    hours: float | None
    kind: str
    technician: str
    notes: str
    lines: tuple[str, ...]
    disputes: int = 0


def usage_sentence(usage: Usage, readings: Sequence[Document], today: date) -> str:
    """How the machine is used, and how that is known: ``2.6 h a day over 180 days, from 24 readings``."""
    per_day = f"{usage.hours_per_day:.1f} h a day"
    if usage.source == "readings":
        since = today - timedelta(days=FITTED_DAYS)
        fitted = [at.date() for reading in readings if (at := time_of(reading.get("at"))) and at.date() >= since]
        days = (max(fitted) - min(fitted)).days if fitted else 0
        return f"{per_day} over {counted(days, 'day')}, from {counted(len(fitted), 'reading')}"
    if usage.source == "model average":
        return f"{per_day}, the average of its model; it has too few readings of its own"
    if usage.source == "plan":
        return f"{per_day}, as its model's service plan says; it has too few readings of its own"
    return f"{per_day}, a guess: nothing is known of its use"


def reading_lines(readings: Iterable[Document]) -> list[ReadingLine]:
    """The readings, newest first, each with the hours gained since the one before (negative: a new meter)."""
    ordered = sorted(readings, key=lambda reading: str(reading.get("at") or ""))
    lines = []
    before: float | None = None
    for reading in ordered:
        hours = number(reading.get("hours"))
        gained = None if hours is None or before is None else hours - before
        lines.append(
            ReadingLine(
                id=str(reading.get("_id") or ""),
                at=str(reading.get("at") or ""),
                hours=hours,
                source=_SOURCES.get(str(reading.get("source") or ""), str(reading.get("source") or "")),
                where=bool(reading.get("position")),
                gained=gained,
            )
        )
        before = hours if hours is not None else before
    lines.reverse()
    return lines


def hours_chart(readings: Iterable[Document], usage: Usage, today: date) -> dict[str, Any] | None:
    """What ``ui.chart`` draws: the meter as it was read and, dashed, where it goes on; None without two readings."""
    points = [
        [at.isoformat(), hours]
        for reading in sorted(readings, key=lambda reading: str(reading.get("at") or ""))
        if (at := time_of(reading.get("at"))) and (hours := number(reading.get("hours"))) is not None
    ]
    if len(points) < 2:
        return None
    series: list[dict[str, Any]] = [{"label": "Hour meter", "points": points}]
    if usage.hours_now is not None and usage.as_of is not None:
        meter_now = usage.hours_now - usage.meter_offset
        last = [points[-1][0], points[-1][1]]
        end = today + timedelta(days=_CHART_AHEAD)
        series.append(
            {
                "label": "Expected",
                "dashed": True,
                "points": [
                    last,
                    [today.isoformat(), round(meter_now, 1)],
                    [end.isoformat(), round(meter_now + _CHART_AHEAD * usage.hours_per_day, 1)],
                ],
            }
        )
    return {"type": "line", "unit": "h", "series": series}


def plan_status(
    plan: Sequence[PlanLine], due: Iterable[Due], services: Iterable[Document], usage: Usage, today: date
) -> list[PlanStatus]:
    """Each line of the plan that concerns the machine, what is due first before the others."""
    next_due = {entry.line_id: entry for entry in due}
    done = last_done(plan, read_services(services, usage, today), usage.hours_per_day)
    lines = []
    for line in plan:
        entry, last = next_due.get(line.id), done.get(line.id)
        lines.append(
            PlanStatus(
                line_id=line.id,
                title=line.title,
                part_id=line.part,
                part=part_number(line.part),
                quantity=line.quantity,
                interval=line.words(),
                last_on=last.on.isoformat() if last else "",
                last_hours=last.hours if last else None,
                next_on=entry.on if entry else None,
                next_hours=entry.at_hours if entry else None,
                when=ahead(entry.on, today) if entry else "done" if line.once and last else "",
                overdue=entry.overdue if entry else False,
                soon=entry is not None and not entry.overdue and (entry.on - today).days <= _SOON_DAYS,
                reason=entry.reason if entry else "",
            )
        )
    return sorted(lines, key=lambda status: (status.next_on or date.max, status.title))


def service_lines(services: Iterable[Document], plan: Iterable[PlanLine]) -> list[ServiceLine]:
    """The work done, newest first, with the titles of the plan lines it names."""
    titles = {line.id: line.title for line in plan}
    found = []
    for service in sorted(services, key=lambda service: str(service.get("done_on") or ""), reverse=True):
        rows = [row for row in service.get("lines") or () if isinstance(row, Mapping)]
        found.append(
            ServiceLine(
                id=str(service.get("_id") or ""),
                done_on=str(service.get("done_on") or ""),
                hours=number(service.get("hours")),
                kind=str(service.get("kind") or ""),
                technician=str(service.get("technician") or ""),
                notes=str(service.get("notes") or ""),
                lines=tuple(dict.fromkeys(_line_words(row, titles) for row in rows)),
                disputes=disputes_in(service),
            )
        )
    return found


def _line_words(row: Document, titles: Mapping[str, str]) -> str:
    title = titles.get(str(row.get("plan_line") or ""), "")
    part = part_number(str(row.get("part") or ""))
    return title or part or "work without parts"


def map_points(machine: Document, label: str, today: date) -> list[dict[str, Any]]:
    """The machine's position as ``ui.map`` draws it; empty when none is known."""
    position = machine.get("position")
    if not isinstance(position, Mapping):
        return []
    latitude, longitude = number(position.get("latitude")), number(position.get("longitude"))
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        return []
    seen = day_of(machine.get("position_at"))
    note = f"seen {ago(seen, today)}" if seen else ""
    return [{"latitude": latitude, "longitude": longitude, "title": label, "note": note}]


@dataclass(frozen=True)
class BulletinLine:
    """A bulletin that is open for the machine; `tone` is its badge's."""

    id: str
    code: str
    title: str
    severity: str
    tone: str
    parts: tuple[str, ...]
    disputes: int = 0


SEVERITY_TONES = {"safety": "bad", "important": "warning", "advice": "info"}
STATUS_TONES = {"in service": "good", "in stock": "info", "sold on": "", "scrapped": ""}


def bulletin_lines(bulletins: Iterable[Document]) -> list[BulletinLine]:
    """The bulletins in the order given."""
    lines = []
    for bulletin in bulletins:
        severity = str(bulletin.get("severity") or "advice")
        rows = [row for row in bulletin.get("parts") or () if isinstance(row, Mapping) and row.get("part")]
        lines.append(
            BulletinLine(
                id=str(bulletin["_id"]),
                code=str(bulletin.get("code") or ""),
                title=str(bulletin.get("title") or ""),
                severity=severity,
                tone=SEVERITY_TONES.get(severity, "info"),
                parts=tuple(_needed(row) for row in rows),
                disputes=disputes_in(bulletin),
            )
        )
    return lines


def _needed(row: Document) -> str:
    quantity = number(row.get("quantity"))
    part = part_number(str(row["part"]))
    return f"{quantity:g} × {part}" if quantity else part


@dataclass(frozen=True)
class MachineDocuments:
    """What the store knows about one machine."""

    machine: Document
    customer: Document | None
    model: Document | None
    readings: Sequence[Document]
    services: Sequence[Document]
    bulletins: Sequence[Document]
    readings_cut: bool = False


@dataclass(frozen=True)
class MachinePage:
    """Everything a machine's page shows, in finished values."""

    id: str
    title: str
    facts: Mapping[str, Any]
    status: str
    status_tone: str
    serial: str
    fleet_number: str
    customer_id: str
    customer: str
    make: str
    model: str
    model_id: str
    disputes: int
    hours_now: float | None
    hours_note: str
    hours_per_day: float
    usage_sentence: str
    usage_notes: tuple[str, ...]
    last_reading: ReadingLine | None
    readings: list[ReadingLine]
    readings_cut: bool
    chart: dict[str, Any] | None
    plan: list[PlanStatus]
    no_plan: str
    bulletins: list[BulletinLine]
    services: list[ServiceLine]
    points: list[dict[str, Any]]
    position_words: str
    warranty_over: bool

    def ids_shown(self) -> list[str]:
        """Every document that has a line on the page."""
        found = [line.id for line in self.readings]
        return [*found, *(line.id for line in self.services), *(line.id for line in self.bulletins)]


def machine_page(
    found: MachineDocuments, usage: Usage, plan: Sequence[PlanLine], due: Iterable[Due], today: date
) -> MachinePage:
    """The page of a machine from its documents, its usage, the lines of the plan that concern it, and what is due."""
    machine = found.machine
    make, model = str(machine.get("make") or ""), str(machine.get("model") or "").removeprefix("model:")
    title = " ".join(part for part in (make, model, str(machine.get("serial") or "")) if part)
    readings = reading_lines(found.readings)
    warranty = day_of(machine.get("warranty_until"))
    return MachinePage(
        id=str(machine["_id"]),
        title=title,
        facts=machine,
        status=str(machine.get("status") or ""),
        status_tone=STATUS_TONES.get(str(machine.get("status") or ""), ""),
        serial=str(machine.get("serial") or ""),
        fleet_number=str(machine.get("fleet_number") or ""),
        customer_id=str(machine.get("customer") or ""),
        customer=str((found.customer or {}).get("name") or ""),
        make=make,
        model=model,
        model_id=str((found.model or {}).get("_id") or ""),
        disputes=disputes_in(machine),
        hours_now=usage.hours_now,
        hours_note=_hours_note(usage, today),
        hours_per_day=usage.hours_per_day,
        usage_sentence=usage_sentence(usage, found.readings, today),
        usage_notes=usage.notes,
        last_reading=readings[0] if readings else None,
        readings=readings,
        readings_cut=found.readings_cut,
        chart=hours_chart(found.readings, usage, today),
        plan=plan_status(plan, due, found.services, usage, today),
        no_plan=_no_plan(machine, found.model),
        bulletins=bulletin_lines(found.bulletins),
        services=service_lines(found.services, plan),
        points=map_points(machine, title, today),
        position_words=_position_words(machine, today),
        warranty_over=warranty is not None and warranty < today,
    )


def _hours_note(usage: Usage, today: date) -> str:
    if usage.hours_now is None:
        return ""
    if usage.as_of is None:
        return "estimated since delivery"
    if usage.as_of >= today:
        return "read today"
    return f"read {ago(usage.as_of, today)}, and the usage since"


def _no_plan(machine: Document, model: Document | None) -> str:
    if model is not None:
        return "The manufacturer's catalog has no service plan for this model."
    if not machine.get("model"):
        return "With the model filled in, its service plan appears here."
    return "The manufacturer's catalog does not know this make and model."


def _position_words(machine: Document, today: date) -> str:
    seen = day_of(machine.get("position_at"))
    return f"Position of {ago(seen, today)}." if seen else "It is not known since when it stands there."
