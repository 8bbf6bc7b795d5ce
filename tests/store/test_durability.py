"""What was acknowledged is there after the worst. These start stores of their own, so they need no CouchDB."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from couch_requests import ADMIN, Couch
from forked_stores import StoreOnFolder, forks

import embedded
from embedded import database_schema


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


def test_an_index_that_found_no_space_is_built_when_there_is_some(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process limit another's files")
    with embedded.start(tmp_path, admin=ADMIN) as running:
        couch = Couch(running.url, ADMIN)
        couch.put("/book")
        couch.post("/book/_bulk_docs", {"docs": [{"n": number, "text": "x" * 2_000} for number in range(200)]})
        couch.put("/book/_design/d", {"views": {"v": {"map": "function (doc) { emit(doc.n, doc.text); }"}}})
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
        for path in ("/book/_design/d/_view/v", "/another"):
            refused = couch.get(path) if path.startswith("/book") else couch.put(path)
            assert refused.status in (503, 507), refused.data
            assert refused.json()["reason"]
        resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert couch.get("/book/_design/d/_view/v?limit=0").json()["total_rows"] == 200
        assert couch.put("/another").status == 201


@pytest.fixture
def ordinary_user() -> int | None:
    """Somebody whom a read-only folder stops: not root."""
    if not hasattr(os, "geteuid"):
        pytest.skip("Windows has no folder that is read-only for files in it")
    return 65534 if os.geteuid() == 0 else None


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder whose parents anybody may pass through, which those of `tmp_path` do not allow."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def test_a_folder_that_becomes_read_only_is_told_and_used_again_afterwards(
    open_folder: Path, tmp_path: Path, ordinary_user: int | None
) -> None:
    with forks(tmp_path) as forking:
        store = StoreOnFolder(open_folder, forking)
        couch = store.start(ordinary_user)
        couch.put("/book")
        couch.put("/book/a", {"v": 1})
        store.stop()
        couch = store.start(ordinary_user)
        open_folder.chmod(0o555)
        for answer in (couch.put("/new"), couch.put("/book/b", {"v": 1}), couch.get("/book/a")):
            assert answer.status in (503, 507), answer.data
            assert answer.json()["reason"]
        open_folder.chmod(0o777)
        assert couch.get("/book/a").json()["v"] == 1
        assert couch.put("/book/b", {"v": 1}).status == 201
        assert couch.put("/new").status == 201
        store.stop()


def test_a_store_does_not_start_on_a_read_only_folder_and_says_why(
    open_folder: Path, tmp_path: Path, ordinary_user: int | None
) -> None:
    open_folder.chmod(0o555)
    with forks(tmp_path) as forking, pytest.raises(embedded.StoreNotStartedError, match="cannot be used"):
        StoreOnFolder(open_folder, forking).start(ordinary_user)
    open_folder.chmod(0o777)


FORMAT_1 = Path(__file__).parent.parent / "data" / "store-format-1.sqlite"


def test_a_file_of_the_first_format_is_brought_up_to_date_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "db-book.sqlite"
    shutil.copy(FORMAT_1, path)
    for _ in range(2):
        with embedded.start(tmp_path, admin=ADMIN) as running:
            couch = Couch(running.url, ADMIN)
            rows = couch.get("/book/_all_docs").json()["rows"]
            assert [row["id"] for row in rows] == ["_design/d", "customer", "machine", "photo"]
            assert couch.get("/book/customer").json()["name"] == "Quarry Ltd"
            machine = couch.get("/book/machine?conflicts=true").json()
            assert (machine["hours"], machine["_conflicts"]) == (12, ["2-b"])
            assert couch.get("/book/gone").json()["reason"] == "deleted"
            assert couch.get("/book/photo/p.bin").data == bytes(range(256)) * 8
            assert couch.get("/book/photo/n.txt").data == b"a note " * 200
            assert couch.get("/book/_local/mark").json()["seq"] == 5
            assert len(couch.get("/book/_design/d/_view/v").json()["rows"]) == 3
            assert couch.get("/book").json()["update_seq"].startswith("11-")
            assert couch.put("/book/_local/again", {"n": 1}).status == 201
    assert _version(path) == database_schema.VERSION


def test_an_upgrade_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "db-book.sqlite"
    shutil.copy(FORMAT_1, path)
    monkeypatch.setattr(database_schema, "VERSION", database_schema.VERSION + 1)
    monkeypatch.setitem(database_schema._UPGRADES, database_schema.VERSION - 1, "CREATE TABLE documents (it INTEGER)")
    connection = database_schema.connect(path)
    with pytest.raises(sqlite3.OperationalError):
        database_schema.upgrade(connection)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name='pieces'").fetchone() == (0,)
    connection.close()
    assert _version(path) == 1


def test_there_is_an_upgrade_from_every_format_there_was_and_it_makes_what_a_new_file_has(tmp_path: Path) -> None:
    assert sorted(database_schema._UPGRADES) == list(range(1, database_schema.VERSION))
    shutil.copy(FORMAT_1, tmp_path / "old.sqlite")
    database_schema.create(tmp_path / "new.sqlite", {})
    tables = []
    for name in ("old", "new"):
        connection = database_schema.connect(tmp_path / f"{name}.sqlite")
        database_schema.upgrade(connection)
        found = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        tables.append([(one, "".join((sql or "").split())) for one, sql in found])
        connection.close()
    assert tables[0] == tables[1]


def _version(path: Path) -> int:
    connection = sqlite3.connect(path)
    [(version,)] = connection.execute("PRAGMA user_version")
    connection.close()
    return int(version)
