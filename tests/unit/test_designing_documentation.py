"""`docs/designing.md` names every property of forms, fields, views and columns, and its examples are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from app.design.fields import TYPES, DesignError, read_field
from app.design.forms import read_form
from app.design.views import read_view

PAGE = (Path(__file__).parents[2] / "docs" / "designing.md").read_text(encoding="utf-8")


def named(heading: str) -> set[str]:
    """The properties in the first column of the table under a heading."""
    part = re.split(r"\n##+ ", PAGE.split(f"# {heading}\n", 1)[1])[0]
    return {name for row in re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}


def refused_properties(read: object, table: dict[str, object]) -> set[str]:
    """The properties that the sentence about an unknown one lists."""
    with pytest.raises(DesignError) as refused:
        read({**table, "no_such": 1}, "x")  # type: ignore[operator]
    return set(str(refused.value).partition("those are ")[2].rstrip(".").split(", "))


def test_every_property_is_on_the_page_and_none_that_is_not() -> None:
    column = {"name": "v", "columns": [{"field": "a", "no_such": 1}]}

    assert named("A form") == refused_properties(read_form, {"name": "x"}) - {"name"}
    assert named("A field") == refused_properties(read_field, {"name": "x"})
    assert named("A view") == refused_properties(read_view, {"name": "x"}) - {"name"}
    with pytest.raises(DesignError) as refused:
        read_view(column)
    assert named("A column") == set(str(refused.value).partition("those are ")[2].rstrip(".").split(", "))


def test_every_type_of_field_is_on_the_page() -> None:
    line = PAGE.partition("\nTypes: ")[2].partition("\n\n")[0]

    assert re.findall(r"`([^`]+)`", line) == list(TYPES)


def test_the_examples_of_the_page_work() -> None:
    field, view = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)

    assert read_field(tomllib.loads(f"fields = [{field}]")["fields"][0], "the page").type == "choice"
    assert read_view({"name": "grades", **tomllib.loads(view)}).category == ("grade",)
