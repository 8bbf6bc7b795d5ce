"""One pass over a connection between two nodes on embedded stores of their own, over loopback."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from app.config import Settings, read_settings
from app.couch import Database
from app.couch.asking import Asking
from app.documents import saving
from app.node import Node, open_node
from app.replication import connections, dealers, passes
from app.replication.passwords import reach
from bench.figures import Figure, figure

DEALER = "D001"
_BATCH = 500
_CHANGES = 100
_ROUNDS = 5
_BY = "bench"


def figures(documents: int = 10_000) -> list[Figure]:
    """The figures of a dealer's book with so many documents of about 0.8 KB."""
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder, ExitStack() as nodes:
        head_office = nodes.enter_context(open_node(node_settings(Path(folder) / "manufacturer", "manufacturer")))
        dealer = nodes.enter_context(open_node(node_settings(Path(folder) / "dealer", "dealer")))
        connection = connect(head_office, dealer)
        for batch in _batches(documents):
            saving.save_many(dealer.book, batch, _BY)
        first, _, _ = _timed(dealer, connection)
        # The first pass after a long one still settles what it left behind.
        _timed(dealer, connection)
        idle = min(_timed(dealer, connection) for _ in range(_ROUNDS))
        bare = min(_bare(dealer, connection) for _ in range(_ROUNDS))
        busy = []
        for round_number in range(_ROUNDS):
            _change(dealer.book, 0, round_number)
            _change(head_office.book_of(DEALER), _CHANGES, round_number)
            busy.append(_timed(dealer, connection))
        seconds, share, written = min(busy)
    if written < 2 * _CHANGES:
        raise RuntimeError(f"Only {written} of {2 * _CHANGES} changes were written.")
    return [
        figure("sync", f"first sync of {documents:,} documents", documents / first, "documents/s"),
        figure("sync", "nothing to do", idle[0], "s", 0.5),
        figure("sync", "nothing to do, share of it in the store", 100 * idle[1], "%", 90, least=True),
        figure("sync", "nothing to do, over the same replications without a pass", idle[0] / bare, "times"),
        figure("sync", f"{_CHANGES} changes each way", seconds, "s", 2.0),
        figure("sync", f"{_CHANGES} changes each way, share of it in the store", 100 * share, "%", 90, least=True),
    ]


def node_settings(data: Path, role: str) -> Settings:
    """The settings of a node on a new data folder."""
    data.mkdir()
    return replace(read_settings(data, {}), role=role, dealer=DEALER if role == "dealer" else "", name=role)


def connect(head_office: Node, dealer: Node) -> connections.Connection:
    """Admits the dealer and gives its node the connection to head office."""
    admitted = dealers.add_dealer(head_office, DEALER, "Bench")
    values = {
        "name": connections.DEFAULT_NAME,
        "url": head_office.store.url,
        "user": admitted.user,
        "book": admitted.database,
        "catalog": admitted.catalog,
    }
    return connections.save_connection(dealer, values, admitted.password)


def _batches(documents: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, documents, _BATCH):
        yield [
            {
                "_id": f"{DEALER}:customer:{number:08}",
                "type": "customer",
                "dealer": DEALER,
                "share": "manufacturer",
                "name": f"Customer {number}",
                "city": f"City {number % 97}",
                "notes": "Wants to be called before noon. " * 12,
            }
            for number in range(start, min(start + _BATCH, documents))
        ]


def _change(book: Database, first: int, round_number: int) -> None:
    wanted = [f"{DEALER}:customer:{number:08}" for number in range(first, first + _CHANGES)]
    changed = [{**document, "city": f"Round {round_number}"} for document in book.get_many(wanted).values()]
    saving.save_many(book, changed, _BY)


def _timed(node: Node, connection: connections.Connection) -> tuple[float, float, int]:
    """Seconds of one pass, the share of them spent in requests to the store, and the documents written."""
    with _requests_timed() as spent:
        started = time.perf_counter()
        result = passes.run_pass(node, connection)
        seconds = time.perf_counter() - started
    if result.error:
        raise RuntimeError(result.error)
    return seconds, sum(spent) / seconds, result.written


def _bare(node: Node, connection: connections.Connection) -> float:
    """Seconds of the replications of a pass, asked of the store one after the other with nothing around them."""
    up = reach(node, connection, connections.password_of(node, connection)).endpoint
    selector = connection.book_selector
    started = time.perf_counter()
    for source, target, which in (
        (up(connection.catalog), "catalog", connections.ALL_DOCUMENTS),
        (up(connection.book), "book", selector),
        ("book", up(connection.book), selector),
    ):
        node.store.replicate(source, target, selector=which)
    return time.perf_counter() - started


@contextmanager
def _requests_timed() -> Iterator[list[float]]:
    """The seconds of each request that this thread makes to a store."""
    spent: list[float] = []
    here, ask_guarded = threading.get_ident(), Asking.guarded

    def timed(asking: Asking, ask: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        try:
            return ask_guarded(asking, ask)
        finally:
            if threading.get_ident() == here:
                spent.append(time.perf_counter() - started)

    with patch.object(Asking, "guarded", timed):
        yield spent
