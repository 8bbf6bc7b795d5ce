"""What arrivals make unread, for whom, and until when: on a file of SQLite, without a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.kept_file import KeptFile
from app.unread import journal
from app.unread.journal import HORIZON_DAYS, MOST_ARRIVALS
from app.unread.news import Gone, News, news_of

BERG = "D001:customer:berg"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    kept = KeptFile(tmp_path / "unread.sqlite", journal.FORMAT, journal.TABLES)
    with kept.writing() as connection:
        journal.begin(connection, "anna")
        journal.begin(connection, "ben")
        yield connection
    kept.close()


def saved(document: str, by: str, at: str = "2026-11-01T10:00:00Z", **more: Any) -> News:
    return News(document, document.split(":")[1], by, at, **more)


def take(file: sqlite3.Connection, *news: News) -> None:
    for each in news:
        journal.take(file, each, each.by)


def unread(file: sqlite3.Connection, person: str) -> list[str]:
    return [each.document for each in journal.latest(file, person, ["customer", "task"], 100)]


def test_what_somebody_else_saved_is_unread_and_ones_own_is_not(file: sqlite3.Connection) -> None:
    take(file, saved(BERG, "ben"))
    assert unread(file, "anna") == [BERG]
    assert unread(file, "ben") == []
    assert journal.among(file, "anna", [BERG, "D001:customer:other"]) == {BERG}
    assert journal.count(file, "anna") == {"customer": 1}


def test_who_begins_now_has_nothing_unread(file: sqlite3.Connection) -> None:
    take(file, saved(BERG, "ben"))
    journal.begin(file, "cleo")
    assert unread(file, "cleo") == []
    take(file, saved("D001:task:1", "ben"))
    assert unread(file, "cleo") == ["D001:task:1"]


def test_an_edit_of_last_week_that_arrives_today_is_unread_although_the_document_was_opened_since(
    file: sqlite3.Connection,
) -> None:
    take(file, saved(BERG, "ben", "2026-11-20T10:00:00Z"))
    journal.see(file, "anna", [BERG], journal.newest(file))
    take(file, saved(BERG, "cleo", "2016-01-01T00:00:00Z"))
    assert unread(file, "anna") == [BERG]


def test_a_merge_that_names_only_oneself_still_brings_what_the_other_did(file: sqlite3.Connection) -> None:
    entry = saved(BERG, "ben", "2026-11-01T10:00:00Z", is_entry=True, fields=("phone",))
    take(file, entry, saved(BERG, "anna", "2026-11-01T11:00:00Z"))
    (found,) = journal.latest(file, "anna", ["customer"], 10)
    assert (found.document, found.by, found.fields) == (BERG, "ben", ("phone",))


def test_a_document_and_its_entry_are_one_piece_of_news_in_either_order(file: sqlite3.Connection) -> None:
    document, entry = saved(BERG, "ben"), saved(BERG, "ben", is_entry=True, fields=("phone",))
    take(file, document)
    journal.see(file, "anna", [BERG], journal.newest(file))
    take(file, entry, document)
    assert unread(file, "anna") == []


def test_a_document_that_comes_after_its_entry_is_unread_for_who_looked_in_between(file: sqlite3.Connection) -> None:
    take(file, saved(BERG, "ben", is_entry=True, fields=("phone",)))
    journal.see(file, "anna", [BERG], journal.newest(file))
    take(file, saved(BERG, "ben"))
    assert unread(file, "anna") == [BERG]


def test_what_came_after_a_page_was_read_stays_unread_when_it_is_marked_as_read(file: sqlite3.Connection) -> None:
    take(file, saved(BERG, "ben"))
    shown = journal.newest(file)
    take(file, saved("D001:task:1", "ben"), saved(BERG, "cleo"))
    journal.see_all(file, "anna", shown)
    assert sorted(unread(file, "anna")) == [BERG, "D001:task:1"]
    journal.see_type(file, "anna", "task", journal.newest(file))
    assert unread(file, "anna") == [BERG]


def test_a_deleted_document_leaves_no_mark(file: sqlite3.Connection) -> None:
    take(file, saved(BERG, "ben"))
    journal.forget(file, BERG)
    assert unread(file, "anna") == []


def test_pages_of_the_unread_follow_one_another(file: sqlite3.Connection) -> None:
    ids = [f"D001:task:{number}" for number in range(7)]
    take(file, *(saved(id, "ben") for id in ids))
    first = journal.latest(file, "anna", ["task"], 4)
    second = journal.latest(file, "anna", ["task"], 4, first[-1].number)
    assert [each.document for each in (*first, *second)] == ids[::-1]


def test_marks_end_after_so_many_days_on_which_the_node_ran_whatever_the_calendar_says(
    file: sqlite3.Connection,
) -> None:
    take(file, saved(BERG, "ben"))
    journal.prune(file, "2026-01-01")
    for day in range(HORIZON_DAYS - 1):
        journal.prune(file, f"2036-day-{day}")
    assert unread(file, "anna") == [BERG]
    journal.prune(file, "2026-06-01")
    assert unread(file, "anna") == []


def test_the_file_holds_so_many_arrivals_and_no_more(file: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST_ARRIVALS >= 10_000
    monkeypatch.setattr(journal, "MOST_ARRIVALS", 20)
    monkeypatch.setattr(journal, "_SPARE", 5)
    for number in range(60):
        take(file, saved(f"D001:task:{number}", "ben"))
        journal.prune(file, "2026-11-25")
    found = unread(file, "anna")
    assert 20 <= len(found) <= 25
    assert found[0] == "D001:task:59"


def row(**document: Any) -> dict[str, Any]:
    return {"id": document["_id"], "doc": document}


def test_what_programs_and_definitions_do_is_no_news() -> None:
    telematics = row(_id="D001:machine:A-1", _rev="2-a", type="machine", updated_by="import:telematics")
    assert news_of(telematics) is None
    assert news_of(row(_id="form:customer", _rev="1-a", type="form", updated_by="kim")) is None
    assert news_of({"id": "_design/access", "doc": {"_id": "_design/access"}}) is None
    assert news_of({"id": BERG, "deleted": True, "doc": {"_id": BERG, "_deleted": True}}) == Gone(BERG)


def test_the_log_tells_of_an_edit_and_not_of_a_deletion() -> None:
    entry = {"_id": "D001:change:1", "_rev": "1-a", "type": "change", "document": BERG, "document_type": "customer"}
    rows = [{"id": "1", "field": "phone"}, {"id": "2", "field": "phone"}]
    assert news_of(row(**entry, by="ben", at="t", changes=rows)) == News(BERG, "customer", "ben", "t", True, ("phone",))
    assert news_of(row(**entry, by="ben", at="t", changes=rows, deleted=True)) is None
    assert news_of(row(**entry, by="merge", at="t", changes=rows, merged=True)) is None
    assert news_of(row(**entry, by="ben", at="t", changes="nonsense")) == News(BERG, "customer", "ben", "t", True)
