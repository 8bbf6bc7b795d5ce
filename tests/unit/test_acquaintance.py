"""Whether two replicas are still the ones that met last: decided from the marks both keep."""

from __future__ import annotations

import pytest

from app.replication.acquaintance import (
    APART,
    NEW_THERE,
    OLD_HERE,
    OLD_THERE,
    PURGED,
    Acquaintance,
    Meeting,
    what_happened,
)
from app.replication.connections import ALL_DOCUMENTS

KNOWN = Acquaintance("http://head/book-d001", "r1", "", ("m3", "m2", "m1"), "0 0")
CUT_OFF = Acquaintance("http://head/book-d001", "r1", "", ("m3", "m2", "m1"), "0 0", left=False)


@pytest.mark.parametrize(
    ("known", "there", "purges", "reason"),
    [
        (KNOWN, ["m3", "m2"], "0 0", ""),
        (KNOWN, [], "0 0", NEW_THERE),
        (KNOWN, None, "0 0", NEW_THERE),
        (KNOWN, ["m2", "m1"], "0 0", OLD_THERE),
        (KNOWN, ["m4", "m3", "m2"], "0 0", OLD_HERE),
        (KNOWN, ["other"], "0 0", APART),
        (KNOWN, ["m3"], "0 1", PURGED),
        (CUT_OFF, ["m3", "m2"], "0 0", ""),
        (CUT_OFF, ["m2", "m1"], "0 0", ""),
        (CUT_OFF, ["m1"], "0 0", OLD_THERE),
        (CUT_OFF, ["m9", "m2", "m1"], "0 0", OLD_HERE),
    ],
)
def test_marks_that_do_not_fit_say_what_happened(known: Acquaintance, there: object, purges: str, reason: str) -> None:
    assert what_happened(known, there, purges) == reason


def test_a_replica_without_a_name_keeps_the_checkpoints_it_has() -> None:
    assert Meeting(KNOWN, "").selector({"share": "manufacturer"}) == {"share": "manufacturer"}


def test_the_name_of_a_replica_is_a_condition_that_is_always_true() -> None:
    named = Meeting(Acquaintance("place", "r2", "r2", ("m1",), "0 0"), "")
    assert named.selector({"share": "manufacturer"}) == {"share": {"$eq": "manufacturer", "$ne": "replica:r2"}}
    assert named.selector(ALL_DOCUMENTS) == {"type": {"$gt": None, "$ne": "replica:r2"}}
