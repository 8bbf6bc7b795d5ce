"""A multipart body that is too large for memory: it lies in a file, and its parts are places in that file."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from embedded import multipart
from embedded.large_contents import LARGE, FilePart
from embedded.multipart import Part

_LOOKED_AT = 1024 * 1024
"""Bytes read at once."""
_LONGEST_HEAD = 64 * 1024


@contextlib.contextmanager
def body_file(directory: Path) -> Iterator[IO[bytes]]:
    """A file for a body, to be written from its beginning; it is gone afterwards."""
    with tempfile.TemporaryFile(dir=directory, prefix="receiving-") as file:
        file.write(b"\r\n")  # so that the first boundary looks like the others
        yield file


def split(file: IO[bytes], boundary: str, directory: Path) -> list[Part]:
    """The parts; only the bodies of small ones are read. `directory`: see FilePart.

    Raises 400 for a body that does not end as it should, 413 for too many parts.
    """
    delimiter = b"\r\n--" + boundary.encode("utf-8")
    found = list(_positions(file, delimiter))
    multipart.check_number(len(found) + 1)
    if not found or _at(file, found[-1] + len(delimiter), 2) != b"--":
        raise multipart.not_complete()
    parts = []
    for position, end in itertools.pairwise(found):
        start = position + len(delimiter)
        headers, length = multipart.read_head(_at(file, start, min(_LONGEST_HEAD, end - start)))
        body = FilePart(file, start + length, end, directory)
        parts.append(Part(headers, body.content() if body.length <= LARGE else body))
    return parts


def _at(file: IO[bytes], position: int, length: int) -> bytes:
    file.seek(position)
    return file.read(length)


def _positions(file: IO[bytes], searched: bytes) -> Iterator[int]:
    """Where in the file these bytes are."""
    position = 0
    kept = b""
    while piece := _at(file, position + len(kept), _LOOKED_AT):
        text = kept + piece
        at = text.find(searched)
        while at >= 0:
            yield position + at
            at = text.find(searched, at + len(searched))
        rest = min(len(text), len(searched) - 1)
        kept = text[len(text) - rest :]
        position += len(text) - rest
