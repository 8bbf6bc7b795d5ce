"""Views: what a list may say, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.design.compiling import compile_view
from app.design.fields import DesignError
from app.design.project import document_of, form_tables, table_of, view_tables
from app.design.views import View, read_view

GOOD = {"name": "test", "type": "customer", "sort": ["name"], "columns": [{"field": "name"}, {"field": "city"}]}
SHIPPED = (
    "activities activities-by-month birthdays bulletins changes customers customers-by-city customers-by-salesperson "
    "disputes follow-ups forms machines machines-by-fleet-number machines-by-serial models opportunities parts people "
    "pipeline readings services tasks views"
)


def view(name: str) -> View:
    return read_view(view_tables()[name], f"views/{name}.toml")


@pytest.mark.parametrize("name", SHIPPED.split())
def test_every_shipped_view_lists_fields_that_its_form_has(name: str) -> None:
    made = view(name)
    assert made.label and compile_view(made)["views"].keys() == {"rows", "totals"}
    if made.type in form_tables():
        fields = {f["name"] for section in form_tables()[made.type]["sections"] for f in section["fields"]}
        named = {column.field for column in made.columns if not column.formula and column.field != "dealer"}
        named |= {condition.field for condition in made.where}
        assert named <= fields


def test_a_view_survives_becoming_a_document_and_back() -> None:
    for name, table in view_tables().items():
        assert read_view(table_of({**document_of("view", table), "_id": f"view:{name}"})) == view(name)


def test_a_column_may_belong_in_one_database_only() -> None:
    made = view("customers")

    assert "dealer" in {column.field for column in made.in_database("market").columns}
    assert "dealer" not in {column.field for column in made.in_database("book").columns}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Big View"}, "name"),
        ({"columns": []}, "at least one column"),
        ({"columns": [{"field": "a-b"}]}, "name of a field"),
        ({"columns": [{"field": "name"}, {"field": "name"}]}, "two columns"),
        ({"columns": [{"field": "name", "type": "colour"}]}, "colour"),
        ({"columns": [{"field": "name", "wide": True}]}, "wide"),
        ({"sort": ["age"]}, "age"),
        ({"sort": []}, "sort"),
        ({"category": ["age"]}, "age"),
        ({"totals": ["value"]}, "value"),
        ({"databases": ["local"]}, "local"),
        ({"where": [{"field": "a", "like": 1}]}, "condition"),
        ({"where": [{"field": "a'); throw(1", "is": 1}]}, "condition"),
        ({"where": ["a = 1"]}, "condition"),
        ({"colour": 1}, "colour"),
        ({"sort": "name"}, "sort must be a list"),
    ],
)
def test_a_wrong_view_is_refused_with_its_place(change: dict[str, Any], words: str) -> None:
    assert read_view(GOOD).columns
    with pytest.raises(DesignError) as problem:
        read_view({**GOOD, **change}, "views/test.toml")
    assert words in str(problem.value) and "views/test.toml" in str(problem.value)


def test_texts_from_a_view_cannot_become_code() -> None:
    evil = "x\u2028'); emit(1); ('"
    made = read_view({**GOOD, "where": [{"field": "city", "is": evil}]})

    assert "\u2028" not in compile_view(made)["views"]["rows"]["map"]
    assert r"x\u2028" in compile_view(made)["views"]["rows"]["map"]
