"""The store answers what CouchDB 3.5.0 answered to the same 584 requests."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deviations import DEVIATIONS
from replaying import Bindings, answer_differences, differences, send

SCENARIOS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "couchdb-3.5.0.json").read_bytes())["scenarios"]
DATABASES = ["rec_a", "rec_b", "rec_s", "rec_t", "rec_u", "a%2Fb-rec"]
STEPS = {
    "databases": 37,
    "documents": 100,
    "revision trees": 56,
    "bulk": 38,
    "changes": 48,
    "view collation": 18,
    "views": 109,
    "local documents and purge": 26,
    "attachments": 28,
    "validation": 15,
    "find": 50,
    "security": 40,
    "replicate": 19,
}
"""How many requests each scenario has."""


@pytest.fixture
def server(couch: Any) -> Iterator[Any]:
    """The server, without what an earlier recording made there."""
    _forget_recordings(couch)
    yield couch
    _forget_recordings(couch)


def _forget_recordings(couch: Any) -> None:
    for name in DATABASES:
        couch.delete(f"/{name}")
    users = couch.get('/_users/_all_docs?startkey="org.couchdb.user:rec_"&endkey="org.couchdb.user:rec_z"')
    for row in users.json().get("rows", []):
        couch.delete(f"/_users/{row['id']}?rev={row['value']['rev']}")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"].replace(" ", "-") for scenario in SCENARIOS])
def test_the_store_answers_as_couchdb_did(scenario: dict[str, Any], server: Any) -> None:
    bindings = Bindings(server.url, server.admin)
    told: list[str] = []
    asked = 0
    for number, step in enumerate(scenario["steps"]):
        answer = send(server, step, bindings)
        asked += 1
        different, learned = _compared(step["response"], answer, bindings, step["request"]["method"])
        deviation = DEVIATIONS.get((scenario["name"], number))
        if different and deviation is not None and server.is_embedded:
            different, learned = _compared(deviation.answer, answer, bindings, step["request"]["method"])
        bindings = learned
        request = step["request"]
        body = json.dumps(request.get("json", request.get("text", "")))[:200]
        told += [f"{number} {request['method']} {request['path']} {body}: {difference}" for difference in different]
    assert not told, "\n".join(["", *told])
    assert asked == STEPS[scenario["name"]], "a recorded request was left out"


def test_all_recorded_requests_are_replayed() -> None:
    """584 were recorded. That each has an answer to compare with is what makes leaving one out impossible to miss."""
    assert {scenario["name"]: len(scenario["steps"]) for scenario in SCENARIOS} == STEPS
    assert sum(STEPS.values()) == 584
    for scenario in SCENARIOS:
        for step in scenario["steps"]:
            compared = step["response"].keys() & {"json", "lines", "text"}
            is_empty = step["request"]["method"] == "HEAD" or step["response"]["status"] in (204, 304, 416)
            assert compared or is_empty, (scenario["name"], step["request"])


def _compared(expected: Any, answer: Any, bindings: Bindings, method: str) -> tuple[list[str], Bindings]:
    """The differences, and the bindings with what this answer taught."""
    learned = copy.deepcopy(bindings)
    return list(answer_differences(expected, answer, learned, method)), learned


def test_every_deviation_is_of_a_recorded_step_and_says_why() -> None:
    steps = {scenario["name"]: scenario["steps"] for scenario in SCENARIOS}
    for (name, number), deviation in DEVIATIONS.items():
        assert deviation.answer != steps[name][number]["response"]
        assert len(deviation.reason.split()) > 5
    assert len(DEVIATIONS) < 10


def test_the_comparison_sees_equal_digests_where_different_ones_belong() -> None:
    bindings = Bindings("http://127.0.0.1:1", ("admin", "pw"))
    one, other = "1" * 32, "2" * 32
    assert bindings.matches("1-$1", f"1-{one}")
    assert bindings.matches("2-$2", f"2-{other}")
    assert not bindings.matches("1-$1", f"1-{other}")
    assert not bindings.matches("3-$3", f"3-{one}")
    assert bindings.fill("/rec_a/a?rev=2-$2") == f"/rec_a/a?rev=2-{other}"


def test_the_comparison_sees_what_is_missing_too_much_or_of_another_kind() -> None:
    bindings = Bindings("http://127.0.0.1:1", ("admin", "pw"))
    assert not list(differences({"a": 1, "reason": "no"}, {"reason": "not at all", "a": 1}, bindings))
    for expected, actual in [({"a": 1}, {}), ({}, {"a": 1}), ([1], [1, 2]), (1, True), ("a", "b"), (0, None), ([], {})]:
        assert list(differences(expected, actual, bindings)), (expected, actual)
