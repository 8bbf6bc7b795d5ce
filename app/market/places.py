"""The squares of the map in which machines are counted (pure): as in the view ``market/places``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# How deep the view goes: squares of about 0.6 km by 0.6 km in Europe.
DEPTH = 15
# A window of a browser covers so many tiles at most; a larger one is looked at from further away.
_MOST_TILES = 40
_NORTHMOST = 85.05


@dataclass(frozen=True)
class Place:
    """Machines that are counted together: how many, the middle of their positions, the square they are in."""

    square: str
    count: int
    latitude: float
    longitude: float


@dataclass(frozen=True)
class Window:
    """What a map shows, in degrees. `west` may be greater than `east` or beyond 180 where the map wraps around."""

    south: float
    west: float
    north: float
    east: float

    @property
    def whole(self) -> bool:
        """Whether it shows every longitude."""
        return self.east - self.west >= 360


def tiles(window: Window, zoom: int) -> list[str]:
    """The squares of side 1/2^zoom of the world that the window touches, from further away when they are many.

    `zoom` is 0 to `DEPTH`; the squares are counted before they are named, so a large window costs no more than a small.
    """
    while True:
        rows, columns = _rows(window, zoom), _columns(window, zoom)
        if len(rows) * len(columns) <= _MOST_TILES or zoom <= 0:
            count = 1 << zoom
            return [square_of(column % count, row, zoom) for row in rows for column in columns]
        zoom -= 1


def _rows(window: Window, zoom: int) -> range:
    count = 1 << zoom
    return range(_row(window.north, count), _row(window.south, count) + 1)


def _columns(window: Window, zoom: int) -> range:
    count = 1 << zoom
    left, right = (math.floor((side / 360 + 0.5) * count) for side in (window.west, window.east))
    if right < left:
        right += count
    return range(count) if window.whole or right - left >= count else range(left, right + 1)


def _row(latitude: float, count: int) -> int:
    sine = math.sin(math.radians(max(-_NORTHMOST, min(_NORTHMOST, latitude))))
    y = 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    return max(0, min(count - 1, math.floor(y * count)))


def square_of(column: int, row: int, zoom: int) -> str:
    """The digits of the square in a column and row (from the north-west) of the world in 2^zoom columns and rows."""
    return "".join(str((column >> bit & 1) + 2 * (row >> bit & 1)) for bit in range(zoom - 1, -1, -1))


def is_square(text: str) -> bool:
    """Whether a text is the digits of a square."""
    return len(text) <= DEPTH and set(text) <= set("0123")


def as_places(rows: Iterable[tuple[list[Any], Mapping[int, float] | list[float]]], scope: int) -> list[Place]:
    """The reduced rows of the view: ``(key, [count, sum of latitudes, sum of longitudes])``, `scope` parts of the key
    saying whose machines they are.
    """
    return [
        Place(
            "".join(map(str, key[scope:])),
            int(value[0]),
            round(value[1] / value[0], 5),
            round(value[2] / value[0], 5),
        )
        for key, value in rows
        if value[0]
    ]
