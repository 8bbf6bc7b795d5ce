"""A store that is killed in the middle of a sync loses nothing, and the next sync finishes the job."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from trading import Computer, documents, eventually, join

from app.documents import saving
from app.node import Node
from app.replication.passes import run_pass

COUNT = 4000


def kill_store(node: Node) -> None:
    """Kills the node's store process without warning."""
    pid = json.loads((node.settings.data / "store" / "running.json").read_text(encoding="utf-8"))["pid"]
    os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def fill(node: Node) -> None:
    saving.save_many(
        node.book,
        (
            {
                "_id": f"D001:customer:{n:05}",
                "type": "customer",
                "dealer": "D001",
                "share": "manufacturer",
                "name": f"{n}",
            }
            for n in range(COUNT)
        ),
        "sara",
    )


def test_the_dealers_store_killed_in_the_middle_of_a_sync(
    computers: Callable[[str], Computer], manufacturer_node: Node
) -> None:
    computer = computers("dealer")
    node = computer.start()
    connection = join(manufacturer_node, node)
    replica = manufacturer_node.book_of("D001")
    fill(node)
    outcome: list[Any] = []

    def sync() -> None:
        try:
            outcome.append(run_pass(node, connection))
        except Exception as error:
            outcome.append(error)

    pass_ = threading.Thread(target=sync)
    pass_.start()
    assert eventually(lambda: replica.info()["doc_count"] > 100)
    kill_store(node)
    pass_.join()
    computer.stop()
    node = computer.start()
    assert len(documents(node.book)) == COUNT
    result = run_pass(node, connection)
    assert result.error == ""
    assert documents(replica) == documents(node.book)


def test_the_manufacturers_store_killed_in_the_middle_of_a_sync(
    computers: Callable[[str], Computer], dealer_node: Node
) -> None:
    computer = computers("manufacturer")
    head_office = computer.start()
    connection = join(head_office, dealer_node)
    fill(dealer_node)
    results: list[Any] = []
    pass_ = threading.Thread(target=lambda: results.append(run_pass(dealer_node, connection)))
    pass_.start()
    assert eventually(lambda: head_office.book_of("D001").info()["doc_count"] > 100)
    kill_store(head_office)
    pass_.join()
    assert results[0].failure is None or results[0].failure.kind == "no_network"
    computer.stop()
    head_office = computer.start()
    result = run_pass(dealer_node, connection)
    assert result.error == ""
    assert documents(head_office.book_of("D001")) == documents(dealer_node.book)
