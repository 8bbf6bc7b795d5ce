"""The parts desk and the customer's needs on a real store."""

import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest

from app.demo.business import book_documents, catalog_documents
from app.documents import saving
from app.errors import IronbookError
from app.parts import questions
from app.parts.desk import FILE_NAME, PartsDesk, parts_desk
from app.parts.due import due
from app.parts.needs import model_id, usage_of
from app.parts.plans import plan_of
from app.parts.table import count_machines, count_stale

BY = "tester"
MODEL = {
    "type": "model",
    "dealer": "",
    "share": "manufacturer",
    "make": "Kestrin",
    "name": "KT 6.30",
    "hours_per_day": 4,
    "plan": [
        {"id": "oil", "title": "Oil filter", "part": "part:OF-1", "quantity": 1, "every_hours": 500},
        {"id": "air", "title": "Air filter", "part": "part:AF-1", "quantity": 2, "every_hours": 1000},
    ],
}
PARTS = [
    {
        "type": "part",
        "dealer": "",
        "share": "manufacturer",
        "number": "OF-1",
        "name": "Oil filter",
        "replaced_by": "part:OF-2",
    },
    {"type": "part", "dealer": "", "share": "manufacturer", "number": "OF-2", "name": "Oil filter, new", "price": 12.5},
    {"type": "part", "dealer": "", "share": "manufacturer", "number": "AF-1", "name": "Air filter", "unit": "piece"},
]


def save(node, **fields):
    document = {"dealer": "D001", "share": "manufacturer", **fields}
    return saving.save(node.book, document, BY).document


def change(node, document, **fields):
    return saving.save(node.book, {**document, **fields}, BY, base=document).document


def reading(node, machine, days_ago, hours):
    at = f"{(node.today() - timedelta(days=days_ago)).isoformat()}T10:00:00Z"
    before = node.book.get(f"{machine['_id'].replace(':machine:', ':reading:')}:{at[:10]}")
    if before is not None:
        return change(node, before, hours=hours)
    return save(node, type="reading", machine=machine["_id"], at=at, hours=hours)


@pytest.fixture
def shop(dealer_node):
    """A dealer with one model, its parts, one customer and one machine of 480 hours that runs 4 hours a day."""
    parts = [{"type": "part", "dealer": "", "share": "manufacturer", **part} for part in PARTS]
    saving.save_many(dealer_node.catalog, [MODEL, *parts], BY)
    customer = save(dealer_node, type="customer", name="Lohrbeck Erdbau", city="Melsungen")
    machine = save(dealer_node, type="machine", make="Kestrin", model="KT 6.30", serial="7", customer=customer["_id"])
    for days_ago in range(28, -1, -7):
        reading(dealer_node, machine, days_ago, 480 - 4 * days_ago)
    return SimpleNamespace(node=dealer_node, customer=customer, machine=machine)


@pytest.fixture(scope="module")
def business(make_module_node):
    """A dealer with the demonstration's catalog and book, and its parts desk up to date. Nobody changes them."""
    node = make_module_node("dealer")
    catalog, book = catalog_documents(node.today()), book_documents("D001", node.today())
    saving.save_many(node.catalog, catalog, BY)
    saving.save_many(node.book, book, BY)
    desk = parts_desk(node)
    desk.bring_up_to_date()
    return SimpleNamespace(node=node, desk=desk, catalog=catalog, book=book)


def told(needs):
    return [(need.due.line_id, need.due.on, need.due.quantity) for need in needs]


def test_the_desk_says_what_a_machine_needs_with_its_customer_and_part(shop):
    node, machine = shop.node, shop.machine
    (need,) = parts_desk(node).needs(30)
    assert (need.machine["_id"], need.customer["name"]) == (machine["_id"], "Lohrbeck Erdbau")
    assert need.due.on == node.today() + timedelta(days=5)
    assert (need.part.number, need.part.instead_of, need.part.price) == ("OF-2", "OF-1", 12.5)


def test_the_desk_follows_what_changes(shop):
    node, machine = shop.node, shop.machine
    desk = parts_desk(node)
    assert told(desk.needs(30)) == [("oil", node.today() + timedelta(days=5), 1)]
    done = save(node, type="service", machine=machine["_id"], done_on=node.today().isoformat(), hours=480,
                kind="planned", lines=[{"id": "1", "plan_line": "oil", "part": "part:OF-1"}])  # fmt: skip
    assert desk.needs(30) == []
    saving.delete(node.book, done, BY)
    assert len(desk.needs(30)) == 1
    change(node, machine, status="sold on")
    assert desk.needs(30) == []


