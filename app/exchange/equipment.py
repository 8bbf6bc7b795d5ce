"""One piece of equipment as a fleet snapshot describes it, cleaned of what means nothing (pure).

ISO 15143-3 (AEMP 2.0) says which elements there are; makers fill them as they like. What is decided here is written
down in docs/decisions/telematics.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

# What makers' systems write where they have nothing to say.
_NOTHING = frozenset(
    {
        "",
        "-",
        "--",
        "0",
        "?",
        "missing",
        "n/a",
        "na",
        "nan",
        "nil",
        "none",
        "null",
        "undefined",
        "unknown",
        "not available",
    }
)
_LONGEST_TEXT = 200
_MOST_HOURS = 200_000.0
_DURATION = re.compile(
    r"P(?:(?P<days>\d+(?:[.,]\d+)?)D)?"
    r"(?:T(?:(?P<hours>\d+(?:[.,]\d+)?)H)?(?:(?P<minutes>\d+(?:[.,]\d+)?)M)?(?:\d+(?:[.,]\d+)?S)?)?",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")
# Before this year there was no telematics: "0001-01-01" and 1970 are how a missing date is written.
_FIRST_YEAR = 1990


@dataclass(frozen=True, slots=True)
class Equipment:
    """One machine of a snapshot. Texts are empty where the file says nothing usable; times are UTC.

    `number` counts the equipment in the file from 1. `model` is what the file says, even if it is an internal code.
    `problems` are sentences about values that were ignored.
    """

    number: int
    make: str = ""
    model: str = ""
    equipment_id: str = ""
    serial: str = ""
    pin: str = ""
    hours: float | None = None
    hours_at: datetime | None = None
    latitude: float | None = None
    longitude: float | None = None
    position_at: datetime | None = None
    problems: tuple[str, ...] = ()

    def label(self) -> str:
        """What a person recognises it by."""
        named = " ".join(part for part in (self.make, self.model, self.serial or self.pin) if part)
        return named or self.equipment_id or f"equipment {self.number} of the file"


@dataclass(slots=True)
class _Fields:
    """Reads one equipment's fields and collects what was wrong with them."""

    problems: list[str] = field(default_factory=list)

    def text(self, value: Any, what: str) -> str:
        """The first usable text of a value or of several; others that differ are named."""
        found = [text for one in _each(value) if (text := clean_text(one))]
        usable = [text for text in found if len(text) <= _LONGEST_TEXT]
        if len(usable) < len(found):
            self.problems.append(f"A {what} of more than {_LONGEST_TEXT} characters was ignored.")
        others = [text for text in usable[1:] if text.casefold() != usable[0].casefold()]
        if others:
            self.problems.append(f"The file gives several: {what} {usable[0]} was taken, not {', '.join(others[:3])}.")
        return usable[0] if usable else ""


def equipment_of(number: int, fields: Mapping[str, Any], snapshot_at: datetime | None, now: datetime) -> Equipment:
    """Makes an Equipment of nested fields whose names are in plain lower case ("equipmentheader", "oemname").

    Values without a time of their own have the snapshot's. `now` is UTC: a time after tomorrow is a wrong clock.
    """
    reader = _Fields()
    header = _latest(fields.get("equipmentheader"), None) or {}
    hours, hours_at = _hours(fields.get("cumulativeoperatinghours"), snapshot_at, now, reader.problems)
    place = _place(fields.get("location"), snapshot_at, now, reader.problems)
    return Equipment(
        number=number,
        make=reader.text(header.get("oemname"), "make"),
        model=reader.text(header.get("model"), "model"),
        equipment_id=reader.text(header.get("equipmentid"), "equipment id"),
        serial=reader.text(header.get("serialnumber"), "serial number"),
        pin=reader.text(header.get("pin"), "PIN"),
        hours=hours,
        hours_at=hours_at,
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
        position_at=place[2] if place else None,
        problems=tuple(reader.problems),
    )


