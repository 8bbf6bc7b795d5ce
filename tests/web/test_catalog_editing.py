"""Editing the catalog at head office: plans row by row, parts by typing their numbers, bulletins for serial numbers."""

from __future__ import annotations

import html
import re

import pytest
from head_office import catalog
from visitors import add_user, signed_in

from app.documents import saving

MODEL = "model:ACME-LT1"
ADDRESS = f"/documents/{MODEL}/edit"


@pytest.fixture
def node(manufacturer_node):
    """Head office with a model of two plan lines, two parts and a bulletin."""
    saving.save_many(manufacturer_node.catalog, catalog(), "test")
    return manufacturer_node


@pytest.fixture
def browser(node, manufacturer_client):
    """Product support's browser."""
    return manufacturer_client


def typed_in(page):
    """What a form's page holds, as a browser sends it back: every field with its name and value."""
    found = {}
    for element in re.findall(r"<input[^>]*>", re.sub(r"(?s)<template>.*?</template>", "", page.text)):
        name = re.search(r' name="([^"]*)"', element)
        value = re.search(r' value="([^"]*)"', element)
        if name and ('type="checkbox"' not in element or " checked" in element):
            found[html.unescape(name.group(1))] = html.unescape(value.group(1)) if value else ""
    return found


def words_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def plan_of(node):
    return node.catalog.get(MODEL)["plan"]


def fixed(typed):
    """The form with the line that has no interval given one: it would not be saved otherwise."""
    return {**typed, "plan.b.title": "Top up", "plan.b.every_hours": "50"}


def test_a_line_is_added_changed_and_taken_out(node, browser):
    typed = fixed(typed_in(browser.get(ADDRESS)))
    typed |= {"plan.a.quantity": "2.5", "plan.newx.title": "Grease", "plan.newx.every_months": "6"}
    assert browser.post(ADDRESS, data=typed).status_code == 303
    first, second, third = plan_of(node)
    assert (first["id"], first["quantity"], first["part"]) == ("a", 2.5, "part:OIL-0")
    assert (second["id"], second["every_hours"]) == ("b", 50)
    assert (third["title"], third["every_months"]) == ("Grease", 6)
    assert not third["id"].startswith("new")
    typed = {name: value for name, value in typed_in(browser.get(ADDRESS)).items() if not name.startswith("plan.a.")}
    assert browser.post(ADDRESS, data=typed).status_code == 303
    assert [line["title"] for line in plan_of(node)] == ["Top up", "Grease"]


def test_lines_keep_the_order_they_are_sent_in(node, browser):
    typed = fixed(typed_in(browser.get(ADDRESS)))
    moved = {name: value for name, value in typed.items() if not name.startswith("plan.a.")}
    moved |= {name: value for name, value in typed.items() if name.startswith("plan.a.")}
    assert browser.post(ADDRESS, data=moved).status_code == 303
    assert [line["id"] for line in plan_of(node)] == ["b", "a"]


def test_a_line_is_moved_without_javascript_and_without_saving(node, browser):
    before, typed = plan_of(node), typed_in(browser.get(ADDRESS))
    for move, order in (("plan.b.up", ["b", "a"]), ("plan.a.down", ["b", "a"]), ("plan.a.up", ["a", "b"])):
        page = browser.post(ADDRESS, data={**typed, "move_row": move})
        assert page.status_code == 200
        keys = [name.split(".")[1] for name in typed_in(page) if name.startswith("plan.") and name.endswith(".title")]
        assert keys == order
    assert plan_of(node) == before


def test_a_part_number_that_was_only_typed_is_found(node, browser):
    typed = fixed(typed_in(browser.get(ADDRESS))) | {
        "plan.newx.title": "More oil",
        "plan.newx.part": "",
        "plan.newx.part:typed": " oil-1 ",
        "plan.newx.every_hours": "250",
    }
    assert browser.post(ADDRESS, data=typed).status_code == 303
    assert plan_of(node)[2]["part"] == "part:OIL-1"


def test_an_unknown_part_number_is_told_beside_its_line_and_stays_typed(node, browser):
    before = node.catalog.get(MODEL)
    typed = fixed(typed_in(browser.get(ADDRESS))) | {
        "plan.newx.title": "Belt",
        "plan.newx.part": "",
        "plan.newx.part:typed": "NO-SUCH-7",
        "plan.newx.every_hours": "250",
    }
    answer = browser.post(ADDRESS, data=typed)
    assert answer.status_code == 422
    assert "There is none called “NO-SUCH-7”" in words_of(answer)
    shown = typed_in(answer)
    assert (shown["plan.newx.part:typed"], shown["plan.newx.part"]) == ("NO-SUCH-7", "")
    assert shown["plan.newx.title"] == "Belt"
    assert 'id="field-plan.newx.part-error"' in answer.text
    assert node.catalog.get(MODEL) == before
    # Corrected by typing alone, with nothing chosen from the list.
    assert browser.post(ADDRESS, data={**shown, "plan.newx.part:typed": "OIL-0"}).status_code == 303
    assert plan_of(node)[2]["part"] == "part:OIL-0"


def test_what_was_typed_into_a_line_outlives_adding_another(browser):
    typed = {**typed_in(browser.get(ADDRESS)), "plan.newx.part": "", "plan.newx.part:typed": "NO-SUCH-7"}
    page = browser.post(ADDRESS, data={**typed, "plan.newx.title": "Belt", "add_row": "plan"})
    assert page.status_code == 200
    assert typed_in(page)["plan.newx.part:typed"] == "NO-SUCH-7"


