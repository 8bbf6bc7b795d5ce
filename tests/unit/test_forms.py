"""Forms: what a dealer's people type becomes values, and what cannot be is said in a sentence."""

from __future__ import annotations

import itertools
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.design.expressions import compute, filled
from app.design.fields import DesignError, Field, read_field
from app.design.forms import Form, read_form
from app.design.parsing import new_document, parse, validate
from app.design.project import document_of, form_tables, table_of
from app.design.values import WrongValue, value_of

DOCUMENTED = {
    "customer": "name number status industry street postcode city country phone email website position "
    "salesperson tags notes",
    "person": "customer name job phones emails assists notes",
    "keepsake": "person customer birthday birth_year flowers family notes",
    "machine": "make model serial pin customer fleet_number stock_number status year delivered_on warranty_until "
    "agreement options position position_at notes",
    "reading": "machine at hours position source",
    "service": "machine customer done_on hours kind bulletin lines technician notes",
    "activity": "customer person machine kind at subject notes follow_up follow_up_done salesperson",
    "opportunity": "customer title stage value machine_model expected_on probability salesperson notes",
    "task": "customer person machine title due_on done assigned_to notes",
    "change": "document document_type changes by at",
    "model": "make name kind hours_per_day plan",
    "part": "number name unit price replaced_by",
    "bulletin": "code title make models serial_from serial_to issued_on severity parts instructions",
}


def form(name: str) -> Form:
    return read_form(form_tables()[name], f"forms/{name}.toml")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_document_type_has_a_form_with_the_documented_fields(name: str) -> None:
    assert {field.name for field in form(name).fields} >= set(DOCUMENTED[name].split())


def test_only_what_is_personal_stays_in_the_dealership() -> None:
    shares = {name: form(name).share for name in DOCUMENTED}

    assert shares.pop("keepsake") == "dealer" and shares.pop("change") == "dealer"
    assert set(shares.values()) == {"manufacturer"}
    assert {name for name in DOCUMENTED if form(name).database == "catalog"} == {"model", "part", "bulletin"}


def test_a_form_survives_becoming_a_document_and_back() -> None:
    for name, table in form_tables().items():
        document = document_of("form", table)
        assert (document["type"], document["share"]) == ("form", "manufacturer")
        assert read_form(table_of({**document, "updated_at": "x", "_id": f"form:{name}"})) == form(name)


@pytest.mark.parametrize(
    ("type", "typed", "value"),
    [
        ("text", "  Kies \n AG ", "Kies AG"),
        ("text", "Mu\u0308ller\x00", "Müller"),
        ("long text", " a\r\nb ", "a\nb"),
        ("number", "1250", 1250),
        ("number", "12,5", 12.5),
        ("number", "12.5", 12.5),
        ("number", "4.312", 4.312),
        ("number", "1.234,5", 1234.5),
        ("number", "1,234.5", 1234.5),
        ("number", "1 234 567", 1234567),
        ("number", "1,234,567", 1234567),
        ("number", "0,125", 0.125),
        ("number", "-3", -3),
        ("money", "12.500,00 €", 12500),
        ("date", "2026-03-14", "2026-03-14"),
        ("date", "14.3.2026", "2026-03-14"),
        ("date", "14. 3. 2026", "2026-03-14"),
        ("date", "14/3/2026", "2026-03-14"),
        ("date", "14 March 2026", "2026-03-14"),
        ("date", "March 14, 2026", "2026-03-14"),
        ("year", "2020", 2020),
        ("day of year", "14 March", "03-14"),
        ("day of year", "14.3.", "03-14"),
        ("day of year", "14.3", "03-14"),
        ("day of year", "03-14", "03-14"),
        ("day of year", "March 14th", "03-14"),
        ("day of year", "14. März", "03-14"),
        ("day of year", "29 Feb", "02-29"),
        ("yes/no", "on", True),
        ("yes/no", "no", False),
        ("tags", "hammer, Hammer; air  conditioning", ["hammer", "air conditioning"]),
        ("phone", "+49 (731) 123-45", "+49 (731) 123-45"),
        ("e-mail", "mailto:a.b@example.com", "a.b@example.com"),
        ("link", "www.example.com/a", "https://www.example.com/a"),
        ("link", "http://example.com", "http://example.com"),
        ("position", {"latitude": "48,4011", "longitude": "9.9876"}, {"latitude": 48.4011, "longitude": 9.9876}),
        ("position", "48.4, 9.9", {"latitude": 48.4, "longitude": 9.9}),
    ],
)
def test_what_is_typed_becomes_the_value(type: str, typed: Any, value: Any) -> None:
    assert value_of(Field("x", "X", type), typed) == value