def test_a_deleted_reading_or_machine_is_forgotten(shop):
    node, machine = shop.node, shop.machine
    desk = parts_desk(node)
    latest = reading(node, machine, 0, 501)
    assert desk.needs(0)[0].due.overdue
    saving.delete(node.book, latest, BY)
    assert desk.needs(0) == []
    assert len(desk.needs(90)) > 0
    saving.delete(node.book, node.book.get(machine["_id"]), BY)
    assert desk.needs(90) == []


def test_a_changed_plan_reaches_the_machines_of_its_model(shop):
    node = shop.node
    desk = parts_desk(node)
    assert len(desk.needs(30)) == 1
    model = node.catalog.get("model:KESTRIN-KT6.30")
    plan = [{"id": "belt", "title": "Belt", "part": "part:B-1", "every_hours": 490}]
    saving.save(node.catalog, {**model, "plan": plan}, BY, base=model)
    (need,) = desk.needs(30)
    assert (need.due.line_id, need.part.number, need.part.name) == ("belt", "B-1", "")


def test_a_machine_that_comes_after_its_readings_is_complete(shop):
    node, customer = shop.node, shop.customer
    desk = parts_desk(node)
    desk.needs(30)
    late = {"_id": "D001:machine:KESTRIN-8"}
    reading(node, late, 0, 499)
    assert len(desk.needs(5)) == 1
    save(node, type="machine", make="Kestrin", model="KT 6.30", serial="8", customer=customer["_id"])
    assert {need.machine["serial"] for need in desk.needs(5)} == {"7", "8"}


def test_machines_without_readings_run_as_the_others_of_their_model(shop):
    node = shop.node
    desk = parts_desk(node)
    for serial in ("20", "21"):
        other = save(node, type="machine", make="Kestrin", model="KT 6.30", serial=serial)
        reading(node, other, 14, 100)
        reading(node, other, 0, 184)
    save(node, type="machine", make="Kestrin", model="KT 6.30", serial="30",
         delivered_on=(node.today() - timedelta(days=80)).isoformat())  # fmt: skip
    (need,) = [need for need in desk.needs(60) if need.machine["serial"] == "30"]
    # 16/3 hours a day, the mean of 4, 6 and 6, make 427 hours in 80 days; at 4 they would be 320.
    assert need.due.on == node.today() + timedelta(days=13)
    assert desk.average("model:KESTRIN-KT6.30") == pytest.approx(16 / 3)


def test_the_desk_says_what_the_pure_functions_say_of_the_same_documents(business):
    node, desk, catalog, book = business.node, business.desk, business.catalog, business.book
    from_desk = {(need.machine["_id"], need.due) for need in desk.needs(90)}
    models = {document["_id"]: document for document in catalog if document["type"] == "model"}
    of_machine = {}
    for document in book:
        if document["type"] in {"reading", "service"}:
            of_machine.setdefault((document["machine"], document["type"]), []).append(document)
    expected = set()
    for machine in (document for document in book if document["type"] == "machine"):
        name = model_id(machine)
        readings, services = (of_machine.get((machine["_id"], kind), []) for kind in ("reading", "service"))
        used = usage_of(machine, readings, models[name], node.today(), desk.average(name))
        lines = due(plan_of(models[name]), used, services, node.today(), 90, machine)
        expected |= {(machine["_id"], line) for line in lines}
    assert from_desk == expected
    assert len({machine for machine, _ in expected}) > 50
    customers = {document["_id"] for document in book if document["type"] == "customer"}
    by_customer = [need for customer in customers for need in desk.customer(customer, 90)[0]]
    assert {(need.machine["_id"], need.due) for need in by_customer} <= from_desk
    assert all(need.part is None or need.part.name for need in by_customer)


def test_a_longer_horizon_than_is_kept_is_worked_out(shop):
    node = shop.node
    desk = parts_desk(node)
    one_year, ten_years = desk.needs(400), desk.needs(3650)
    assert sum(need.due.quantity for need in ten_years) > 3 * sum(need.due.quantity for need in one_year)


