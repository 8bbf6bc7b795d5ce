"""Fleet snapshots are read as makers really send them, and nothing in a file can do harm."""

import io
import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.exchange.equipment import clean_text, time_of
from app.exchange.snapshot import SnapshotError, read_snapshot

DATA = Path(__file__).resolve().parents[1] / "data" / "aemp"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "aemp"
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)


def read(content):
    if isinstance(content, str):
        content = content.encode()
    return list(read_snapshot(io.BytesIO(content), NOW))


def refused(content):
    with pytest.raises(SnapshotError) as problem:
        read(content)
    sentence = str(problem.value)
    assert sentence.endswith(".")
    assert len(sentence) < 250
    return sentence


def fleet(*equipment, attributes=""):
    return f"<?xml version='1.0'?><Fleet {attributes}>{''.join(equipment)}</Fleet>"


def equipment(serial="1", body="", **header):
    header = {"OEMName": "Kestrin", "SerialNumber": serial, **header}
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in header.items())
    return f"<Equipment><EquipmentHeader>{fields}</EquipmentHeader>{body}</Equipment>"


def hours(value, at="2026-11-20T08:00:00Z"):
    return f'<CumulativeOperatingHours datetime="{at}"><Hour>{value}</Hour></CumulativeOperatingHours>'


def test_a_file_with_every_irregularity_is_read():
    first, second, third, fourth, fifth = read((DATA / "two-makers.xml").read_bytes())
    assert (first.make, first.model, first.serial, first.hours) == ("Vardheim", "VX 55", "VH550107", 233.7)
    assert (first.latitude, first.longitude) == (51.31, 9.48)
    assert first.hours_at == datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
    assert (second.model, second.serial, second.pin, second.hours) == ("", "", "", 349.8)
    assert (third.hours, third.hours_at) == (552.95, datetime(2026, 11, 19, 12, 56, 11, tzinfo=UTC))
    assert (fourth.model, fourth.hours, fourth.problems) == ("", None, ())
    assert (fifth.hours, fifth.latitude) == (None, None)
    assert len(fifth.problems) == 2


def test_json_is_read_like_xml():
    first, second = read((DATA / "one-make.json").read_bytes())
    assert (first.make, first.serial, first.pin, first.hours) == ("Kestrin", "KE630121", "410200117", 1204.5)
    assert (first.latitude, first.longitude) == (51.13, 9.28)
    assert (second.make, second.equipment_id, second.hours) == ("", "Söhrewald Kestrin735 SN:410300222", 88)


ONE = {"EquipmentHeader": {"OEMName": "Kestrin", "SerialNumber": "1"}}


@pytest.mark.parametrize(
    "shape",
    [
        {"Equipment": [ONE]},
        {"Fleet": {"Equipment": [ONE]}},
        {"fleet": [ONE]},
        {"FLEET": {"EQUIPMENT": ONE}},
        [ONE],
        [{"equipment": ONE}],
        {"links": [1, {"a": [{}]}], "version": "1", "equipment": [ONE], "more": None},
        {"Equipment": [{"Equipment_Header": {"oem_name": "Kestrin", "@serialNumber": "1"}}]},
    ],
)
def test_json_comes_in_several_shapes(shape):
    (found,) = read(json.dumps(shape))
    assert (found.make, found.serial) == ("Kestrin", "1")


@pytest.mark.parametrize("name", ["mini-excavators.xml", "wheel-loaders.xml"])
def test_real_answers_are_read_whole(name):
    if not SHARED.is_dir():
        pytest.skip("the real answers are not beside this checkout")
    found = read((SHARED / name).read_bytes())
    assert len(found) == {"mini-excavators.xml": 27, "wheel-loaders.xml": 50}[name]
    assert all(not one.problems for one in found)
    assert all(one.equipment_id for one in found)
    with_hours = [one for one in found if one.hours is not None]
    assert len(with_hours) == {"mini-excavators.xml": 24, "wheel-loaders.xml": 50}[name]
    assert all(one.hours_at and one.hours_at.year == 2021 and one.latitude for one in with_hours)
    assert not any("missing" in (one.serial + one.model + one.pin).lower() for one in found)


@pytest.mark.parametrize(("following", "more"), [("2", True), ("1", False), ("", False)])
def test_a_page_of_several_is_known_by_its_links(following, more):
    links = [{"rel": "self", "href": "1"}, {"rel": "next", "href": following}]
    as_json = json.dumps({"Links": links, "Equipment": []})
    as_xml = fleet(*(f"<Links><rel>{link['rel']}</rel><href>{link['href']}</href></Links>" for link in links))
    for content in (as_json, as_xml):
        snapshot = read_snapshot(io.BytesIO(content.encode()), NOW)
        assert list(snapshot) == []
        assert snapshot.links.more_pages() is more


