"""What is told from a document's text alone is what the selector says of the parsed document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.document_text import document_text
from embedded.http import json_text
from embedded.mango import compile_selector, equalities

SHARED = {"share": "manufacturer"}
WORDS = st.sampled_from(["share", "manufacturer", "dealer", 'a"share":"manufacturer"', "{", "", "\\"])
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2), max_leaves=4
)


def told(selector: dict[str, Any], id: str, body: dict[str, Any], extra: str = "") -> bool:
    says = equalities.said_by(selector)
    assert says is not None
    text = document_text(id, "1-a", False, json_text.text(body), extra)
    return equalities.holds(says, text, compile_selector(selector))


@given(WORDS, st.dictionaries(WORDS, VALUES, max_size=4), st.sampled_from([SHARED, {**SHARED, "dealer": "dealer"}]))
def test_the_text_tells_what_the_selector_says(id: str, body: dict[str, Any], selector: dict[str, Any]) -> None:
    document = {"_id": id, "_rev": "1-a", **body}
    assert told(selector, id, body) == compile_selector(selector)(document)


@pytest.mark.parametrize(
    ("body", "is_meant"),
    [
        ({"type": "customer", "share": "manufacturer"}, True),
        ({"rows": [{"share": "dealer"}], "share": "manufacturer"}, True),
        ({"rows": [{"share": "manufacturer"}], "share": "dealer"}, False),
        ({"inside": {"share": "manufacturer"}}, False),
        ({"name": '"share":"manufacturer"'}, False),
        ({"share": ["manufacturer"]}, False),
        ({}, False),
    ],
)
def test_only_a_member_of_the_document_itself_counts(body: dict[str, Any], is_meant: bool) -> None:
    assert told(SHARED, "D001:customer:1", body) is is_meant
    assert told(SHARED, "D001:customer:{1", body, ',"_attachments":{}') is is_meant


@pytest.mark.parametrize(
    "selector",
    [{}, {"share": None}, {"share": {"$eq": "a"}}, {"$or": []}, {"a.b": "c"}, {"n": 1}, {"a": "b\u00fc"}, {"_id": "a"}],
)
def test_of_any_other_selector_the_text_tells_nothing(selector: dict[str, Any]) -> None:
    assert equalities.said_by(selector) is None