@pytest.mark.parametrize(
    ("type", "typed"),
    [
        ("number", "twelve"),
        ("number", "4,312"),
        ("number", "1.2.3"),
        ("number", "1,23,456"),
        ("number", "1e400"),
        ("number", "nan"),
        ("number", "12-3"),
        ("date", "3/4/2026"),
        ("date", "30.2.2026"),
        ("date", "yesterday"),
        ("date", "14.3.26"),
        ("date", "1.1.0001"),
        ("time", "noon"),
        ("year", "2020.5"),
        ("year", "last year"),
        ("day of year", "30 February"),
        ("day of year", "14 March 1970"),
        ("day of year", "32.1."),
        ("yes/no", "perhaps"),
        ("phone", "call me"),
        ("phone", "--"),
        ("e-mail", "a@b"),
        ("e-mail", "a b@example.com"),
        ("link", "javascript:alert(1)"),
        ("link", "ftp://example.com"),
        ("link", "https://user@example.com"),
        ("link", "nothing"),
        ("position", {"latitude": "91", "longitude": "0"}),
        ("position", {"latitude": "48"}),
        ("position", "here"),
        ("position", {"latitude": "nan", "longitude": "0"}),
        ("text", "x" * 1001),
    ],
)
def test_what_cannot_be_the_value_is_refused(type: str, typed: Any) -> None:
    with pytest.raises(WrongValue):
        value_of(Field("x", "X", type), typed)


def test_a_number_that_could_be_two_asks_which() -> None:
    values, errors = parse(form("reading"), {"hours": "4,312 h"})

    assert "hours" not in values
    assert errors["hours"] == (
        "Engine hours cannot be “4,312 h”: expected is either 4312 or 4.312; with the comma it could be both."
    )


def test_times_are_typed_in_the_persons_zone_and_kept_in_utc() -> None:
    zone = timezone(timedelta(hours=2))
    assert value_of(Field("at", "At", "time"), "2026-03-14T09:30", zone) == "2026-03-14T07:30:00Z"
    assert value_of(Field("at", "At", "time"), "2026-03-14T09:30:00Z", zone) == "2026-03-14T09:30:00Z"


def test_only_what_was_asked_for_is_returned_and_emptied_fields_are_none() -> None:
    values, errors = parse(form("customer"), {"name": "Kies AG", "city": "  ", "status": "Active", "tags": ""})

    assert not errors
    assert values == {"name": "Kies AG", "city": None, "status": "active", "tags": None}


def test_a_missing_required_field_is_named() -> None:
    _, errors = parse(form("customer"), {"name": " "})
    assert errors == {"name": "Name is missing."}


def test_a_reference_is_of_the_right_type() -> None:
    values, errors = parse(form("person"), {"customer": "D001:machine:CAT-1", "assists": "D001:person:2", "name": "A"})

    assert values["assists"] == "D001:person:2"
    assert errors == {
        "customer": "Customer cannot be “D001:machine:CAT-1”: expected is a customer chosen from the list."
    }