def test_values_without_a_time_have_the_snapshots():
    body = "<CumulativeOperatingHours><Hour>7</Hour></CumulativeOperatingHours>"
    (found,) = read(fleet(equipment(body=body), attributes='snapshotTime="2026-11-20T12:00:00Z"'))
    assert found.hours_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    (found,) = read(fleet(equipment(body=body)))
    assert found.hours is None
    assert "without a time" in found.problems[0]


@pytest.mark.parametrize(
    ("text", "expected"), [("PT1234H30M", 1234.5), ("12,5", 12.5), (" 7 ", 7), ("0", 0), ("P1DT2H", 26)]
)
def test_hours_are_written_in_several_ways(text, expected):
    assert read(fleet(equipment(body=hours(text))))[0].hours == expected


@pytest.mark.parametrize("text", ["-1", "1e300", "NaN", "Infinity", "many", "PT", "9999999"])
def test_hours_that_cannot_be_are_ignored_and_named(text):
    (found,) = read(fleet(equipment(body=hours(text))))
    assert found.hours is None
    assert len(found.problems) == (0 if text == "NaN" else 1)


def test_a_time_in_the_future_is_a_wrong_clock():
    (found,) = read(fleet(equipment(body=hours("5", "2031-01-01T00:00:00Z"))))
    assert found.hours is None
    assert "future" in found.problems[0]


def test_of_two_makes_the_first_is_taken_and_the_other_named():
    (found,) = read(fleet(equipment().replace("<OEMName>", "<OEMName>Vardheim</OEMName><OEMName>")))
    assert found.make == "Vardheim"
    assert "not Kestrin" in found.problems[0]


def test_of_several_readings_the_latest_counts():
    (found,) = read(
        fleet(equipment(body=hours("5") + hours("9", "2026-11-21T08:00:00Z") + hours("7", "2026-11-01T08:00:00Z")))
    )
    assert found.hours == 9


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_xml_is_read_in_its_own_encoding(encoding):
    declared = encoding.removesuffix("-sig")
    text = f"<?xml version='1.0' encoding='{declared}'?><Fleet>{equipment(EquipmentID='Süd 7')}</Fleet>"
    assert read(text.encode(encoding))[0].equipment_id == "Süd 7"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_is_read_in_any_unicode(encoding):
    text = json.dumps([{"EquipmentHeader": {"EquipmentID": "Süd 7", "SerialNumber": "5"}}], ensure_ascii=False)
    assert read(text.encode(encoding))[0].equipment_id == "Süd 7"


def test_a_pipe_that_gives_one_byte_at_a_time_is_read():
    class Slow:
        def __init__(self, content):
            self._stream = io.BytesIO(content)

        def read(self, size=-1, /):
            return self._stream.read(1)

    for name in ("two-makers.xml", "one-make.json"):
        content = (DATA / name).read_bytes()
        assert list(read_snapshot(Slow(content), NOW)) == read(content)


BOMB = "<!DOCTYPE Fleet [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
    f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9)
)


@pytest.mark.parametrize(
    "content",
    [
        f"<?xml version='1.0'?>{BOMB}]><Fleet>&j;</Fleet>",
        "<!DOCTYPE Fleet [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><Fleet><Equipment>&x;</Equipment></Fleet>",
        "<!DOCTYPE Fleet SYSTEM 'http://127.0.0.1:1/fleet.dtd'><Fleet/>",
        "<!DOCTYPE Fleet [<!ENTITY % p SYSTEM 'http://127.0.0.1:1/p'>%p;]><Fleet/>",
    ],
)
def test_entities_and_document_types_are_refused(content):
    assert "document type or entities" in refused(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"   \n ", "neither XML nor JSON"),
        (b"\x00\x01\x02\x03" * 50, "neither XML nor JSON"),
        (b"\x89PNG\r\n\x1a\n", "neither XML nor JSON"),
        (b"\x1f\x8b\x08\x00abc", "compressed"),
        (b"PK\x03\x04abc", "compressed"),
        (b"serial;hours\n1;2\n", "neither XML nor JSON"),
        (b"<html><body>Please sign in</body></html>", "web page"),
        (b"<Equipment/>", "begins with <equipment>"),
        (b"{}", "no Equipment"),
        (b'{"a": [1, 2]}', "no Equipment"),
        (b"[1, 2]", "without an EquipmentHeader"),
        (b'{"Equipment": 5}', "no Equipment"),
        (b"[" * 200_000, "JSON"),
        (b'{"Equipment": ' * 50_000, "JSON"),
        (b"<Fleet>" + b"<a>" * 100_000, "nested deeper"),
        (b"<Fleet><Equipment>\xff\xfe</Equipment></Fleet>", "damaged"),
        (b'{"Equipment": [{"EquipmentHeader": {"OEMName": "\xff"}}]}', "not utf-8 text"),
        (b"<?xml version='1.0' encoding='klingon'?><Fleet/>", "cannot be read"),
    ],
)
def test_what_is_no_snapshot_gets_a_sentence(content, words):
    assert words in refused(content)


def test_an_empty_fleet_is_a_snapshot_of_no_machines():
    assert read("<Fleet/>") == read('{"Equipment": []}') == read("[]") == []


