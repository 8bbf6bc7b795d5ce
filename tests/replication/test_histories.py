"""Random histories of several nodes: after everything is synced all hold the same, and every edit is somewhere."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trading import documents, every_leaf

from app.couch import Database, Store
from app.documents import saving
from app.replication.conflicts import merge_conflicts

NODES = 3
FIELDS = ("phone", "city", "website")
DOCUMENT = "D001:customer:1"

edits = st.tuples(st.just("edit"), st.integers(0, NODES - 1), st.sampled_from(FIELDS))
deletions = st.tuples(st.just("delete"), st.integers(0, NODES - 1), st.just(""))
syncs = st.tuples(st.just("sync"), st.integers(0, NODES - 1), st.sampled_from(["0", "1", "2"]))
histories = st.lists(st.one_of(edits, edits, deletions, syncs), min_size=1, max_size=10)


@pytest.fixture
def fresh_databases(store: Store) -> Iterator[Any]:
    """Makes as many empty databases as there are nodes, new ones for each example."""

    def new() -> list[Database]:
        run = secrets.token_hex(4)
        return [store.create(f"node-{run}-{number}") for number in range(NODES)]

    yield new


def sync(one: Database, other: Database) -> None:
    """A pass between two nodes: pull, push, merge, push."""
    store = one.store
    selector = {"share": "manufacturer"}
    store.replicate(other.name, one.name, selector=selector)
    store.replicate(one.name, other.name, selector=selector)
    if merge_conflicts(one).written:
        store.replicate(one.name, other.name, selector=selector)


def seen_in(document: dict[str, Any]) -> set[str]:
    """What somebody who looks at the document sees typed: values and disputes."""
    disputed = {str(dispute["value"]) for dispute in document.get("disputes", ())}
    return disputed | {str(document[field]) for field in FIELDS if field in document}


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    derandomize=True,
)
@given(history=histories)
def test_all_nodes_converge_and_every_edit_is_a_value_a_dispute_or_was_seen(
    fresh_databases: Any, history: list[tuple[str, int, str]]
) -> None:
    nodes = fresh_databases()
    first = {"_id": DOCUMENT, "type": "customer", "dealer": "D001", "share": "manufacturer", "name": "Miller"}
    saving.save(nodes[0], first, "node0")
    for node in nodes[1:]:
        sync(node, nodes[0])
    # Values that were typed and not replaced by somebody who saw them: each node's own view says which it saw.
    unseen: dict[str, str] = {}
    for step, (what, number, detail) in enumerate(history):
        node = nodes[number]
        if what == "sync" and int(detail) != number:
            sync(node, nodes[int(detail)])
        elif what == "edit":
            before = node.get(DOCUMENT)
            if before is not None:
                typed = f"value {step}"
                unseen.pop(str(before.get(detail)), None)
                unseen[typed] = detail
                saving.save(node, {**before, detail: typed}, f"node{number}", base=before)
        elif what == "delete":
            before = node.get(DOCUMENT)
            if before is not None:
                for seen in seen_in(before):
                    unseen.pop(seen, None)
                saving.delete(node, before, f"node{number}")
    for _ in range(2):
        for node in nodes[1:]:
            sync(node, nodes[0])
    sync(nodes[1], nodes[0])
    first_content = documents(nodes[0])
    assert all(documents(node) == first_content for node in nodes)
    assert all(every_leaf(node) == every_leaf(nodes[0]) for node in nodes)
    document = first_content.get(DOCUMENT)
    if document is None:
        assert not unseen, "an edit that nobody who deleted had seen is gone"
        return
    assert "_conflicts" not in document
    assert set(unseen) <= seen_in(document)
