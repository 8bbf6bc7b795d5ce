"""The demo's business is large enough, hangs together, and is the same every time."""

import tomllib
from collections import Counter
from datetime import date
from functools import cache
from itertools import pairwise

import pytest

from app.demo.business import book_documents, catalog_documents
from app.demo.catalog import MODELS
from app.design.forms import read_form
from app.design.parsing import validate
from app.documents.ids import catalog_id, model_key, natural_key, split_id
from app.parts.bulletins import open_bulletins
from app.parts.due import due
from app.parts.history import day
from app.parts.plans import plan_of
from app.parts.usage import usage
from app.people.birthdays import upcoming
from app.project import ROOT

TODAY = date(2026, 11, 25)
DEALERS = ("D001", "D002")


@pytest.fixture(scope="module")
def catalog():
    return catalog_documents(TODAY)


@cache
def made(dealer, today=TODAY):
    return book_documents(dealer, today)


@pytest.fixture(scope="module", params=DEALERS)
def book(request):
    return made(request.param)


def of_type(documents, kind):
    return [document for document in documents if document["type"] == kind]


def by_machine(documents, kind):
    found = {}
    for document in of_type(documents, kind):
        found.setdefault(document["machine"], []).append(document)
    return found


def test_there_are_as_many_documents_as_promised(book):
    counted = Counter(document["type"] for document in book)
    assert counted["customer"] >= 40
    assert counted["machine"] >= 150
    assert counted["person"] >= 100
    assert counted["activity"] >= 300
    assert counted["service"] >= 300
    assert counted["reading"] >= 2000
    assert counted["keepsake"] >= 50
    assert {opportunity["stage"] for opportunity in of_type(book, "opportunity")} == {
        "lead",
        "qualified",
        "quoted",
        "negotiation",
        "won",
        "lost",
    }


def test_the_catalog_has_20_models_with_plans_whose_parts_exist(catalog):
    models, parts = of_type(catalog, "model"), {part["_id"] for part in of_type(catalog, "part")}
    assert len(models) == 20
    assert len({model["make"] for model in models}) == 6
    assert len(parts) >= 80
    assert len(of_type(catalog, "bulletin")) == 6
    for model in models:
        lines = plan_of(model)
        assert len(lines) == len(model["plan"]) >= 12
        assert len({line.id for line in lines}) == len(lines)
        assert {line.part for line in lines if line.part} <= parts


def test_every_id_is_the_natural_one_and_there_is_no_second(book, catalog):
    for documents in (book, catalog):
        assert len({document["_id"] for document in documents}) == len(documents)
        for document in documents:
            dealer, kind, key = split_id(document["_id"])
            assert (dealer, kind) == (document["dealer"], document["type"])
            natural = natural_key(kind, document)
            assert natural is None or key == natural


def test_every_reference_leads_to_a_document(book, catalog):
    ids = {document["_id"] for document in (*book, *catalog)}
    for document in book:
        for name in ("customer", "person", "machine", "assists", "bulletin"):
            if name in document:
                assert document[name] in ids, (document["_id"], name)
    for machine in of_type(book, "machine"):
        assert catalog_id("model", model_key(machine["make"], machine["model"])) in ids


def test_who_is_referred_to_comes_before_who_refers(book):
    seen = set()
    for document in book:
        assert all(document[name] in seen for name in ("customer", "person", "machine", "assists") if name in document)
        seen.add(document["_id"])


def test_only_keepsakes_stay_in_the_dealership(book):
    assert {document["type"] for document in book if document["share"] == "dealer"} == {"keepsake"}
    assert all(document["share"] == "dealer" for document in of_type(book, "keepsake"))


def test_some_people_are_assistants_and_have_birthdays_soon(book):
    assert len([person for person in of_type(book, "person") if person.get("assists")]) >= 15
    soon = upcoming(of_type(book, "keepsake"), TODAY, 14)
    assert len(soon) >= 5
    assert sum(bool(birthday.flowers) for birthday in soon) >= 5


