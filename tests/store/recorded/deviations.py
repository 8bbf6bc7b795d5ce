"""Every answer in which the embedded store differs from CouchDB 3.5.0, and why that stays.

A deviation is (scenario, step): what we answer instead, and the reason. It is not a licence to answer anything: the
answer given here is compared as strictly as a recorded one. `None` in place of the answer: only the status is compared.
"""

from __future__ import annotations

from typing import Any, NamedTuple


class Deviation(NamedTuple):
    answer: dict[str, Any]
    reason: str


DEVIATIONS: dict[tuple[str, int], Deviation] = {
    ("find", 46): Deviation(
        {"status": 200, "json": {"result": "created", "id": "$any", "name": "$any"}},
        "an index without a name gets a digest of its definition for one; CouchDB's is of an Erlang term",
    ),
}
