"""One thing is told in the singular, wherever a number stands beside a noun."""

from __future__ import annotations

import re

import pytest

from app.project import ROOT
from app.web.formatting import format_count
from app.words import counted, noun, unit_for


@pytest.mark.parametrize(
    ("number", "one", "many", "said"),
    [
        (0, "machine", "", "0 machines"),
        (1, "machine", "", "1 machine"),
        (2345, "machine", "", "2,345 machines"),
        (1, "activity", "activities", "1 activity"),
        (2, "document is", "documents are", "2 documents are"),
    ],
)
def test_a_number_with_its_noun(number: int, one: str, many: str, said: str) -> None:
    assert counted(number, one, many) == said
    assert format_count(number, one, many).replace("\u00a0", " ") == said
    assert said.endswith(noun(number, one, many))


@pytest.mark.parametrize(
    ("unit", "quantity", "said"),
    [
        ("piece", 1, "piece"),
        ("piece", 8, "pieces"),
        ("Litre", 0.5, "Litres"),
        ("box", 2, "boxes"),
        ("foot", 3, "feet"),
        ("kg", 3, "kg"),
        ("Stück", 3, "Stück"),
        ("pieces", 3, "pieces"),
        (None, 3, ""),
    ],
)
def test_a_unit_behind_a_quantity(unit: str | None, quantity: float, said: str) -> None:
    assert unit_for(unit, quantity) == said


# A number with separators and a plural right behind it; those that are never one, or no nouns.
_IN_CODE = re.compile(r"\{[^{}]*:,\} [a-z]+s\b")
_IN_TEMPLATES = re.compile(r"\|(?:number|length) *\}\} [a-z]+s\b|ui\.figure\([^,]*\|number, '[a-z]+s\b")
_NEVER_ONE = {
    "{LONGEST_TEXT:,} characters",
    "{LONGEST_LONG_TEXT:,} characters",
    "{MOST_EQUIPMENT:,} machines",
}


def test_no_sentence_has_a_plural_of_its_own() -> None:
    code = [(path, _IN_CODE) for path in (ROOT / "app").rglob("*.py") if path.parts[-2] != "demo"]
    templates = [(path, _IN_TEMPLATES) for path in (ROOT / "templates").rglob("*.html")]
    found = [
        f"{path.relative_to(ROOT)}: {each}"
        for path, pattern in (*code, *templates)
        for each in pattern.findall(path.read_text(encoding="utf-8"))
        if each not in _NEVER_ONE
    ]
    assert found == []
