from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from app.design.forms import Form, read_form
from app.web import document_fields as fields


def form(*tables: dict[str, Any]) -> Form:
    return read_form(
        {"name": "thing", "share": "dealer", "sections": [{"label": "Main", "fields": list(tables)}]}, "test"
    )


PHONES = {
    "name": "phones",
    "type": "rows",
    "columns": [{"name": "label"}, {"name": "number", "type": "phone"}],
}


def typed(thing: Form, *pairs: tuple[str, str]) -> dict[str, Any]:
    return fields.submitted(thing.fields, MultiDict(pairs))


def test_rows_come_back_in_their_order_with_their_ids_and_without_the_empty_ones() -> None:
    found = typed(
        form(PHONES),
        ("phones", ""),
        ("phones.b2.label", "Office"),
        ("phones.b2.number", " 123 "),
        ("phones.rnew.label", ""),
        ("phones.rnew.number", ""),
        ("phones.a1.label", ""),
        ("phones.a1.number", "456"),
    )
    assert found == {
        "phones": [
            {"id": "b2", "label": "Office", "number": "123"},
            {"id": "a1", "label": "", "number": "456"},
        ]
    }


def test_removing_the_last_row_leaves_an_empty_list() -> None:
    assert typed(form(PHONES), ("phones", "")) == {"phones": []}


def test_a_field_the_page_did_not_ask_for_is_left_out() -> None:
    assert typed(form({"name": "name"}, PHONES, {"name": "active", "type": "yes/no"}), ("name", "x")) == {"name": "x"}


def test_a_box_without_a_tick_is_an_answer() -> None:
    thing = form({"name": "active", "type": "yes/no"})
    assert typed(thing, ("active", "")) == {"active": ""}
    assert typed(thing, ("active", ""), ("active", "yes")) == {"active": "yes"}


def test_a_day_without_a_year_and_a_position_come_in_parts() -> None:
    thing = form({"name": "birthday", "type": "day of year"}, {"name": "position", "type": "position"})
    assert typed(
        thing,
        ("birthday.day", "5"),
        ("birthday.month", "3"),
        ("position.latitude", " 52.1 "),
        ("position.longitude", ""),
    ) == {"birthday": "03-05", "position": {"latitude": "52.1", "longitude": ""}}
    assert typed(
        thing,
        ("birthday.day", ""),
        ("birthday.month", ""),
        ("position.latitude", ""),
        ("position.longitude", ""),
    ) == {"birthday": "", "position": ""}


def test_every_kind_of_value_stands_in_its_input_as_a_person_would_type_it() -> None:
    assert fields.typed_value("day of year", "03-05") == {"month": "3", "day": "5"}
    assert fields.typed_value("position", {"latitude": 52.125, "longitude": 0.0}) == {
        "latitude": "52.125",
        "longitude": "0",
    }
    assert fields.typed_value("tags", ["quick coupler", "AC"]) == "quick coupler, AC"
    assert fields.typed_value("number", 1250.0) == "1250"
    assert fields.typed_value("number", 0.1) == "0.1"
    assert fields.typed_value("money", None) == ""
    assert fields.typed_value("yes/no", False) is False


def test_what_is_wrong_stands_beside_the_field_or_the_cell_it_is_about() -> None:
    thing = form({"name": "name"}, PHONES)
    values = {"name": "", "phones": [{"id": "a1", "label": "Office", "number": "x"}]}
    errors = {"name": "A name is needed.", "phones.a1.number": "This is no number."}
    (section,) = fields.input_sections(thing, values, errors, {}, ["sales"])
    name, phones = section.fields
    assert name.error == "A name is needed."
    assert [cell.error for cell in phones.rows[0].cells] == ["", "This is no number."]
    assert phones.rows[0].key == "a1"


def test_a_field_is_shown_to_and_asked_of_only_the_roles_it_is_meant_for() -> None:
    thing = form({"name": "name"}, {"name": "margin", "read": ["principal"]}, {"name": "limit", "edit": ["principal"]})
    values = {"name": "A", "margin": "12", "limit": "5"}
    shown = {each.name for each in fields.shown_sections(thing, values, {}, ["sales"])[0].fields}
    asked = {each.name for each in fields.input_sections(thing, values, {}, {}, ["sales"])[0].fields}
    assert shown == {"name", "limit"}
    assert asked == {"name"}
    assert {each.name for each in fields.asked_for(thing, ["principal"])} == {"name", "margin", "limit"}


def test_sections_without_a_value_are_not_shown_and_what_no_form_knows_is() -> None:
    thing = form({"name": "name"})
    assert fields.shown_sections(thing, {}, {}, []) == []
    unknown = fields.unknown_fields(thing, {"_id": "x", "type": "thing", "name": "A", "colour": ["red", "blue"]})
    assert [(each.label, each.value) for each in unknown] == [("Colour", "red, blue")]


def test_every_document_named_is_found_for_its_title_also_in_rows() -> None:
    lines = {
        "name": "lines",
        "type": "rows",
        "columns": [{"name": "part", "type": "reference", "target": "part"}, {"name": "quantity", "type": "number"}],
    }
    thing = form({"name": "customer", "type": "reference", "target": "customer"}, lines)
    document = {"customer": "D001:customer:1", "lines": [{"id": "a", "part": "part:1"}, {"id": "b", "part": ""}]}
    assert fields.references(thing, document) == {"D001:customer:1", "part:1"}
    assert fields.references(None, document) == set()
