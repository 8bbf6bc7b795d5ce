"""How long to wait before the next sync of a connection. Pure; times in seconds."""

from __future__ import annotations

FIRST_RETRY = 15.0
CEILING = 30 * 60.0
# Laptops that were switched on by the same morning must not come back in the same second for ever.
_SPREAD = 0.05


def delay_after_success(every_minutes: int, chance: float) -> float | None:
    """Seconds until the next scheduled sync, or None for a connection that syncs on request only.

    `chance` is a random number from 0 to 1: it moves the sync by up to 5 % either way.
    """
    if every_minutes <= 0:
        return None
    return every_minutes * 60.0 * (1 - _SPREAD + 2 * _SPREAD * chance)


def delay_after_failure(failures: int, every_minutes: int, chance: float) -> float | None:
    """Seconds until the next attempt after `failures` failed ones in a row (1 or more).

    Doubles from 15 seconds to half an hour; `chance`, from 0 to 1, takes up to half of it away, so that nodes cut off
    by the same fault do not all return together. None for a connection that syncs on request only.
    """
    if every_minutes <= 0:
        return None
    # Beyond 30 doublings the ceiling has long been reached; the exponent must not grow without end.
    longest = min(CEILING, FIRST_RETRY * 2.0 ** min(failures - 1, 30))
    return longest * (1 - 0.5 * chance)
