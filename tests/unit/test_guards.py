"""Which documents an index need not look at, told from how its map functions begin."""

from __future__ import annotations

import pytest

from embedded.javascript import ViewFunctions
from embedded.mapreduce.guards import marks

EMITS = "emit(doc._id, null);"


@pytest.mark.parametrize(
    ("begin", "expected"),
    [
        ("if (doc.type !== 'machine') { return; }", ('"type":"machine"',)),
        ('if(doc.type!=="machine")return;', ('"type":"machine"',)),
        ("if (doc.type !== 'a' && doc.type !== 'b') {\n  return;\n}", ('"type":"a"', '"type":"b"')),
        ("if (doc.type !== 'a' && doc.kind !== 'visit') { return; }", ('"kind":"visit"', '"type":"a"')),
        ("if (!doc.disputes) { return; }", ('"disputes":',)),
    ],
)
def test_a_function_that_leaves_at_once_tells_what_it_is_about(begin: str, expected: tuple[str, ...]) -> None:
    assert marks([f"// About it.\n// Twice.\nfunction (doc) {{\n  {begin}\n  {EMITS} }}"]) == expected


@pytest.mark.parametrize(
    "begin",
    [
        "",
        "if (doc.type === 'machine') { return; }",
        "if (doc.type != 'machine') { return; }",
        "if (doc.type !== 'machine' || doc.sold) { return; }",
        "if (doc.type !== 'machine' ? doc.sold : true) { return; }",
        "if (doc.type !== 'machine' && !doc.sold) { return; }",
        "if (doc.type !== 'm\\u0061chine') { return; }",
        "if (doc.type !== 'b\u00fcro') { return; }",
        "if (doc.type !== 'machine') { emit(1, 1); return; }",
        "if (doc.type !== 'machine') { log('no'); }",
        "if (other.type !== 'machine') { return; }",
        "if (doc.position.country !== 'DE') { return; }",
        "if (!doc._conflicts) { return; }",
        "if (!doc.constructor) { return; }",
        "emit(1, 1); if (doc.type !== 'machine') { return; }",
        "/* if (doc.type !== 'machine') { return; } */",
    ],
)
def test_of_any_other_beginning_nothing_is_taken_for_granted(begin: str) -> None:
    assert marks([f"function (doc) {{ {begin} {EMITS} }}"]) is None


def test_an_index_is_about_what_any_of_its_functions_is_about() -> None:
    machines = "function (doc) { if (doc.type !== 'machine') { return; } emit(1, 1); }"
    parts = "function (part) { if (part.type !== 'part') { return; } emit(1, 1); }"
    assert marks([machines, parts]) == ('"type":"machine"', '"type":"part"')
    assert marks([machines, "function (doc) { emit(1, 1); }"]) is None
    assert marks([machines.replace("machine", f"kind {number}") for number in range(51)]) is None


def test_what_is_passed_over_has_no_rows() -> None:
    source = "function (doc) { if (doc.type !== 'a' && doc.kind !== 'b') { return; } emit(doc._id, null); }"
    texts = [
        '{"_id":"1","type":"a"}',
        '{"_id":"2","kind":"b","type":"c"}',
        '{"_id":"3","type":["a"]}',
        '{"_id":"4","type":"b","kind":"a"}',
        '{"_id":"5","inside":{"type":"a"}}',
        '{"_id":"6"}',
    ]
    looked_for = marks([source])
    assert looked_for is not None
    having_rows = [texts[row.document] for row in ViewFunctions([source]).map(texts)]
    assert having_rows == texts[:2]
    assert [text for text in texts if any(mark in text for mark in looked_for)] == [*having_rows, texts[4]]
