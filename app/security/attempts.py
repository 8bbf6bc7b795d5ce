"""Slowing down whoever guesses passwords: a growing wait for one user from one address, and for an address alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

FREE_FOR_USER = 5
FREE_FOR_ADDRESS = 30
LONGEST_WAIT = 15 * 60
_FORGOTTEN_AFTER = 60 * 60
_MOST_KEYS = 10_000


@dataclass
class _Failures:
    count: int = 0
    last: float = 0.0

    def wait_until(self, free: int) -> float:
        if self.count < free:
            return 0.0
        return self.last + min(LONGEST_WAIT, 2.0 ** min(self.count - free + 1, 20))


class Attempts:
    """Wrong passwords of the last hour, in memory: a restart forgets them, which a guesser cannot cause."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: dict[tuple[str, str], _Failures] = {}
        self._lock = Lock()

    def wait(self, user: str, address: str) -> int:
        """Seconds until another attempt is looked at; 0 when it is looked at now."""
        with self._lock:
            now = self._clock()
            until = max(
                self._failures.get((user, address), _Failures()).wait_until(FREE_FOR_USER),
                self._failures.get(("", address), _Failures()).wait_until(FREE_FOR_ADDRESS),
            )
            return max(0, int(until - now + 0.999))

    def failed(self, user: str, address: str) -> None:
        """Counts a wrong password of `user` from `address`."""
        with self._lock:
            now = self._clock()
            if len(self._failures) >= _MOST_KEYS:
                self._forget(now)
            for key in ((user, address), ("", address)):
                failures = self._failures.setdefault(key, _Failures())
                if now - failures.last > _FORGOTTEN_AFTER:
                    failures.count = 0
                failures.count += 1
                failures.last = now

    def succeeded(self, user: str, address: str) -> None:
        """Forgets the wrong passwords of `user` from `address`; those of other users from there still count."""
        with self._lock:
            self._failures.pop((user, address), None)

    def _forget(self, now: float) -> None:
        old = [key for key, failures in self._failures.items() if now - failures.last > _FORGOTTEN_AFTER]
        # When all are recent, the oldest half goes: memory stays bounded under a flood from many addresses.
        if not old:
            old = sorted(self._failures, key=lambda key: self._failures[key].last)[: _MOST_KEYS // 2]
        for key in old:
            del self._failures[key]
