"""Every answer in which the embedded store may differ from CouchDB 3.5.0, and why that stays.

A deviation is (scenario, step): what we may answer instead, and the reason. It is not a licence to answer anything: the
answer given here is compared as strictly as a recorded one.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Deviation(NamedTuple):
    answer: dict[str, Any]
    reason: str


DEVIATIONS: dict[tuple[str, int], Deviation] = {
    ("revision trees", 55): Deviation(
        {"status": 200, "json": [{"missing": "2-b"}, {"missing": "2-c"}]},
        "Compaction, asked for in the step before, runs in the background on both; ours may have ended already, and "
        "then the bodies of revisions that are no leaves are gone.",
    ),
}
