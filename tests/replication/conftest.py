"""A manufacturer and its dealers, joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from trading import Computer, Trade, join

from app.node import Node


@pytest.fixture
def trade(make_node: Callable[..., Node]) -> Trade:
    """A manufacturer and the dealer D001, joined, with nothing in their databases yet."""
    head_office, dealer = make_node("manufacturer"), make_node("dealer")
    return Trade(head_office, dealer, join(head_office, dealer))


@pytest.fixture
def computers(tmp_path: Path) -> Iterator[Callable[..., Computer]]:
    """``computers(role)`` makes a :class:`Computer`, not started yet; a second of a role has a name of its own."""
    with ExitStack() as made:

        def new(role: str, name: str = "") -> Computer:
            computer = Computer(tmp_path / f"computer-{name or role}", role)
            made.callback(computer.stop)
            return computer

        yield new
