"""What replication promises: everything arrives once, conflicts and deletions too, and nothing else.

On the embedded store each promise is kept three ways: between two databases of one store, pushing to another store and
pulling from it. On CouchDB both databases are on the one server.
"""

from __future__ import annotations

import base64
import os
import secrets
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from couch_requests import ADMIN, Couch
from replicating import Place, counts, replicate

import embedded

WAYS = ["within"] if "IRONBOOK_COUCHDB_URL" in os.environ else ["within", "push", "pull"]


@pytest.fixture(scope="module")
def other(couch: Couch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Couch]:
    """Another store, reached over HTTP; with CouchDB the same one."""
    if not couch.is_embedded:
        yield couch
        return
    with embedded.start(tmp_path_factory.mktemp("other-store"), admin=ADMIN) as running:
        yield Couch(running.url, ADMIN)


@dataclass
class Pair:
    """Two empty databases and the server that replicates from one to the other."""

    worker: Couch
    source: Place
    target: Place

    def run(self, **options: Any) -> dict[str, Any]:
        return replicate(self.worker, self.source.endpoint(), self.target.endpoint(), **options)


@pytest.fixture(params=WAYS)
def pair(request: pytest.FixtureRequest, couch: Couch, other: Couch) -> Iterator[Pair]:
    source = Place(other if request.param == "pull" else couch, "")
    target = Place(other if request.param == "push" else couch, "")
    for place in (source, target):
        place.name = place.couch.database()
    yield Pair(couch, source, target)
    for place in (source, target):
        place.couch.delete(place.path)


@pytest.fixture
def there_and_back(couch: Couch, other: Couch) -> Iterator[tuple[Couch, Place, Place]]:
    """A database on each server, for changes on both sides."""
    here, there = Place(couch, couch.database()), Place(other, other.database())
    yield couch, here, there
    couch.delete(here.path)
    other.delete(there.path)


def test_every_document_arrives_with_its_revision(pair: Pair) -> None:
    revs = pair.source.save({"_id": "a", "v": 1}, {"_id": "ü/ñ", "v": 2}, {"_id": "a b+c", "v": [1.5, None, "x"]})

    told = pair.run()

    assert counts(told) == (3, 3, 0)
    assert told["source_last_seq"] == told["history"][0]["recorded_seq"]
    assert pair.target.get("a") == {"_id": "a", "_rev": revs[0], "v": 1}
    assert pair.target.get("%C3%BC%2F%C3%B1") == {"_id": "ü/ñ", "_rev": revs[1], "v": 2}
    assert pair.target.leaves() == pair.source.leaves()


def test_what_was_done_once_is_not_done_again(pair: Pair) -> None:
    pair.source.save({"_id": "a"}, {"_id": "b"})
    first = pair.run()

    nothing = pair.run()
    pair.source.save({"_id": "c"})
    third = pair.run()

    assert nothing["no_changes"] is True
    assert nothing["history"] == first["history"]
    assert "no_changes" not in third
    assert third["history"][0]["start_last_seq"] == first["source_last_seq"]
    assert counts(third) == (3, 3, 0), "the counts of all sessions add up"
    assert [entry["session_id"] for entry in third["history"]][1:] == [first["session_id"]]


def test_changes_on_both_sides_meet_as_a_conflict_with_both_kept(there_and_back: tuple[Couch, Place, Place]) -> None:
    worker, here, there = there_and_back
    (rev,) = here.save({"_id": "a", "v": 0})
    replicate(worker, here.endpoint(), there.endpoint())
    here.save({"_id": "a", "_rev": rev, "v": "here"})
    there.save({"_id": "a", "_rev": rev, "v": "there"})

    replicate(worker, here.endpoint(), there.endpoint())
    replicate(worker, there.endpoint(), here.endpoint())

    assert here.leaves() == there.leaves()
    assert len(here.leaves()["a"]) == 2
    assert here.get("a", "?conflicts=true") == there.get("a", "?conflicts=true")
    leaves = here.get("a", "?open_revs=all")
    assert sorted(leaf["ok"]["v"] for leaf in leaves) == ["here", "there"]


