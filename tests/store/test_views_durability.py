"""An index is a function of its database: killed, broken or deleted, it is made again and is right."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import pytest
import urllib3
from couch_requests import Couch
from forked_stores import StoreOnFolder, forks

VIEW = "/fleet/_design/fleet/_view/hours"
DOCUMENTS = 6_000


Running = Callable[[Path], AbstractContextManager[tuple[StoreOnFolder, Couch]]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """``with running(folder) as (store, couch)``: a store on a folder, for as long as the block lasts."""
    with forks(tmp_path_factory.mktemp("forks")) as forking:

        @contextmanager
        def run(folder: Path) -> Iterator[tuple[StoreOnFolder, Couch]]:
            store = StoreOnFolder(folder, forking)
            couch = store.start()
            try:
                yield store, couch
            finally:
                store.stop()

        yield run


def fill(couch: Couch, documents: int = DOCUMENTS) -> None:
    couch.put("/fleet")
    batch = [
        {"_id": f"m{number:05}", "make": f"make{number % 7}", "hours": number % 100} for number in range(documents)
    ]
    assert couch.post("/fleet/_bulk_docs", {"docs": batch}).status == 201
    views = {"hours": {"map": "function (doc) { emit([doc.make, doc._id], doc.hours); }", "reduce": "_sum"}}
    assert couch.put("/fleet/_design/fleet", {"views": views}).status == 201


def expected(documents: int = DOCUMENTS) -> dict[str, int]:
    sums: dict[str, int] = {}
    for number in range(documents):
        sums[f"make{number % 7}"] = sums.get(f"make{number % 7}", 0) + number % 100
    return sums


def sums(couch: Couch) -> dict[str, int]:
    answer = couch.get(f"{VIEW}?group_level=1")
    assert answer.status == 200, answer.data
    return {row["key"][0]: row["value"] for row in answer.json()["rows"]}


def index_file(folder: Path) -> Path:
    [found] = folder.rglob("*.indexes/*.sqlite")
    return found


@pytest.mark.parametrize("moment", [0.02, 0.1])
def test_an_index_is_right_after_a_kill_while_it_was_built(running: Running, tmp_path: Path, moment: float) -> None:
    with running(tmp_path) as (store, couch):
        fill(couch)
        killed = threading.Timer(moment, os.kill, (store.pid, signal.SIGKILL if os.name != "nt" else signal.SIGTERM))
        killed.start()
        with suppress(urllib3.exceptions.HTTPError):
            couch.get(f"{VIEW}?group_level=1")
        killed.join()
    with running(tmp_path) as (_, couch):
        assert sums(couch) == expected()
        assert couch.get(f"{VIEW}?reduce=false&limit=0").json()["total_rows"] == DOCUMENTS


def test_a_built_index_is_used_again_after_a_restart(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 500)
        assert sums(couch) == expected(500)
    with running(tmp_path) as (_, couch):
        assert couch.get(f"{VIEW}?update=false&reduce=false&limit=0").json()["total_rows"] == 500


@pytest.mark.parametrize("damage", ["not a database", "torn in the middle", "deleted"])
def test_a_broken_index_is_made_again(running: Running, tmp_path: Path, damage: str) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 2_000)
        assert sums(couch) == expected(2_000)
    file = index_file(tmp_path)
    content = file.read_bytes()
    if damage == "deleted":
        file.unlink()
    elif damage == "not a database":
        file.write_bytes(b"this is no database " * 1000)
    else:
        file.write_bytes(content[:8192] + b"\xff" * (len(content) - 8192))
    with running(tmp_path) as (_, couch):
        assert sums(couch) == expected(2_000)


def test_a_database_made_anew_under_the_same_name_has_an_index_of_its_own(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 300)
        assert sums(couch) == expected(300)
        couch.delete("/fleet")
        fill(couch, 100)
        assert sums(couch) == expected(100)


def test_what_is_purged_leaves_the_index(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 10)
        assert sum(sums(couch).values()) == 45
        rev = couch.get("/fleet/m00009").json()["_rev"]
        assert couch.post("/fleet/_purge", {"m00009": [rev]}).status == 201
        assert sum(sums(couch).values()) == 36


def test_readers_that_wait_for_one_index_all_get_it(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch)
        answers: list[dict[str, int]] = []
        readers = [threading.Thread(target=lambda: answers.append(sums(couch))) for _ in range(12)]
        for reader in readers:
            reader.start()
        assert couch.get("/fleet/m00000").status == 200
        for reader in readers:
            reader.join()
        assert answers == [expected()] * 12


def test_a_database_put_back_from_a_copy_has_no_rows_from_later(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 50)
    [file] = tmp_path.rglob("db-fleet.sqlite")
    copy = file.read_bytes()
    with running(tmp_path) as (_, couch):
        couch.put("/fleet/later", {"make": "later", "hours": 1})
        assert sums(couch)["later"] == 1
    file.write_bytes(copy)
    with running(tmp_path) as (_, couch):
        assert sums(couch) == expected(50)


def test_a_query_is_answered_while_others_keep_writing(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 2_000)
        stop = threading.Event()

        def write() -> None:
            while not stop.is_set():
                couch.post("/fleet/_bulk_docs", {"docs": [{"make": "new", "hours": 0} for _ in range(20)]})

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(5):
                found = sums(couch)
                assert {make: hours for make, hours in found.items() if make != "new"} == expected(2_000)
        finally:
            stop.set()
            writer.join()


def test_a_view_is_built_where_a_document_was_purged_and_made_again(running: Running, tmp_path: Path) -> None:
    with running(tmp_path) as (_, couch):
        fill(couch, 10)
        rev = couch.get("/fleet/m00009").json()["_rev"]
        assert couch.post("/fleet/_purge", {"m00009": [rev]}).status == 201
        couch.put("/fleet/m00009", {"make": "again", "hours": 7})
        assert sums(couch) == {**expected(9), "again": 7}
