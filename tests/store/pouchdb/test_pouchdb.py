"""PouchDB 9, written by others for CouchDB, replicates with the store as with a CouchDB."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from couch_requests import Couch

HERE = Path(__file__).parent
SCENARIOS = ("pushes", "pulls", "meets", "lives", "trades", "resumes", "tells", "chooses", "many", "asks")


@pytest.fixture(scope="module")
def saw(couch: Couch, node: str) -> Any:
    """What PouchDB saw in each scenario."""
    names = {scenario: couch.database() for scenario in SCENARIOS}
    databases = {scenario: f"{couch.url}/{name}" for scenario, name in names.items()}
    asked = json.dumps({"auth": {"username": couch.admin[0], "password": couch.admin[1]}, "databases": databases})
    done = subprocess.run(
        [node, "scenarios.js"], input=asked, cwd=HERE, capture_output=True, text=True, timeout=110, check=False
    )
    for name in names.values():
        couch.delete(f"/{name}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_nothing_failed(saw: Any, scenario: str) -> None:
    assert "failed" not in saw[scenario], f"{saw[scenario]['failed']}\n{saw[scenario]['details']}"


def test_what_pouchdb_pushes_arrives_whole(saw: Any) -> None:
    pushes = saw["pushes"]

    assert pushes["here"] == pushes["there"]
    assert pushes["here"]["conflict"] == ["2-b", "2-c", "3-e"]
    assert pushes["told"]["docs_written"] == 5
    assert pushes["told"]["doc_write_failures"] == 0
    assert pushes["again"]["docs_read"] == 0
    assert pushes["same"] is True


def test_what_pouchdb_pulls_arrives_whole(saw: Any) -> None:
    pulls = saw["pulls"]

    assert pulls["here"] == pulls["there"]
    assert pulls["winner"]["_rev"] == "2-c"
    assert pulls["winner"]["_conflicts"] == ["2-b"]
    assert pulls["told"]["docs_written"] == 5
    assert pulls["same"] is True


def test_a_conflict_is_seen_alike_and_resolved_on_both_sides(saw: Any) -> None:
    meets = saw["meets"]

    assert meets["here"] == meets["there"]
    assert len(meets["here"]["_conflicts"]) == 1
    assert "_conflicts" not in meets["resolved"]
    assert meets["resolved"]["_rev"] == meets["here"]["_rev"]
    assert len(meets["leaves"]["a"]) == 2


def test_changes_flow_both_ways_while_live(saw: Any) -> None:
    assert saw["lives"]["here"] == saw["lives"]["there"] == ["from-here", "from-there"]


def test_attachments_deletions_and_conflicts_flow_both_ways_while_live(saw: Any) -> None:
    trades = saw["trades"]

    assert trades["here"] == trades["there"]
    assert len(trades["here"]) == 105
    assert len(trades["here"]["shared"]) == 2
    assert trades["conflicts"] == 1
    assert trades["whole"] == [True, True, True]
    assert trades["why"] == "ann"
    assert trades["text"] == "the photo stays"


def test_a_replication_broken_off_goes_on_and_reads_nothing_twice(saw: Any) -> None:
    resumes = saw["resumes"]

    assert resumes["broken"]["status"] == "cancelled"
    assert 100 <= resumes["broken"]["docs_written"] < 600
    assert resumes["broken"]["docs_written"] + resumes["rest"]["docs_written"] == 600
    assert resumes["rest"]["docs_read"] <= 500
    assert resumes["back"]["docs_written"] == 0
    assert resumes["documents"] == 600


def test_what_a_replicator_asks_is_answered_as_pouchdb_expects(saw: Any) -> None:
    tells = saw["tells"]

    assert tells["bulk"] == [["2", 2], ["2", 2], "not_found"]
    assert tells["whole"] is True
    assert tells["open"] == ["2-b", "2-c", "3-e"]
    assert tells["missing"] == [["a", "conflict"], ["9-z"]]
    assert tells["local"] == 1
    assert tells["feed"] == [["a", 0], ["conflict", 1]]


def test_filters_selectors_and_ids_choose(saw: Any) -> None:
    chooses = saw["chooses"]

    assert chooses["filter"] == ["d3", "d4"]
    assert chooses["selector"] == ["d1", "d3"]
    assert chooses["ids"] == ["d2"]
    assert chooses["view"] == ["d1", "d3"]
    assert chooses["pushed"] == [2, 1, 1]
    assert chooses["live"] == ["d1", "d3"]


def test_ten_thousand_documents_go_out_and_come_back(saw: Any) -> None:
    many = saw["many"]

    assert many["pushed"]["docs_written"] == many["pulled"]["docs_written"] == 10_000
    assert many["documents"] == many["there"] == 10_000


def test_views_and_selectors_answer_pouchdb(saw: Any) -> None:
    asks = saw["asks"]

    assert asks["found"] == ["d3", "d4"]
    assert asks["groups"] == [{"key": "even", "value": 6}, {"key": "odd", "value": 4}]
    assert asks["rows"] == [1, 3]
