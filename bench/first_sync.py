"""The first sync of a whole book, beside the store's own replication of the same documents.

One dealer sends a full book to an empty replica, as after an import; then a second computer of that dealer, which has
nothing, fetches it. Before and after each of these passes the store replicates the same documents bare, between the
same two stores, with the same selector and as the same user, into an empty database without rules or indexes.
"""

from __future__ import annotations

import base64
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from app.node import Node, open_node
from app.replication import connections, passes
from app.replication.passwords import reach
from app.replication.results import session_counts
from app.steps import Steps
from bench import synthetic
from bench.figures import Figure, figure
from bench.sync import DEALER, connect, node_settings

DOCUMENTS = 50_000
_BATCH = 1000
_BUDGET = 1.3
_BARE = "bare"
# One document in so many has a photograph, which goes after the documents without.
_A_FILE_EVERY = 250
_FILE_BYTES = 40_000


def figures(documents: int = DOCUMENTS, quiet: bool = False) -> list[Figure]:
    """The figures of a book of so many documents. Raises RuntimeError when one of them did not arrive."""
    steps = Steps(quiet)
    with tempfile.TemporaryDirectory(prefix="ironbook-bench-") as folder, ExitStack() as nodes:

        def opened(name: str, role: str) -> Node:
            return nodes.enter_context(open_node(node_settings(Path(folder) / name, role)))

        head_office, full, empty = (
            opened("manufacturer", "manufacturer"),
            opened("full", "dealer"),
            opened("empty", "dealer"),
        )
        with steps.step("fill", f"Filling a book of {documents:,} documents"):
            count = _fill(full, documents)
        sending = connect(head_office, full)
        fetching = connections.save_connection(empty, _again(sending), connections.password_of(full, sending))
        there = head_office.book_of(DEALER)
        with steps.step("send", "Sending it, between two bare replications"):
            sent = _compared(full, sending, lambda number: _bare_sent(head_office, full, sending, number))
        with steps.step("fetch", "Fetching it, between two bare replications"):
            fetched = _compared(empty, fetching, lambda number: _bare_fetched(empty, fetching, number))
        if not there.info()["doc_count"] >= count <= empty.book.info()["doc_count"]:
            raise RuntimeError(f"Not all of the {count:,} documents arrived.")
    return [
        *_figures(f"first sync of {documents:,} documents, sent", count, *sent),
        *_figures(f"first sync of {documents:,} documents, fetched", count, *fetched),
    ]


def _figures(name: str, count: int, seconds: float, bare: float) -> list[Figure]:
    return [
        figure("sync", name, seconds, "s"),
        figure("sync", f"{name}, documents/s", count / seconds, "documents/s"),
        figure("sync", f"{name}, the same replicated bare", bare, "s"),
        figure("sync", f"{name}, over the same replicated bare", seconds / bare, "times", _BUDGET),
    ]


def _compared(node: Node, connection: connections.Connection, bare: Callable[[int], float]) -> tuple[float, float]:
    """Seconds of a pass, and of the bare replication: the mean of one before and one after it."""
    before = bare(1)
    started = time.perf_counter()
    result = passes.run_pass(node, connection)
    seconds = time.perf_counter() - started
    if result.error or result.failed:
        raise RuntimeError(result.error or f"{result.failed} documents were refused.")
    return seconds, (before + bare(2)) / 2


def _bare_sent(head_office: Node, node: Node, connection: connections.Connection, number: int) -> float:
    target = head_office.store.create(f"{_BARE}-{number}")
    head_office.store.admit(target.name, connection.user)
    up = reach(node, connection, connections.password_of(node, connection)).endpoint
    return _replicated(node, "book", up(target.name), connection)


def _bare_fetched(node: Node, connection: connections.Connection, number: int) -> float:
    target = node.store.create(f"{_BARE}-{number}")
    up = reach(node, connection, connections.password_of(node, connection)).endpoint
    return _replicated(node, up(connection.book), target.name, connection)


def _replicated(node: Node, source: Any, target: Any, connection: connections.Connection) -> float:
    started = time.perf_counter()
    answer = node.store.replicate(source, target, selector=connection.book_selector)
    seconds = time.perf_counter() - started
    if session_counts(answer)[2]:
        raise RuntimeError("The bare replication was refused documents.")
    return seconds


def _again(connection: connections.Connection) -> dict[str, Any]:
    """The same connection for another computer of the same dealer."""
    return {name: getattr(connection, name) for name in ("name", "url", "user", "book", "catalog")}


def _fill(node: Node, documents: int) -> int:
    """Writes the book; returns how many of its documents the manufacturer may have."""
    shared = 0
    remaining = _with_files(synthetic.book(documents, node.today(), DEALER))
    while batch := list(islice(remaining, _BATCH)):
        shared += sum(document["share"] == "manufacturer" for document in batch)
        for result in node.book.bulk(batch):
            if result.error:
                raise RuntimeError(f"{result.id} was not written: {result.reason}")
    return shared


def _with_files(documents: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)
    for number, document in enumerate(documents):
        if number % _A_FILE_EVERY == 0:
            data = base64.b64encode(chance.randbytes(_FILE_BYTES)).decode("ascii")
            document["_attachments"] = {"photo/1.jpg": {"content_type": "image/jpeg", "data": data}}
        yield document
