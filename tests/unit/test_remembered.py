"""Figures that are kept as long as the index they come from stays the same."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from app.market.remembered import remembered


class Adding:
    """Counts how often it was done."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> int:
        self.times += 1
        return self.times


def test_figures_are_added_up_once_while_the_index_stays_the_same() -> None:
    node: Any = SimpleNamespace(extensions={})
    adding = Adding()
    assert [remembered(node, "all", "7-a", adding) for _ in range(3)] == [1, 1, 1]
    assert remembered(node, "all", "8-b", adding) == 2
    assert remembered(node, "D001", "8-b", adding) == 3


def test_one_state_that_is_told_in_two_ways_is_added_up_once_for_each() -> None:
    node: Any = SimpleNamespace(extensions={})
    adding = Adding()
    for told in ("7-first second", "7-second first") * 3:
        remembered(node, "all", told, adding)
    assert adding.times == 2


def test_of_many_figures_those_that_were_looked_at_last_are_kept() -> None:
    node: Any = SimpleNamespace(extensions={})
    adding = Adding()
    remembered(node, "often", 1, adding)
    for number in range(100):
        remembered(node, number, 1, adding)
        remembered(node, "often", 1, adding)
    assert adding.times == 101
    remembered(node, 0, 1, adding)
    assert adding.times == 102