def test_the_first_reading_reports_how_far_it_is_and_then_is_ready(shop):
    node = shop.node
    desk = PartsDesk(node)
    building = desk.building()
    assert building is not None
    assert building.sentence().startswith("Reading machines, readings and services")
    assert len(desk.needs(30)) == 1
    assert desk.building() is None


def test_many_may_ask_at_once(shop):
    node, machine = shop.node, shop.machine
    desk = PartsDesk(node)
    answers, problems = [], []

    def ask():
        try:
            answers.append(told(desk.needs(200)))
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for hours in (481, 482, 483):
        reading(node, machine, 0, hours)
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(answers) == 8
    assert told(desk.needs(200)) == told(PartsDesk(node).needs(200))


def test_a_customers_machines_come_with_how_each_stands(shop):
    node, customer, machine = shop.node, shop.customer, shop.machine
    needs, standings = parts_desk(node).customer(customer["_id"], 30)
    assert [need.machine["_id"] for need in needs] == [machine["_id"]]
    assert standings[machine["_id"]].usage.hours_now == pytest.approx(480)
    assert [line.line_id for line in standings[machine["_id"]].due] == ["oil", "air"]


def test_a_machine_sold_to_another_customer_goes_with_them(shop):
    node, customer, machine = shop.node, shop.customer, shop.machine
    desk = parts_desk(node)
    assert desk.customer(customer["_id"], 30)[0]
    buyer = save(node, type="customer", name="Buyer")
    change(node, machine, customer=buyer["_id"])
    assert desk.customer(customer["_id"], 30) == ([], {})
    assert [need.customer["name"] for need in desk.customer(buyer["_id"], 30)[0]] == ["Buyer"]


def test_a_customer_without_machines_needs_nothing(shop):
    assert parts_desk(shop.node).customer("D001:customer:none", 90) == ([], {})


def test_the_manufacturers_node_has_no_desk(manufacturer_node):
    with pytest.raises(IronbookError, match="no book"):
        parts_desk(manufacturer_node)


def test_the_models_plan_is_what_was_saved(shop):
    node = shop.node
    assert [line.id for line in plan_of(node.catalog.get("model:KESTRIN-KT6.30"))] == ["oil", "air"]


