"""The store and a small model of it do the same random things and must give the same answers.

Hypothesis looks for the shortest history after which they differ. `--thorough` looks longer, elsewhere every time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from couch_requests import Couch
from forked_stores import StoreOnFolder, forks
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from store_machine import StoreMachine


@pytest.fixture
def machine(couch: Couch, tmp_path: Path) -> Iterator[type[StoreMachine]]:
    """The machine on a store it may end, or on the CouchDB that is given."""

    class Machine(StoreMachine):
        pass

    if not couch.is_embedded:
        Machine.couch = couch
        yield Machine
        return
    with forks(tmp_path / "forks") as forking:
        server = StoreOnFolder(tmp_path / "data", forking)
        Machine.server = server
        Machine.couch = server.start()
        yield Machine


@pytest.mark.timeout(3600)
def test_the_store_answers_what_the_model_answers(machine: type[StoreMachine], thorough: bool) -> None:
    examples = 1500 if thorough else 28
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=60 if thorough else 40,
            derandomize=not thorough,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.edits > examples
