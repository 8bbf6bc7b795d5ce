"""Either side is killed at any moment of a sync, again and again; what was saved is there, once, on both sides."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from estates import Estate, estate
from faulty_lines import assert_same
from trading import edit, make

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
        arrived = sorted(id for id in self.written if replica.get(id))
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
            assert {name: found[id][name] for name in expected} == expected
            assert "disputes" not in found[id]


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