def filters_of(needs):
    """The filters worth asking with: nothing, a make, a customer, a part, and what is overdue."""
    some = needs[len(needs) // 2]
    return [
        {},
        {"make": some.machine["make"]},
        {"customer": some.machine["customer"]},
        {"part": some.part.number},
        {"overdue": True},
        {"make": some.machine["make"], "overdue": True},
    ]


def let_through(needs, make="", customer="", part="", overdue=False):
    return [
        need
        for need in needs
        if need.part is not None
        and (not make or need.machine["make"] == make)
        and (not customer or need.machine.get("customer") == customer)
        and (not part or need.part.number == part)
        and (not overdue or need.due.overdue)
    ]


@pytest.mark.parametrize("days", [0, 14, 90, 365])
def test_totals_are_the_sums_of_what_the_machines_need(business, days):
    desk = business.desk
    every = desk.needs(days)
    for filters in filters_of([need for need in desk.needs(90) if need.part]):
        wanted = let_through(every, **filters)
        with desk.asking() as connection:
            found = questions.sums(connection, desk.question(days, **filters))
            by_part = {part.part: part for part in questions.part_sums(connection, desk.question(days, **filters), 999)}
        assert found.lines == len(wanted)
        assert found.machines == len({need.machine["_id"] for need in wanted})
        assert found.customers == len({need.machine.get("customer") for need in wanted})
        assert found.overdue == sum(need.due.overdue for need in wanted)
        assert found.value == pytest.approx(sum(need.due.quantity * (need.part.price or 0) for need in wanted))
        assert found.parts == len(by_part) == len({need.part.number for need in wanted})
        for number, part in by_part.items():
            of_part = [need for need in wanted if need.part.number == number]
            assert part.quantity == pytest.approx(sum(need.due.quantity for need in of_part))
            assert part.first_on == min(need.due.on for need in of_part)
            assert part.machines == len({need.machine["_id"] for need in of_part})
            late = sum(need.due.quantity for need in of_part if need.due.overdue)
            assert part.overdue_quantity == pytest.approx(late)


def test_what_is_listed_and_what_is_counted_are_the_same(business):
    desk = business.desk
    for filters in filters_of([need for need in desk.needs(90) if need.part]):
        question = desk.question(90, **filters)
        wanted = {(need.machine["_id"], need.due) for need in let_through(desk.needs(90), **filters)}
        with desk.asking() as connection:
            listed = list(questions.needs(connection, question))
            customers = questions.customers(connection, question, 999)
            of_customers = list(questions.needs(connection, question, customers))
        assert {(need.machine["_id"], need.due) for need in listed} == wanted
        assert [need.due.on for need in listed] == sorted(need.due.on for need in listed)
        assert len(of_customers) == len(listed) == len(wanted)
        firsts = {customer: min(n.due.on for n in listed if n.machine.get("customer", "") == customer)
                  for customer in customers}  # fmt: skip
        assert list(firsts.values()) == sorted(firsts.values())


def test_the_machines_nearest_to_today_are_due_first(business):
    desk = business.desk
    today = business.node.today()
    distance = {}
    for need in let_through(desk.needs(14)):
        days = abs((need.due.on - today).days)
        distance[need.machine["_id"]] = min(days, distance.get(need.machine["_id"], days))
    with desk.asking() as connection:
        found, total = questions.machines_due(connection, desk.question(14), 10)
    assert total == len(distance)
    shown = {need.machine["_id"] for need in found}
    assert len(shown) == min(10, total)
    assert sorted(distance[machine] for machine in shown) == sorted(distance.values())[: len(shown)]


def test_after_a_restart_the_desk_reads_only_what_has_changed(shop):
    node, machine = shop.node, shop.machine
    first = PartsDesk(node)
    before = told(first.needs(30))
    version = first.version()[1]
    first.close()
    again = PartsDesk(node)
    assert again.building() is None
    assert told(again.needs(30)) == before
    assert again.version()[1] == version
    again.close()
    reading(node, machine, 0, 495)
    third = PartsDesk(node)
    assert told(third.needs(30)) != before
    assert told(third.needs(30)) == [("oil", node.today() + timedelta(days=1), 1)]


def test_a_book_that_was_made_anew_is_read_anew(shop):
    node = shop.node
    assert len(parts_desk(node).needs(30)) == 1
    node.store.delete("book")
    node.store.create("book")
    assert PartsDesk(node).needs(30) == []


def test_a_broken_file_is_made_anew(shop):
    node = shop.node
    desk = PartsDesk(node)
    before = told(desk.needs(30))
    desk.close()
    (node.settings.data / FILE_NAME).write_bytes(b"not a database at all" * 500)
    assert told(PartsDesk(node).needs(30)) == before


def test_a_machine_that_changes_in_the_middle_of_the_first_reading_is_known_as_it_is_now(shop, monkeypatch):
    node, machine = shop.node, shop.machine
    monkeypatch.setattr("app.parts.desk._PAGE", 2)
    desk = PartsDesk(node)
    for fleet_number in ("F1", "F2", "F3"):
        desk.building()
        change(node, node.book.get(machine["_id"]), fleet_number=fleet_number)
    (need,) = desk.needs(30)
    assert need.machine["fleet_number"] == "F3"


def test_a_new_day_works_every_machine_out_again(shop, monkeypatch):
    node = shop.node
    desk = parts_desk(node)
    (today,) = desk.needs(30)
    tomorrow = node.today() + timedelta(days=1)
    monkeypatch.setattr(node, "today", lambda: tomorrow)
    (then,) = desk.needs(30)
    assert then.due.on == today.due.on
    assert desk.customer(shop.customer["_id"], 30)[1][shop.machine["_id"]].usage.hours_now == pytest.approx(484)


def test_one_customer_waits_for_its_own_machines_only(business, monkeypatch):
    node, desk = business.node, business.desk
    tomorrow = node.today() + timedelta(days=1)
    customer = next(need.machine["customer"] for need in desk.needs(90) if need.machine.get("customer"))
    with desk.asking() as connection:
        every = count_machines(connection)
    monkeypatch.setattr(node, "today", lambda: tomorrow)
    desk.customer(customer, 90)
    with desk.asking() as connection:
        assert 0 < every - count_stale(connection) < 30
