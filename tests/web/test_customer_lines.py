"""What a customer's page says about the customer's documents."""

from __future__ import annotations

from datetime import date

from app.people.birthdays import upcoming
from app.web.birthday_list import assisted, birthday_lines, names_behind
from app.web.customer_page import (
    activity_lines,
    addresses,
    machine_label,
    opportunity_lines,
    person_cards,
    task_lines,
)

TODAY = date(2026, 11, 25)
IDA = {"_id": "D001:person:1", "name": "Ida Berg", "customer": "D001:customer:1", "job": "Owner"}
TOM = {
    "_id": "D001:person:2",
    "name": "Tom Alm",
    "customer": "D001:customer:1",
    "assists": "D001:person:1",
    "phones": [{"id": "a", "label": "mobile", "number": "+43 1"}, {"id": "b", "label": "empty"}],
    "emails": [{"id": "c", "label": "", "address": "tom@example.com"}],
}
TULIPS = {
    "_id": "D001:keepsake:1",
    "person": "D001:person:2",
    "customer": "D001:customer:1",
    "birthday": "12-01",
    "birth_year": 1976,
    "flowers": "white tulips",
}


def test_an_assistant_is_shown_with_whom_she_assists_and_what_she_likes() -> None:
    ida, tom = person_cards([TOM, IDA], [TULIPS], TODAY)
    assert ida.assisted_by == ("Tom Alm",)
    assert tom.assists == "Ida Berg"
    assert [(contact.kind, contact.text) for contact in tom.contacts] == [
        ("phone", "+43 1"),
        ("email", "tom@example.com"),
    ]
    (keepsake,) = tom.keepsakes
    assert (keepsake.flowers, keepsake.when, keepsake.turns, keepsake.soon) == ("white tulips", "in 6 days", 50, True)


def test_a_birthday_names_the_customer_and_whose_assistant_it_is() -> None:
    birthdays = upcoming([TULIPS], TODAY, 14)
    assert names_behind(birthdays) == {"D001:person:2", "D001:customer:1"}
    assert assisted([TOM]) == {"D001:person:1"}
    named = {"D001:person:2": TOM, "D001:person:1": IDA, "D001:customer:1": {"name": "Berg", "city": "Linz"}}
    (line,) = birthday_lines(birthdays, named, TODAY)
    assert (line.person, line.assists, line.customer, line.phone) == ("Tom Alm", "Ida Berg", "Berg", "+43 1")


def test_a_birthday_of_somebody_deleted_is_left_out() -> None:
    assert birthday_lines(upcoming([TULIPS], TODAY, 14), {}, TODAY) == []


def test_a_follow_up_is_overdue_only_while_it_is_open() -> None:
    visit = {"_id": "D001:activity:1", "kind": "visit", "at": "2026-11-10T08:00:00Z", "follow_up": "2026-11-20"}
    open_one, done = activity_lines([visit, {**visit, "follow_up_done": True}], {}, {}, TODAY)
    assert (open_one.follow_up_open, open_one.overdue, open_one.follow_up_when) == (True, True, "5 days late")
    assert (done.follow_up_open, done.overdue) == (False, False)


def test_won_and_lost_opportunities_are_not_open() -> None:
    found = opportunity_lines(
        [
            {"_id": "1", "title": "Later", "stage": "lead"},
            {"_id": "2", "title": "Won", "stage": "won"},
            {"_id": "3", "title": "Soon", "stage": "quoted", "expected_on": "2026-11-01", "value": 90000},
        ],
        TODAY,
    )
    assert [(line.title, line.late) for line in found] == [("Soon", True), ("Later", False)]
    assert found[0].value == 90000.0


def test_a_task_says_what_it_is_about() -> None:
    tasks = [
        {"_id": "1", "title": "Call", "machine": "m", "due_on": "2026-11-26"},
        {"_id": "2", "title": "x", "done": True},
    ]
    (line,) = task_lines(tasks, {"m": "Acme 320"}, TODAY)
    assert (line.about, line.when, line.late) == ("Acme 320", "tomorrow", False)


def test_a_machine_is_called_by_its_model_and_fleet_number() -> None:
    assert machine_label({"make": "Acme", "model": "320", "fleet_number": "B7"}) == "Acme 320 (B7)"
    assert machine_label({"make": "Acme", "model": "model:ACME-320"}, "320 GX") == "Acme 320 GX"
    assert machine_label({"serial": "77"}) == "77"


def test_an_address_leaves_out_what_is_not_known() -> None:
    assert addresses({"postcode": "4020", "city": "Linz", "country": "Austria"}) == ["4020 Linz", "Austria"]
