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
    """The squares of side 1/2^zoom of the world that the window touches, from further away when they are many."""
    while True:
        found = _tiles(window, zoom)
        if len(found) <= _MOST_TILES or zoom <= 0:
            return found
        zoom -= 1


def _tiles(window: Window, zoom: int) -> list[str]:
    count = 1 << zoom
    top, bottom = _row(window.north, count), _row(window.south, count)
    left, right = math.floor((window.west / 360 + 0.5) * count), math.floor((window.east / 360 + 0.5) * count)
    columns = range(count) if window.whole else sorted({column % count for column in range(left, right + 1)})
    return [square_of(column, row, zoom) for row in range(top, bottom + 1) for column in columns]


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