def plain_name(name: str) -> str:
    """A field's name without namespace, prefix, capitals and punctuation: "@EquipmentHeader" is "equipmentheader"."""
    local = name.rsplit("}", 1)[-1].rsplit(":", 1)[-1]
    return "".join(character for character in local if character.isalnum()).lower()


def clean_text(value: Any) -> str:
    """A value as one line of text; empty when it is not text or a number, or says that there is nothing."""
    if isinstance(value, Mapping):
        # What an XML element with attributes becomes in some makers' JSON.
        value = value.get("text", value.get("value"))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = " ".join(_CONTROL.sub(" ", str(value)[:100_000]).split())
    # Half a surrogate pair can be written in JSON, but in no database.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return "" if text.casefold() in _NOTHING or not text.strip("0") else text


def time_of(value: Any) -> datetime | None:
    """A time in UTC; one without a zone is UTC. None for what is no time, or one before there was telematics."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip().upper()[:40])
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at.replace(microsecond=0) if at.year >= _FIRST_YEAR else None


def _each(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _latest(value: Any, snapshot_at: datetime | None) -> Mapping[str, Any] | None:
    """The mapping with the latest time, where a file gives several of one kind."""
    found = [one for one in _each(value) if isinstance(one, Mapping)]
    if not found:
        return None
    earliest = datetime.min.replace(tzinfo=UTC)
    return max(found, key=lambda one: time_of(_first(one.get("datetime"))) or snapshot_at or earliest)


def _first(value: Any) -> Any:
    return next(_each(value), None)


def _number(value: Any) -> float | None:
    value = _first(value)
    if isinstance(value, Mapping):
        value = value.get("text", value.get("value"))
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()[:40].replace(",", ".")
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _hours(
    value: Any, snapshot_at: datetime | None, now: datetime, problems: list[str]
) -> tuple[float | None, datetime | None]:
    element = _latest(value, snapshot_at)
    raw = _first(value) if element is None else _first(element.get("hour", element.get("hours")))
    if raw is None or (isinstance(raw, str) and not clean_text(raw) and raw.strip("0. ")):
        return None, None
    hours = _duration(raw) if isinstance(raw, str) and raw.strip()[:1] in {"P", "p"} else _number(raw)
    if hours is None or not 0 <= hours <= _MOST_HOURS:
        problems.append(f"Its hours, {_shown(raw)}, are no number of engine hours; they were ignored.")
        return None, None
    at = _time(element, snapshot_at, now, problems, "hours")
    return (None, None) if at is None else (round(hours, 2), at)


def _duration(text: str) -> float | None:
    """Hours of an XML duration such as PT1234H30M, which AEMP 1.2 used."""
    match = _DURATION.fullmatch(text.strip()[:60])
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes = (float((part or "0").replace(",", ".")) for part in match.group("days", "hours", "minutes"))
    return days * 24 + hours + minutes / 60


def _place(
    value: Any, snapshot_at: datetime | None, now: datetime, problems: list[str]
) -> tuple[float, float, datetime] | None:
    element = _latest(value, snapshot_at)
    if element is None:
        return None
    latitude, longitude = _number(element.get("latitude")), _number(element.get("longitude"))
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        problems.append("Its position is not on the earth; it was ignored.")
        return None
    if latitude == 0 and longitude == 0:
        problems.append("Its position, 0° 0°, is what a receiver without satellites sends; it was ignored.")
        return None
    at = _time(element, snapshot_at, now, problems, "position")
    return None if at is None else (latitude, longitude, at)


def _time(
    element: Mapping[str, Any] | None, snapshot_at: datetime | None, now: datetime, problems: list[str], what: str
) -> datetime | None:
    stated = None if element is None else _first(element.get("datetime"))
    at = time_of(stated) or snapshot_at
    if at is None:
        problems.append(f"Its {what} came without a time; they cannot be placed and were ignored.")
    elif at > now + timedelta(days=1):
        problems.append(f"Its {what} came with a time in the future, {at.date().isoformat()}, and were ignored.")
        return None
    return at


def _shown(value: Any) -> str:
    text = repr(value) if not isinstance(value, str) else value
    return text if len(text) <= 40 else text[:40] + "…"
