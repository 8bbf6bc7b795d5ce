"""Fleet snapshots in XML, element by element."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from app.exchange.equipment import Equipment, equipment_of, plain_name, time_of
from app.exchange.snapshot import LONGEST_EQUIPMENT, Links, Readable, SnapshotError
from app.words import counted

_DEEPEST = 32
# What expat says when the file ends too early.
_CUT_OFF = ("no element found", "unclosed token", "unclosed CDATA section", "partial character")


def read(stream: Readable, now: datetime, links: Links) -> Iterator[Equipment]:
    """The equipment of a `Fleet` document, whatever its namespace. Raises SnapshotError as read_snapshot does."""
    bounded = _Bounded(stream)
    number = 0
    try:
        for equipment, snapshot_at in _elements(bounded, links):
            number += 1
            yield equipment_of(number, _fields(equipment), snapshot_at, now)
    except ParseError as error:
        raise SnapshotError(_damaged(error, number)) from error
    except DefusedXmlException as error:
        raise SnapshotError(
            "The file has a document type or entities, which no fleet snapshot has and which could harm this computer. "
            "Nothing was imported."
        ) from error
    except (LookupError, ValueError) as error:
        # Encodings that Python does not have, or that expat cannot use.
        raise SnapshotError(f"The file's XML cannot be read: {error}. Nothing was imported.") from error


def _elements(bounded: _Bounded, links: Links) -> Iterator[tuple[Element, datetime | None]]:
    """Each Equipment element when it is complete, with the snapshot's time; it is thrown away afterwards."""
    path: list[Element] = []
    snapshot_at: datetime | None = None
    for event, element in iterparse(bounded, events=("start", "end"), forbid_dtd=True):
        if event == "start":
            if not path:
                if plain_name(element.tag) != "fleet":
                    raise SnapshotError(_not_a_fleet(element))
                snapshot_at = _snapshot_time(element)
            if len(path) >= _DEEPEST:
                raise SnapshotError("The file's XML is nested deeper than a fleet snapshot. Nothing was imported.")
            path.append(element)
            continue
        path.pop()
        if len(path) == 1:
            if plain_name(element.tag) == "equipment":
                yield element, snapshot_at
            elif plain_name(element.tag) in {"links", "link"}:
                link = _fields(element)
                links.take(link.get("rel"), link.get("href"))
            path[0].remove(element)
            bounded.forget()


class _Bounded:
    """The stream, read in pieces, and stopped where one element takes more than any could."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._since = 0

    def read(self, size: int = 65536, /) -> bytes:
        chunk = self._stream.read(min(size, 65536))
        self._since += len(chunk)
        if self._since > LONGEST_EQUIPMENT:
            raise SnapshotError("The file's XML has an element too large for a fleet snapshot. Nothing was imported.")
        return chunk

    def forget(self) -> None:
        """An element is complete: what was read until here is behind us."""
        self._since = 0


def _fields(element: Element) -> dict[str, Any]:
    """An element as nested fields by plain name: attributes and child elements alike; a list where a name repeats."""
    fields: dict[str, Any] = {plain_name(name): value for name, value in element.attrib.items()}
    for child in element:
        name = plain_name(child.tag)
        value: Any = _fields(child) if len(child) or child.attrib else child.text
        if isinstance(value, dict) and child.text and child.text.strip():
            value["text"] = child.text
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _snapshot_time(fleet: Element) -> datetime | None:
    for name, value in fleet.attrib.items():
        if plain_name(name) in {"snapshottime", "datetime"}:
            return time_of(value)
    return None


def _not_a_fleet(root: Element) -> str:
    name = plain_name(root.tag)
    if name == "html":
        return "The file is a web page, not a fleet snapshot: perhaps its sign-in page. Nothing was imported."
    return (
        f"The file is no ISO 15143-3 (AEMP 2.0) fleet snapshot: it begins with <{name[:40]}>, not with <Fleet>. "
        "Nothing was imported."
    )


def _damaged(error: ParseError, number: int) -> str:
    line = error.position[0] if getattr(error, "position", None) else 0
    if any(words in str(error) for words in _CUT_OFF):
        return (
            f"The file breaks off at line {line:,}, after {counted(number, 'machine')}. Fetch it again. "
            "Nothing was imported."
        )
    return f"The file's XML is damaged at line {line:,}: {error}. Nothing was imported."
