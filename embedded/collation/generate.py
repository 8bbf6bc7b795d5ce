"""Makes `root.bin`: the collation elements of ICU's root collation, which CouchDB orders strings by.

Run with an interpreter that has ICU, which the store itself does not need:

    python -m venv icu && icu/bin/pip install icukit-pyicu && icu/bin/python generate.py

What the file holds is described in `table.py`, which reads it. Weights are ICU's own primary weights, which are of one
to four bytes, none a prefix of another, none below 0x02; secondary and tertiary weights are replaced by their rank.
"""

from __future__ import annotations

import struct
import unicodedata
import zlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import icu  # type: ignore[import-not-found]

Element = tuple[bytes, int, int]
"""Primary weight's bytes, secondary and tertiary weight (16 bits, 0 for none)."""

HANGUL = range(0xAC00, 0xD7A4)
COMMON = 0x0500
UNASSIGNED_LEAD = 0xFE
HAN_LEADS = (0xFA, 0xFB, 0xFC, 0xFD)

collator = icu.Collator.createInstance(icu.Locale(""))


def elements_of(text: str) -> list[Element]:
    """The 64-bit collation elements of a text, put together from the halves the iterator gives."""
    elements: list[Element] = []
    for order in collator.createCollationElementIterator(text):
        order &= 0xFFFFFFFF
        upper = (order >> 16).to_bytes(2, "big")
        secondary, tertiary = (order >> 8) & 0xFF, order & 0xFF
        if tertiary & 0xC0 == 0xC0:
            primary, first_secondary, first_tertiary = elements.pop()
            elements.append((primary + upper, first_secondary | secondary, first_tertiary | (tertiary & 0x3F)))
        else:
            elements.append((upper, secondary << 8, (tertiary & 0x3F) << 8))
    return [(p.rstrip(b"\0"), s, t) for p, s, t in elements if p.strip(b"\0") or s or t]


def all_code_points() -> list[int]:
    return [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]


def is_simple(elements: list[Element]) -> bool:
    return len(elements) == 1 and elements[0][1:] == (COMMON, COMMON)


def candidates(points: list[int]) -> dict[int, set[int]]:
    """For each code point the ones that may follow it in a contraction."""
    marks = {point for point in points if icu.Char.getCombiningClass(point)}
    for point in points:
        decomposed = unicodedata.normalize("NFD", chr(point))
        if point not in HANGUL:
            marks.update(map(ord, decomposed[1:]))
        if len(decomposed) == 1 and decomposed != chr(point) and point < 0xF900:
            marks.add(point)  # another code point for the same character
    blocks = defaultdict(set)
    for point in points:
        blocks[point >> 8].add(point)
    return {point: set(points) if point in (0xFDD0, 0xFDD1) else marks | blocks[point >> 8] for point in points}


def contractions(single: dict[int, list[Element]]) -> dict[str, list[Element]]:
    points = list(single)
    found: dict[str, list[Element]] = {}
    following = candidates(points)
    everything_after = (
        sorted(set().union(*(following[p] for p in points if p not in (0xFDD0, 0xFDD1)))) if points else []
    )
    for first in points:
        second_points = sorted(following[first])
        text = "".join(chr(first) + chr(second) for second in second_points)
        expected = [e for second in second_points for e in single[first] + single.get(second, [])]
        if elements_of(text) == expected:
            continue
        for second in second_points:
            pair = chr(first) + chr(second)
            elements = elements_of(pair)
            if elements != single[first] + single.get(second, elements_of(chr(second))):
                found[pair] = elements
    print(len(found), "contractions of two")
    longer = {
        decomposed[:size]
        for point in points
        if point not in HANGUL and len(decomposed := unicodedata.normalize("NFD", chr(point))) > 2
        for size in range(3, len(decomposed) + 1)
    }
    tibetan = [chr(point) for point in range(0x0F71, 0x0F84)]
    longer |= {chr(first) + a + b for first in (0x0FB2, 0x0FB3) for a in tibetan for b in tibetan}
    longer |= {
        pair + chr(third) for pair in list(found) for third in everything_after if third in following[ord(pair[1])]
    }
    for text in sorted(longer, key=len):
        prefix = next((text[:size] for size in range(len(text) - 1, 1, -1) if text[:size] in found), text[:1])
        rest = text[len(prefix) :]
        before = found.get(prefix) or single[ord(prefix)]
        elements = elements_of(text)
        if elements != before + elements_of(rest) and elements != predicted(text, single, found):
            found[text] = elements
    print(len(found), "contractions")
    return found


def predicted(text: str, single: dict[int, list[Element]], found: dict[str, list[Element]]) -> list[Element]:
    elements: list[Element] = []
    at = 0
    while at < len(text):
        size = next((n for n in range(len(text) - at, 1, -1) if text[at : at + n] in found), 1)
        elements += found[text[at : at + size]] if size > 1 else single.get(ord(text[at]), elements_of(text[at]))
        at += size
    return elements