@pytest.mark.parametrize("name", ["two-makers.xml", "one-make.json"])
def test_a_file_cut_off_anywhere_is_refused(name):
    content = (DATA / name).read_bytes().rstrip()
    for length in range(5, len(content), 37):
        assert refused(content[:length]), length


def test_something_after_the_end_is_refused():
    for text in ("[]x", "<Fleet/><Fleet/>"):
        assert refused(text), text


def test_one_endless_element_is_refused_before_it_fills_the_memory():
    class Endless:
        def __init__(self, start):
            self._start = start

        def read(self, size=-1, /):
            start, self._start = self._start, b""
            return start or b"x" * size

    for start in (b"<Fleet><Equipment><a>", b'{"Equipment": [{"EquipmentHeader": {"OEMName": "'):
        with pytest.raises(SnapshotError, match="too large"):
            list(read_snapshot(Endless(start), NOW))


class Generated:
    """A file of so many equipments, made as it is read."""

    def __init__(self, head, one, tail, count):
        self._pieces = self._make(head, one, tail, count)
        self._rest = b""
        self.size = 0

    @staticmethod
    def _make(head, one, tail, count):
        yield head.encode()
        for number in range(count):
            yield (one % number).encode()
        yield tail.encode()

    def read(self, size=65536, /):
        while len(self._rest) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        chunk, self._rest = self._rest[:size], self._rest[size:]
        self.size += len(chunk)
        return chunk


@pytest.mark.parametrize(
    ("head", "one", "tail"),
    [
        ("<Fleet>", equipment("S%d", body=hours("5") + "<Pad>" + "x" * 7000 + "</Pad>") + "\n", "</Fleet>"),
        (
            '{"Equipment": [{"EquipmentHeader": {"SerialNumber": "first"}}',
            ', {"EquipmentHeader": {"SerialNumber": "S%d"}, "Pad": "' + "x" * 7000 + '"}',
            "]}",
        ),
    ],
)
def test_20_megabytes_take_bounded_memory(head, one, tail):
    stream = Generated(head, one, tail, 3_000)
    tracemalloc.start()
    count = sum(1 for _ in read_snapshot(stream, NOW))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 3_000
    assert stream.size > 20_000_000
    assert peak < 8_000_000


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(content):
    try:
        read(content)
    except SnapshotError as problem:
        assert str(problem)


pieces = st.sampled_from(
    ["<Fleet>", "</Fleet>", "<Equipment>", "</Equipment>", "<EquipmentHeader>", "</EquipmentHeader>", "<OEMName>",
     "</OEMName>", "<Hour>", "5", "&amp;", "&x;", "<![CDATA[", "]]>", "<!--", "-->", "<?pi", "?>", "<a b='c'/>", "é",
     "<!DOCTYPE a>", "\x00"]
)  # fmt: skip
marks = st.sampled_from(
    [
        '{"Equipment":',
        "[",
        "]",
        "{",
        "}",
        '"EquipmentHeader":',
        '"a"',
        ":",
        ",",
        "1e999",
        "NaN",
        '"\\ud800"',
        "null",
        "-",
        " ",
    ]
)


@settings(deadline=None, max_examples=300)
@given(st.lists(pieces, max_size=20).map("".join) | st.lists(marks, max_size=25).map("".join))
def test_any_markup_is_read_or_refused(content):
    try:
        for one in read(content):
            one.equipment_id.encode()
    except SnapshotError as problem:
        assert str(problem)


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(
    ["OEMName", "Model", "EquipmentID", "SerialNumber", "PIN", "Hour", "datetime", "Latitude", "Longitude"]
)
objects = values | st.dictionaries(names, values, max_size=6)


@settings(deadline=None, max_examples=120)
@given(
    st.fixed_dictionaries(
        {"EquipmentHeader": st.dictionaries(names, values), "Location": objects, "CumulativeOperatingHours": objects}
    )
)
def test_any_values_become_an_equipment_of_clean_values(one):
    (found,) = read(json.dumps([one]))
    for text in (found.make, found.model, found.serial, found.pin, found.equipment_id):
        assert text == text.strip()
        assert len(text) <= 200
        assert not any(character < " " for character in text)
    assert found.hours is None or (0 <= found.hours <= 200_000 and found.hours_at)
    assert found.latitude is None or (-90 <= found.latitude <= 90 and found.position_at)


@pytest.mark.parametrize(
    "nothing", ["", " ", "missing", "MISSING", "N/A", "null", "-", "0", "000", None, True, [], {}, "\x00"]
)
def test_what_says_nothing_is_empty(nothing):
    assert clean_text(nothing) == ""


def test_a_date_from_before_telematics_is_no_date():
    assert time_of("0001-01-01T00:00:00Z") is None
    assert time_of("1970-01-01T00:00:00Z") is None
    assert time_of("9999-12-31T23:59:59-23:00") is None
    assert time_of("2026-11-20 08:00") == datetime(2026, 11, 20, 8, tzinfo=UTC)
