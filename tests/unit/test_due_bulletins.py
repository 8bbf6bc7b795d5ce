"""Which bulletins a machine still needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parts.bulletins import applies, open_bulletins
from app.parts.serials import in_range

BULLETIN = {
    "_id": "bulletin:B-7",
    "code": "B-7",
    "make": "Tornquist",
    "models": ["TL 70"],
    "serial_from": "TL0100",
    "serial_to": "TL0250",
    "severity": "important",
    "issued_on": "2026-03-01",
}
MACHINE = {"make": "TORNQUIST", "model": "TL70", "serial": "TL-0142", "status": "in service"}


@pytest.mark.parametrize(
    ("serial", "inside"),
    [
        ("TL0100", True),
        ("tl-250", True),
        ("TL 99", False),
        ("TL0251", False),
        ("SK0142", False),
        ("142", False),
        ("", False),
    ],
)
def test_a_serial_is_compared_as_prefix_and_running_number(serial, inside):
    assert in_range(serial, "TL0100", "TL0250") is inside


def test_an_open_end_takes_everything_with_the_prefix():
    assert in_range("TL9", "TL0001", "")
    assert not in_range("SK9", "TL0001", "")
    assert in_range("TL9", "", "TL10")
    assert not in_range("TL11", None, "TL10")
    assert in_range("whatever", "", "")


def test_a_range_over_two_prefixes_takes_what_lies_between():
    assert in_range("A950", "A900", "B100")
    assert in_range("B50", "A900", "B100")
    assert not in_range("B101", "A900", "B100")
    assert not in_range("AB50", "A900", "B100")


def test_make_model_and_serial_have_to_fit():
    assert applies(BULLETIN, MACHINE)
    assert not applies(BULLETIN, {**MACHINE, "make": "Other"})
    assert not applies(BULLETIN, {**MACHINE, "model": "TL 90"})
    assert not applies(BULLETIN, {**MACHINE, "serial": "TL0300"})
    assert not applies(BULLETIN, {**MACHINE, "status": "scrapped"})


def test_a_model_is_known_by_its_name_and_by_its_catalog_id():
    assert applies(BULLETIN, {**MACHINE, "model": "model:TORNQUIST-TL70"})
    assert applies({**BULLETIN, "models": ["model:TORNQUIST-TL70"]}, MACHINE)


def test_a_machine_of_unknown_model_is_found_by_its_serial():
    unknown = {**MACHINE, "model": ""}
    assert applies(BULLETIN, unknown)
    assert not applies({**BULLETIN, "serial_to": ""}, unknown)


def test_a_bulletin_without_models_is_for_the_whole_make():
    assert applies({**BULLETIN, "models": []}, {**MACHINE, "model": "SK 25"})


def test_the_number_on_the_plate_counts_where_the_serial_is_another_number():
    ranged = {**BULLETIN, "models": [], "serial_from": "353440000", "serial_to": "353449999"}
    assert applies(ranged, {**MACHINE, "serial": "535355", "pin": "353444120"})
    assert not applies(ranged, {**MACHINE, "serial": "353460001", "pin": "353444120"})


def test_what_is_done_is_not_asked_for_again():
    assert open_bulletins(MACHINE, [BULLETIN], []) == [BULLETIN]
    for name in ("B-7", "b7", "bulletin:B-7"):
        assert open_bulletins(MACHINE, [BULLETIN], [{"bulletin": name}]) == []
    assert open_bulletins(MACHINE, [BULLETIN], [{"bulletin": "B-8"}]) == [BULLETIN]


def test_safety_comes_first_then_the_longest_issued():
    advice = {**BULLETIN, "code": "A", "severity": "advice", "issued_on": "2020-01-01"}
    safety = {**BULLETIN, "code": "S", "severity": "safety", "issued_on": "2026-10-01"}
    older = {**BULLETIN, "code": "O", "issued_on": "2025-01-01"}
    found = open_bulletins(MACHINE, [advice, BULLETIN, older, safety], [])
    assert [bulletin["code"] for bulletin in found] == ["S", "O", "B-7", "A"]


@given(st.text("AB-0123 ", max_size=9), st.text("AB-0123 ", max_size=9), st.text("AB-0123 ", max_size=9))
def test_a_wider_range_never_loses_a_serial(serial, first, last):
    if in_range(serial, first, last):
        assert in_range(serial, "", "")
        assert in_range(serial, serial, serial)