def test_every_leaf_of_a_conflict_arrives_with_its_history(pair: Pair) -> None:
    pair.source.save_replicas(
        {"_id": "t", "_rev": "3-c", "_revisions": {"start": 3, "ids": ["c", "b", "a"]}, "v": "c"},
        {"_id": "t", "_rev": "2-d", "_revisions": {"start": 2, "ids": ["d", "a"]}, "v": "d"},
        {
            "_id": "t",
            "_rev": "4-f",
            "_revisions": {"start": 4, "ids": ["f", "e", "b", "a"]},
            "_deleted": True,
            "v": "f",
        },
        {"_id": "t", "_rev": "9-z", "_revisions": {"start": 9, "ids": ["z", "y"]}, "v": "without its beginning"},
    )

    told = pair.run()

    assert counts(told) == (4, 4, 0)
    query = "?open_revs=all&revs=true"
    by_rev = {leaf["ok"]["_rev"]: leaf["ok"] for leaf in pair.source.get("t", query)}
    assert {leaf["ok"]["_rev"]: leaf["ok"] for leaf in pair.target.get("t", query)} == by_rev
    assert set(by_rev) == {"3-c", "2-d", "4-f", "9-z"}


def test_only_winners_travel_where_that_is_asked(pair: Pair) -> None:
    if not pair.worker.is_embedded:
        pytest.skip("CouchDB 3.5's winning_revs_only is not part of what Ironbook uses.")
    pair.source.save_replicas({"_id": "t", "_rev": "1-a", "v": 1}, {"_id": "t", "_rev": "1-b", "v": 2})

    pair.run(winning_revs_only=True)

    assert pair.target.leaves() == {"t": ["1-b"]}


def test_a_deletion_arrives(pair: Pair) -> None:
    rev, _ = pair.source.save({"_id": "a"}, {"_id": "b"})
    pair.run()
    (deletion,) = pair.source.save({"_id": "a", "_rev": rev, "_deleted": True, "deleted_by": "ann"})

    pair.run()

    assert pair.target.ids() == ["b"]
    assert pair.target.get("a", f"?rev={deletion}") == {
        "_id": "a",
        "_rev": deletion,
        "_deleted": True,
        "deleted_by": "ann",
    }


def test_a_deletion_with_fields_passes_a_selector_and_a_bare_one_does_not(pair: Pair) -> None:
    told_rev, bare_rev = pair.source.save({"_id": "told", "share": "m"}, {"_id": "bare", "share": "m"})
    pair.run(selector={"share": "m"})
    pair.source.save({"_id": "told", "_rev": told_rev, "_deleted": True, "share": "m"})
    pair.source.couch.delete(f"{pair.source.path}/bare?rev={bare_rev}")

    pair.run(selector={"share": "m"})

    assert pair.target.ids() == ["bare"]


def test_a_selector_is_asked_of_every_leaf_and_of_design_documents(pair: Pair) -> None:
    pair.source.save({"_id": "in", "share": "m"}, {"_id": "out", "share": "d"}, {"_id": "_design/x", "views": {}})
    pair.source.save_replicas(
        {"_id": "both", "_rev": "1-a", "share": "m"}, {"_id": "both", "_rev": "1-b", "share": "d"}
    )

    pair.run(selector={"share": "m"})

    assert sorted(pair.target.ids()) == ["both", "in"]
    assert pair.target.leaves()["both"] == ["1-a"]


def test_design_documents_arrive_without_a_selector(pair: Pair) -> None:
    pair.source.save({"_id": "_design/x", "views": {"v": {"map": "function (doc) { emit(doc._id, null); }"}}})

    pair.run()

    assert pair.target.get("_design/x") == pair.source.get("_design/x")


