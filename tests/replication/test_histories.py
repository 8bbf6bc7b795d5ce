"""Random histories of several nodes: after everything is synced all hold the same, and every edit is somewhere."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from history_machine import Histories, next_entry
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from memory_book import MemoryBook
from store_books import KilledStore, StoreBook

from app.couch import Store
from app.documents import changes

# Kinds of store by node, repeated.
KINDS = {"one": "a", "two": "ab", "mixed": "aab"}


def search(new_books: Callable[[int, str], list[Any]], examples: int, steps: int, everywhere: bool) -> int:
    """Looks for a history after which something is lost or differs: the same ones each time, unless `everywhere`.

    Returns how many edits were looked for at the ends of the histories. AssertionError tells the shortest one found.
    """
    machine = type("Machine", (Histories,), {"new_books": staticmethod(new_books)})
    searching = settings(
        max_examples=examples,
        stateful_step_count=steps,
        derandomize=not everywhere,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    with patch.object(changes, "new_key", next_entry):
        run_state_machine_as_test(machine, settings=searching)  # type: ignore[no-untyped-call]
    return machine.examined


@pytest.mark.timeout(7200)
def test_all_nodes_converge_and_every_edit_is_a_value_a_dispute_or_was_seen(thorough: bool) -> None:
    def new_books(count: int, kinds: str) -> list[MemoryBook]:
        of_node = KINDS[kinds]
        return [MemoryBook(f"node{number}", of_node[number % len(of_node)]) for number in range(count)]

    examples = 20_000 if thorough else 500
    assert search(new_books, examples, 40 if thorough else 20, thorough) > 3 * examples


@pytest.fixture
def real_books(store: Store, tmp_path: Path) -> Iterator[Callable[[int, str], list[StoreBook]]]:
    """Books on an embedded store that is killed now and then; on CouchDB as well, by turns, where that is given."""
    killed = KilledStore(tmp_path / "killed")
    stores = [killed.store]
    if os.environ.get("IRONBOOK_COUCHDB_URL"):
        stores.append(store)

    def new(count: int, kinds: str) -> list[StoreBook]:
        run = secrets.token_hex(4)
        on = [stores[0 if kinds == "one" else number % len(stores)] for number in range(count)]
        return [
            StoreBook(each.create(f"node-{run}-{number}"), killed if each is killed.store else None)
            for number, each in enumerate(on)
        ]

    yield new
    killed.stop()


@pytest.mark.timeout(7200)
def test_histories_on_real_stores_lose_nothing(real_books: Callable[[int, str], list[Any]], thorough: bool) -> None:
    examples = 300 if thorough else 8
    assert search(real_books, examples, 20 if thorough else 12, thorough) > 3 * examples
