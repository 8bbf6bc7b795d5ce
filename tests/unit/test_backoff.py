from hypothesis import given
from hypothesis import strategies as st

from app.replication.backoff import CEILING, FIRST_RETRY, delay_after_failure, delay_after_success

CHANCES = st.floats(min_value=0, max_value=1)


def test_the_first_retry_comes_within_seconds() -> None:
    assert delay_after_failure(1, 60, 0.0) == FIRST_RETRY
    assert delay_after_failure(1, 60, 1.0) == FIRST_RETRY / 2


def test_each_failure_doubles_the_wait_up_to_half_an_hour() -> None:
    assert [delay_after_failure(n, 15, 0.0) for n in range(1, 11)] == [
        15, 30, 60, 120, 240, 480, 960, 1800, 1800, 1800,
    ]  # fmt: skip


@given(st.integers(min_value=1, max_value=10**9), st.integers(min_value=1, max_value=10080), CHANCES)
def test_a_retry_is_never_immediate_and_never_later_than_the_ceiling(failures: int, every: int, chance: float) -> None:
    delay = delay_after_failure(failures, every, chance)
    assert delay is not None
    assert FIRST_RETRY / 2 <= delay <= CEILING


@given(st.integers(min_value=1, max_value=10080), CHANCES)
def test_a_success_waits_for_the_interval_give_or_take_a_twentieth(every: int, chance: float) -> None:
    delay = delay_after_success(every, chance)
    assert delay is not None
    assert every * 60 * 0.949 <= delay <= every * 60 * 1.051


def test_a_connection_that_syncs_on_request_is_never_scheduled() -> None:
    assert delay_after_success(0, 0.5) is None
    assert delay_after_failure(3, 0, 0.5) is None
