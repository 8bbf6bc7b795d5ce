"""What was acknowledged is there after the worst. These start stores of their own, so they need no CouchDB."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from couch_requests import ADMIN, Couch

import embedded

KILLS = 10


def write_until_killed(couch: Couch, name: str, acknowledged: dict[str, Any], number: int) -> None:
    """Single documents, bulks and attachments until the store is gone; notes what it answered."""
    count = 0
    try:
        while True:
            count += 1
            id = f"w{number}-{count}"
            if count % 7 == 0:
                docs = [{"_id": f"{id}-{index}", "n": index} for index in range(20)]
                for row in couch.post(f"/{name}/_bulk_docs", {"docs": docs}, timeout=5).json():
                    acknowledged[row["id"]] = row["rev"]
            elif count % 11 == 0:
                raw = os.urandom(3000)
                answer = couch.put(f"/{name}/{id}/f.bin", raw=raw, headers={"Content-Type": "x/y"}, timeout=5).json()
                acknowledged[answer["id"]] = answer["rev"]
            else:
                answer = couch.put(f"/{name}/{id}", {"n": count}, timeout=5).json()
                acknowledged[answer["id"]] = answer["rev"]
    except (urllib3.exceptions.HTTPError, KeyError, ValueError):
        return


def test_an_acknowledged_write_survives_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20261125)
    acknowledged: dict[str, Any] = {}
    newest = 0
    for _ in range(KILLS):
        running = embedded.start(tmp_path, admin=ADMIN)
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        newest = _check(couch, tmp_path, acknowledged, newest)
        wanted = len(acknowledged) + chance.randint(5, 200)
        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                pool.submit(write_until_killed, couch, "book", acknowledged, chance.getrandbits(60))
            while len(acknowledged) < wanted:
                _a_moment()
            os.kill(running.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        running.stop()
    with embedded.start(tmp_path, admin=ADMIN) as running:
        _check(Couch(running.url, ADMIN), tmp_path, acknowledged, newest)


def _a_moment() -> None:
    threading.Event().wait(0.001)


def _check(couch: Couch, directory: Path, acknowledged: dict[str, Any], newest: int) -> int:
    """Every acknowledged revision is there, the file is sound, and the sequence did not go back."""
    found = {row["id"]: row["value"]["rev"] for row in couch.get("/book/_all_docs").json()["rows"]}
    assert {id: found.get(id) for id in acknowledged} == acknowledged
    told = couch.get("/book").json()
    assert told["doc_count"] == len(found)
    changes = couch.get("/book/_changes").json()["results"]
    sequences = [int(row["seq"].partition("-")[0]) for row in changes]
    assert sequences == sorted(set(sequences))
    assert len(changes) == len(found)
    for id in [id for id in found if couch_has_attachment(id)][:20]:
        assert len(couch.get(f"/book/{id}/f.bin").data) == 3000
    # A bulk is one transaction: all of it or nothing.
    parts: dict[str, int] = {}
    for id in found:
        if id.count("-") == 2:
            parts[id.rpartition("-")[0]] = parts.get(id.rpartition("-")[0], 0) + 1
    assert set(parts.values()) <= {20}
    connection = sqlite3.connect(directory / "db-book.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    now = int(told["update_seq"].partition("-")[0])
    assert now >= newest
    return now


def couch_has_attachment(id: str) -> bool:
    return id.count("-") == 1 and int(id.partition("-")[2]) % 11 == 0 and int(id.partition("-")[2]) % 7 != 0


def test_a_second_store_on_the_same_folder_refuses_to_start(tmp_path: Path) -> None:
    with embedded.start(tmp_path, admin=ADMIN) as running:
        with pytest.raises(embedded.FolderInUseError, match="already running"):
            embedded.start(tmp_path, admin=ADMIN)
        assert Couch(running.url, ADMIN).get("/_up").status == 200
    embedded.start(tmp_path, admin=ADMIN).stop()


def test_an_occupied_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with embedded.start(tmp_path / "one", admin=ADMIN) as running:
        port = int(running.url.rpartition(":")[2])
        with pytest.raises(embedded.StoreNotStartedError, match=f"port {port}"):
            embedded.start(tmp_path / "two", port=port, admin=ADMIN)


def test_the_store_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    import subprocess

    source = (
        "import embedded, sys, os\n"
        f"running = embedded.start({str(tmp_path)!r}, admin=('a', 'b'))\n"
        "print(running.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    root = Path(embedded.__file__).parent.parent
    output = subprocess.run(
        [sys.executable, "-c", source], cwd=root, capture_output=True, check=True, timeout=30
    ).stdout
    pid = int(output)
    for _ in range(2000):
        try:
            embedded.start(tmp_path, admin=ADMIN).stop()
            break
        except embedded.FolderInUseError:
            continue
    else:
        pytest.fail(f"the store {pid} goes on without its parent")


def test_a_full_disk_loses_nothing_and_the_store_goes_on_when_there_is_space(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process limit another's files")
    with embedded.start(tmp_path, admin=ADMIN) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        rev = couch.put("/book/before", {"v": 1}).json()["rev"]
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (256 * 1024, resource.RLIM_INFINITY))
        statuses = {couch.put(f"/book/big{number}", {"text": "x" * 50_000}).status for number in range(20)}
        assert statuses <= {201, 503, 507}
        assert statuses & {503, 507}
        refused = couch.put("/book/refused", {"text": "x" * 500_000})
        assert refused.status in (503, 507)
        assert "Nothing was saved" in refused.json()["reason"]
        assert couch.get("/book/before").json()["_rev"] == rev
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert couch.put("/book/after", {"text": "x" * 500_000}).status == 201
        assert couch.get("/book/refused").status == 404


def test_a_file_of_a_newer_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with embedded.start(tmp_path, admin=ADMIN) as running:
        Couch(running.url, ADMIN).put("/book")
    path = tmp_path / "db-book.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=999")
    connection.close()
    content = path.read_bytes()
    with embedded.start(tmp_path, admin=ADMIN) as running:
        answer = Couch(running.url, ADMIN).get("/book")
        assert answer.status == 503
        assert "newer program" in answer.json()["reason"]
    assert path.read_bytes() == content
