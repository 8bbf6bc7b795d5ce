"""Contents of attachments too large to be held in memory: they come into a temporary file and are kept in pieces.

The file lies in the data folder, where there has to be space for them anyway, and goes with the process that made it.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from embedded.http.errors import bad_request

LARGE = 1024 * 1024
"""Bytes of a content from which on it is received and kept in pieces."""
PIECE = 256 * 1024
"""Bytes of each piece but the last."""
_COMPRESSION_LEVEL = 8
_GZIP = 31
"""What zlib calls a window of 15 bits in gzip's form."""


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes that lie in a file, from `start` to before `end`. `directory`: where further files may be made."""

    file: IO[bytes]
    start: int
    end: int
    directory: Path

    @property
    def length(self) -> int:
        return self.end - self.start

    def pieces(self) -> Iterator[bytes]:
        for at in range(self.start, self.end, LARGE):
            self.file.seek(at)
            yield self.file.read(min(LARGE, self.end - at))

    def content(self) -> bytes:
        return b"".join(self.pieces())


class LargeContent:
    """A content while it is received. `length` counts what the client knows, `kept_length` what is kept of it.

    `compress`: keep it gzipped. `packed`: it comes gzipped already, and is kept as it is. Feed it, then `finish`; not
    for several threads at once. `feed` and `finish` raise OSError where there is no space, and 400 for what says it is
    gzip and is not.
    """

    def __init__(self, directory: Path, *, compress: bool = False, packed: bool = False) -> None:
        self.length = 0
        self.kept_length = 0
        self._compressor = zlib.compressobj(_COMPRESSION_LEVEL, zlib.DEFLATED, _GZIP) if compress else None
        self._unpacker = zlib.decompressobj(_GZIP) if packed else None
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256()
        self._file = tempfile.TemporaryFile(dir=directory, prefix="receiving-")  # noqa: SIM115

    @property
    def md5(self) -> bytes:
        """Of what is kept."""
        return self._md5.digest()

    @property
    def sha256(self) -> bytes:
        """Of what is kept."""
        return self._sha256.digest()

    def feed(self, piece: bytes) -> None:
        if self._unpacker is None:
            self.length += len(piece)
        else:
            self._count_unpacked(piece)
        self._keep(piece if self._compressor is None else self._compressor.compress(piece))

    def finish(self) -> None:
        """Nothing more comes."""
        if self._compressor is not None:
            self._keep(self._compressor.flush())
        if self._unpacker is not None and not self._unpacker.eof:
            raise bad_request("The content says it is gzip but is not.")
        self._file.flush()

    def _keep(self, piece: bytes) -> None:
        self._md5.update(piece)
        self._sha256.update(piece)
        self.kept_length += len(piece)
        self._file.write(piece)

    def _count_unpacked(self, piece: bytes) -> None:
        assert self._unpacker is not None
        try:
            while piece:
                if self._unpacker.eof:  # gzip's form allows several one after another
                    self._unpacker = zlib.decompressobj(_GZIP)
                self.length += len(self._unpacker.decompress(piece, PIECE))
                piece = self._unpacker.unconsumed_tail or self._unpacker.unused_data
        except zlib.error:
            raise bad_request("The content says it is gzip but is not.") from None

    def pieces(self) -> Iterator[bytes]:
        """What is kept, from the beginning, in pieces of PIECE bytes."""
        self._file.seek(0)
        while piece := self._file.read(PIECE):
            yield piece

    def close(self) -> None:
        self._file.close()


def keep_pieces(connection: sqlite3.Connection, number: int, content: LargeContent) -> None:
    """Store a content under its number in `contents`."""
    connection.executemany(
        "INSERT INTO pieces VALUES (?, ?, ?)",
        ((number, place, piece) for place, piece in enumerate(content.pieces())),
    )


def kept_pieces(connection: sqlite3.Connection, number: int, first: int = 0) -> Iterator[bytes]:
    """The pieces of a content, from this one on; nothing for one that is kept as a whole."""
    for (piece,) in connection.execute(
        "SELECT piece FROM pieces WHERE content=? AND place>=? ORDER BY place", (number, first)
    ):
        yield piece


def unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same content without its compression."""
    unpacker = zlib.decompressobj(_GZIP)
    for piece in pieces:
        while piece:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            yield unpacker.decompress(piece, LARGE)
            piece = unpacker.unconsumed_tail or unpacker.unused_data


def part(pieces: Iterator[bytes], skip: int, length: int) -> Iterator[bytes]:
    """`length` bytes after the first `skip`."""
    for piece in pieces:
        shown = piece[skip : skip + length]
        skip = max(0, skip - len(piece))
        length -= len(shown)
        if shown:
            yield shown
        if length == 0:
            return