def test_rows_keep_their_ids_new_ones_get_one_and_empty_ones_go() -> None:
    ids = map(str, itertools.count(1))
    typed = [
        {"id": "a", "label": "Mobile", "number": "0170 123"},
        {"id": "newabc", "label": "", "number": "0731 123"},
        {"id": "new1", "label": " ", "number": ""},
    ]

    values, errors = parse(form("person"), {"phones": typed}, new_row_id=lambda: next(ids))

    assert not errors
    assert values["phones"] == [
        {"id": "a", "label": "Mobile", "number": "0170 123"},
        {"id": "1", "number": "0731 123"},
    ]


@pytest.mark.parametrize("typed", ["last year", "2018.5", "2,018", "'85"])
def test_what_is_no_year_is_answered_with_one(typed: str) -> None:
    _, errors = parse(form("keepsake"), {"birth_year": typed})

    assert errors["birth_year"] == f"Year of birth cannot be “{typed}”: expected is a year, such as 2018."


def test_what_is_wrong_in_a_row_is_said_at_its_cell() -> None:
    typed = [{"id": "a", "number": "x"}, {"id": "new7", "label": "Office"}]

    _, errors = parse(form("person"), {"phones": typed})

    assert set(errors) == {"phones.a.number", "phones.new7.number"}
    assert errors["phones.new7.number"] == "Number is missing."


def test_a_field_that_is_not_visible_is_not_missed() -> None:
    made = read_form(
        {
            "name": "test",
            "share": "dealer",
            "sections": [
                {
                    "fields": [
                        {"name": "stage"},
                        {"name": "reason", "required": True, "visible_when": {"field": "stage", "values": ["lost"]}},
                    ]
                }
            ],
        }
    )

    assert parse(made, {"stage": "won", "reason": ""})[1] == {}
    assert parse(made, {"reason": ""}, {"stage": "lost"})[1] == {"reason": "Reason is missing."}


def test_a_document_from_elsewhere_is_validated_as_a_whole() -> None:
    good = {
        "name": "Zora",
        "customer": "D001:customer:1",
        "phones": [{"id": "a", "number": "0731 12"}],
        "extra": {"kept": True},
    }
    assert validate(form("person"), good) == {}

    errors = validate(form("person"), {**good, "name": "", "customer": 5, "phones": [{"number": "1"}], "emails": "x"})

    assert set(errors) == {"name", "customer", "phones", "emails"}


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("reading", "hours", "12"),
        ("reading", "hours", True),
        ("reading", "hours", -1),
        ("machine", "year", 2019.5),
        ("machine", "delivered_on", "14.3.2026"),
        ("keepsake", "birthday", "14 March"),
        ("customer", "status", "gone"),
        ("customer", "position", [1, 2]),
        ("customer", "tags", "a, b"),
        ("task", "done", "yes"),
    ],
)
def test_values_are_validated_in_the_form_in_which_they_are_kept(name: str, field: str, value: Any) -> None:
    assert field in validate(form(name), {field: value})


@example("\x1b", "model")
@given(st.text(), st.sampled_from(sorted(DOCUMENTED)))
def test_no_text_breaks_a_form(text: str, name: str) -> None:
    made = form(name)
    typed = {field.name: text for field in made.fields if field.type != "rows"}
    typed |= {f.name: [{"id": "new0", **{c.name: text for c in f.columns}}] for f in made.fields if f.type == "rows"}

    values, errors = parse(made, typed, new_row_id=lambda: "new0")

    assert validate(made, {k: v for k, v in values.items() if v is not None}).keys() <= {
        field.name for field in made.fields if field.required
    } | set(errors)


def test_a_new_document_begins_with_its_defaults() -> None:
    assert new_document(form("customer"), "D001", name="Kies AG", city=None) == {
        "type": "customer", "dealer": "D001", "share": "manufacturer", "status": "prospect", "name": "Kies AG",
    }  # fmt: skip
    assert new_document(form("part"), "D001")["dealer"] == ""