def test_follow_ups_are_due_around_today(book):
    open_ones = [a["follow_up"] for a in of_type(book, "activity") if a.get("follow_up") and not a["follow_up_done"]]
    near = [day(on) for on in open_ones if abs((day(on) - TODAY).days) <= 7]
    assert len(near) >= 12
    assert TODAY in near


def test_nothing_that_happened_lies_in_the_future(book):
    for document in book:
        for name in ("at", "done_on", "delivered_on", "position_at"):
            assert document.get(name, "")[:10] <= TODAY.isoformat()


def test_some_machines_report_some_are_read_by_hand_some_are_silent_and_one_meter_was_replaced(book):
    readings = by_machine(book, "reading")
    ages, replaced, unknown = [], 0, 0
    for machine in of_type(book, "machine"):
        used = usage(readings.get(machine["_id"], ()), TODAY)
        replaced += used.meter_offset > 0
        unknown += used.hours_now is None and machine["status"] == "in service"
        if used.as_of is not None:
            ages.append((TODAY - used.as_of).days)
    assert replaced == 1
    assert 2 <= unknown <= 5
    assert sum(age <= 7 for age in ages) > 80
    assert sum(7 < age <= 41 for age in ages) > 15
    assert 5 <= sum(age > 100 for age in ages) <= 20


def test_bulletins_are_open_on_some_machines_and_done_on_others(book, catalog):
    services, bulletins = by_machine(book, "service"), of_type(catalog, "bulletin")
    still_open = [m for m in of_type(book, "machine") if open_bulletins(m, bulletins, services.get(m["_id"], []))]
    done = [service for service in of_type(book, "service") if service.get("bulletin")]
    issued = {bulletin["_id"]: bulletin["issued_on"] for bulletin in bulletins}
    assert len(still_open) >= 5
    assert len(done) >= 5
    assert all(service["done_on"] >= issued[service["bulletin"]] for service in done)


def test_visit_notes_differ_and_are_filled_in(book):
    notes = [activity["notes"] for activity in of_type(book, "activity")]
    assert len(set(notes)) > len(notes) * 0.8
    assert not any("{" in text or "}" in text for text in notes)


@pytest.mark.parametrize("dealer", DEALERS)
def test_the_same_day_makes_the_same_business(dealer):
    assert book_documents(dealer, TODAY) == made(dealer)


@pytest.fixture(scope="module", params=["2028-02-29", "2026-07-19", "2026-12-31"])
def any_day(request):
    """A day of the year, and both dealers' books as they are made on it."""
    today = date.fromisoformat(request.param)
    return today, [made(dealer, today) for dealer in DEALERS]


def test_most_machines_are_on_schedule_whatever_day_it_is(any_day):
    today, books = any_day
    models = {document["_id"]: document for document in of_type(catalog_documents(today), "model")}
    for book in books:
        readings, services = by_machine(book, "reading"), by_machine(book, "service")
        machines = of_type(book, "machine")
        behind, soon, needed, overdue, neglected = 0, 0, 0, 0, 0
        for machine in machines:
            model = models[catalog_id("model", model_key(machine["make"], machine["model"]))]
            used = usage(readings.get(machine["_id"], ()), today, model, delivered_on=day(machine.get("delivered_on")))
            lines = due(plan_of(model), used, services.get(machine["_id"], []), today, 90, machine)
            late = [line for line in lines if line.overdue]
            needed, overdue, behind = needed + len(lines), overdue + len(late), behind + bool(late)
            soon += any(not line.overdue and (line.on - today).days <= 28 for line in lines)
            neglected += any((today - line.on).days > 90 for line in late)
        assert 0.05 <= behind / len(machines) <= 0.11
        assert 0.08 <= overdue / needed <= 0.2
        assert 0.1 <= soon / len(machines) <= 0.45
        assert 1 <= neglected <= 4


