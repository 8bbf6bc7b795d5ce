"""A running replication seen from outside: its progress, and stopping it."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from app.couch import Store, StoreError

log = logging.getLogger(__name__)

# Seconds. Most replications are over before the first look, and cost nothing but a waiting thread.
_FIRST_LOOK = 0.4
_EVERY = 1.0

Show = Callable[[int, int | None], None]


@contextlib.contextmanager
def watched(
    store: Store, source: Any, target: Any, selector: Mapping[str, Any], show: Show, stop: threading.Event
) -> Iterator[None]:
    """While the block runs the replication, `show` gets documents done and remaining; setting `stop` cancels it."""
    over = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(store, source, target, selector, show, stop, over), name="watching a sync", daemon=True
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
    selector: Mapping[str, Any],
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
                store.replicate(source, target, selector=selector, cancel=True)
                return
            if waited >= next_look:
                next_look = waited + _EVERY
                for task in store.tasks():
                    if _is_ours(task, source, target, store.prefix):
                        show(int(task.get("docs_written") or 0), _remaining(task))
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


def _remaining(task: Mapping[str, Any]) -> int | None:
    pending = task.get("changes_pending")
    return pending if isinstance(pending, int) else None