def test_titles_say_what_people_call_a_document() -> None:
    assert form("machine").title_of({"make": "CAT", "model": "320", "serial": "1"}) == "CAT 320 1"
    assert form("machine").title_of({"make": "CAT", "serial": "1"}) == "CAT 1"
    assert form("service").title_of({"kind": "planned", "done_on": "2026-01-02"}) == "Planned service 2026-01-02"
    assert form("reading").title_of({"machine": "D001:machine:CAT-1", "hours": 5}) == "CAT-1, 5 h"
    assert form("customer").title_of({"_id": "x"}) == "x"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("price * quantity", 6),
        ("(price + 1) / quantity", 2),
        ("-price", -3),
        ("price * missing", None),
        ("price / 0", None),
    ],
)
def test_computed_values_are_arithmetic_over_the_fields(expression: str, value: float | None) -> None:
    assert compute(expression, {"price": 3, "quantity": 2}) == value


def test_computed_texts_leave_no_gap_for_what_is_missing() -> None:
    assert compute("{make} {model}", {"make": "CAT"}) == "CAT"
    assert filled("{a}, {b}", {"b": 1}) == "1"


@pytest.mark.parametrize(
    "expression", ["open('x')", "price.__class__", "[price]", "price if 1 else 2", "2 **", "lambda: 1"]
)
def test_an_expression_can_reach_nothing_but_the_fields(expression: str) -> None:
    with pytest.raises(DesignError, match="no expression"):
        read_field({"name": "x", "computed": expression}, "The form y")
    assert compute(expression, {"price": 1}) is None


def test_computed_fields_are_worked_out_when_a_form_is_read() -> None:
    fields = [{"name": "a", "type": "number"}, {"name": "b", "type": "number", "computed": "a * 2"}]
    made = read_form({"name": "test", "share": "dealer", "sections": [{"fields": fields}]})

    assert parse(made, {"a": "3", "b": "9"})[0] == {"a": 3, "b": 6}
    assert not made.by_name["b"].may_edit(["admin"])


def test_roles_say_who_reads_and_edits_a_field() -> None:
    field = read_field({"name": "margin", "type": "money", "read": ["principal", "sales"], "edit": ["principal"]}, "x")

    assert field.may_read(["sales"]) and not field.may_read(["parts"])
    assert field.may_edit(["principal"]) and not field.may_edit(["sales"])
    assert Field("x", "X").may_edit([])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"name": "_id"}, "name"),
        ({"name": "dealer"}, "name"),
        ({"name": "x", "type": "colour"}, "colour"),
        ({"name": "x", "type": "choice"}, "choices"),
        ({"name": "x", "choices": ["a"]}, "choices"),
        ({"name": "x", "type": "rows"}, "columns"),
        ({"name": "x", "type": "reference"}, "target"),
        ({"name": "x", "required": "yes"}, "required must be true or false"),
        ({"name": "x", "wide": True}, "'wide'"),
        ({"name": "x", "type": "rows", "columns": [{"name": "y", "type": "position"}]}, "position"),
        ({"name": "x", "type": "tags", "unique": True}, "unique"),
        ({"name": "x", "visible_when": {"field": "y"}}, "visible_when"),
    ],
)
def test_a_wrong_field_is_refused_with_its_place(table: dict[str, Any], words: str) -> None:
    with pytest.raises(DesignError, match="The form y") as problem:
        read_field(table, "The form y")
    assert words in str(problem.value)


@pytest.mark.parametrize(
    "change",
    [
        {"share": "everybody"},
        {"share": ""},
        {"database": "market"},
        {"sections": []},
        {"sections": [{"label": "x"}]},
        {"sections": [{"fields": [{"name": "a"}, {"name": "a"}]}]},
        {"sections": [{"fields": [{"name": "a", "visible_when": {"field": "b", "values": ["x"]}}]}]},
        {"parent": "nobody"},
        {"name": "Test Form"},
        {"colour": "red"},
    ],
)
def test_a_wrong_form_is_refused(change: dict[str, Any]) -> None:
    good = {"name": "test", "share": "dealer", "sections": [{"label": "x", "fields": [{"name": "a"}]}]}
    assert read_form(good).fields
    with pytest.raises(DesignError):
        read_form({**good, **change})
