"""A replication survives SIGKILL of either side: nothing is lost, and what had arrived is not read again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from couch_requests import ADMIN, Couch
from replicating import Place, counts, replicate

import embedded
from embedded import RunningStore

DOCUMENTS = 6_000


class KillableStore:
    """A store of its own that comes back on the same port with the same files."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._running: RunningStore = embedded.start(directory, admin=ADMIN)
        self.couch = Couch(self._running.url, ADMIN)

    def kill(self) -> None:
        # Windows has no SIGKILL: there SIGTERM ends a process without asking it.
        os.kill(self._running.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        self._running.stop()

    def restart(self) -> None:
        port = int(self.couch.url.rpartition(":")[2])
        self._running = embedded.start(self._directory, port=port, admin=ADMIN)

    def stop(self) -> None:
        self._running.stop()


@pytest.fixture
def killable(couch: Couch, tmp_path: Path) -> Iterator[KillableStore]:
    if not couch.is_embedded:
        pytest.skip("A CouchDB that is not ours is not killed.")
    store = KillableStore(tmp_path / "killable")
    yield store
    store.stop()


def _filled(couch: Couch) -> Place:
    place = Place(couch, couch.database())
    for start in range(0, DOCUMENTS, 2_000):
        place.save(*({"_id": f"d{n:05}", "n": n, "text": "x" * 300} for n in range(start, start + 2_000)))
    return place


def _documents(place: Place) -> int:
    count: int = place.couch.get(place.path).json()["doc_count"]
    return count


class Asking(threading.Thread):
    """Asks for a replication in the background. `told`: the answer, or what went wrong."""

    def __init__(self, worker: Couch, source: Place, target: Place, **options: Any) -> None:
        super().__init__(daemon=True)
        self._options = {"checkpoint_interval": 50, "worker_batch_size": 200, **options}
        self._arguments = (worker, source.endpoint(), target.endpoint())
        self.told: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.told = replicate(*self._arguments, **self._options)
        except Exception as error:
            self.told = error


def _wait_until_some_have_arrived(target: Place, asking: Asking) -> None:
    while asking.is_alive() and _documents(target) < DOCUMENTS // 6:
        pass


def test_a_killed_replicator_goes_on_where_it_was(couch: Couch, killable: KillableStore) -> None:
    source, target = _filled(killable.couch), Place(couch, couch.database())
    asking = Asking(killable.couch, source, target)
    _wait_until_some_have_arrived(target, asking)
    killable.kill()
    asking.join()
    arrived = _documents(target)

    killable.restart()
    told = replicate(killable.couch, source.endpoint(), target.endpoint(), worker_batch_size=200)

    assert arrived < DOCUMENTS, "it was killed in the middle"
    assert target.leaves() == source.leaves()
    history = told["history"]
    assert len(history) == 2, "it began from its checkpoint"
    # The last that both sides had written down: the kill may have come between the two.
    assert history[0]["start_last_seq"] not in (0, "0")
    assert history[0]["docs_read"] - history[1]["docs_read"] <= DOCUMENTS - arrived
    couch.delete(target.path)


def test_a_replication_outlives_a_target_that_is_killed_and_comes_back(couch: Couch, killable: KillableStore) -> None:
    source, target = _filled(couch), Place(killable.couch, killable.couch.database())
    asking = Asking(couch, source, target)
    _wait_until_some_have_arrived(target, asking)
    killable.kill()

    killable.restart()
    asking.join()

    assert isinstance(asking.told, dict), asking.told
    assert counts(asking.told)[2] == 0
    assert target.leaves() == source.leaves()
    couch.delete(source.path)


def test_a_source_that_stays_away_ends_the_replication_with_a_reason(couch: Couch, killable: KillableStore) -> None:
    source, target = _filled(killable.couch), Place(couch, couch.database())
    asking = Asking(couch, source, target, retries_per_request=1)
    _wait_until_some_have_arrived(target, asking)
    killable.kill()
    asking.join()
    arrived = _documents(target)

    killable.restart()
    told = replicate(couch, source.endpoint(), target.endpoint())

    assert isinstance(asking.told, AssertionError)
    assert "could not be reached" in str(asking.told)
    assert target.leaves() == source.leaves()
    assert arrived < DOCUMENTS
    assert told["history"][0]["docs_written"] <= DOCUMENTS
    couch.delete(target.path)


def test_a_continuous_replication_goes_on_when_its_target_is_back(couch: Couch, killable: KillableStore) -> None:
    source, target = Place(couch, couch.database()), Place(killable.couch, killable.couch.database())
    options = {"continuous": True, "retries_per_request": 0}
    replicate(couch, source.endpoint(), target.endpoint(), **options)
    killable.kill()
    source.save({"_id": "written-while-it-was-away"})

    killable.restart()
    told = target.couch.get(f"{target.path}/_changes?feed=longpoll&since=0&timeout=30000", timeout=60).json()

    assert [row["id"] for row in told["results"]] == ["written-while-it-was-away"]
    replicate(couch, source.endpoint(), target.endpoint(), cancel=True, **options)
    couch.delete(source.path)


def test_a_store_ends_in_good_order_while_it_replicates(couch: Couch, killable: KillableStore) -> None:
    source, target = _filled(killable.couch), Place(couch, couch.database())
    other = Place(killable.couch, killable.couch.database())
    replicate(killable.couch, target.endpoint(), other.endpoint(), continuous=True)
    asking = Asking(killable.couch, source, target)
    _wait_until_some_have_arrived(target, asking)

    started = time.monotonic()
    killable.stop()
    asking.join()

    assert time.monotonic() - started < 8, "it did not have to be killed"
    assert "stopping" in str(asking.told)
    killable.restart()
    replicate(killable.couch, source.endpoint(), target.endpoint())
    assert target.leaves() == source.leaves()
    couch.delete(target.path)
