"""Fleet snapshots in JSON, in the shapes makers give them: `{"Equipment": […]}`, `{"Fleet": {"Equipment": […]}}`,
`{"fleet": […]}` or a bare list, with any capitals."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn

from app.exchange.equipment import Equipment, equipment_of, plain_name, time_of
from app.exchange.snapshot import LONGEST_EQUIPMENT, Links, Readable, SnapshotError, encoding_of

_SPACE = re.compile(r"[ \t\r\n]*")
_CHUNK = 64 * 1024
_DEEPEST = 16
_LISTS = frozenset({"equipment", "equipments", "fleet"})


def read(stream: Readable, now: datetime, links: Links) -> Iterator[Equipment]:
    """The equipment of a snapshot in JSON. Raises SnapshotError as read_snapshot does."""
    text = _Text(stream)
    snapshot = _Snapshot(text, links)
    try:
        for number, element in enumerate(snapshot.elements(), 1):
            yield equipment_of(number, element, snapshot.at, now)
        text.expect_end()
    except UnicodeDecodeError as error:
        raise SnapshotError(
            f"The file is not {error.encoding} text, as JSON has to be. Nothing was imported."
        ) from error
    if not snapshot.found:
        raise SnapshotError(
            "The file is JSON, but no ISO 15143-3 (AEMP 2.0) fleet snapshot: it has no Equipment. Nothing was imported."
        )


class _Snapshot:
    """Walks the outer layers of the file; `at` is the snapshot's time, when it stands before the equipment."""

    def __init__(self, text: _Text, links: Links) -> None:
        self._text = text
        self._links = links
        self.at: datetime | None = None
        self.found = False

    def elements(self) -> Iterator[dict[str, Any]]:
        if self._text.peek() == "[":
            yield from self._list()
        elif self._text.peek() == "{":
            yield from self._object(depth=1)
        else:
            self._text.fail()

    def _object(self, depth: int) -> Iterator[dict[str, Any]]:
        text = self._text
        text.take("{")
        if text.peek() == "}":
            text.take("}")
            return
        while True:
            name = text.value()
            if not isinstance(name, str):
                text.fail()
            text.take(":")
            yield from self._member(plain_name(name), depth)
            if text.take(",}") == "}":
                return

    def _member(self, name: str, depth: int) -> Iterator[dict[str, Any]]:
        begins = self._text.peek()
        if name in _LISTS and begins == "[":
            yield from self._list()
        elif name == "fleet" and begins == "{" and depth < 3:
            yield from self._object(depth + 1)
        elif name in _LISTS and begins == "{":
            # A fleet of one, by a converter that makes lists only where a name repeats.
            yield from self._element(self._text.value())
        else:
            value = self._text.value()
            if name in {"snapshottime", "datetime"} and self.at is None:
                self.at = time_of(value)
            elif name in {"links", "link"}:
                for link in value if isinstance(value, list) else [value]:
                    if isinstance(link, dict):
                        fields = {plain_name(key): inner for key, inner in link.items()}
                        self._links.take(fields.get("rel"), fields.get("href"))

    def _list(self) -> Iterator[dict[str, Any]]:
        text = self._text
        self.found = True
        text.take("[")
        if text.peek() == "]":
            text.take("]")
            return
        while True:
            yield from self._element(text.value())
            if text.take(",]") == "]":
                return

    def _element(self, value: Any) -> Iterator[dict[str, Any]]:
        fields = _plain(value, 0)
        if isinstance(fields, dict) and isinstance(fields.get("equipment"), dict):
            fields = fields["equipment"]
        if not isinstance(fields, dict) or not isinstance(fields.get("equipmentheader"), dict | list):
            raise SnapshotError(
                "The file is JSON, but no ISO 15143-3 (AEMP 2.0) fleet snapshot: its list holds something without an "
                "EquipmentHeader. Nothing was imported."
            )
        self.found = True
        yield fields


def _plain(value: Any, depth: int) -> Any:
    """A value with plain names all through."""
    if depth > _DEEPEST:
        raise SnapshotError("The file's JSON is nested deeper than a fleet snapshot. Nothing was imported.")
    if isinstance(value, dict):
        return {plain_name(name): _plain(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, depth + 1) for inner in value]
    return value


class _Text:
    """The file as text, decoded piece by piece, of which values are taken from the front."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self._decoder: codecs.IncrementalDecoder | None = None
        self._buffer = ""
        self._position = 0
        self._ended = False
        self._json = json.JSONDecoder(parse_int=_integer, parse_constant=lambda _: None)

    def peek(self) -> str:
        """The next character that is not a space; empty at the end."""
        while True:
            match = _SPACE.match(self._buffer, self._position)
            self._position = match.end() if match else self._position
            if self._position < len(self._buffer):
                return self._buffer[self._position]
            if not self._more():
                return ""

    def take(self, one_of: str) -> str:
        """Takes the next character, which has to be one of these."""
        character = self.peek()
        if not character or character not in one_of:
            self.fail()
        self._position += 1
        return character

    def value(self) -> Any:
        """Takes one whole value from the front."""
        self.peek()
        while True:
            try:
                found, end = self._json.raw_decode(self._buffer, self._position)
            except ValueError:
                end = -1
            except RecursionError:
                raise SnapshotError("The file's JSON is nested too deep. Nothing was imported.") from None
            # A number at the very end of what was read may go on.
            if end >= 0 and (end < len(self._buffer) or self._ended):
                self._position = end
                return found
            if len(self._buffer) - self._position > LONGEST_EQUIPMENT:
                raise SnapshotError(
                    "The file's JSON is damaged, or has a value too large for a fleet snapshot. Nothing was imported."
                )
            if not self._more():
                self.fail()

    def expect_end(self) -> None:
        """Nothing may follow."""
        if self.peek():
            self.fail()

    def fail(self) -> NoReturn:
        """Raises SnapshotError: cut off when the file has ended, damaged otherwise."""
        if self._ended and self._position >= len(self._buffer) - 1:
            raise SnapshotError("The file breaks off before its end. Fetch it again. Nothing was imported.")
        if self._ended:
            raise SnapshotError("The file's JSON is damaged or breaks off. Fetch it again. Nothing was imported.")
        raise SnapshotError("The file's JSON is damaged. Nothing was imported.")

    def _more(self) -> bool:
        if self._ended:
            return False
        # What does not fit into a value yet is read in growing pieces, so that a long one is not tried too often.
        size = max(_CHUNK, len(self._buffer) - self._position)
        chunk = self._stream.read(size)
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(encoding_of(chunk))(errors="strict")
        self._ended = not chunk
        self._buffer = self._buffer[self._position :] + self._decoder.decode(chunk, final=self._ended)
        self._position = 0
        return True


def _integer(digits: str) -> int | float:
    # Python refuses integers of thousands of digits; no hour meter has them.
    return int(digits) if len(digits) < 300 else float("inf")