def han_ranges(elements: dict[int, list[Element]]) -> list[tuple[int, int]]:
    """Code points with implicit weights in order, as ranges."""
    ordered = sorted(elements, key=lambda point: elements[point][0][0])
    ranges: list[list[int]] = []
    for point in ordered:
        if ranges and ranges[-1][1] + 1 == point:
            ranges[-1][1] = point
        else:
            ranges.append([point, point])
    return [(first, last) for first, last in ranges]


def main() -> None:
    singles: dict[int, list[Element]] = {}
    han: dict[int, list[Element]] = {}
    for point in all_code_points():
        if point in HANGUL:
            continue
        elements = elements_of(chr(point))
        lead = elements[0][0][:1] if elements else b""
        if is_simple(elements) and lead == bytes([UNASSIGNED_LEAD]):
            continue
        if (
            is_simple(elements)
            and lead
            and lead[0] in HAN_LEADS
            and unicodedata.normalize("NFD", chr(point)) == chr(point)
        ):
            han[point] = elements
        else:
            singles[point] = elements
    ranges = han_ranges(han)
    print(len(singles), "single", len(han), "Han in", len(ranges), "ranges")
    for point in HANGUL:
        jamo = unicodedata.normalize("NFD", chr(point))
        assert elements_of(chr(point)) == [e for one in jamo for e in singles[ord(one)]]
    found = contractions(singles)
    write(singles, found, ranges, han)


def write(
    singles: dict[int, list[Element]],
    found: dict[str, list[Element]],
    ranges: list[tuple[int, int]],
    han: dict[int, Any],
) -> None:
    every = [e for es in [*singles.values(), *found.values()] for e in es]
    secondaries = sorted({e[1] for e in every if e[1]})
    tertiaries = sorted({e[2] for e in every if e[2] >= COMMON})
    print(len(secondaries), "secondary", len(tertiaries), "tertiary weights")
    assert secondaries[0] == tertiaries[0] == COMMON and len(tertiaries) < 100 and len(secondaries) < 0x7F00
    secondary_rank = {0: 0} | {weight: rank for rank, weight in enumerate(secondaries, 1)}
    tertiary_rank = {0: 0} | {weight: rank for rank, weight in enumerate(tertiaries, 1)}
    # Small kana sort before the common weight. Only elements of one primary weight are ever compared on this level, so
    # among those few the small ones take the common rank and all others one more.
    lowered = {e[0] for e in every if 0 < e[2] < COMMON}
    assert {e[2] for e in every if 0 < e[2] < COMMON} <= {0x0300} and b"" not in lowered
    han_index = {han[point][0][0]: point for first, last in ranges for point in range(first, last + 1)}

    def rank_of(primary: bytes, tertiary: int) -> int:
        if primary not in lowered:
            return tertiary_rank[tertiary]
        return 1 if tertiary < COMMON else tertiary_rank[tertiary] + 1

    def packed(elements: list[Element]) -> bytes:
        parts = [bytes([len(elements)])]
        for primary, secondary, tertiary in elements:
            if primary in han_index:
                # Weights of Han characters are computed from the code point: name it instead.
                parts.append(b"\x05" + han_index[primary].to_bytes(3, "big"))
            else:
                assert not primary or primary[0] not in (*HAN_LEADS, UNASSIGNED_LEAD)
                parts.append(bytes([len(primary)]) + primary)
            parts.append(struct.pack(">HB", secondary_rank[secondary], rank_of(primary, tertiary)))
        return b"".join(parts)

    blocks: list[tuple[int, bytes]] = []
    for block in sorted({point >> 8 for point in singles}):
        records = [
            packed(singles[point]) if point in singles else b"\xff" for point in range(block << 8, (block << 8) + 256)
        ]
        blocks.append((block, b"".join(records)))
    sections = [struct.pack(">H", len(blocks))]
    sections += [struct.pack(">HI", block, len(body)) for block, body in blocks]
    sections += [body for _, body in blocks]
    sections.append(struct.pack(">H", len(ranges)))
    sections += [struct.pack(">II", first, last) for first, last in ranges]
    sections.append(struct.pack(">H", len(found)))
    for text, elements in sorted(found.items()):
        raw = text.encode()
        sections.append(bytes([len(raw)]) + raw + packed(elements))
    classes = [(p, icu.Char.getCombiningClass(p)) for p in all_code_points() if icu.Char.getCombiningClass(p)]
    sections.append(struct.pack(">H", len(classes)))
    sections += [struct.pack(">IB", point, number) for point, number in classes]
    raw = b"".join(sections)
    target = Path(__file__).with_name("root.bin")
    target.write_bytes(zlib.compress(raw, 9))
    print(len(raw), "bytes,", target.stat().st_size, "compressed; ICU", icu.ICU_VERSION)


if __name__ == "__main__":
    main()