def test_only_the_named_documents_travel(pair: Pair) -> None:
    pair.source.save({"_id": "a"}, {"_id": "b"}, {"_id": "c"})

    told = pair.run(doc_ids=["c", "a", "none"])

    assert sorted(pair.target.ids()) == ["a", "c"]
    assert (told["docs_read"], told["docs_written"], told["doc_write_failures"]) == (2, 2, 0)


def test_a_filter_function_chooses_with_its_parameters(pair: Pair) -> None:
    pair.source.save(
        {"_id": "_design/f", "filters": {"big": "function (doc, req) { return doc.n >= req.query.least; }"}},
        {"_id": "a", "n": 1},
        {"_id": "b", "n": 5},
    )

    pair.run(filter="f/big", query_params={"least": 4})

    assert pair.target.ids() == ["b"]


def test_another_choice_of_documents_is_another_replication(pair: Pair) -> None:
    pair.source.save({"_id": "a", "share": "m"}, {"_id": "b", "share": "d"})
    pair.run(selector={"share": "m"})

    told = pair.run(selector={"share": "d"})

    assert told["history"][0]["start_last_seq"] == 0
    assert sorted(pair.target.ids()) == ["a", "b"]


def test_it_starts_where_it_is_told(pair: Pair) -> None:
    pair.source.save({"_id": "a"})
    since = pair.source.couch.get(pair.source.path).json()["update_seq"]
    pair.source.save({"_id": "b"})

    pair.run(since_seq=since)

    assert pair.target.ids() == ["b"]


@pytest.mark.skipif("IRONBOOK_COUCHDB_URL" in os.environ, reason="of CouchDB nothing relies on it")
def test_where_it_was_told_to_start_is_a_checkpoint_although_nothing_followed(pair: Pair) -> None:
    pair.source.save({"_id": "a"}, {"_id": "b"})
    pair.run(use_checkpoints=False)
    end = pair.source.couch.get(pair.source.path).json()["update_seq"]

    pair.run(since_seq=end)
    pair.source.save({"_id": "c"})
    told = pair.run()

    assert told["history"][0]["start_last_seq"] == end
    assert (told["history"][0]["missing_checked"], pair.target.ids()) == (1, ["a", "b", "c"])


def test_refused_documents_are_counted_and_left_behind(pair: Pair) -> None:
    rule = "function (doc) { if (doc.bad) { throw({forbidden: 'not this one'}); } }"
    pair.target.save({"_id": "_design/rule", "validate_doc_update": rule})
    pair.source.save({"_id": "a"}, {"_id": "b", "bad": True}, {"_id": "c"})

    told = pair.run()
    again = pair.run()

    assert counts(told) == (3, 2, 1)
    assert sorted(pair.target.ids()) == ["_design/rule", "a", "c"]
    assert again["no_changes"] is True, "the checkpoint moved past the refused document"


def test_a_missing_target_is_made_only_when_that_is_asked(pair: Pair) -> None:
    pair.source.save({"_id": "a"})
    pair.target.couch.delete(pair.target.path)
    body = {"source": pair.source.endpoint(), "target": pair.target.endpoint()}

    refused = pair.worker.post("/_replicate", body)
    there = pair.target.couch.get(pair.target.path).status
    pair.run(create_target=True)

    assert refused.status in (404, 500)
    assert refused.json()["error"] == "db_not_found"
    assert there == 404
    assert pair.target.ids() == ["a"]


@pytest.fixture(params=[30, 200_000, 3_000_000], ids=["small", "large", "very-large"])
def content(request: pytest.FixtureRequest) -> bytes:
    """Bytes of every value, in no order that compresses."""
    size: int = request.param
    return bytes(range(256))[: size % 256] + os.urandom(size - size % 256) if size > 256 else os.urandom(size)


