"""Either side is killed at any moment of a sync, again and again; what was saved is there, once, on both sides."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from estates import Estate, estate
from faulty_lines import assert_same
from filelock import FileLock
from trading import Computer, documents, edit, eventually, join, make

from app.node import Node
from app.replication.passes import run_pass

KILLS = 50
"""In each of two trades, which are killed at the same time: most of a kill is waiting."""
DOCUMENTS_A_ROUND = 3


@pytest.fixture(autouse=True)
def _only_embedded(store_server: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IRONBOOK_COUCHDB_URL", raising=False)


@dataclass
class KilledTrade:
    """One trade in which work goes on: `written` is each document as its two sides last saved it."""

    estate: Estate
    chance: random.Random
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    takes: float = 0.1

    def work(self) -> None:
        """Both sides edit fields of their own, of documents that the other may be editing too."""
        dealer, replica = self.estate.trade.dealer, self.estate.trade.replica
        for _ in range(DOCUMENTS_A_ROUND):
            key = f"{len(self.written):04}"
            self.written[make(dealer, key=key, name=key, phone="", website="")["_id"]] = {"phone": "", "website": ""}
        for id in self.chance.sample(sorted(self.written), 2):
            edit(dealer.book, id, phone=self._new("phone", id))
        arrived = sorted(replica.get_many(self.written))
        for id in self.chance.sample(arrived, min(2, len(arrived))):
            edit(replica, id, by="anna", website=self._new("website", id))

    def _new(self, name: str, id: str) -> str:
        value = f"{self.chance.getrandbits(40):x}"
        self.written[id][name] = value
        return value

    def kill_one(self) -> None:
        """One side, at a moment that is anywhere in the sync that runs."""
        site = self.chance.choice([self.estate.dealer, self.estate.head_office])
        moment = self.chance.uniform(0, 1.1 * self.takes)
        sync = threading.Thread(target=self._sync)
        sync.start()
        sync.join(moment)
        site.store.kill()
        if site is self.estate.dealer:
            sync.join()
            site.store.start()
        else:
            site.store.start()
            sync.join()

    def _sync(self) -> None:
        run_pass(self.estate.trade.dealer, self.estate.trade.connection)

    def finish(self) -> None:
        started = time.monotonic()
        result = run_pass(self.estate.trade.dealer, self.estate.trade.connection)
        self.takes = time.monotonic() - started
        assert result.error == ""
        assert result.refused == 0
        here = self.estate.trade.dealer.book
        assert_same(here, self.estate.trade.replica)
        found = here.get_many(self.written)
        assert found.keys() == self.written.keys()
        for id, expected in self.written.items():
            for name, value in expected.items():
                assert value in values_of(found[id], name), (found[id], expected)


def values_of(document: dict[str, Any], name: str) -> list[Any]:
    """A field's value and those in dispute.

    Whoever edits a field again between the two halves of a merge that was cut off gets the older value as a dispute.
    """
    disputed = [each["value"] for each in document.get("disputes", ()) if each["field"] == name]
    return [document[name], *disputed]


def survive(folder: Path, seed: int, kills: int) -> int:
    """Kills as often and looks at everything after every tenth; returns how many documents are left, which is all."""
    with estate(folder) as made:
        trade = KilledTrade(made, random.Random(seed))
        trade.work()
        trade.finish()
        for number in range(1, kills + 1):
            trade.work()
            trade.kill_one()
            if number % 10 == 0:
                trade.finish()
        trade.finish()
        return len(trade.written)


@pytest.mark.timeout(900)
def test_either_side_killed_at_a_hundred_moments_of_a_sync_loses_and_doubles_nothing(
    tmp_path: Path, thorough: bool
) -> None:
    kills = KILLS * (10 if thorough else 1)
    seeds = [random.randrange(10**9) for _ in range(2)]
    with ThreadPoolExecutor(len(seeds)) as pool:
        ended = [pool.submit(survive, tmp_path / str(number), seed, kills) for number, seed in enumerate(seeds)]
        for seed, each in zip(seeds, ended, strict=True):
            try:
                assert each.result() == DOCUMENTS_A_ROUND * (kills + 1)
            except BaseException as error:
                error.add_note(f"the random moments of seed {seed}")
                raise


def test_a_sync_on_the_command_line_killed_at_any_moment_is_finished_by_the_next(
    computers: Callable[[str], Computer], manufacturer_node: Node
) -> None:
    computer = computers("dealer")
    node = computer.start()
    connection = join(manufacturer_node, node)
    chance = random.Random(8)
    kills = 3
    for round_ in range(kills):
        for number in range(5):
            make(node, key=f"{round_}-{number}", name="x" * 1000)
        computer.stop()
        with begun_sync(computer.settings.data) as process:
            # The store of the data folder is there once the process has begun to work.
            note = computer.settings.data / "store" / "running.json"
            assert eventually(lambda note=note: note.exists() or process.poll() is not None)  # type: ignore[misc]
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0, 1))
            process.kill()
        # Its store ends when it sees that it is alone.
        with FileLock(computer.settings.data / "store" / "store.lock", timeout=30):
            pass
        node = computer.start()
        assert len(documents(node.book)) == 5 * (round_ + 1)
    assert run_pass(node, connection).error == ""
    assert_same(node.book, manufacturer_node.book_of("D001"))
    assert len(documents(node.book)) == 5 * kills


@contextmanager
def begun_sync(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "IRONBOOK_NODE_ROLE": "dealer", "IRONBOOK_NODE_DEALER": "D001"}
    with subprocess.Popen(
        [sys.executable, "-m", "app.cli", "sync", "--data", str(data)],
        cwd=Path(__file__).parents[2], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
