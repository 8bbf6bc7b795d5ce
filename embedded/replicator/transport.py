"""How a replication reaches one of its sides: over HTTP, or inside this process, with the same words.

Both speak the HTTP API of a database, so a local side passes the same checks of rights and documents as a remote one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class LostConnection(Exception):  # noqa: N818 - says what happened
    """The peer did not answer, or not to the end. `refused`: nobody listens there, or the name leads nowhere."""

    def __init__(self, why: str, refused: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.refused = refused


class AnswerTooLarge(Exception):  # noqa: N818 - says what happened
    """The answer is longer than the caller wants to hold in memory: ask for less at once."""


def within(pieces: Iterable[bytes], most_bytes: int | None) -> bytes:
    """The pieces as one. Raises `AnswerTooLarge` as soon as they are more than `most_bytes`."""
    kept = []
    size = 0
    for piece in pieces:
        size += len(piece)
        if most_bytes is not None and size > most_bytes:
            raise AnswerTooLarge
        kept.append(piece)
    return b"".join(kept)


@dataclass(frozen=True, slots=True)
class Reply:
    """`headers`: names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Download:
    """An answer that is read piece by piece."""

    status: int
    pieces: Iterator[bytes]


class Transport(Protocol):
    """Paths are within the database: `""` is the database itself, `_changes` its feed. Every call ends in time."""

    @property
    def bytes_moved(self) -> int:
        """Bytes of bodies that went over the network in either direction, as they went: compressed."""

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: bytes | None = None,
        longer: float = 0,
        most_bytes: int | None = None,
    ) -> Reply:
        """One JSON request. `longer`: seconds the answer may take beyond the usual; `most_bytes`: how long it may be.

        Raises `LostConnection` and `AnswerTooLarge`.
        """

    def download(self, path: str, query: Mapping[str, str]) -> contextlib.AbstractContextManager[Download]:
        """GET something large. Raises `LostConnection`, also while the pieces are read."""

    def upload(self, path: str, query: Mapping[str, str], content_type: str, parts: list[bytes | Path]) -> Reply:
        """PUT something large: texts and files one after the other. Raises `LostConnection`."""

    def close(self) -> None: ...
