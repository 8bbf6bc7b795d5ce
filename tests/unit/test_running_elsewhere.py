"""A sync that runs in another process of the node is seen as one that runs, and one that was killed is not."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock

from app.replication.results import Progress
from app.replication.running import Running

FAR = Progress("Push the book", 1200, 3400, 2_100_000, 60.0)


def test_how_far_a_sync_is_can_be_seen_from_another_process_until_it_is_over(tmp_path: Path) -> None:
    here, elsewhere = Running(tmp_path, every=0.0), Running(tmp_path)
    assert elsewhere.get("manufacturer") is None
    with FileLock(tmp_path / "sync-manufacturer.lock"):
        here.set("manufacturer", FAR)
        assert elsewhere.get("manufacturer") == FAR
        assert elsewhere.get("dealership") is None
        here.remove("manufacturer")
        assert elsewhere.get("manufacturer") is None
    assert list(tmp_path.glob("*.json")) == []


def test_a_sync_whose_process_was_killed_does_not_run(tmp_path: Path) -> None:
    killed = Running(tmp_path, every=0.0)
    killed.set("manufacturer", FAR)
    assert Running(tmp_path).get("manufacturer") is None
    assert list(tmp_path.glob("*.json")) == []


def test_a_short_sync_writes_no_file(tmp_path: Path) -> None:
    Running(tmp_path).set("manufacturer", FAR)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_or_written_ends_no_sync(tmp_path: Path) -> None:
    Running(tmp_path / "none", every=0.0).set("manufacturer", FAR)
    (tmp_path / "sync-manufacturer.json").write_text("{")
    assert Running(tmp_path).get("manufacturer") is None
