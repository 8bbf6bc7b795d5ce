from __future__ import annotations

from datetime import date, datetime

import pytest

from app.documents import ids


@pytest.mark.parametrize(
    ("make", "serial", "key"),
    [
        ("Takeuchi", "185 100 123", "TAKEUCHI-185100123"),
        ("takeuchi ", "0185100123", "TAKEUCHI-185100123"),
        ("Caterpillar", "cat0336e-j", "CAT-CAT0336E-J"),
        ("CAT", "CAT0336E-J", "CAT-CAT0336E-J"),
        ("Kramer", "00345-678", "KRAMER-00345-678"),
        ("Bobcat", "B3-1234", "BOBCAT-B31234"),
        ("Case IH", "Ü/12:3", "CASEIH-Ü-12-3"),
    ],
)
def test_the_same_machine_has_one_key_however_it_is_written(make: str, serial: str, key: str) -> None:
    assert ids.machine_key(make, serial) == key


@pytest.mark.parametrize(("make", "serial"), [("", "1"), ("CAT", ""), ("CAT", " - "), ("::", "1")])
def test_a_machine_without_make_or_serial_has_no_key(make: str, serial: str) -> None:
    with pytest.raises(ValueError, match="make and a serial"):
        ids.machine_key(make, serial)


def test_ids_split_into_what_they_were_made_of() -> None:
    machine = ids.document_id("D001", "machine", "CAT-1")
    reading = ids.document_id("D001", "reading", ids.reading_key(machine, "2026-11-25T10:00:00Z"))

    assert ids.split_id(machine) == ("D001", "machine", "CAT-1")
    assert reading == "D001:reading:CAT-1:2026-11-25"
    assert ids.split_id(reading) == ("D001", "reading", "CAT-1:2026-11-25")
    assert ids.split_id(ids.catalog_id("model", ids.model_key("Cat", "320 GC"))) == ("", "model", "CAT-320GC")
    assert ids.split_id(ids.document_id("", "change", "x:y")) == ("", "change", "x:y")


@pytest.mark.parametrize("id", ["", "x", "D001", "D001:machine", "D001:machine:", ":a", "machine:"])
def test_what_is_no_id_is_refused(id: str) -> None:
    with pytest.raises(ValueError, match="not the id"):
        ids.split_id(id)


def test_a_reading_is_of_one_machine_and_one_day() -> None:
    assert ids.reading_key("D001:machine:CAT-1", date(2026, 1, 2)) == "CAT-1:2026-01-02"
    assert ids.reading_key("D001:machine:CAT-1", datetime(2026, 1, 2, 23, 59)) == "CAT-1:2026-01-02"
    with pytest.raises(ValueError, match="machine"):
        ids.reading_key("D001:customer:x", "2026-01-02")
    with pytest.raises(ValueError, match="isoformat"):
        ids.reading_key("D001:machine:CAT-1", "yesterday")


def test_new_keys_are_uuids_of_version_7_in_the_order_of_making() -> None:
    import uuid

    made = [ids.new_key() for _ in range(200)]

    assert len(set(made)) == 200
    assert all(uuid.UUID(key).version == 7 and uuid.UUID(key).variant == uuid.RFC_4122 for key in made)
    assert [key[:13] for key in made] == sorted(key[:13] for key in made)


def test_forms_and_views_keep_their_names_in_the_catalog() -> None:
    assert ids.catalog_id("form", "customer") == "form:customer"
    assert ids.catalog_id("part", "1r-0750 ") == "part:1R-0750"
