"""The store is killed in the middle of everything, again and again; nothing it acknowledged is gone."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from couch_requests import Couch
from forked_stores import Forks, StoreOnFolder, forks

KILLS_A_FOLDER = 10
DATABASES = ("book", "catalog")
VIEW = "_design/kept/_view/by_writer"
DESIGN = {
    "views": {"by_writer": {"map": "function (doc) { emit([doc.writer, doc._id], doc.n); }", "reduce": "_sum"}},
}


@dataclass
class Kept:
    """A document as it was acknowledged, or as it was asked for. `body` None: deleted."""

    body: dict[str, Any] | None
    rev: str | None = None
    content: bytes | None = None


@dataclass
class Writer:
    """One client. Its documents are its own, so it knows what each must be: `kept`, or what it asked for last."""

    database: str
    name: str
    chance: random.Random
    kept: dict[str, Kept] = field(default_factory=dict)
    asked: dict[str, Kept] = field(default_factory=dict)
    acknowledged: int = 0

    def write_until_killed(self, couch: Couch) -> None:
        kinds: list[Callable[[Couch], None]] = [self._create, self._edit, self._edit, self._delete, self._bulk]
        kinds += [self._attach, self._local]
        with suppress(urllib3.exceptions.HTTPError):
            while True:
                self.asked = {}
                self.chance.choice(kinds)(couch)
                self.acknowledged += 1

    def _new_id(self) -> str:
        return f"{self.name}-{self.chance.getrandbits(48):012x}"

    def _body(self) -> dict[str, Any]:
        return {"writer": self.name, "n": self.chance.randint(0, 999), "text": "x" * self.chance.randint(0, 3000)}

    def _ask(self, couch: Couch, id: str, new: Kept, **options: Any) -> None:
        self.asked = {id: new}
        answer = couch.request(options.pop("method", "PUT"), timeout=10, **options)
        assert answer.status in (200, 201), answer.data
        self.kept[id] = Kept(new.body, answer.json()["rev"], new.content)

    def _create(self, couch: Couch) -> None:
        id, body = self._new_id(), self._body()
        self._ask(couch, id, Kept(body), path=f"/{self.database}/{id}", body=body)

    def _living(self) -> tuple[str, Kept] | None:
        living = [(id, kept) for id, kept in self.kept.items() if kept.body is not None]
        return self.chance.choice(living) if living else None

    def _edit(self, couch: Couch) -> None:
        chosen = self._living()
        if chosen is None:
            return
        id, kept = chosen
        body = self._body()
        self._ask(couch, id, Kept(body), path=f"/{self.database}/{id}?rev={kept.rev}", body=body)

    def _delete(self, couch: Couch) -> None:
        chosen = self._living()
        if chosen is not None:
            id, kept = chosen
            self._ask(couch, id, Kept(None), method="DELETE", path=f"/{self.database}/{id}?rev={kept.rev}")

    def _attach(self, couch: Couch) -> None:
        id, content = self._new_id(), self.chance.randbytes(self.chance.choice([100, 9_000, 150_000, 1_500_000]))
        path = f"/{self.database}/{id}/f.bin"
        self._ask(couch, id, Kept({}, content=content), path=path, raw=content, headers={"Content-Type": "x/y"})

    def _bulk(self, couch: Couch) -> None:
        docs = [{"_id": self._new_id(), **self._body()} for _ in range(self.chance.randint(2, 20))]
        self.asked = {doc["_id"]: Kept({k: v for k, v in doc.items() if k != "_id"}) for doc in docs}
        answer = couch.post(f"/{self.database}/_bulk_docs", {"docs": docs}, timeout=10)
        assert answer.status == 201, answer.data
        for row in answer.json():
            self.kept[row["id"]] = Kept(self.asked[row["id"]].body, row["rev"])

    def _local(self, couch: Couch) -> None:
        assert couch.put(f"/{self.database}/_local/{self.name}", {"n": 1}, timeout=10).status == 201

    def settle(self, couch: Couch, found: dict[str, dict[str, Any]]) -> None:
        """Compare with what is there. What was asked for and not answered is there or not, but whole, and stays so."""
        there = [self._is_done(id, found.get(id)) for id in self.asked]
        assert len(set(there)) <= 1, "half of a bulk is there"
        for id, new in self.asked.items():
            if there[0]:
                rev = found[id]["_rev"] if id in found else None
                self.kept[id] = Kept(new.body, rev, new.content)
        for id, kept in self.kept.items():
            if kept.body is None:
                assert id not in found
                continue
            assert (_plain(found[id]), found[id]["_rev"]) == (kept.body, kept.rev)
            if kept.content is not None and id in self.asked:
                self._check_content(couch, id, kept)
        self.asked = {}

    def _is_done(self, id: str, found: dict[str, Any] | None) -> bool:
        known = self.kept.get(id)
        if found is None:
            return self.asked[id].body is None and known is not None
        return known is None or found["_rev"] != known.rev

    def _check_content(self, couch: Couch, id: str, kept: Kept) -> None:
        assert couch.get(f"/{self.database}/{id}/f.bin").data == kept.content

    def check_contents(self, couch: Couch) -> None:
        for id, kept in self.kept.items():
            if kept.content is not None and kept.body is not None:
                self._check_content(couch, id, kept)


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if not name.startswith("_")}


@dataclass
class Follower:
    """Reads the changes while they are made, and remembers which change had which number."""

    database: str
    seen: dict[int, tuple[str, str]] = field(default_factory=dict)
    newest: int = 0

    def follow_until_killed(self, couch: Couch) -> None:
        since = "0"
        with suppress(urllib3.exceptions.HTTPError, ValueError):
            while True:
                since = self.look(couch, since)
                couch.get(f"/{self.database}/{VIEW}?group_level=1", timeout=10)
                couch.post(f"/{self.database}/_compact", {}, timeout=10)

    def look(self, couch: Couch, since: str) -> str:
        answer = couch.get(f"/{self.database}/_changes?since={since}&feed=normal", timeout=10)
        told = answer.json()
        before = 0
        for row in told["results"]:
            number = int(row["seq"].partition("-")[0])
            assert number > before
            before = number
            change = (row["id"], row["changes"][0]["rev"])
            assert self.seen.setdefault(number, change) == change, f"number {number} was given twice"
        last = int(told["last_seq"].partition("-")[0])
        assert last >= self.newest
        self.newest = last
        return str(told["last_seq"])


def _wait(seconds: float) -> None:
    threading.Event().wait(seconds)


@dataclass
class Folder:
    """A store with clients on it, killed again and again."""

    store: StoreOnFolder
    chance: random.Random
    writers: list[Writer]
    followers: list[Follower]

    def kill_and_check(self) -> None:
        couch = self.store.couch
        enough = self._acknowledged() + self.chance.choice([0, 1, 2, 5, 10, 20, 40])
        with ThreadPoolExecutor(len(self.writers) + len(self.followers)) as pool:
            running = [pool.submit(one.write_until_killed, couch) for one in self.writers]
            running += [pool.submit(one.follow_until_killed, couch) for one in self.followers]
            while sum(writer.acknowledged for writer in self.writers) < enough and not any(
                one.done() for one in running
            ):
                _wait(0.0005)
            _wait(self.chance.random() * 0.02)
            self.store.kill()
        for one in running:
            one.result()
        self.store.start()
        self.check()

    def _acknowledged(self) -> int:
        return sum(writer.acknowledged for writer in self.writers)

    def check(self) -> None:
        couch = self.store.couch
        for follower in self.followers:
            name = follower.database
            rows = couch.get(f"/{name}/_all_docs?include_docs=true").json()["rows"]
            found = {row["id"]: row["doc"] for row in rows if row["id"] != "_design/kept"}
            for writer in self.writers:
                if writer.database == name:
                    writer.settle(couch, found)
            known = {id for writer in self.writers for id in writer.kept if writer.database == name}
            assert set(found) <= known, "there is a document nobody asked for"
            follower.look(couch, "0")
            _check_view(couch, name, found)
            path = self.store.folder / f"db-{name}.sqlite"
            connection = sqlite3.connect(path)
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            connection.close()

    def check_rebuilt_indexes(self) -> None:
        before = [_view_rows(self.store.couch, name) for name in DATABASES]
        self.store.stop()
        for name in DATABASES:
            shutil.rmtree(self.store.folder / f"db-{name}.indexes", ignore_errors=True)
        couch = self.store.start()
        assert [_view_rows(couch, name) for name in DATABASES] == before
        for writer in self.writers:
            writer.check_contents(couch)


def _view_rows(couch: Couch, name: str) -> list[tuple[Any, ...]]:
    answer = couch.get(f"/{name}/{VIEW}?reduce=false")
    assert answer.status == 200, answer.data
    return [(row["key"], row["value"]) for row in answer.json()["rows"]]


def _check_view(couch: Couch, name: str, found: dict[str, dict[str, Any]]) -> None:
    """The rows and their sums are what the documents say."""
    expected = [([doc.get("writer"), id], doc.get("n")) for id, doc in found.items()]
    assert sorted(_view_rows(couch, name), key=str) == sorted(expected, key=str)
    sums: dict[Any, int] = {}
    for (writer, _), n in expected:
        sums[writer] = sums.get(writer, 0) + (n or 0)
    sums.pop(None, None)
    answer = couch.get(f"/{name}/{VIEW}?group_level=1&startkey=[0]").json()
    assert {row["key"][0]: row["value"] for row in answer["rows"]} == sums


@pytest.fixture
def forking(tmp_path: Path) -> Iterator[Forks]:
    with forks(tmp_path / "forks") as opened:
        yield opened


@pytest.mark.timeout(1800)
def test_an_acknowledged_write_survives_a_hundred_kills(tmp_path: Path, forking: Forks, thorough: bool) -> None:
    chance = random.Random(20261125)
    for number in range(100 if thorough else 10):
        store = StoreOnFolder(tmp_path / f"data-{number}", forking)
        couch = store.start()
        for name in DATABASES:
            assert couch.put(f"/{name}").status == 201
            assert couch.put(f"/{name}/_design/kept", DESIGN).status == 201
        writers = [Writer(name, f"{name}{n}", random.Random(chance.random())) for name in DATABASES for n in range(2)]
        folder = Folder(store, chance, writers, [Follower(name) for name in DATABASES])
        for _ in range(KILLS_A_FOLDER):
            folder.kill_and_check()
        folder.check_rebuilt_indexes()
        store.kill()
        assert all(writer.kept for writer in writers)
        shutil.rmtree(store.folder)
