"""A manufacturer and a dealer, each on a store of its own that can be killed, backed up, restored and filled up."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from couch_requests import ADMIN
from forked_stores import Forks, StoreOnFolder, forks
from trading import Trade, join

from app.config import read_settings
from app.node import Node, open_node
from app.secrets import STORE, Secrets


class Site:
    """A node whose store is another process, always at the same address."""

    def __init__(self, folder: Path, role: str, forked: Forks) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self.store = StoreOnFolder(folder / "store", forked, port)
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self.role = role
        self.node: Node

    def open(self, stack: ExitStack) -> Node:
        """Starts the store and opens the node on it; both end with `stack`."""
        url = self.store.start().url
        stack.callback(lambda: self.store.stop() if self.store.is_running else None)
        Secrets(self.data).set(STORE, ADMIN[1])
        dealer = "D001" if self.role == "dealer" else ""
        settings = replace(
            read_settings(self.data, {}), role=self.role, dealer=dealer, name=self.role, store_url=url,
            store_user=ADMIN[0],
        )  # fmt: skip
        self.node = stack.enter_context(open_node(settings))
        return self.node

    def back_up(self, name: str) -> None:
        """Keeps a copy of everything the store has."""
        self.store.stop()
        shutil.copytree(self.store.folder, self._backup(name))
        self.store.start()

    def restore(self, name: str) -> None:
        """Puts back what was kept: all that came later is gone."""
        self.store.stop()
        shutil.rmtree(self.store.folder)
        shutil.copytree(self._backup(name), self.store.folder)
        self.store.start()

    def _backup(self, name: str) -> Path:
        return self.store.folder.with_name(f"backup-{name}")


class Estate:
    """The two sites, joined."""

    def __init__(self, head_office: Site, dealer: Site) -> None:
        self.head_office = head_office
        self.dealer = dealer
        self.trade = Trade(head_office.node, dealer.node, join(head_office.node, dealer.node))


@contextmanager
def estate(folder: Path) -> Iterator[Estate]:
    with forks(folder / "forks") as forked, ExitStack() as stack:
        sites = [Site(folder / role, role, forked) for role in ("manufacturer", "dealer")]
        for site in sites:
            site.open(stack)
        yield Estate(*sites)