def test_attachments_arrive_byte_for_byte(pair: Pair, content: bytes) -> None:
    inline = {"content_type": "image/x-raw", "data": base64.b64encode(content).decode()}
    text = {"content_type": "text/plain", "data": base64.b64encode(b"words " * 100).decode()}
    (rev,) = pair.source.save(
        {"_id": "a", "_attachments": {"photo 1.bin": inline, "note.txt": text, "empty": {"data": ""}}}
    )
    pair.run()
    # The next revision keeps the photo and changes the note.
    stub = {"stub": True}
    changed = {"content_type": "text/plain", "data": base64.b64encode(b"other words").decode()}
    pair.source.save({"_id": "a", "_rev": rev, "v": 2, "_attachments": {"photo 1.bin": stub, "note.txt": changed}})
    pair.source.save({"_id": "b"})

    told = pair.run()

    assert counts(told) == (3, 3, 0)
    read = pair.target.couch.get
    assert read(f"{pair.target.path}/a/photo%201.bin").data == content
    assert read(f"{pair.target.path}/a/note.txt").data == b"other words"
    assert read(f"{pair.target.path}/a/empty?rev={rev}").data == b""
    assert sorted(pair.target.get("a")["_attachments"]) == ["note.txt", "photo 1.bin"]
    assert pair.target.get("a")["_rev"] == pair.source.get("a")["_rev"]


def test_an_attachment_the_target_should_have_and_has_not_is_sent(pair: Pair) -> None:
    data = {"data": base64.b64encode(b"kept" * 50_000).decode()}
    (rev,) = pair.source.save({"_id": "a", "_attachments": {"x": data}})
    digest = rev.partition("-")[2]
    # The target knows the revision by name, from a replica that came without the attachment.
    pair.target.save_replicas({"_id": "a", "_rev": rev, "_revisions": {"start": 1, "ids": [digest]}})
    pair.source.save({"_id": "a", "_rev": rev, "v": 2, "_attachments": {"x": {"stub": True}}})

    pair.run()

    assert pair.target.couch.get(f"{pair.target.path}/a/x").data == b"kept" * 50_000


def test_ten_thousand_documents_arrive(pair: Pair) -> None:
    for start in range(0, 10_000, 2_000):
        pair.source.save(*({"_id": f"d{n:05}", "n": n, "text": "x" * 200} for n in range(start, start + 2_000)))

    told = pair.run()

    assert counts(told) == (10_000, 10_000, 0)
    assert pair.target.couch.get(pair.target.path).json()["doc_count"] == 10_000
    assert pair.target.leaves() == pair.source.leaves()


def test_a_continuous_replication_goes_on_until_it_is_cancelled(pair: Pair) -> None:
    pair.source.save({"_id": "a"})
    started = pair.run(continuous=True)
    _wait_for(pair.target, "a")
    pair.source.save({"_id": "b"})
    _wait_for(pair.target, "b")

    # A document is at the target a moment before the task counts it.
    for _ in range(100):
        listed = pair.worker.get("/_active_tasks").json()
        tasks = [task for task in listed if task["replication_id"] == started["_local_id"]]
        if not tasks or tasks[0]["docs_written"] == 2:
            break
        time.sleep(0.05)
    cancelled = pair.run(continuous=True, cancel=True)
    again = pair.worker.post(
        "/_replicate",
        {"source": pair.source.endpoint(), "target": pair.target.endpoint(), "continuous": True, "cancel": True},
    )

    assert len(tasks) == 1
    assert tasks[0]["type"] == "replication"
    assert tasks[0]["continuous"] is True
    assert tasks[0]["docs_written"] == 2
    assert {"source", "target", "changes_pending", "checkpointed_source_seq", "started_on"} <= tasks[0].keys()
    over_the_network = pair.source.couch is not pair.target.couch
    assert not (pair.worker.is_embedded and over_the_network) or tasks[0]["bytes_transferred"] > 0
    assert ADMIN[1] not in str(tasks)
    assert cancelled["_local_id"] == started["_local_id"]
    assert again.status == 404


def _wait_for(place: Place, id: str) -> None:
    since: Any = 0
    for _ in range(20):
        if place.get(id) is not None:
            return
        since = place.couch.get(f"{place.path}/_changes?feed=longpoll&timeout=2000&since={since}").json()["last_seq"]
    raise AssertionError(f"{id} never arrived")


