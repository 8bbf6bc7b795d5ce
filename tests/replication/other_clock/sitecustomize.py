"""Python finds this before anything else when its folder is on PYTHONPATH: a computer whose clock is wrong."""

import datetime
import os
import time

_SECONDS = float(os.environ.get("IRONBOOK_TEST_CLOCK_AHEAD", "0"))
_right_time = time.time


def _wrong_time() -> float:
    return _right_time() + _SECONDS


class _WrongDatetime(datetime.datetime):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return cls.fromtimestamp(_wrong_time(), tz)

    @classmethod
    def utcnow(cls) -> datetime.datetime:
        return cls.fromtimestamp(_wrong_time(), datetime.UTC).replace(tzinfo=None)


class _WrongDate(datetime.date):
    @classmethod
    def today(cls) -> datetime.date:
        return cls.fromtimestamp(_wrong_time())


time.time = _wrong_time
datetime.datetime = _WrongDatetime
datetime.date = _WrongDate
