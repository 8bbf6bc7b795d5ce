"""The view that references are chosen with, run as the store runs it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import quickjs

from app.project import ROOT

SOURCE = (ROOT / "design_docs/titles/views/by_word/map.js").read_text(encoding="utf-8")


def emitted(document: dict[str, Any]) -> list[tuple[list[str], list[str]]]:
    context = quickjs.Context()
    context.eval("var rows = []; function emit(key, value) { rows.push([key, value]); }")
    context.eval(f"var map = ({SOURCE}\n);")
    context.eval(f"map({json.dumps(document)});")
    return [(key, value) for key, value in json.loads(context.eval("JSON.stringify(rows)"))]


def words(document: dict[str, Any]) -> list[str]:
    return [key[1] for key, _ in emitted(document) if "@" not in key[0]]


def test_a_customer_is_found_by_the_beginning_of_any_word_of_its_name() -> None:
    customer = {"type": "customer", "name": "Harrow & Sons Ltd.", "number": "10042", "city": "Ely"}
    assert words(customer) == ["harrow & sons ltd.", "sons ltd.", "ltd."]
    assert emitted(customer)[0][1] == ["Harrow & Sons Ltd.", "10042, Ely"]


def test_a_machine_is_found_by_make_model_serial_and_the_customers_own_number() -> None:
    machine = {"type": "machine", "make": "CAT", "model": "model:CAT-320", "serial": "HEX00123", "fleet_number": "B12"}
    assert words(machine) == ["cat cat-320 hex00123 b12", "cat-320 hex00123 b12", "hex00123 b12", "b12"]
    assert emitted(machine)[0][1][0] == "CAT CAT-320 HEX00123"


def test_what_belongs_to_a_customer_is_found_among_its_own_too() -> None:
    person = {"type": "person", "name": "Ada Byrne", "customer": "D001:customer:1"}
    groups = {key[0] for key, _ in emitted(person)}
    assert groups == {"person", "person@D001:customer:1"}


@pytest.mark.parametrize(
    "document",
    [{}, {"type": 5}, {"type": "customer"}, {"type": "customer", "name": {"a": 1}}, {"type": "change", "name": "x"}],
)
def test_what_has_no_title_is_in_no_row_and_breaks_nothing(document: dict[str, Any]) -> None:
    assert emitted(document) == []


def test_a_very_long_name_makes_few_and_short_rows() -> None:
    rows = emitted({"type": "customer", "name": "word " * 500})
    assert len(rows) <= 6
    assert all(len(key[1]) <= 60 for key, _ in rows)