def test_hours_never_fall_but_where_a_meter_was_replaced(any_day):
    _, books = any_day
    for book in books:
        readings, services = by_machine(book, "reading"), by_machine(book, "service")
        fell = 0
        for machine in of_type(book, "machine"):
            seen = [(r["at"][:10], r["hours"]) for r in readings.get(machine["_id"], ())]
            seen += [(s["done_on"], s["hours"]) for s in services.get(machine["_id"], ())]
            seen.sort()
            fell += sum(after < before - 1.0 for (_, before), (_, after) in pairwise(seen))
        assert fell == 1


def test_a_service_has_no_more_hours_than_the_machine_had_then(any_day):
    today, books = any_day
    for book in books:
        readings = by_machine(book, "reading")
        for machine_id, services in by_machine(book, "service").items():
            used = usage(readings.get(machine_id, ()), today)
            if used.meter_offset:
                # Nobody knows what it ran between the last reading of the old meter and the first of the new one.
                continue
            for service in services:
                later = [r for r in readings.get(machine_id, ()) if r["at"][:10] > service["done_on"]]
                if later:
                    at = day(later[0]["at"])
                    assert used.total_hours(service["hours"], day(service["done_on"])) <= (
                        used.total_hours(later[0]["hours"], at) + 1.0
                    )


def test_nobody_works_at_a_weekend_or_before_the_machine_was_there(any_day):
    _, books = any_day
    for book in books:
        delivered = {machine["_id"]: machine.get("delivered_on", "") for machine in of_type(book, "machine")}
        for service in of_type(book, "service"):
            assert day(service["done_on"]).weekday() < 5
            assert service["done_on"] >= delivered[service["machine"]]
        for activity in of_type(book, "activity"):
            assert day(activity["at"]).weekday() < 5
            assert not activity.get("machine") or activity["at"] >= delivered[activity["machine"]]


def test_birthdays_and_follow_ups_are_near_whatever_day_it_is(any_day):
    today, books = any_day
    for book in books:
        assert len(upcoming(of_type(book, "keepsake"), today, 14)) >= 10
        open_ones = [day(a["follow_up"]) for a in of_type(book, "activity") if a.get("follow_up_done") is False]
        assert today in open_ones
        assert sum(0 <= (on - today).days <= 7 for on in open_ones) >= 8
        assert sum(on < today for on in open_ones) <= len(open_ones) / 2


def test_no_two_customers_people_or_own_numbers_are_the_same(book):
    for kind in ("customer", "person"):
        names = [document["name"] for document in of_type(book, kind)]
        assert len(set(names)) == len(names)
    assert len({customer["name"].split()[0] for customer in of_type(book, "customer")}) >= 44
    numbers = [(m["customer"], m["fleet_number"]) for m in of_type(book, "machine") if m.get("fleet_number")]
    assert len(set(numbers)) == len(numbers)


def test_opportunities_cost_about_what_their_models_cost(book):
    prices = {f"{model.make} {model.name}": model.price for model in MODELS}
    for opportunity in of_type(book, "opportunity"):
        assert 0.9 < opportunity["value"] / prices[opportunity["machine_model"]] < 1.15


def test_the_two_dealers_have_nothing_in_common():
    first, second = (made(dealer) for dealer in DEALERS)
    assert not {d["name"] for d in of_type(first, "customer")} & {d["name"] for d in of_type(second, "customer")}
    assert not {d["city"] for d in of_type(first, "customer")} & {d["city"] for d in of_type(second, "customer")}


def test_every_document_is_what_its_form_allows(book, catalog):
    forms = {
        path.stem: read_form({"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))})
        for path in sorted((ROOT / "forms").glob("*.toml"))
    }
    for document in (*book, *catalog):
        assert validate(forms[document["type"]], document) == {}, document["_id"]