def test_a_part_that_was_deleted_meanwhile_is_not_put_into_a_plan(node, browser):
    typed = fixed(typed_in(browser.get(ADDRESS))) | {
        "plan.newx.title": "Belt",
        "plan.newx.part": "part:GONE",
        "plan.newx.every_hours": "250",
    }
    answer = browser.post(ADDRESS, data=typed)
    assert answer.status_code == 422
    assert "Part names a part that is not there (any more)" in words_of(answer)
    assert 'id="field-plan.newx.part-error"' in answer.text


def test_a_part_that_a_plan_named_before_it_was_deleted_stops_nobody(node, browser):
    saving.delete(node.catalog, node.catalog.get("part:OIL-0"), by="test")
    typed = fixed(typed_in(browser.get(ADDRESS)))
    assert browser.post(ADDRESS, data={**typed, "kind": "wheel loader"}).status_code == 303
    assert plan_of(node)[0]["part"] == "part:OIL-0"


def test_a_line_that_would_never_be_due_is_told_so_beside_it(node, browser):
    before = plan_of(node)
    typed = {**fixed(typed_in(browser.get(ADDRESS))), "plan.newx.title": "Look at it", "plan.newx.once": "yes"}
    answer = browser.post(ADDRESS, data=typed)
    assert answer.status_code == 422
    assert "Never due: give hours or months." in words_of(answer)
    assert 'id="field-plan.newx.every_hours-error"' in answer.text
    assert 'href="#field-plan.newx.every_hours"' in answer.text
    assert plan_of(node) == before


def test_a_stale_plan_is_merged_line_by_line(node, browser):
    typed = fixed(typed_in(browser.get(ADDRESS)))
    shown = node.catalog.get(MODEL)
    rows = [{**shown["plan"][0], "every_hours": 125}, *shown["plan"][1:]]
    saving.save(node.catalog, {**shown, "plan": rows}, by="tom", base=shown)
    typed |= {"plan.newx.title": "Grease", "plan.newx.every_hours": "10"}
    answer = browser.post(ADDRESS, data=typed, follow_redirects=True)
    assert "tom saved this meanwhile" in words_of(answer)
    assert [(line["title"], line["every_hours"]) for line in plan_of(node)] == [
        ("Oil change", 125),
        ("Top up", 50),
        ("Grease", 10),
    ]
    assert "disputes" not in node.catalog.get(MODEL)


def test_a_stale_line_keeps_what_both_typed_and_the_models_page_says_so(node, browser):
    typed = {**fixed(typed_in(browser.get(ADDRESS))), "plan.a.every_hours": "75"}
    shown = node.catalog.get(MODEL)
    rows = [{**shown["plan"][0], "every_hours": 125}, *shown["plan"][1:]]
    saving.save(node.catalog, {**shown, "plan": rows}, by="tom", base=shown)
    assert browser.post(ADDRESS, data=typed).status_code == 303
    saved = node.catalog.get(MODEL)
    assert saved["plan"][0]["every_hours"] == 125
    (dispute,) = saved["disputes"]
    assert dispute["value"]["every_hours"] == 75
    assert "1 field to decide" in words_of(browser.get(f"/catalog/models/{MODEL}"))


def test_a_bulletin_for_no_serial_number_is_not_published(node, browser):
    typed = {"code": "B-9", "title": "Hose", "make": "Acme", "serial_from": "ACME-200"}
    for last, sentence in (("ACME-100", "ACME-100 comes before ACME-200"), ("BX-900", "begin differently")):
        answer = browser.post("/documents/new/bulletin", data={**typed, "serial_to": last})
        assert answer.status_code == 422
        assert sentence in words_of(answer)
    assert node.catalog.get("bulletin:B-9") is None
    assert browser.post("/documents/new/bulletin", data={**typed, "serial_to": ""}).status_code == 303


def test_parts_do_not_replace_one_another_for_ever(node, browser):
    address = "/documents/part:OIL-1/edit"
    typed = typed_in(browser.get(address))
    itself = browser.post(address, data={**typed, "replaced_by": "part:OIL-1"})
    assert "A part cannot be replaced by itself." in words_of(itself)
    circle = browser.post(address, data={**typed, "replaced_by": "part:OIL-0"})
    assert (itself.status_code, circle.status_code) == (422, 422)
    assert "OIL-0 is replaced by OIL-1: the parts would replace one another for ever." in words_of(circle)
    assert "replaced_by" not in node.catalog.get("part:OIL-1")


def test_a_number_that_the_catalog_has_is_not_added_a_second_time(browser):
    answer = browser.post("/documents/new/part", data={"number": "oil-1", "name": "Another oil"})
    assert answer.status_code == 422
    assert "in the catalog already" in words_of(answer)


def test_the_catalog_is_edited_by_those_who_publish_it(node, manufacturer_app):
    for role, status in (("parts", 200), ("designer", 200), ("admin", 200), ("analyst", 403)):
        add_user(node, f"a-{role}", [role])
        browser = signed_in(manufacturer_app, f"a-{role}")
        assert browser.get(ADDRESS).status_code == status, role
        assert browser.get("/documents/new/part").status_code == status, role
        assert (ADDRESS in browser.get(f"/catalog/models/{MODEL}").text) == (status == 200), role
    # The last of them, the analyst, does not publish, whatever is sent.
    assert browser.post(ADDRESS, data={"base": "{}", "name": "x"}).status_code == 403
    assert browser.post("/documents/new/part", data={"number": "X", "name": "x"}).status_code == 403
    assert node.catalog.get("part:X") is None
