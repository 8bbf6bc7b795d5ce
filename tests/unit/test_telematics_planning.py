"""Which machine an equipment is, what it changes, and what it only suggests."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.exchange.customers import Customers, words_of
from app.exchange.equipment import Equipment
from app.exchange.matching import Machines
from app.exchange.planning import Models, changed_machine, new_machine, new_reading, place_all
from app.exchange.suggestions import Suggestion, numbers_in, suggest

AT = datetime(2026, 11, 20, 9, 10, tzinfo=UTC)
LOHRBECK = "Lohrbeck Süd Kramer5085 SN:353424401"


def machine(serial, make="Kramer", **fields):
    return {"_id": f"D001:machine:{make.upper()}-{serial}", "type": "machine", "make": make, "serial": serial, **fields}


def known(*machines):
    found = Machines()
    for one in machines:
        found.add(one)
    return found


def place(*equipment, machines=()):
    return place_all(equipment, known(*machines), "D001")


def made_of(planned, models=None, *customers):
    return new_machine(planned, models or Models(), named(planned, *customers))


def named(planned, *names):
    found = Customers([planned.suggestion.customer])
    for number, name in enumerate(names):
        found.add({"_id": f"D001:customer:{number}", "type": "customer", "name": name})
    return found


def one(**fields):
    return Equipment(**{"number": 1, "make": "Kramer", **fields})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LOHRBECK, Suggestion("Lohrbeck Süd", "Kramer", "5085", "353424401")),
        ("850 Kramer 346492761", Suggestion("", "Kramer", "850", "346492761")),
        ("Kramer 750  MN: 32590  SN: 346470190", Suggestion("", "Kramer", "750", "346470190", "32590")),
        ("NRB Kramer 8155 SN: 35540EKSKD0145", Suggestion("NRB", "Kramer", "8155", "35540EKSKD0145")),
        ("8155 Kramer SN 35540KJSKD0070", Suggestion("", "Kramer", "8155", "35540KJSKD0070")),
        ("Kabel- u. Tiefbau Kramer 5085 SN: 353224682", Suggestion("Kabel- u. Tiefbau", "Kramer", "5085", "353224682")),
        ("Müllner Bau Kramer 8085 35121JLSKF0776", Suggestion("Müllner Bau", "Kramer", "8085", "35121JLSKF0776")),
        ("5040 WNK35842KL0004235", Suggestion("", "", "5040", "WNK35842KL0004235")),
        ("4960473724", Suggestion()),
        ("", Suggestion()),
    ],
)
def test_an_equipment_id_suggests_what_people_put_into_it(text, expected):
    assert suggest(text, ["Kramer", "Takeuchi"]) == expected


def test_the_owners_number_is_no_serial_number():
    assert numbers_in("Kramer 1150 MN:207055 SN: 347494605") == ["347494605"]
    assert numbers_in("850 Kramer 346492761") == ["346492761"]


@given(st.text(max_size=60))
def test_any_equipment_id_can_be_read(text):
    suggest(text, ["Kramer", ""])
    assert all(len(number) >= 5 for number in numbers_in(text))


def test_a_machine_is_known_by_its_pin_before_its_serial():
    (found,) = place(one(serial="690925", pin="353224363"), machines=[machine("353224363"), machine("690925")])
    assert found.machine_id == "D001:machine:KRAMER-353224363"
    assert any("entered twice" in note for note in found.notes)


def test_a_serial_of_another_make_is_another_machine():
    (found,) = place(one(serial="690925"), machines=[machine("690925", "Takeuchi")])
    assert (found.machine_id, found.is_new) == ("D001:machine:KRAMER-690925", True)


def test_a_worldwide_pin_is_the_same_machine_whatever_the_make_is_called():
    pin = "WNK71228AISKC4458"
    (found,) = place(one(make="Wacker", serial="1", pin=pin), machines=[machine("654625", pin=pin)])
    assert found.machine_id == "D001:machine:KRAMER-654625"


def test_a_make_written_otherwise_is_the_same_make():
    (found,) = place(one(make="KRAMER-Werke", serial="690925"), machines=[machine("690925")])
    assert not found.is_new
    (new,) = place(one(make="KRAMER", serial="7"), machines=[machine("690925")])
    assert new.make == "Kramer"


def test_a_number_in_the_equipment_id_finds_the_machine_people_entered():
    (found,) = place(one(serial="283445", equipment_id=LOHRBECK), machines=[machine("353424401")])
    assert found.machine_id == "D001:machine:KRAMER-353424401"
    assert "Known by its number in the equipment id." in found.notes


def test_a_machine_without_numbers_is_left_out_until_a_person_has_entered_it():
    nameless = one(equipment_id="4960473724")
    (found,) = place(nameless)
    assert found.machine_id == ""
    assert "Enter the machine with the telematics name “4960473724”" in found.notes[0]
    for field in ("telematics_id", "fleet_number"):
        (found,) = place(nameless, machines=[machine("1", **{field: "4960473724"})])
        assert found.machine_id == "D001:machine:KRAMER-1"


def test_a_telematics_box_that_moved_to_another_machine_does_not_take_its_hours_along():
    (found,) = place(one(serial="2", equipment_id="4960473724"), machines=[machine("1", telematics_id="4960473724")])
    assert found.machine_id == "D001:machine:KRAMER-2"


def test_two_machines_that_fit_are_left_to_a_person():
    (found,) = place(one(serial="5"), machines=[machine("5"), machine("7", pin="5")])
    assert found.machine_id == ""
    assert "several machines have its serial number" in found.notes[0]


def test_a_missing_make_is_taken_from_two_witnesses_or_not_at_all():
    named = one(number=2, make="", serial="283445", equipment_id=LOHRBECK)
    others = one(serial="1")
    assert place(others, named)[1].make == "Kramer"
    assert place(others, one(number=3, make="Takeuchi", serial="9"), named)[2].machine_id == ""
    assert place(others, one(number=2, make="", serial="283445", equipment_id="7"))[1].machine_id == ""


def test_a_pin_serves_where_there_is_no_serial():
    (found,) = place(one(pin="WNK1"))
    assert found.machine_id == "D001:machine:KRAMER-WNK1"
    assert made_of(found, Models())["serial"] == "WNK1"


def test_a_suggestion_is_a_note_and_no_fact():
    (found,) = place(one(serial="283445", equipment_id=LOHRBECK))
    made = made_of(found)
    assert "customer" not in made
    assert "model" not in made
    assert made["serial"] == "283445"
    assert made["telematics_id"] == LOHRBECK
    assert made["notes"].endswith("suggests customer Lohrbeck Süd, model 5085, serial number 353424401. Please check.")


def test_what_the_file_says_itself_is_not_suggested_again():
    (found,) = place(one(serial="1", pin="353424401", model="5085 55", equipment_id=LOHRBECK))
    made_of(found)
    assert [note for note in found.notes if "suggests" in note] == [
        f"Its equipment id “{LOHRBECK}” suggests customer Lohrbeck Süd. Please check."
    ]
    (nothing,) = place(one(serial="353424401", model="5085", equipment_id="Kramer 5085 SN:353424401"))
    made_of(nothing)
    assert nothing.notes == []


@pytest.mark.parametrize(
    ("one_spelling", "another"),
    [
        ("Lohrbeck Süd", "LOHRBECK SUED GmbH & Co. KG"),
        ("Kabel- u. Tiefbau", "Kabel und Tiefbau G.m.b.H."),
        ("Fa. Strauß", "Strauss e.K."),
        ("Bé", "Be Ltd."),
        ("O'Hara + Sons", "O’Hara & Sons, Inc."),
        ("Mu\u0308llner Bau", "Müllner-Bau UG (haftungsbeschränkt)"),
    ],
)
def test_spellings_of_one_name(one_spelling, another):
    assert words_of(one_spelling) == words_of(another)


@pytest.mark.parametrize(
    ("name", "another"), [("Brandt", "Brand"), ("AB", "SE"), ("Brandt", "Brandt Süd"), ("", "GmbH")]
)
def test_names_that_are_not_the_same(name, another):
    assert words_of(name) != words_of(another)


LOHRBECKS_OWN = {"serial": "1", "pin": "353424401", "model": "5085", "equipment_id": LOHRBECK}


def test_a_machine_comes_onto_the_one_customer_whom_its_equipment_id_names():
    (found,) = place(one(**LOHRBECKS_OWN))
    made = made_of(found, None, "Lohrbeck Nord KG", "LOHRBECK SÜD GmbH")
    assert made["customer"] == "D001:customer:1"
    assert found.notes == ["Its equipment id names Lohrbeck Süd: it was put on the customer LOHRBECK SÜD GmbH."]
    assert "notes" not in made


@pytest.mark.parametrize(
    ("customers", "told"),
    [
        ((), "no customer here is called so"),
        (("Lohrbeck",), "no customer here is called so"),
        (("Lohrbeck Süd GmbH", "Lohrbeck Süd AG"), "could be Lohrbeck Süd AG, Lohrbeck Süd GmbH. Choose"),
        (("Lohrbeck Süd", "Lohrbeck Süd Tiefbau"), "could be Lohrbeck Süd, Lohrbeck Süd Tiefbau. Choose"),
        (("Lohrbeck Süd Tiefbau",), "could be Lohrbeck Süd Tiefbau. Choose"),
        (tuple(f"Lohrbeck Süd {n}" for n in range(5)), "Lohrbeck Süd 2 and 2 more. Choose"),
    ],
)
def test_a_name_that_is_not_clearly_one_customers_is_left_to_a_person(customers, told):
    (found,) = place(one(**LOHRBECKS_OWN))
    assert "customer" not in made_of(found, None, *customers)
    assert sum(told in note and "names Lohrbeck Süd" in note for note in found.notes) == 1


def test_an_equipment_id_about_another_machine_names_no_customer():
    (found,) = place(one(serial="283445", pin="WNK71140EKSKD4291", equipment_id=LOHRBECK))
    assert "customer" not in made_of(found, None, "Lohrbeck Süd")
    assert any("a number, 353424401, that is not this machine's. Choose its customer." in note for note in found.notes)
    (whole,) = place(one(serial="1", pin="WNK35540EKSKD0145", equipment_id="NRB Kramer 8155 SN: 35540EKSKD0145"))
    assert made_of(whole, None, "NRB GmbH")["customer"] == "D001:customer:0"


@pytest.mark.parametrize(
    "fields",
    [
        {"customer": "D001:customer:x"},
        {"field_revs": {"customer": 3, "*": 3}},
        {"status": "sold on"},
    ],
)
def test_a_customer_whom_a_person_chose_or_took_away_is_left_so(fields):
    before = machine("353424401", model="5085", telematics_id=LOHRBECK, **fields)
    (found,) = place(one(serial="353424401", equipment_id=LOHRBECK), machines=[before])
    assert changed_machine(before, found, Models(), named(found, "Lohrbeck Süd")) is None
    assert found.notes == []


def test_a_machine_that_never_had_a_customer_comes_onto_him_once_he_is_entered():
    before = machine("353424401", model="5085", telematics_id=LOHRBECK)
    (found,) = place(one(serial="353424401", equipment_id=LOHRBECK), machines=[before])
    after = changed_machine(before, found, Models(), named(found, "Lohrbeck Süd"))
    assert after == {**before, "customer": "D001:customer:0"}
    assert changed_machine(after, found, Models(), named(found, "Lohrbeck Süd")) is None


def test_an_internal_code_is_no_model_unless_the_catalog_has_it():
    (found,) = place(one(serial="1", model="RALA34603"))
    made = made_of(found, Models())
    assert "model" not in made
    assert made["telematics_model"] == "RALA34603"
    assert made_of(found, Models([{"make": "Kramer", "name": "RALA34603"}]))["model"] == "RALA34603"


def test_a_model_is_written_as_the_catalog_writes_it():
    (found,) = place(one(serial="1", model="tb290-2", make="Takeuchi"))
    assert made_of(found, Models([{"make": "TAKEUCHI", "name": "TB 290-2"}]))["model"] == "TB 290-2"
    assert made_of(found, Models())["model"] == "tb290-2"


def test_what_people_entered_is_not_overwritten():
    before = machine("1", model="850", pin="77", customer="D001:customer:x", notes="dear")
    (found,) = place(one(serial="1", model="5075", pin="88", equipment_id="Kramer 9"), machines=[before])
    after = changed_machine(before, found, Models(), Customers())
    assert after == {**before, "telematics_id": "Kramer 9"}
    assert any("PIN differs" in note for note in found.notes)


def test_what_is_empty_is_filled():
    (found,) = place(one(serial="1", model="5075", pin="88"), machines=[machine("1")])
    assert changed_machine(machine("1"), found, Models(), Customers()) == machine("1", model="5075", pin="88")


def test_an_older_position_does_not_move_the_machine():
    place_of = {"position": {"latitude": 1.0, "longitude": 2.0}, "position_at": "2026-11-21T00:00:00Z"}
    before = machine("1", model="5", **place_of)
    (found,) = place(one(serial="1", latitude=51.0, longitude=9.0, position_at=AT), machines=[before])
    assert changed_machine(before, found, Models(), Customers()) is None
    earlier = {**before, "position_at": "2026-11-19T00:00:00Z"}
    assert changed_machine(earlier, found, Models(), Customers())["position"] == {"latitude": 51.0, "longitude": 9.0}


def test_one_reading_a_day_and_the_latest_wins():
    (found,) = place(one(serial="1", hours=10.0, hours_at=AT), machines=[machine("1")])
    made = new_reading(found, None)
    assert made["_id"] == "D001:reading:KRAMER-1:2026-11-20"
    assert (made["at"], made["hours"], made["source"]) == ("2026-11-20T09:10:00Z", 10.0, "telematics")
    assert new_reading(found, made) is None
    assert new_reading(found, {**made, "at": "2026-11-20T10:00:00Z", "hours": 11.0}) is None
    assert new_reading(found, {**made, "at": "2026-11-20T08:00:00Z", "hours": 9.0, "_rev": "1-a"})["_rev"] == "1-a"


def test_a_reading_made_by_hand_at_the_same_time_stays():
    (found,) = place(one(serial="1", hours=10.0, hours_at=AT), machines=[machine("1")])
    assert new_reading(found, {"at": "2026-11-20T09:10:00Z", "hours": 10.4, "source": "manual"}) is None
