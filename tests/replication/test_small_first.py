"""On a thin connection the documents go before the photographs."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from trading import Trade, documents

from app.couch import Database
from app.documents import saving
from app.replication import small_first
from app.replication.passes import PULL_BOOK, PUSH_BOOK, run_pass
from app.replication.results import Progress

PHOTO = b"\xff\xd8" + bytes(range(256)) * 400


def fill(database: Database, *keys: str, photo: bool = False) -> None:
    for key in keys:
        document: dict[str, Any] = {"_id": f"D001:customer:{key}", "type": "customer", "dealer": "D001"}
        document |= {"share": "manufacturer", "name": key}
        saved = saving.save(database, document, by="sara").document
        if photo:
            database.put_attachment(saved, "photo/front.jpg", PHOTO, "image/jpeg")


class Watching:
    """What the other side has at the beginning of each step."""

    def __init__(self, target: Database) -> None:
        self.target = target
        self.had: dict[str, set[str]] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.step not in self.had:
            self.had[progress.step] = set(documents(self.target))


def test_what_is_pushed_goes_without_photographs_first_however_old_they_are(trade: Trade) -> None:
    fill(trade.dealer.book, "photographed", photo=True)
    fill(trade.dealer.book, "a", "b", "c")
    watching = Watching(trade.replica)
    result = run_pass(trade.dealer, trade.connection, watching)
    assert result.error == ""
    assert watching.had[PUSH_BOOK] == {f"D001:customer:{key}" for key in "abc"}
    assert documents(trade.replica).keys() == {f"D001:customer:{key}" for key in ("a", "b", "c", "photographed")}
    assert trade.replica.attachment("D001:customer:photographed", "photo/front.jpg")[0] == PHOTO
    pushed = next(step for step in result.steps if step.name == PUSH_BOOK)
    assert (pushed.read, pushed.written, pushed.failed) == (4, 4, 0)


def test_what_is_pulled_comes_without_photographs_first(trade: Trade) -> None:
    fill(trade.replica, "photographed", photo=True)
    fill(trade.replica, "a", "b")
    watching = Watching(trade.dealer.book)
    assert run_pass(trade.dealer, trade.connection, watching).error == ""
    assert watching.had[PULL_BOOK] == {"D001:customer:a", "D001:customer:b"}
    assert len(documents(trade.dealer.book)) == 3


def test_without_photographs_everything_goes_at_once(trade: Trade) -> None:
    fill(trade.dealer.book, "photographed", photo=True)
    run_pass(trade.dealer, trade.connection)
    fill(trade.dealer.book, "a", "b")
    watching = Watching(trade.replica)
    run_pass(trade.dealer, trade.connection, watching)
    assert not any("without files" in step for step in watching.had)


def test_a_sync_stopped_before_the_photographs_sends_them_next_time(trade: Trade) -> None:
    fill(trade.dealer.book, "photographed", photo=True)
    fill(trade.dealer.book, "a")
    stop = threading.Event()

    def stop_at_the_photographs(progress: Progress) -> None:
        if progress.step == PUSH_BOOK:
            stop.set()

    run_pass(trade.dealer, trade.connection, stop_at_the_photographs, stop)
    assert "D001:customer:a" in documents(trade.replica)
    assert run_pass(trade.dealer, trade.connection).error == ""
    assert len(documents(trade.replica)) == 2
    # A third finds nothing to do.
    assert run_pass(trade.dealer, trade.connection).quiet


def test_what_is_refused_beside_photographs_is_listed(trade: Trade) -> None:
    fill(trade.dealer.book, "photographed", photo=True)
    fill(trade.dealer.book, "a")
    trade.dealer.book.put({"_id": "D999:customer:b", "type": "customer", "dealer": "D999", "share": "manufacturer"})
    result = run_pass(trade.dealer, trade.connection)
    assert (result.error, result.refused) == ("", 1)
    assert len(documents(trade.replica)) == 2
    assert run_pass(trade.dealer, trade.connection).refused == 1


def test_many_photographs_that_came_from_over_there_are_not_looked_for_again(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small_first, "_LOOKED_AT", 2)
    fill(trade.replica, "one", "two", "three", photo=True)
    watching = Watching(trade.replica)
    run_pass(trade.dealer, trade.connection, watching)
    assert [step for step in watching.had if "without files" in step] == [f"{PULL_BOOK}: documents without files first"]
    fill(trade.dealer.book, "mine", photo=True)
    watching = Watching(trade.replica)
    run_pass(trade.dealer, trade.connection, watching)
    assert f"{PUSH_BOOK}: documents without files first" in watching.had


def test_a_whole_book_is_there_after_what_has_files_unless_something_is_to_be_offered_again() -> None:
    counts = {"docs_read": 3, "docs_written": 3, "doc_write_failures": 0}
    answer = {"source_last_seq": "3-x", "history": [counts]}
    assert small_first.everything_is_there_to(answer, 0) == "3-x"
    assert small_first.everything_is_there_to(answer, "2-x") is None
    assert small_first.everything_is_there_to({**answer, "history": [{**counts, "doc_write_failures": 1}]}, 0) is None
    assert small_first.everything_is_there_to({"ok": True}, 0) is None, "CouchDB does not say"
