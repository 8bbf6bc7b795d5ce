from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.replication.backoff import CEILING, FIRST_RETRY, LATE, delay_after_failure, delay_after_success
from app.replication.connections import Connection
from app.replication.schedule import next_delay
from app.replication.state import State

CHANCES = st.floats(min_value=0, max_value=1)


def test_the_first_retry_comes_within_seconds() -> None:
    assert delay_after_failure(1, 0.0) == FIRST_RETRY
    assert delay_after_failure(1, 1.0) == FIRST_RETRY / 2


def test_each_failure_doubles_the_wait_up_to_half_an_hour() -> None:
    assert [delay_after_failure(n, 0.0) for n in range(1, 11)] == [
        15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800,
    ]  # fmt: skip


@given(st.integers(min_value=1, max_value=10**9), CHANCES)
def test_a_retry_is_never_immediate_and_never_later_than_the_ceiling(failures: int, chance: float) -> None:
    delay = delay_after_failure(failures, chance)
    assert FIRST_RETRY / 2 <= delay <= CEILING


@given(st.integers(min_value=1, max_value=10080), CHANCES)
def test_a_success_waits_for_the_interval_give_or_take_a_twentieth(every: int, chance: float) -> None:
    delay = delay_after_success(every, chance)
    assert every * 60 * 0.949 <= delay <= every * 60 * 1.051


def connection(**settings: Any) -> Connection:
    return Connection(name="manufacturer", url="http://127.0.0.1:5984", user="dealer-d001", **settings)


NOW = datetime(2026, 11, 25, 5, 0, tzinfo=ZoneInfo("Europe/Berlin"))


def test_a_connection_that_syncs_on_request_is_never_scheduled() -> None:
    assert next_delay(connection(every_minutes=0), State(), 0.5, NOW) is None
    assert next_delay(connection(every_minutes=0), State(failures=3), 0.5, NOW) is None


def test_a_connection_with_clock_times_waits_for_the_next_by_its_own_clock() -> None:
    morning = connection(every_minutes=15, at="06:00, 18:30")
    assert next_delay(morning, State(), 0.0, NOW) == 3600
    assert 3600 < (next_delay(morning, State(), 1.0, NOW) or 0) <= 3600 + LATE
    in_london = connection(every_minutes=0, at="06:00", time_zone="Europe/London")
    assert next_delay(in_london, State(), 0.0, NOW) == 2 * 3600


def test_a_sync_that_failed_at_its_clock_time_is_made_up_soon() -> None:
    assert next_delay(connection(at="06:00"), State(failures=1), 0.0, NOW) == FIRST_RETRY
