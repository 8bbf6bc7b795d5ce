"""Never two syncs of one connection at once, also across processes, and what is running now."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
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
    """Which syncs this process runs, each with its latest progress. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: dict[str, Progress] = {}

    def set(self, name: str, progress: Progress) -> None:
        """Notes how far the sync `name` is."""
        with self._lock:
            self._progress[name] = progress

    def remove(self, name: str) -> None:
        """Notes that the sync `name` is over."""
        with self._lock:
            self._progress.pop(name, None)

    def get(self, name: str) -> Progress | None:
        """How far the sync `name` is, or None when it does not run in this process."""
        with self._lock:
            return self._progress.get(name)


def running(node: Node) -> Running:
    """The register of this process's syncs of this node."""
    found = node.extensions.setdefault(_KEY, Running())
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
    with held(node, f"sync-{name}", wait, sentence):
        try:
            yield
        finally:
            running(node).remove(name)


@contextlib.contextmanager
def held(node: Node, name: str, wait: float, sentence: str) -> Iterator[None]:
    """Holds the lock `name` of this node's data folder. Raises AlreadyRunning, saying `sentence`, when it is taken.

    The operating system lets go of the lock when a process is killed, so nothing is ever left locked.
    """
    folder = node.settings.data / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(str(folder / f"{name}.lock"), thread_local=False)
    try:
        lock.acquire(timeout=max(wait, _PATIENCE))
    except Timeout:
        raise AlreadyRunning(sentence) from None
    try:
        yield
    finally:
        lock.release()
