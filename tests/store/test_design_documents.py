"""The handwritten design documents of the book, run by the store on real documents."""

from __future__ import annotations

from typing import Any

import pytest

from app.couch import Database, Store
from app.design.handwritten import read_design_documents
from app.design.installing import install_design

ANNA, BERT = "D001:customer:a", "D001:customer:b"
MACHINE = "D001:machine:CAT-1"
READING = {"type": "reading", "machine": MACHINE, "source": "manual"}
DOCUMENTS: list[dict[str, Any]] = [
    {"_id": ANNA, "type": "customer", "name": "Kies AG"},
    {"_id": BERT, "type": "customer", "name": "Sand KG"},
    {"_id": "D001:person:1", "type": "person", "customer": ANNA, "name": "Zora"},
    {"_id": "D001:person:2", "type": "person", "customer": ANNA, "name": "Ada", "job": "Office",
     "assists": "D001:person:1"},
    {"_id": "D001:keepsake:1", "type": "keepsake", "customer": ANNA, "person": "D001:person:1", "birthday": "03-14",
     "birth_year": 1970, "flowers": "Peonies"},
    {"_id": "D001:keepsake:2", "type": "keepsake", "customer": ANNA, "person": "D001:person:2", "family": "Two sons"},
    {"_id": MACHINE, "type": "machine", "customer": ANNA, "make": "CAT", "serial": "1"},
    {"_id": "D001:service:1", "type": "service", "machine": MACHINE, "customer": ANNA, "done_on": "2026-02-01",
     "lines": [{"id": "a", "part": "part:1R-0750", "quantity": 1}]},
    {"_id": "D001:service:2", "type": "service", "machine": MACHINE, "customer": BERT, "done_on": "2026-01-01"},
    {"_id": "D001:activity:1", "type": "activity", "customer": ANNA, "machine": MACHINE, "at": "2026-03-01T10:00:00Z"},
    {"_id": "D001:activity:2", "type": "activity", "customer": ANNA, "at": "2026-03-02T10:00:00Z"},
    {"_id": "D001:reading:CAT-1:2026-01-01", **READING, "at": "2026-01-01T10:00:00Z", "hours": 100},
    {"_id": "D001:reading:CAT-1:2026-01-02", **READING, "at": "2026-01-02T10:00:00Z", "hours": 90.5,
     "position": {"latitude": 48.4, "longitude": 9.9}},
    {"_id": "D001:reading:CAT-1:2026-01-03", **READING, "at": "2026-01-03T10:00:00Z"},
    {"_id": "D001:change:1", "type": "change", "document": ANNA, "customer": ANNA, "machine": MACHINE},
    {"_id": "odd", "type": 5, "customer": {}, "machine": [], "assists": 1, "birthday": 3},
]  # fmt: skip


@pytest.fixture
def book(store: Store) -> Database:
    database = store.create("book")
    database.bulk(DOCUMENTS)
    wanted = {
        name: dict(each.body)
        for name, each in read_design_documents().items()
        if name in ("customers", "machines", "readings", "people", "references")
    }
    install_design(database, wanted)
    return database


def test_everything_of_a_customer_is_found_by_kind_in_one_request(book: Database) -> None:
    rows = book.view("customers", "by_customer", reduce=False, startkey=[ANNA], endkey=[ANNA, {}]).rows

    assert [row.id for row in rows] == [
        "D001:activity:1", "D001:activity:2", ANNA, "D001:keepsake:2", "D001:keepsake:1", MACHINE, "D001:person:2",
        "D001:person:1", "D001:service:1",
    ]  # fmt: skip
    counts = book.view("customers", "by_customer", startkey=[ANNA], endkey=[ANNA, {}], group_level=2).rows
    assert {row.key[1]: row.value for row in counts} == {
        "activity": 2, "customer": 1, "keepsake": 2, "machine": 1, "person": 2, "service": 1,
    }  # fmt: skip


def test_the_newest_activities_of_a_customer_come_first_when_asked_backwards(book: Database) -> None:
    [rows] = book.view_queries(
        "customers",
        "by_customer",
        [{"startkey": [ANNA, "activity", {}], "endkey": [ANNA, "activity"], "descending": True, "limit": 1,
          "reduce": False, "include_docs": True}],
    )  # fmt: skip

    assert [row.doc and row.doc["at"] for row in rows] == ["2026-03-02T10:00:00Z"]


def test_what_was_done_with_a_machine_is_found_without_its_readings(book: Database) -> None:
    rows = book.view("machines", "by_machine", reduce=False, startkey=[MACHINE], endkey=[MACHINE, {}]).rows

    assert [row.id for row in rows] == ["D001:activity:1", "D001:service:2", "D001:service:1"]


def test_readings_come_in_the_order_of_time_with_what_they_say(book: Database) -> None:
    rows = book.view("readings", "by_machine", startkey=[MACHINE], endkey=[MACHINE, {}]).rows

    assert [row.value["hours"] for row in rows] == [100, 90.5]
    assert rows[1].value == {
        "at": "2026-01-02T10:00:00Z",
        "hours": 90.5,
        "source": "manual",
        "position": {"latitude": 48.4, "longitude": 9.9},
    }


def test_the_latest_reading_is_the_newest_and_not_the_highest(book: Database) -> None:
    more = [
        {
            "_id": f"r{n}",
            "type": "reading",
            "machine": "D001:machine:CAT-2",
            "at": f"2026-01-{n % 28 + 1:02d}",
            "hours": n,
        }
        for n in range(300)
    ]
    book.bulk(more)

    rows = book.view("readings", "latest", keys=[MACHINE, "D001:machine:CAT-2"], group=True).rows

    assert [(row.key, row.value["hours"]) for row in rows] == [(MACHINE, 90.5), ("D001:machine:CAT-2", 279)]


def test_birthdays_come_by_month_and_day_with_the_flowers(book: Database) -> None:
    rows = book.view("people", "by_birthday", startkey="03-01", endkey="03-31").rows

    assert [(row.id, row.value) for row in rows] == [
        ("D001:keepsake:1", {"person": "D001:person:1", "customer": ANNA, "birth_year": 1970, "flowers": "Peonies"})
    ]


def test_assistants_are_found_from_the_person_they_assist(book: Database) -> None:
    rows = book.view("people", "assistants", key="D001:person:1").rows

    assert [(row.id, row.value) for row in rows] == [("D001:person:2", {"name": "Ada", "job": "Office"})]


def test_what_hangs_on_a_document_is_counted_by_kind(book: Database) -> None:
    rows = book.view("references", "to", startkey=[ANNA], endkey=[ANNA, {}], group=True).rows

    assert {row.key[1]: row.value for row in rows} == {
        "activity": 2, "keepsake": 2, "machine": 1, "person": 2, "service": 1,
    }  # fmt: skip
    assert [row.id for row in book.view("references", "to", key=["part:1R-0750", "service"], reduce=False)] == [
        "D001:service:1"
    ]