# --- errors


def _refusal(couch: Couch, source: Any, target: Any, **options: Any) -> Any:
    answer = couch.post("/_replicate", {"source": source, "target": target, **options}, timeout=60)
    assert answer.status >= 400, answer.data
    return answer


def test_a_wrong_password_says_so(pair: Pair) -> None:
    stranger = (f"nobody-{secrets.token_hex(4)}", "wrong")

    told = _refusal(pair.worker, pair.source.endpoint(stranger), pair.target.endpoint()).json()

    assert told["error"] == "replication_auth_error"
    assert "wrong" not in told["reason"].replace("wrong password", "")


def test_a_missing_source_says_so(pair: Pair) -> None:
    pair.source.couch.delete(pair.source.path)

    answer = _refusal(pair.worker, pair.source.endpoint(), pair.target.endpoint())

    assert answer.json()["error"] == "db_not_found"
    assert pair.source.name in answer.json()["reason"]


def test_nobody_listening_says_so(pair: Pair) -> None:
    answer = _refusal(pair.worker, "http://127.0.0.1:9/x", pair.target.endpoint())

    assert answer.status == 500
    assert answer.json()["error"] == "error"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": "a"},
        {"source": 5, "target": "b"},
        {"source": {"url": 5}, "target": "b"},
        {"source": "ftp://host/db", "target": "b"},
        {"source": "http://host", "target": "b"},
        {"source": "http://[x/db", "target": "b"},
        {"source": "a", "target": "b", "doc_ids": 5},
        {"source": "a", "target": "b", "doc_ids": ["a"], "selector": {}},
        {"source": "a", "target": "b", "selector": []},
        {"source": "a", "target": "b", "filter": "nonsense"},
        {"source": "a", "target": "b", "continuous": "perhaps"},
        {"source": "a", "target": "b", "worker_batch_size": -1},
        {"source": "a", "target": "b", "since_seq": {}},
        {"source": {"url": "http://h/d", "auth": 5}, "target": "b"},
        {"source": {"url": "http://h/d", "headers": {"a": 1}}, "target": "b"},
        {"cancel": True},
        {"cancel": True, "replication_id": 5},
    ],
)
def test_a_request_that_cannot_be_meant_is_refused_with_a_reason(couch: Couch, body: dict[str, Any]) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB answers 500 to most of these.")
    answer = couch.post("/_replicate", body)

    assert answer.status == 400
    assert answer.json()["reason"]


def test_nobody_may_replicate_without_a_name(couch: Couch, db: str) -> None:
    answer = couch.post("/_replicate", {"source": db[1:], "target": "x"}, auth=None)

    assert answer.status == 401


def test_a_filter_that_is_not_there_says_so(pair: Pair) -> None:
    answer = _refusal(pair.worker, pair.source.endpoint(), pair.target.endpoint(), filter="none/x")

    assert answer.json()["reason"]
    assert pair.target.ids() == []


MakeUser = Callable[[str], tuple[str, str]]


@pytest.fixture
def make_user(couch: Couch) -> Iterator[MakeUser]:
    made: list[str] = []

    def make(role: str) -> tuple[str, str]:
        name = f"u{secrets.token_hex(6)}"
        user = {"name": name, "password": "pw", "roles": [role], "type": "user"}
        assert couch.put(f"/_users/org.couchdb.user:{name}", user).status == 201
        made.append(name)
        return name, "pw"

    yield make
    for name in made:
        rev = couch.get(f"/_users/org.couchdb.user:{name}").json()["_rev"]
        couch.delete(f"/_users/org.couchdb.user:{name}?rev={rev}")


