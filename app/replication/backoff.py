"""How long to wait before the next sync of a connection. Pure; times in seconds."""

from __future__ import annotations

from datetime import datetime

FIRST_RETRY = 15.0
CEILING = 30 * 60.0
# Laptops that were switched on by the same morning must not come back in the same second for ever.
_SPREAD = 0.05
LATE = 30.0


def delay_after_success(every_minutes: int, chance: float) -> float:
    """Seconds until the next scheduled sync of a connection that syncs every so many minutes (1 or more).

    `chance` is a random number from 0 to 1: it moves the sync by up to 5 % either way.
    """
    return every_minutes * 60.0 * (1 - _SPREAD + 2 * _SPREAD * chance)


def delay_until(moment: datetime, now: datetime, chance: float) -> float:
    """Seconds until a sync at a clock time, a little after it, so that dealers do not all come in the same second."""
    return max(0.0, (moment - now).total_seconds()) + LATE * chance


def delay_after_failure(failures: int, chance: float) -> float:
    """Seconds until the next attempt after `failures` failed ones in a row (1 or more).

    Doubles from 15 seconds to half an hour; `chance`, from 0 to 1, takes up to half of it away, so that nodes cut off
    by the same fault do not all return together.
    """
    # Beyond 30 doublings the ceiling has long been reached; the exponent must not grow without end.
    longest = min(CEILING, FIRST_RETRY * 2.0 ** min(failures - 1, 30))
    return longest * (1 - 0.5 * chance)
