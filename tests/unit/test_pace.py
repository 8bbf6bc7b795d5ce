"""How long a sync still takes, as it is said."""

from __future__ import annotations

import itertools

import pytest

from app.replication.pace import Pace, size_of, words_of
from app.replication.results import Progress


def told(*looks: tuple[float, int | None]) -> list[float | None]:
    pace = Pace()
    return [pace.left(at, remaining) for at, remaining in looks]


def test_nothing_is_said_before_it_is_known() -> None:
    assert told((0, 50_000), (1, 49_000), (2, 48_000), (4, 46_000)) == [None] * 4
    assert told((0, None), (10, None), (20, None)) == [None] * 3
    assert told((0, 500), (10, 500)) == [None, None]


def test_a_steady_sync_says_the_right_time() -> None:
    left = told(*((second, 50_000 - 500 * second) for second in range(20)))[-1]
    assert left == pytest.approx((50_000 - 500 * 19) / 500, rel=0.01)


def test_counts_that_move_a_batch_at_a_time_do_not_make_the_time_jump() -> None:
    looks = [(second, 50_000 - 5000 * (second // 10)) for second in range(60)]
    said = [left for left in told(*looks) if left is not None]
    assert said
    assert max(said) < 120
    assert all(before >= after for before, after in itertools.pairwise(said))


def test_a_connection_that_gets_slow_is_noticed_within_half_a_minute() -> None:
    fast = [(second, 100_000 - 1000 * second) for second in range(20)]
    slow = [(20 + second, 80_000 - 100 * second) for second in range(31)]
    left = told(*fast, *slow)[-1]
    assert left is not None
    assert left > 77_000 / 300


def test_a_sync_that_stands_still_or_gets_more_to_do_says_no_time() -> None:
    moving = [(second, 10_000 - 100 * second) for second in range(10)]
    assert told(*moving, (60, 9_100))[-1] is None
    assert told((0, 1000), (3, 1200), (6, 1400), (9, 1600))[-1] is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3, "a few seconds"),
        (24, "about 20 seconds"),
        (58, "about a minute"),
        (200, "about 3 minutes"),
        (3500, "about an hour"),
        (9000, "about 2 hours"),
    ],
)
def test_a_time_is_no_more_exact_than_it_is_known(seconds: float, words: str) -> None:
    assert words_of(seconds) == words


def test_a_running_sync_says_documents_bytes_and_time_where_they_are_known() -> None:
    assert Progress("Pull the book", 0, None).words == ""
    assert Progress("Pull the book", 30, None).words == "30 done"
    assert Progress("Pull the book", 30, 0, 2_400_000, 9.0).words == "30 done, 2.4 MB"
    everything = Progress("Pull the book", 1200, 48_800, 900, 130.0)
    assert everything.words == "1,200 done, 48,800 to go, 1 kB, about 2 minutes left"
    assert size_of(3_200_000_000) == "3.2 GB"
