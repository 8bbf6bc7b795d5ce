"""A disk that is full on either side: nothing is lost, it is said, and made up for once there is space again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from estates import Estate, Site, estate
from faulty_lines import assert_same
from trading import edit, make

from app.replication import sync_log
from app.replication.passes import run_pass
from app.replication.results import PassResult
from app.replication.schedule import next_delay
from app.replication.state import read_state
from app.replication.status import status


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    with estate(tmp_path_factory.mktemp("estate")) as one:
        yield one


@contextmanager
def full(site: Site) -> Iterator[None]:
    """While the block runs, no file of this site's store grows: only Linux lets one process limit another's."""
    resource = pytest.importorskip("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process limit another's files")
    sizes = [path.stat().st_size for path in site.store.folder.rglob("*") if path.is_file()]
    before = resource.prlimit(site.store.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(site.store.pid, resource.RLIMIT_FSIZE, (min(sizes), before[1]))
    try:
        yield
    finally:
        resource.prlimit(site.store.pid, resource.RLIMIT_FSIZE, before)


def sync(made: Estate) -> PassResult:
    return run_pass(made.trade.dealer, made.trade.connection)


def test_a_full_disk_at_the_manufacturers_is_said_and_made_up_for(made: Estate) -> None:
    assert sync(made).error == ""
    document = make(made.trade.dealer, key="up", name="Miller")
    with full(made.head_office):
        result = sync(made)
    assert result.failure is not None
    assert result.failure.kind == "disk_full"
    assert made.trade.connection.url in result.error
    assert "space" in result.error
    assert read_state(made.trade.dealer, "manufacturer").sentence == result.error
    assert sync_log.entries(made.trade.dealer, "manufacturer", 1)[0].sentence == result.error
    assert made.trade.replica.get(document["_id"]) is None
    assert sync(made).error == ""
    assert_same(made.trade.dealer.book, made.trade.replica)


def test_a_full_disk_at_the_dealers_is_said_though_not_even_the_log_can_be_written(made: Estate) -> None:
    document = make(made.trade.dealer, key="down", name="Miller")
    assert sync(made).error == ""
    edit(made.trade.replica, document["_id"], by="anna", phone="7")
    node = made.trade.dealer
    with full(made.dealer):
        first, second = sync(made), sync(made)
        assert status(node, fresh=True).failing_since == first.start
        assert "no space left on this computer" in status(node, fresh=True).sentence.lower()
    assert first.failure is not None
    assert first.failure.kind == "disk_full_here"
    state = read_state(node, "manufacturer")
    assert (state.failures, state.sentence) == (2, second.error)
    delay = next_delay(made.trade.connection, state, 0.0, node.now())
    assert delay == 30.0, "it waits longer and longer"
    assert sync(made).error == ""
    state = read_state(node, "manufacturer")
    assert (state.failures, state.sentence, state.failing_since) == (0, "", "")
    assert_same(node.book, made.trade.replica)
    assert (node.book.get(document["_id"]) or {})["phone"] == "7"
