"""The demo's business is large enough, hangs together, and is the same every time."""

import tomllib
from collections import Counter
from datetime import date, timedelta

import pytest

from app.demo.business import book_documents, catalog_documents
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


@pytest.fixture(scope="module", params=DEALERS)
def book(request):
    return book_documents(request.param, TODAY)


def of_type(documents, kind):
    return [document for document in documents if document["type"] == kind]


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


def test_some_machines_are_due_some_are_not_and_one_meter_was_replaced(book, catalog):
    models = {document["_id"]: document for document in of_type(catalog, "model")}
    readings, services = {}, {}
    for document in book:
        if document["type"] in {"reading", "service"}:
            kept = readings if document["type"] == "reading" else services
            kept.setdefault(document["machine"], []).append(document)
    needing, silent, replaced, with_bulletins = 0, 0, 0, 0
    machines = of_type(book, "machine")
    for machine in machines:
        model = models[catalog_id("model", model_key(machine["make"], machine["model"]))]
        done = services.get(machine["_id"], [])
        used = usage(readings.get(machine["_id"], ()), TODAY, model, delivered_on=day(machine.get("delivered_on")))
        needing += bool(due(plan_of(model), used, done, TODAY, 90, machine))
        replaced += used.meter_offset > 0
        silent += used.as_of is not None and used.as_of < TODAY - timedelta(days=60)
        with_bulletins += bool(open_bulletins(machine, of_type(catalog, "bulletin"), done))
    assert len(machines) * 0.3 < needing < len(machines) * 0.9
    assert 3 <= silent <= 30
    assert replaced == 1
    assert with_bulletins >= 5
    assert any(service.get("bulletin") for done in services.values() for service in done)


def test_visit_notes_differ_and_are_filled_in(book):
    notes = [activity["notes"] for activity in of_type(book, "activity")]
    assert len(set(notes)) > len(notes) * 0.8
    assert not any("{" in text or "}" in text for text in notes)


@pytest.mark.parametrize("dealer", DEALERS)
def test_the_same_day_makes_the_same_business(dealer):
    assert book_documents(dealer, TODAY) == book_documents(dealer, TODAY)


@pytest.mark.parametrize("day_of_the_year", ["2026-01-01", "2028-02-29", "2026-12-31", "2027-03-01"])
def test_any_day_can_be_the_first(day_of_the_year):
    for dealer in DEALERS:
        assert len(book_documents(dealer, date.fromisoformat(day_of_the_year))) > 3000


def test_the_two_dealers_have_nothing_in_common():
    first, second = (book_documents(dealer, TODAY) for dealer in DEALERS)
    assert not {d["name"] for d in of_type(first, "customer")} & {d["name"] for d in of_type(second, "customer")}
    assert not {d["city"] for d in of_type(first, "customer")} & {d["city"] for d in of_type(second, "customer")}


def test_every_document_is_what_its_form_allows(book, catalog):
    forms = {
        path.stem: read_form({"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))})
        for path in sorted((ROOT / "forms").glob("*.toml"))
    }
    for document in (*book, *catalog):
        assert validate(forms[document["type"]], document) == {}, document["_id"]
