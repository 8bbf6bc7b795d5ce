"""A running replication seen from outside: its progress, and stopping it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from app.couch import Store, StoreError

log = logging.getLogger(__name__)

# Seconds. Most replications are over before the first look, and cost nothing but a waiting thread.
_FIRST_LOOK = 0.4
_EVERY = 1.0
# The embedded store counts bytes, CouchDB does not.
_COUNTED = ("changes_pending", "bytes_transferred")


# Documents written by this replication in all its sessions, changes that remain, and bytes over the network: what the
# store says of them.
class Show(Protocol):
    """Shows how far something is."""

    def __call__(self, done: int, remaining: int | None, bytes_moved: int | None = None, /) -> None: ...


@contextlib.contextmanager
def watched(
    store: Store, source: Any, target: Any, options: Mapping[str, Any], show: Show, stop: threading.Event
) -> Iterator[None]:
    """While the block runs the replication, `show` is told how far it is; setting `stop` cancels it.

    `options` are those that it was started with.
    """
    over = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(store, source, target, options, show, stop, over), name="watching a sync", daemon=True
    )
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(
    store: Store,
    source: Any,
    target: Any,
    options: Mapping[str, Any],
    show: Show,
    stop: threading.Event,
    over: threading.Event,
) -> None:
    # Looked at often enough that a stop is felt at once, while the store is asked only now and then.
    waited = 0.0
    next_look = _FIRST_LOOK
    while not over.wait(0.1):
        waited += 0.1
        try:
            if stop.is_set():
                store.replicate(source, target, **options, cancel=True)
                return
            if waited >= next_look:
                next_look = waited + _EVERY
                for task in store.tasks():
                    if _is_ours(task, source, target, store.prefix):
                        show(int(task.get("docs_written") or 0), *(_number(task, name) for name in _COUNTED))
        except StoreError as error:
            # Watching is a courtesy: what is wrong shows in the replication itself.
            log.debug("The running replication cannot be watched: %s", error)


def _is_ours(task: Mapping[str, Any], source: Any, target: Any, prefix: str = "") -> bool:
    return (
        task.get("type") == "replication"
        and _names(task.get("source"), source, prefix)
        and _names(task.get("target"), target, prefix)
    )


def _names(said: object, side: Any, prefix: str) -> bool:
    """Whether a task's words for one side mean it; stores mask the password and add a slash.

    A side by name is a database of ours, which has the `prefix` in the store.
    """
    wanted = side["url"].split("://", 1)[-1] if isinstance(side, dict) else f"/{prefix}{side}"
    words = str(said).rstrip("/")
    return words.endswith(wanted) or words.split("@")[-1] == wanted or words == wanted.lstrip("/")


def _number(task: Mapping[str, Any], name: str) -> int | None:
    found = task.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
