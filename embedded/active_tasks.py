"""What the store is busy with, as `_active_tasks` lists it: replications that run, indexes that are being built."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any


class ActiveTasks:
    """All tasks of one process; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._tasks: dict[int, dict[str, Any]] = {}
        self._measured: dict[int, Callable[[], dict[str, Any]]] = {}

    @contextlib.contextmanager
    def running(self, kind: str, measured: Callable[[], dict[str, Any]] | None = None, **fields: Any) -> Iterator[Task]:
        """List a task while the block runs. `kind` is CouchDB's `type`: "replication", "indexer", …

        `measured` gives fields that are worth looking up only when somebody asks for the list.
        """
        now = int(time.time())
        with self._lock:
            number = next(self._numbers)
            pid = f"<0.{os.getpid()}.{number}>"
            self._tasks[number] = {"type": kind, "pid": pid, "started_on": now, "updated_on": now, **fields}
            if measured:
                self._measured[number] = measured
        try:
            yield Task(self, number)
        finally:
            with self._lock:
                del self._tasks[number]
                self._measured.pop(number, None)

    def update(self, number: int, fields: dict[str, Any]) -> None:
        with self._lock:
            self._tasks[number].update(fields, updated_on=int(time.time()))

    def all(self) -> list[dict[str, Any]]:
        """The tasks that run now, oldest first."""
        with self._lock:
            tasks = [(dict(task), self._measured.get(number)) for number, task in self._tasks.items()]
        return [{**task, **(measured() if measured else {})} for task, measured in tasks]


class Task:
    def __init__(self, tasks: ActiveTasks, number: int) -> None:
        self._tasks = tasks
        self._number = number

    def update(self, **fields: Any) -> None:
        """Fields that changed, e.g. `progress` (per cent), `changes_done`, `total_changes`."""
        self._tasks.update(self._number, fields)


def of_store(shared: dict[str, Any]) -> ActiveTasks:
    """The tasks of a store, kept in `Store.shared`."""
    tasks: ActiveTasks = shared.setdefault("active_tasks", ActiveTasks())
    return tasks
