"""Reads ISO 15143-3 (AEMP 2.0) fleet snapshots, XML or JSON, as a stream: 100 MB take no more memory than 100 KB.

Nothing in the file is trusted: no document type, no entities, nothing fetched, no depth and no size without a limit.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

from app.errors import IronbookError
from app.exchange.equipment import Equipment

# One equipment takes a few kilobytes. What is longer than this without one ending is no snapshot.
LONGEST_EQUIPMENT = 4 * 1024 * 1024
# The largest fleet anybody has is some ten thousand machines.
MOST_EQUIPMENT = 500_000
_CHUNK = 64 * 1024


class SnapshotError(IronbookError):
    """The file is not a fleet snapshot, or not a whole one."""


class Readable(Protocol):
    """Anything bytes can be read from: a file, standard input, an upload."""

    def read(self, size: int = ..., /) -> bytes: ...


class Links:
    """What a snapshot says of its pages: services give large fleets a page at a time."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}

    def take(self, rel: Any, href: Any) -> None:
        """One link of the file; anything that is none is passed over."""
        if isinstance(rel, str) and isinstance(href, str):
            self._addresses[rel.strip().lower()] = href.strip()

    def more_pages(self) -> bool:
        """Whether there is a page after this one; some services name the page itself as the next."""
        following, this = self._addresses.get("next", ""), self._addresses.get("self", "")
        return bool(following) and following != this


class Snapshot(Iterator[Equipment]):
    """The equipment of a file, to be read once; `links` are complete at its end."""

    def __init__(self, equipment: Iterator[Equipment], links: Links) -> None:
        self._equipment = equipment
        self.links = links

    def __next__(self) -> Equipment:
        return next(self._equipment)


def read_snapshot(stream: BinaryIO | Readable, now: datetime | None = None) -> Snapshot:
    """The equipment of a fleet snapshot, one after the other, in the order of the file.

    `stream` gives bytes. While it is read it raises SnapshotError, with a sentence, for a file that is no snapshot and,
    at the place where it breaks off, for one that is damaged or cut short: whoever must not act on half a file reads it
    to its end first.
    """
    links = Links()
    return Snapshot(_read(stream, now or datetime.now(UTC), links), links)


def _read(stream: Readable, now: datetime, links: Links) -> Iterator[Equipment]:
    from app.exchange import snapshot_json, snapshot_xml

    beginning, kind = _beginning(stream)
    whole = _Joined(beginning, stream)
    found = snapshot_xml.read(whole, now, links) if kind == "xml" else snapshot_json.read(whole, now, links)
    for count, equipment in enumerate(found, 1):
        if count > MOST_EQUIPMENT:
            raise SnapshotError(f"The file has more than {MOST_EQUIPMENT:,} machines; split it and import each part.")
        yield equipment


class _Joined:
    """A stream with the bytes that were read from it to see what it is put back in front."""

    def __init__(self, beginning: bytes, rest: Readable) -> None:
        self._beginning = io.BytesIO(beginning)
        self._rest = rest

    def read(self, size: int = _CHUNK, /) -> bytes:
        chunk = self._beginning.read(size)
        return chunk or self._rest.read(size)


def _beginning(stream: Readable) -> tuple[bytes, str]:
    """Reads until the first character that is not a space, and says whether it begins XML or JSON."""
    beginning = b""
    while len(beginning) < _CHUNK:
        chunk = stream.read(_CHUNK)
        if not isinstance(chunk, bytes):
            raise SnapshotError("The file has to be read as bytes, not as text.")
        beginning += chunk
        # Four bytes hold the longest mark of an encoding; a pipe may give fewer at a time.
        text = _first_characters(beginning) if len(beginning) >= 4 or not chunk else ""
        if text or not chunk:
            break
    else:
        text = ""
    if not beginning:
        raise SnapshotError("The file is empty. Nothing was imported.")
    if text[:1] == "<":
        return beginning, "xml"
    if text[:1] in {"{", "["}:
        return beginning, "json"
    if beginning[:2] == b"\x1f\x8b" or beginning[:2] == b"PK":
        raise SnapshotError("The file is compressed. Unpack it and import what is in it.")
    raise SnapshotError(
        "The file is no ISO 15143-3 (AEMP 2.0) fleet snapshot: it is neither XML nor JSON. Nothing was imported."
    )


def encoding_of(beginning: bytes) -> str:
    """The encoding the first bytes give away; UTF-8 where they give nothing away."""
    for mark, name in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if beginning.startswith(mark):
            return name
    if beginning[1:2] == b"\x00":
        return "utf-16-le"
    return "utf-16-be" if beginning[:1] == b"\x00" else "utf-8"


def _first_characters(beginning: bytes) -> str:
    decoder = codecs.getincrementaldecoder(encoding_of(beginning))(errors="replace")
    return decoder.decode(beginning).lstrip(" \t\r\n\ufeff")[:8]
