"""Never two syncs of one connection at once, also across processes, and what is running now."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from app.errors import IronbookError
from app.replication.results import Progress

if TYPE_CHECKING:
    from app.node import Node

# Long enough for somebody who only looks whether it is held, far shorter than a sync.
_PATIENCE = 0.2
_KEY = "replication.running"


class AlreadyRunning(IronbookError):  # noqa: N818
    """Another sync of the same connection is under way."""


class Running:
    """Which syncs of a node run, each with its latest progress. Safe to use from any thread.

    A sync that lasts longer than `every` seconds tells the node's other processes as often, in a file beside its lock
    in `folder`; what is there counts only while the lock is held.
    """

    def __init__(self, folder: Path, every: float = 1.0) -> None:
        self._folder = folder
        self._every = every
        self._lock = threading.Lock()
        self._progress: dict[str, Progress] = {}
        self._told: dict[str, float] = {}

    def set(self, name: str, progress: Progress) -> None:
        """Notes how far the sync `name` is, which runs in this process."""
        now = time.monotonic()
        with self._lock:
            self._progress[name] = progress
            if now - self._told.setdefault(name, now) < self._every:
                return
            self._told[name] = now
        # Showing it is a courtesy: a full disk must not end the sync.
        with contextlib.suppress(OSError):
            self._file(name).write_text(json.dumps(asdict(progress)), encoding="utf-8")

    def remove(self, name: str) -> None:
        """Notes that the sync `name` is over."""
        with self._lock:
            self._progress.pop(name, None)
            self._told.pop(name, None)
        with contextlib.suppress(OSError):
            self._file(name).unlink(missing_ok=True)

    def get(self, name: str) -> Progress | None:
        """How far the sync `name` is, in this process or another; None when it does not run."""
        with self._lock:
            found = self._progress.get(name)
        return found or self._elsewhere(name)

    def _elsewhere(self, name: str) -> Progress | None:
        try:
            told = Progress(**json.loads(self._file(name).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        try:
            with _lock_of(self._folder, _sync_lock(name)).acquire(timeout=0):
                # Its process was killed.
                self._file(name).unlink(missing_ok=True)
        except Timeout:
            return told
        except OSError:
            pass
        return None

    def _file(self, name: str) -> Path:
        return self._folder / f"{_sync_lock(name)}.json"


def running(node: Node) -> Running:
    """The register of the syncs of this node."""
    found = node.extensions.get(_KEY) or node.extensions.setdefault(_KEY, Running(_locks(node)))
    assert isinstance(found, Running)
    return found


@contextlib.contextmanager
def only_one(node: Node, name: str, wait: float = 0.0) -> Iterator[None]:
    """Holds what only one sync of the connection `name` can hold, waiting up to `wait` seconds for it.

    Raises AlreadyRunning when another one still holds it then.
    """
    sentence = (
        f"A sync with {name} is running already; it takes along what was saved before it ends, or the next one does."
    )
    with held(node, _sync_lock(name), wait, sentence):
        try:
            yield
        finally:
            running(node).remove(name)


@contextlib.contextmanager
def held(node: Node, name: str, wait: float, sentence: str) -> Iterator[None]:
    """Holds the lock `name` of this node's data folder. Raises AlreadyRunning, saying `sentence`, when it is taken.

    The operating system lets go of the lock when a process is killed, so nothing is ever left locked.
    """
    folder = _locks(node)
    folder.mkdir(parents=True, exist_ok=True)
    lock = _lock_of(folder, name)
    try:
        lock.acquire(timeout=max(wait, _PATIENCE))
    except Timeout:
        raise AlreadyRunning(sentence) from None
    try:
        yield
    finally:
        lock.release()


def _locks(node: Node) -> Path:
    return node.settings.data / "locks"


def _sync_lock(name: str) -> str:
    return f"sync-{name}"


def _lock_of(folder: Path, name: str) -> FileLock:
    return FileLock(str(folder / f"{name}.lock"), thread_local=False)
