"""Collation elements of ICU's root collation, read from `root.bin` when first needed.

The file is compressed and holds, numbers big-endian: the code points in blocks of 256 (number of blocks; of each its
number and size; the blocks); the ranges of Han characters in collation order; contractions; combining classes.
A record is the number of its elements (255: the weight is computed from the code point), each the length of the primary
weight (5: that of the Han character whose code point follows), the weight, and the ranks of secondary and tertiary
weight (0 for none, 1 for the common one). `generate.py` writes it. The data is Unicode's; see `LICENSE-unicode.txt`.
"""

from __future__ import annotations

import struct
import threading
import zlib
from bisect import bisect_right
from importlib import resources
from typing import Final, NamedTuple

HANGUL_FIRST: Final = 0xAC00
HANGUL_LAST: Final = 0xD7A3
HAN_LEAD: Final = b"\xfa"
UNASSIGNED_LEAD: Final = b"\xfe"
COMMON: Final = "\x01"


class Elements(NamedTuple):
    """What a character (or a contraction) counts for: primary weights, then a character a rank for the other levels."""

    primary: bytes
    secondary: str
    tertiary: str


class RootTable:
    """The whole table. Blocks are parsed when a character of theirs is first asked for.

    One at a time: threads that build indexes and threads that read them ask together, and a weight that was read wrong
    would stay in an index.
    """

    def __init__(self) -> None:
        self._reading = threading.RLock()
        self._data = zlib.decompress(resources.files("embedded.collation").joinpath("root.bin").read_bytes())
        self._at = 0
        self._blocks = self._read_block_index()
        self._han_firsts, self._han_lasts, self._han_before = self._read_han()
        self.contractions = self._read_contractions()
        self.contraction_prefixes = {text[:size] for text in self.contractions for size in range(1, len(text))}
        self.combining_class = self._read_combining_classes()
        self._hangul_letters: dict[str, Elements] = {}

    def block(self, number: int) -> dict[str, Elements]:
        """The elements of the 256 characters from `number * 256`. May be called by any thread."""
        with self._reading:
            return self._read_block(number)

    def _read_block(self, number: int) -> dict[str, Elements]:
        first = number << 8
        start = self._blocks.get(number)
        found: dict[str, Elements] = {}
        if start is None:
            return {chr(point): self._computed(point) for point in range(first, first + 256)}
        self._at = start
        for point in range(first, first + 256):
            if self._data[self._at] != 255:
                found[chr(point)] = self._read_elements()
            else:
                self._at += 1
                at = self._at
                found[chr(point)] = self._computed(point)
                self._at = at
        return found

    def _computed(self, point: int) -> Elements:
        if HANGUL_FIRST <= point <= HANGUL_LAST:
            return self._hangul(point - HANGUL_FIRST)
        han = self._han_index(point)
        if han is not None:
            return Elements(HAN_LEAD + _three_bytes(han), COMMON, COMMON)
        return Elements(UNASSIGNED_LEAD + _three_bytes(point), COMMON, COMMON)

    def _hangul(self, index: int) -> Elements:
        """A syllable is its two or three letters (The Unicode Standard, section 3.12)."""
        letters = [0x1100 + index // 588, 0x1161 + index % 588 // 28]
        if index % 28:
            letters.append(0x11A7 + index % 28)
        if not self._hangul_letters:
            self._hangul_letters = self._read_block(0x11)
        parts = [self._hangul_letters[chr(letter)] for letter in letters]
        return Elements(
            b"".join([part.primary for part in parts]),
            "".join([part.secondary for part in parts]),
            "".join([part.tertiary for part in parts]),
        )

    def _han_index(self, point: int) -> int | None:
        at = bisect_right(self._han_firsts, point) - 1
        if at < 0 or point > self._han_lasts[at]:
            return None
        return self._han_before[at] + point - self._han_firsts[at]

    # --- reading the file

    def _unpack(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._data, self._at)
        self._at += struct.calcsize(layout)
        return values

    def _read_block_index(self) -> dict[int, int]:
        (count,) = self._unpack(">H")
        sizes = [self._unpack(">HI") for _ in range(count)]
        starts = {}
        for number, size in sizes:
            starts[number] = self._at
            self._at += size
        return starts

    def _read_han(self) -> tuple[list[int], list[int], list[int]]:
        (count,) = self._unpack(">H")
        ranges = [self._unpack(">II") for _ in range(count)]
        before = 0
        numbered = []
        for first, last in ranges:
            numbered.append((first, last, before))
            before += last - first + 1
        numbered.sort()
        firsts, lasts, befores = (list(column) for column in zip(*numbered, strict=True))
        return firsts, lasts, befores

    def _read_contractions(self) -> dict[str, Elements]:
        (count,) = self._unpack(">H")
        found = {}
        for _ in range(count):
            size = self._data[self._at]
            text = self._data[self._at + 1 : self._at + 1 + size].decode()
            self._at += 1 + size
            found[text] = self._read_elements()
        return found

    def _read_combining_classes(self) -> dict[str, int]:
        (count,) = self._unpack(">H")
        return {chr(point): number for point, number in (self._unpack(">IB") for _ in range(count))}

    def _read_elements(self) -> Elements:
        data, at = self._data, self._at
        count = data[at]
        at += 1
        primary, secondary, tertiary = b"", "", ""
        for _ in range(count):
            length = data[at]
            if length == 5:
                han = self._han_index(int.from_bytes(data[at + 1 : at + 4], "big"))
                assert han is not None
                primary += HAN_LEAD + _three_bytes(han)
                at += 4
            else:
                primary += data[at + 1 : at + 1 + length]
                at += 1 + length
            second = int.from_bytes(data[at : at + 2], "big")
            third = data[at + 2]
            at += 3
            secondary += chr(second) if second else ""
            tertiary += chr(third) if third else ""
        self._at = at
        return Elements(primary, secondary, tertiary)


def _three_bytes(number: int) -> bytes:
    """A number below 16,387,064 in three bytes from 0x02 on, in order."""
    return bytes((2 + number // 64516, 2 + number // 254 % 254, 2 + number % 254))
