"""A clock that is an hour or ten years off on one side, or is set while Ironbook runs: everything syncs as ever."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from faulty_lines import assert_same
from trading import Computer, Trade, documents, edit, eventually, join, make

from app.node import Node
from app.replication import connections, sync_log
from app.replication import schedule as schedules
from app.replication.passes import run_pass
from app.replication.schedule import Schedule
from app.replication.state import change_state, read_state
from app.replication.status import status
from app.security.certificates import own_certificate

HOUR, TEN_YEARS = 3600, 10 * 365 * 86_400
ROOT = Path(__file__).parents[2]


def sync_with_a_wrong_clock(computer: Computer, seconds: int) -> None:
    """``ironbook sync`` in a process, with its store in another, both of which take the time for so much later."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(Path(__file__).with_name("other_clock")), str(ROOT))),
        "IRONBOOK_TEST_CLOCK_AHEAD": str(seconds),
        "IRONBOOK_NODE_ROLE": "dealer",
        "IRONBOOK_NODE_DEALER": "D001",
    }
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "sync", "--data", str(computer.settings.data)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_dealers_clock_an_hour_or_ten_years_off_keeps_nothing_from_arriving(
    computers: Callable[[str], Computer], manufacturer_node: Node
) -> None:
    computer = computers("dealer")
    node = computer.start()
    join(manufacturer_node, node)
    replica = manufacturer_node.book_of("D001")
    made = make(node, name="Miller", phone="0", website="")["_id"]
    run_pass(node, connections.find_connection(node, "manufacturer"))
    for number, seconds in enumerate((TEN_YEARS, -TEN_YEARS, HOUR)):
        edit(node.book, made, phone=str(number))
        edit(replica, made, by="anna", website=f"https://{number}.example")
        computer.stop()
        sync_with_a_wrong_clock(computer, seconds)
        node = computer.start()
        year = int(read_state(node, "manufacturer").last_success[:4])
        assert year - datetime.now(UTC).year == round(seconds / 365 / 86_400), "the clock was wrong"
        found = documents(node.book)[made]
        assert (found["phone"], found["website"]) == (str(number), f"https://{number}.example")
        assert "disputes" not in found
    assert run_pass(node, connections.find_connection(node, "manufacturer")).error == ""
    assert_same(node.book, replica)
    log = [entry.start[:4] for entry in sync_log.entries(node, "manufacturer")]
    assert log[0] == str(datetime.now(UTC).year), "the log is in the order in which things happened"
    assert str(datetime.now(UTC).year + 10) in log


class SetClock(datetime):
    """A clock that can be set."""

    ahead = timedelta()

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Any:
        return datetime.now(tz) + cls.ahead


def test_a_clock_that_is_set_while_the_schedule_runs_stops_no_sync(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "datetime", SetClock)
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", SetClock)
    monkeypatch.setattr(SetClock, "ahead", timedelta(seconds=TEN_YEARS))
    schedule = Schedule(trade.dealer, tick=0.2)
    schedule.start()
    try:
        assert eventually(lambda: schedule.next_run("manufacturer") is not None and bool(passes(trade)))
        made = make(trade.dealer, name="Miller")
        monkeypatch.setattr(SetClock, "ahead", timedelta())
        assert eventually(lambda: made["_id"] in documents(trade.replica))
        assert eventually(lambda: schedule.next_run("manufacturer") is not None)
        monkeypatch.setattr(SetClock, "ahead", timedelta(seconds=-TEN_YEARS))
        edit(trade.dealer.book, made["_id"], phone="1")
        assert eventually(lambda: documents(trade.replica)[made["_id"]].get("phone") == "1")
    finally:
        schedule.stop()


def test_what_a_laptop_missed_while_it_slept_is_made_up_for_once(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "datetime", SetClock)
    monkeypatch.setattr("apscheduler.schedulers.base.datetime", SetClock)
    schedule = Schedule(trade.dealer, tick=0.2)
    schedule.start()
    try:
        assert eventually(lambda: passes(trade) == 1 and schedule.next_run("manufacturer") is not None)
        # Ten hours with a sync every minute: six hundred were missed.
        monkeypatch.setattr(SetClock, "ahead", timedelta(hours=10))

        def is_planned() -> bool:
            planned = schedule.next_run("manufacturer")
            return planned is not None and planned - SetClock.now(UTC) > timedelta(seconds=30)

        assert eventually(lambda: passes(trade) >= 2 and is_planned())
        assert passes(trade) == 2
    finally:
        schedule.stop()


def passes(trade: Trade) -> int:
    return read_state(trade.dealer, "manufacturer").passes


@pytest.mark.parametrize("last_end", ["2016-01-01T00:00:00.000000Z", "2036-01-01T00:00:00.000000Z"])
def test_a_refused_password_waits_for_a_person_by_no_clock(trade: Trade, last_end: str) -> None:
    good = trade.dealer.secrets.get("connection:manufacturer") or ""
    trade.dealer.secrets.set("connection:manufacturer", "wrong")
    failed = run_pass(trade.dealer, trade.connection)
    assert failed.failure is not None
    assert failed.failure.kind == "wrong_password"
    change_state(trade.dealer, "manufacturer", last_end=last_end)
    schedule = Schedule(trade.dealer)
    state = read_state(trade.dealer, "manufacturer")
    assert not schedule._runs_by_itself(trade.connection, state)
    # On the command line a password is entered without asking the store.
    trade.dealer.secrets.set("connection:manufacturer", good)
    assert schedule._runs_by_itself(trade.connection, state)


def test_a_sync_at_a_time_to_come_is_said_to_be_by_a_wrong_clock(trade: Trade) -> None:
    run_pass(trade.dealer, trade.connection)
    change_state(trade.dealer, "manufacturer", last_success="2999-01-01T00:00:00.000000Z")
    assert status(trade.dealer, fresh=True).sentence == "Synced when this computer's clock was ahead."


def test_a_certificate_of_our_own_is_good_whatever_the_clock_says(tmp_path: Path) -> None:
    made = x509.load_pem_x509_certificate(own_certificate(tmp_path)[0].read_bytes())
    assert made.not_valid_before_utc <= datetime(1970, 1, 1, tzinfo=UTC)
    assert made.not_valid_after_utc > datetime.now(UTC) + timedelta(days=30 * 365)
