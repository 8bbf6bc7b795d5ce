"""The schedule runs each connection by itself, notices changes, and leaves alone what must be left alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from apscheduler.executors.base import BaseExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.schedulers.base import STATE_RUNNING, STATE_STOPPED
from trading import Computer, Trade, documents, edit, eventually, join, make

from app.couch import Changes, Database
from app.node import Node
from app.replication import connections, passes
from app.replication import schedule as schedules
from app.replication import status as statuses
from app.replication.connections import Connection
from app.replication.schedule import Schedule, Scheduler
from app.replication.state import change_state, read_state
from app.replication.status import status


@contextmanager
def running(node: Node) -> Iterator[Schedule]:
    schedule = Schedule(node, tick=0.2, aggregate=0.3)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def test_every_connection_syncs_once_at_the_start_and_is_planned_again(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    with running(trade.dealer) as schedule:
        assert eventually(lambda: made["_id"] in documents(trade.replica))
        assert eventually(lambda: schedule.next_run("manufacturer") is not None)
    assert read_state(trade.dealer, "manufacturer").last_success


def test_sync_now_runs_at_once(trade: Trade) -> None:
    with running(trade.dealer) as schedule:
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").passes == 1)
        made = make(trade.dealer, name="Miller")
        schedule.run_soon("manufacturer")
        assert eventually(lambda: made["_id"] in documents(trade.replica))


def test_a_connection_added_while_running_is_noticed(make_node: Callable[..., Node]) -> None:
    head_office, dealer = make_node("manufacturer"), make_node("dealer")
    with running(dealer):
        join(head_office, dealer)
        assert eventually(lambda: bool(read_state(dealer, "manufacturer").last_success))


def test_a_paused_connection_is_left_alone_but_syncs_on_request(trade: Trade) -> None:
    connections.pause_connection(trade.dealer, "manufacturer")
    with running(trade.dealer) as schedule:
        schedule.run_soon("manufacturer")
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").passes == 1)
        assert schedule.next_run("manufacturer") is None
        connections.resume_connection(trade.dealer, "manufacturer")
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").passes == 2)


def test_a_wrong_password_is_tried_once_and_again_when_a_person_acts(trade: Trade) -> None:
    good = trade.dealer.secrets.get("connection:manufacturer")
    assert good
    connections.set_password(trade.dealer, "manufacturer", "wrong")
    with running(trade.dealer) as schedule:
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").stopped)
        assert schedule.next_run("manufacturer") is None
        # As the command line does it, which does not ask the store.
        trade.dealer.secrets.set("connection:manufacturer", good)
        assert eventually(lambda: bool(read_state(trade.dealer, "manufacturer").last_success))
    assert read_state(trade.dealer, "manufacturer").passes == 2


def test_a_connection_on_request_is_never_planned(trade: Trade) -> None:
    document = trade.dealer.local.get("connection:manufacturer")
    assert document is not None
    trade.dealer.local.put({**document, "every_minutes": 0})
    with running(trade.dealer) as schedule:
        schedule.run_soon("manufacturer")
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").passes == 1)
        assert schedule.next_run("manufacturer") is None


def test_a_sync_that_was_asked_for_is_not_dropped_when_the_plan_is_looked_at_before_it_begins(trade: Trade) -> None:
    connections.pause_connection(trade.dealer, "manufacturer")
    schedule = Schedule(trade.dealer)
    schedule.run_soon("manufacturer")
    schedule._tick()
    schedule.start()
    try:
        assert eventually(lambda: read_state(trade.dealer, "manufacturer").passes == 1)
    finally:
        schedule.stop()


def test_soon_after_the_upstream_is_back_it_is_synced_with(
    computers: Callable[[str], Computer], dealer_node: Node
) -> None:
    away = computers("manufacturer")
    join(away.start(), dealer_node)
    away.stop()
    make(dealer_node, name="Miller")
    # By the back-off alone the next attempt would be a quarter of an hour away.
    change_state(dealer_node, "manufacturer", failures=10)
    with running(dealer_node):
        assert eventually(lambda: read_state(dealer_node, "manufacturer").failure == "no_network")
        head_office = away.start()
        assert eventually(lambda: bool(documents(head_office.book_of("D001"))), seconds=40)


def test_the_manufacturers_schedule_feeds_the_market_and_the_forecast(trade: Trade) -> None:
    make(trade.dealer, "machine", "CAT-ABC1", make="CAT", model="320", serial="ABC1")
    with running(trade.dealer), running(trade.head_office):
        assert eventually(lambda: "D001:standing:CAT-ABC1" in documents(trade.head_office.forecast), seconds=40)


def test_the_status_counts_what_was_not_sent_and_forgets_it_when_it_was(trade: Trade) -> None:
    node = trade.dealer
    assert status(node, fresh=True).sentence == "Never synced yet."
    made = make(node, name="Miller")
    make(node, "keepsake", share="dealer", flowers="tulips")
    assert status(node, fresh=True).unsent == 1
    connections.find_connection(node, "manufacturer")
    from app.replication.passes import run_pass

    run_pass(node, trade.connection)
    assert (status(node, fresh=True).unsent, status(node).sentence) == (0, "Synced just now.")
    edit(node.book, made["_id"], phone="1")
    # The document and its line in the log of changes.
    assert status(node, fresh=True).unsent == 2


def test_no_page_waits_for_the_end_of_a_long_count_of_what_is_not_sent(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    real = statuses.changes_from

    def slowly(database: Database, since: object, **options: object) -> Changes:
        if since:
            assert go_on.wait(10)
        return real(database, since, **options)

    monkeypatch.setattr(statuses, "changes_from", slowly)
    monkeypatch.setattr(statuses, "_PAGE", 2)
    monkeypatch.setattr(statuses, "_PATIENCE", 0.1)
    node = trade.dealer
    for key in "1234":
        make(node, key=key, name="Miller")
    try:
        found = status(node)
        assert found.sentence == "Never synced yet. More than 2 changes not sent yet."
        assert status(node).unsent == 2
    finally:
        go_on.set()
    assert status(node, fresh=True).sentence == "Never synced yet. 4 changes not sent yet."


def test_a_node_without_connections_says_so(dealer_node: Node, manufacturer_node: Node) -> None:
    assert "no connection" in status(dealer_node).sentence
    assert "no upstream" in status(manufacturer_node).sentence


def test_a_sequence_of_another_kind_of_store_counts_from_the_beginning(trade: Trade) -> None:
    make(trade.dealer, name="Miller")
    change_state(trade.dealer, "manufacturer", pushed_seq="23-g1AAAACReJzLYWBgYMpg")
    assert status(trade.dealer, fresh=True).unsent == 1


class StopsMeanwhile(BaseExecutor):  # type: ignore[misc]  # APScheduler 3 has no types
    """Runs nothing: by the time a job is given to it, somebody has stopped the scheduler."""

    def _do_submit_job(self, job: object, run_times: object) -> None:
        self._scheduler.state = STATE_STOPPED


@pytest.mark.parametrize(("kind", "fails"), [(BackgroundScheduler, True), (Scheduler, False)])
def test_a_schedule_stopped_just_as_a_sync_falls_due_ends_without_a_traceback(
    kind: type[Scheduler], fails: bool
) -> None:
    scheduler = kind(timezone=UTC, executors={"default": StopsMeanwhile()})
    scheduler.start(paused=True)
    scheduler.add_job(print, "date", run_date=datetime.now(UTC), id="sync:manufacturer", misfire_grace_time=None)
    scheduler.state = STATE_RUNNING
    try:
        if fails:
            # What APScheduler itself does; once it no longer does, Scheduler has no reason to be.
            with pytest.raises(JobLookupError):
                scheduler._process_jobs()
        else:
            assert scheduler._process_jobs() is None
        assert scheduler.state == STATE_STOPPED
    finally:
        scheduler.state = STATE_RUNNING
        scheduler.shutdown()


def test_a_running_sync_is_stopped_by_its_name_and_the_next_one_goes_on(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def endless_at_first(node: Node, connection: Connection, stop: threading.Event) -> None:
        if not begun.is_set():
            begun.set()
            stop.wait(30)
            assert stop.is_set()
        passes.run_pass(node, connection, stop=stop)

    monkeypatch.setattr(schedules, "run_pass", endless_at_first)
    made = make(trade.dealer, name="Miller")
    with running(trade.dealer) as schedule:
        assert begun.wait(30)
        assert schedule.stop_running("manufacturer")
        assert eventually(lambda: schedule.next_run("manufacturer") is not None)
        assert not schedule.stop_running("manufacturer")
        assert made["_id"] not in documents(trade.replica)
        schedule.run_soon("manufacturer")
        assert eventually(lambda: made["_id"] in documents(trade.replica))
