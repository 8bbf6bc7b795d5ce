"""How long something that gets less still takes: a smoothed rate, and silence until there is one (pure)."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Before so many seconds nothing is said: the first batches come from memory, or wait for a connection.
_SURE_AFTER = 5.0
# What was half a minute ago hardly counts any more.
_SMOOTHED_OVER = 15.0
# When nothing has moved for so long, a time would be a guess.
_STALLED_AFTER = 30.0


@dataclass
class Pace:
    """Told how much remains at moments of one clock (seconds), says how many seconds are left.

    What comes in meanwhile makes it more: the rate is that of what remains, so time to go is honest about it.
    """

    _began: float | None = None
    _at: float = 0.0
    _remaining: int = 0
    _moved_at: float = 0.0
    _rate: float = 0.0
    _weight: float = 0.0

    def left(self, at: float, remaining: int | None) -> float | None:
        """Seconds left at the moment `at`; None while it cannot be known."""
        if remaining is None:
            return None
        if self._began is None:
            self._began = self._at = self._moved_at = at
            self._remaining = remaining
            return None
        passed = at - self._at
        if passed > 0 and remaining != self._remaining:
            # Counts move a batch at a time: the rate is over the whole time since they moved last.
            kept = math.exp(-passed / _SMOOTHED_OVER)
            self._rate = self._rate * kept + (self._remaining - remaining) / passed * (1 - kept)
            self._weight = self._weight * kept + (1 - kept)
            self._at = self._moved_at = at
            self._remaining = remaining
        if at - self._began < _SURE_AFTER or at - self._moved_at > _STALLED_AFTER or not self._weight:
            return None
        rate = self._rate / self._weight
        return self._remaining / rate if rate > 0 else None


def words_of(seconds: float) -> str:
    """A time to go as people say it: no more exact than it is known.

    >>> words_of(100)
    'about 2 minutes'
    """
    if seconds < 10:
        return "a few seconds"
    if seconds < 55:
        return f"about {round(seconds / 10) * 10} seconds"
    if seconds < 55 * 60:
        minutes = max(1, round(seconds / 60))
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    hours = max(1, round(seconds / 3600))
    return "about an hour" if hours == 1 else f"about {hours} hours"


def size_of(count: int) -> str:
    """A number of bytes as people say it.

    >>> size_of(12_400_000)
    '12.4 MB'
    """
    if count < 1_000_000:
        return f"{max(1, round(count / 1000))} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:.1f} GB"
