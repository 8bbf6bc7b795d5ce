"""Books of several nodes on real stores, for histories: an embedded store that can be killed, and CouchDB if given."""

from __future__ import annotations

import os
import secrets
import signal
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import embedded
from app.couch import Database, Store

# A start takes as long as a whole history otherwise: of so many kills one is real.
_REAL_KILL_EVERY = 6


class KilledStore:
    """An embedded store on a folder of its own, at one address for good."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._folder, self._password = folder, secrets.token_urlsafe(12)
        self._running = self._start()
        self._kills = 0
        self.store = Store(self._running.url, "ironbook", self._password)

    def _start(self) -> embedded.RunningStore:
        return embedded.start(self._folder, port=self._port, admin=("ironbook", self._password))

    def kill(self) -> None:
        self._kills += 1
        if self._kills % _REAL_KILL_EVERY == 1:
            os.kill(self._running.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            self._running.stop()
            self._running = self._start()

    def stop(self) -> None:
        self._running.stop()


class StoreBook:
    """A book on a real store, with what a history does to it besides saving."""

    def __init__(self, database: Database, killed: KilledStore | None) -> None:
        self._database = database
        self._killed = killed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    def pull(self, other: StoreBook, selector: Mapping[str, Any], only: Iterable[str] | None = None) -> None:
        """Brings what `other` has; `only` these documents, when it was cut off after them."""
        which: dict[str, Any] = {"selector": dict(selector)} if only is None else {"doc_ids": list(only)}
        source = other._database.store.endpoint(other._database.name)
        if only != []:
            self._database.store.replicate(source, self._database.name, **which)

    def restart(self) -> None:
        """Kills the store, where it is one that may be killed, and starts it again."""
        if self._killed:
            self._killed.kill()

    def compact(self) -> None:
        """Real stores compact when they want to."""
