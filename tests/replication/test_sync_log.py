"""The log says what happened, stays short, and is read a page at a time."""

from __future__ import annotations

from trading import Trade, make

from app.node import Node
from app.replication import sync_log
from app.replication.connections import Connection
from app.replication.passes import run_pass
from app.replication.results import PassResult, Step
from app.replication.state import read_state


def write(node: Node, number: int) -> str:
    """Logs a pass that did something, the `number`-th of a day."""
    time = f"2026-11-25T{number // 60:02}:{number % 60:02}:00.000000Z"
    entry = sync_log.next_entry(
        PassResult("manufacturer", time, time, (Step("Push the book", 1, 1, 0, 0.1),), 0, 0, 0, None), None
    )
    node.local.put(entry)
    return str(entry["_id"])


def test_the_oldest_entries_go_when_there_are_too_many(dealer_node: Node) -> None:
    written = [write(dealer_node, number) for number in range(sync_log.KEPT + 60)]
    assert sync_log.prune(dealer_node, "manufacturer") == 60
    assert sync_log.prune(dealer_node, "manufacturer") == 0
    rows = dealer_node.local.all_docs(startkey="sync:", endkey="sync;").rows
    assert [row.id for row in rows] == written[60:]


def test_the_log_is_read_a_page_at_a_time_newest_first(dealer_node: Node) -> None:
    written = [write(dealer_node, number) for number in range(25)]
    seen: list[str] = []
    while page := sync_log.entries(dealer_node, "manufacturer", limit=10, before=seen[-1] if seen else ""):
        assert len(page) <= 10
        seen += [entry.id for entry in page]
    assert seen == list(reversed(written))


def test_the_log_of_one_connection_is_not_that_of_another(dealer_node: Node) -> None:
    write(dealer_node, 1)
    assert sync_log.entries(dealer_node, "manufacturer-2") == []
    assert len(sync_log.entries(dealer_node, "manufacturer")) == 1


def test_failures_for_one_reason_share_an_entry_and_the_next_success_has_its_own(trade: Trade) -> None:
    away = Connection(**{**trade.connection.__dict__, "url": "http://127.0.0.1:9"})
    for _ in range(3):
        run_pass(trade.dealer, away)
    make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    log = sync_log.entries(trade.dealer, "manufacturer")
    assert [(entry.ok, entry.passes) for entry in log] == [(True, 1), (False, 3)]
    assert "cannot be reached" in log[1].sentence
    assert [step.name for step in log[0].steps] == ["Pull the catalog", "Pull the book", "Push the book"]


def test_failing_since_is_the_first_of_a_row_of_failures(trade: Trade) -> None:
    away = Connection(**{**trade.connection.__dict__, "url": "http://127.0.0.1:9"})
    first = run_pass(trade.dealer, away)
    run_pass(trade.dealer, away)
    state = read_state(trade.dealer, "manufacturer")
    assert (state.failures, state.failing_since, state.failure) == (2, first.start, "no_network")
    run_pass(trade.dealer, trade.connection)
    state = read_state(trade.dealer, "manufacturer")
    assert (state.failures, state.failing_since, state.failure, state.sentence) == (0, "", "", "")
