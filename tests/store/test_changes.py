"""Feeds of changes: complete, resumable, and ending when they say."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest


def rows(answer: Any) -> list[str]:
    return [row["id"] for row in answer.json()["results"]]


@pytest.fixture
def filled(couch: Any, db: str) -> str:
    couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": f"d{n}", "n": n, "even": n % 2 == 0} for n in range(6)]})
    return db


def test_every_document_is_told_once_and_at_its_newest_change(couch: Any, filled: str) -> None:
    rev = couch.get(f"{filled}/d1").json()["_rev"]
    couch.put(f"{filled}/d1", {"_rev": rev, "n": 100})

    assert rows(couch.get(f"{filled}/_changes")) == ["d0", "d2", "d3", "d4", "d5", "d1"]


def test_a_feed_goes_on_where_it_was_left(couch: Any, filled: str) -> None:
    since, seen = "0", []
    while True:
        answer = couch.get(f"{filled}/_changes?limit=2&since={since}").json()
        seen += [row["id"] for row in answer["results"]]
        since = answer["last_seq"]
        if not answer["pending"]:
            break

    assert seen == [f"d{n}" for n in range(6)]
    assert couch.get(f"{filled}/_changes?since={since}").json()["results"] == []
    assert couch.get(f"{filled}/_changes?since=now").json()["results"] == []


@pytest.mark.parametrize("query", ["", "&filter=_selector"])
def test_what_is_left_is_told_exactly_at_every_step(couch: Any, db: str, query: str) -> None:
    couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": f"d{n}", "even": n % 2 == 0} for n in range(20)]})
    selector = {"selector": {"even": True}}
    since, told = "0", 0
    while told < 10:
        answer = couch.post(f"{db}/_changes?limit=3&since={since}{query}", selector).json()
        since, told = answer["last_seq"], told + len(answer["results"])
        assert answer["pending"] == len(couch.get(f"{db}/_changes?since={since}").json()["results"])
        couch.put(f"{db}/_local/nothing", {})
    rev = couch.get(f"{db}/d19").json()["_rev"]
    couch.put(f"{db}/d19", {"_rev": rev})
    pending = couch.get(f"{db}/_changes?limit=1&since={since}").json()
    left = couch.get(f"{db}/_changes?since={pending['last_seq']}").json()
    assert pending["pending"] == len(left["results"])


def test_a_sequence_of_a_database_that_was_made_anew_begins_at_the_beginning(couch: Any) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB's sequences are its own matter")
    path = f"/{couch.database()}"
    couch.post(f"{path}/_bulk_docs", {"docs": [{"_id": f"old{n}"} for n in range(5)]})
    since = couch.get(f"{path}/_changes").json()["last_seq"]
    couch.delete(path)
    couch.put(path)
    couch.put(f"{path}/new", {})

    assert rows(couch.get(f"{path}/_changes?since={since}")) == ["new"]
    couch.delete(path)


@pytest.mark.parametrize("since", ["junk", "99999", "-1", "{}"])
def test_a_sequence_that_cannot_be_is_a_bad_request(couch: Any, filled: str, since: str) -> None:
    assert couch.get(f"{filled}/_changes?since={since}").status == 400


@pytest.mark.parametrize("query", ["feed=what", "limit=x", "limit=-1", "timeout=x", "heartbeat=0", "heartbeat=x"])
def test_a_parameter_that_cannot_be_is_a_bad_request(couch: Any, filled: str, query: str) -> None:
    if not couch.is_embedded:
        pytest.skip("CouchDB answers some of these with 500")
    assert couch.get(f"{filled}/_changes?{query}").status == 400


def test_a_selector_sees_the_fields_of_deletions_and_of_every_leaf(couch: Any, db: str) -> None:
    rev = couch.put(f"{db}/kept", {"share": "m"}).json()["rev"]
    bare = couch.put(f"{db}/bare", {"share": "m"}).json()["rev"]
    couch.put(f"{db}/kept", {"_rev": rev, "_deleted": True, "share": "m"})
    couch.delete(f"{db}/bare?rev={bare}")
    forked = [
        {"_id": "fork", "_rev": f"1-{digest}", "_revisions": {"start": 1, "ids": [digest]}, "share": share}
        for digest, share in (("a", "m"), ("b", "d"))
    ]
    couch.post(f"{db}/_bulk_docs", {"docs": forked, "new_edits": False})
    answer = couch.post(f"{db}/_changes?filter=_selector&style=all_docs", {"selector": {"share": "m"}}).json()

    told = {row["id"]: [change["rev"] for change in row["changes"]] for row in answer["results"]}
    assert set(told) == {"kept", "fork"}
    assert told["fork"] == ["1-a"]


def test_named_documents_and_design_documents_can_be_asked_for(couch: Any, filled: str) -> None:
    couch.put(f"{filled}/_design/x", {"views": {}})

    assert rows(couch.post(f"{filled}/_changes?filter=_doc_ids", {"doc_ids": ["d4", "d1", "none"]})) == ["d1", "d4"]
    assert rows(couch.get(f"{filled}/_changes?filter=_design")) == ["_design/x"]


def test_a_filter_function_decides_and_gets_the_query(couch: Any, filled: str) -> None:
    filters = {"above": "function (doc, req) { return doc.n > Number(req.query.least); }"}
    couch.put(f"{filled}/_design/f", {"filters": filters})

    assert rows(couch.get(f"{filled}/_changes?filter=f/above&least=3")) == ["d4", "d5"]
    assert couch.get(f"{filled}/_changes?filter=f/none").status == 404
    assert couch.get(f"{filled}/_changes?filter=none/none").status == 404


def test_documents_come_along_when_asked_for(couch: Any, filled: str) -> None:
    answer = couch.get(f"{filled}/_changes?include_docs=true&descending=true&limit=1").json()
    assert answer["results"][0]["doc"]["n"] == 5


def lines(stream: Any) -> Iterator[Any]:
    buffer = b""
    for piece in stream.stream(1):
        buffer += piece
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            yield json.loads(line) if line else None


def test_a_longpoll_answers_at_the_next_change(couch: Any, filled: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(couch.get, f"{filled}/_changes?feed=longpoll&since=now&timeout=20000")
        # The change may come before the question: then it would wait for the next one, so there are many.
        number = 0
        while not waiting.done():
            couch.put(f"{filled}/new{number}", {})
            number += 1
        # At the next change; of those that came while it was answering, some may be in it too.
        told = [change["id"] for change in waiting.result().json()["results"]]
        assert told and all(id.startswith("new") for id in told)


def test_a_longpoll_ends_at_its_timeout(couch: Any, filled: str) -> None:
    begun = time.monotonic()
    answer = couch.get(f"{filled}/_changes?feed=longpoll&since=now&timeout=200").json()

    assert answer["results"] == []
    assert 0.15 < time.monotonic() - begun < 5
    assert couch.get(f"{filled}/_changes?since={answer['last_seq']}").json()["results"] == []


def test_a_continuous_feed_tells_each_change_and_ends_at_its_timeout(couch: Any, filled: str) -> None:
    stream = couch.get(f"{filled}/_changes?feed=continuous&since=now&timeout=1500", stream=True)
    couch.put(f"{filled}/a", {})
    couch.put(f"{filled}/b", {})
    told = list(lines(stream))

    assert [one["id"] for one in told[:-1]] == ["a", "b"]
    assert set(told[-1]) == {"last_seq", "pending"}


def test_a_feed_gives_signs_of_life(couch: Any, filled: str) -> None:
    stream = couch.get(f"{filled}/_changes?feed=continuous&since=now&heartbeat=50", stream=True)
    beats = lines(stream)

    assert [next(beats) for _ in range(3)] == [None, None, None]
    stream.close()


def test_a_feed_ends_when_its_database_is_deleted(couch: Any) -> None:
    path = f"/{couch.database()}"
    stream = couch.get(f"{path}/_changes?feed=continuous&since=now&heartbeat=30000", stream=True)
    couch.put(f"{path}/a", {})
    told = lines(stream)
    assert next(told)["id"] == "a"
    couch.delete(path)

    assert len(list(told)) <= 2


def test_abandoned_feeds_do_not_slow_writers(couch: Any, filled: str) -> None:
    if not couch.is_embedded:
        pytest.skip("a promise of the embedded store")
    quiet = _seconds_of_writes(couch, filled, "quiet")
    streams = [
        couch.get(f"{filled}/_changes?feed=continuous&since=now&heartbeat=60000", stream=True) for _ in range(64)
    ]
    for stream in streams:
        stream.close()
    after = _seconds_of_writes(couch, filled, "after")

    assert after < quiet * 5 + 0.5


def _seconds_of_writes(couch: Any, db: str, name: str) -> float:
    begun = time.monotonic()
    for number in range(50):
        couch.put(f"{db}/{name}{number}", {})
    return time.monotonic() - begun


def test_many_waiting_feeds_and_a_writer_get_along(couch: Any, db: str) -> None:
    if not couch.is_embedded:
        pytest.skip("a promise of the embedded store")
    seen: list[int] = []
    ready = threading.Barrier(33)

    def follow() -> None:
        stream = couch.get(f"{db}/_changes?feed=continuous&since=0&timeout=20000&limit=20", stream=True)
        ready.wait()
        seen.append(len([one for one in lines(stream) if one and "id" in one]))

    couch.pool.connection_pool_kw["maxsize"] = 40
    with ThreadPoolExecutor(32) as pool:
        for _ in range(32):
            pool.submit(follow)
        ready.wait()
        for number in range(20):
            assert couch.put(f"{db}/{number}", {}).status == 201
    assert seen == [20] * 32


def test_a_selector_for_attachments_finds_every_leaf_that_has_some(couch: Any, db: str) -> None:
    file = {"_attachments": {"a.txt": {"content_type": "text/plain", "data": "YQ=="}}}
    histories = {"lost": ("a", file), "winner": ("b", {}), "alone": ("a", file), "bare": ("a", {})}
    docs = [
        {"_id": "both" if name in ("lost", "winner") else name, **body, "_revisions": {"start": 1, "ids": [first * 32]}}
        for name, (first, body) in histories.items()
    ]
    couch.post(f"{db}/_bulk_docs", {"docs": docs, "new_edits": False})
    couch.post(f"{db}/_bulk_docs", {"docs": [{"_id": f"d{n}"} for n in range(5)]})
    couch.put(f"{db}/last", file)
    asked = f"{db}/_changes?style=all_docs&filter=_selector"
    selector = {"selector": {"_attachments": {"$exists": True}}}

    told = couch.post(asked, selector).json()
    leaves = {row["id"]: [change["rev"] for change in row["changes"]] for row in told["results"]}
    assert leaves.keys() == {"both", "alone", "last"}
    assert leaves["both"] == leaves["alone"] == ["1-" + "a" * 32]
    assert told["pending"] == 0
    backwards = couch.post(f"{asked}&descending=true&limit=1", selector).json()
    assert [row["id"] for row in backwards["results"]] == ["last"]
    first = couch.post(f"{asked}&limit=2", selector).json()
    rest = couch.get(f"{db}/_changes?since={first['last_seq']}").json()["results"]
    assert first["pending"] == len(rest)
    assert rows(couch.post(f"{asked}&since={first['last_seq']}", selector)) == ["last"]
