"""What the tests of replication share: nodes that are joined, machines that fail, and looks into databases."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.config import read_settings
from app.couch import Database
from app.documents import saving
from app.node import Node, open_node
from app.replication import connections, dealers
from app.replication.connections import Connection


@dataclass
class Trade:
    """The manufacturer's node, a dealer's, and the connection between them."""

    head_office: Node
    dealer: Node
    connection: Connection

    @property
    def replica(self) -> Database:
        """The dealer's book at the manufacturer."""
        return self.head_office.book_of(self.dealer.dealer)


def join(head_office: Node, dealer: Node, url: str = "") -> Connection:
    """Admits a dealer and gives its node the connection."""
    admitted = dealers.add_dealer(head_office, dealer.dealer, f"Dealer {dealer.dealer}")
    values = {
        "name": "manufacturer",
        "url": url or head_office.store.url,
        "user": admitted.user,
        "book": admitted.database,
        "catalog": admitted.catalog,
        "every_minutes": 1,
    }
    return connections.save_connection(dealer, values, admitted.password)


def make(
    node: Node, type: str = "customer", key: str = "1", share: str = "manufacturer", **fields: Any
) -> dict[str, Any]:
    """Saves a new document in the dealer's book and returns it."""
    document = {
        "_id": f"{node.dealer}:{type}:{key}",
        "type": type,
        "dealer": node.dealer,
        "share": share,
        **fields,
    }
    return saving.save(node.book, document, "sara").document


def edit(database: Database, document_id: str, by: str = "sara", **fields: Any) -> dict[str, Any]:
    """Changes fields of a document and returns it."""
    before = database.get(document_id)
    assert before is not None
    return saving.save(database, {**before, **fields}, by, base=before).document


def every_leaf(database: Database) -> dict[tuple[str, str], dict[str, Any]]:
    """Every leaf revision of every document but design documents, deleted ones too, without what a store adds."""
    found = {}
    for change in database.changes(style="all_docs").results:
        if not change["id"].startswith("_design/"):
            for leaf in database.leaves(change["id"]):
                found[change["id"], leaf["_rev"]] = {name: value for name, value in leaf.items() if name[0] != "_"}
    return found


def documents(database: Database) -> dict[str, dict[str, Any]]:
    """Every document as a reader sees it, with its conflicts; without design documents and the log of changes."""
    rows = database.all_docs(include_docs=True, conflicts=True).rows
    found = {str(row.id): row.doc for row in rows if row.doc}
    return {id: doc for id, doc in found.items() if not id.startswith("_design/") and ":change:" not in id}


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it holds within so many seconds."""
    until = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        if time.monotonic() > until:
            return False
        pause.wait(0.02)
    return True


class Computer:
    """A node on an embedded store of its own, whose process can be stopped, killed and started again."""

    def __init__(self, data: Path, role: str) -> None:
        data.mkdir()
        settings = read_settings(data, {})
        dealer = "D001" if role == "dealer" else ""
        self.settings = replace(settings, role=role, dealer=dealer, name=data.name, store_port=_free_port())
        self._open = ExitStack()

    def start(self) -> Node:
        """Opens the node, at the address it had before."""
        self.node = self._open.enter_context(open_node(self.settings))
        return self.node

    def stop(self) -> None:
        """Closes the node and its store."""
        self._open.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