def test_local_names_are_used_with_the_rights_of_whoever_asks(couch: Couch, make_user: MakeUser) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB 3.5 resolves names without credentials, so they are of no use there.")
    user = make_user("dealer:D1")
    mine, others, new = Place(couch, couch.database()), Place(couch, couch.database()), f"t{secrets.token_hex(8)}"
    couch.put(f"{mine.path}/_security", {"members": {"roles": ["dealer:D1"]}, "admins": {}})
    others.save({"_id": "secret"})

    stolen = couch.post("/_replicate", {"source": others.name, "target": mine.name}, auth=user)
    planted = couch.post("/_replicate", {"source": mine.name, "target": others.name}, auth=user)
    made = couch.post("/_replicate", {"source": mine.name, "target": new, "create_target": True}, auth=user)

    assert stolen.json()["error"] in ("forbidden", "unauthorized")
    assert planted.json()["error"] in ("forbidden", "unauthorized")
    assert made.status >= 400
    assert mine.ids() == []
    assert couch.get(f"/{new}").status == 404
    for place in (mine, others):
        couch.delete(place.path)


def test_a_local_name_that_does_not_exist_is_not_created(couch: Couch, db: str) -> None:
    mistyped = f"t{secrets.token_hex(8)}"

    answer = couch.post("/_replicate", {"source": db[1:], "target": mistyped})

    assert answer.status in (404, 500)
    assert couch.get(f"/{mistyped}").status == 404


def test_a_replication_of_somebody_else_is_not_cancelled(couch: Couch, make_user: MakeUser, db: str) -> None:
    user = make_user("dealer:D1")
    source, target = Place(couch, db[1:]), Place(couch, couch.database())
    body = {"source": source.endpoint(), "target": target.endpoint(), "continuous": True}
    assert couch.post("/_replicate", body).status == 202

    theirs = couch.post("/_replicate", {**body, "cancel": True}, auth=user)
    mine = couch.post("/_replicate", {**body, "cancel": True})

    assert theirs.status in (401, 403, 404, 500)
    assert mine.status == 200
    couch.delete(target.path)


def test_documents_that_are_suddenly_large_arrive_too(pair: Pair) -> None:
    pair.source.save(*({"_id": f"a{n:03}"} for n in range(600)))
    for n in range(6):
        pair.source.save({"_id": f"b{n}", "text": "x" * 5_000_000})

    told = pair.run()

    assert counts(told) == (606, 606, 0)
    assert len(pair.target.get("b5")["text"]) == 5_000_000


def test_a_one_shot_replication_can_be_cancelled_by_its_id(pair: Pair) -> None:
    if not pair.worker.is_embedded:
        pytest.skip("On CouchDB it has usually not begun, or is over, when it is asked about.")
    pair.source.save(*({"_id": f"d{n:05}", "text": "x" * 500} for n in range(5_000)))
    body = {"source": pair.source.endpoint(), "target": pair.target.endpoint(), "worker_batch_size": 10}
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(pair.worker.post, "/_replicate", body, timeout=60)
        while not (mine := _tasks_of(pair)) and not asking.done():
            pass
        cancelled = pair.worker.post("/_replicate", {"cancel": True, "replication_id": mine[0]["replication_id"]})
        told = asking.result().json()

    assert cancelled.status == 200
    assert told == {"ok": True, "_local_id": mine[0]["replication_id"]}
    assert _tasks_of(pair) == []
    pair.run()
    assert pair.target.leaves() == pair.source.leaves()


def _tasks_of(pair: Pair) -> list[dict[str, Any]]:
    tasks = pair.worker.get("/_active_tasks").json()
    return [task for task in tasks if pair.target.name in task.get("target", "")]


def test_the_same_replication_asked_for_twice_runs_once(pair: Pair) -> None:
    if not pair.worker.is_embedded:
        pytest.skip("CouchDB answers the second request in its own way.")
    pair.source.save(*({"_id": f"d{n:04}"} for n in range(2_000)))
    with ThreadPoolExecutor() as pool:
        first, second = list(pool.map(lambda _: pair.run(worker_batch_size=100), range(2)))

    assert pair.target.leaves() == pair.source.leaves()
    assert first["source_last_seq"] == second["source_last_seq"]
