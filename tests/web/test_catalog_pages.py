"""The catalog's pages: a model with its plan, a part and where it is used, a bulletin's progress; deleting; dealers."""

from __future__ import annotations

import html
import re

import pytest
from head_office import BULLETIN, MODEL, OIL, catalog, document, fill, number_behind, open_market, rows_of, text_of
from visitors import add_user, signed_in

from app.documents import saving

OLD_OIL = "part:OIL-0"


@pytest.fixture(scope="module")
def market(store_server, tmp_path_factory):
    """A small market that nothing here changes."""
    with open_market(store_server, tmp_path_factory.mktemp("market")) as app:
        yield app


@pytest.fixture
def looking(market):
    """An analyst's browser, on a market that stays as it is."""
    return signed_in(market, "analyst")


@pytest.fixture
def node(manufacturer_node):
    """Head office of a test's own, with a catalog."""
    saving.save_many(manufacturer_node.catalog, catalog(), "test")
    return manufacturer_node


@pytest.fixture
def browser(node, manufacturer_client):
    """Product support's browser."""
    return manufacturer_client


def words_of(text):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split()).replace("\xa0", " ")


def page(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status}"
    return words_of(answer.text)


def test_a_model_shows_its_plan_with_parts_and_prices(looking):
    words = page(looking, f"/catalog/models/{MODEL}")
    # The plan names OIL-0; OIL-1 is sold instead, at 12.50 a litre, and two litres are needed.
    assert "Oil change Every 100 h OIL-0 Old oil now OIL-1 2 litres 25.00 EUR" in words
    assert "250 EUR parts for 1,000 hours list prices, at 5.0 h a day" in words


def test_a_line_that_is_never_due_is_not_hidden(looking):
    words = page(looking, f"/catalog/models/{MODEL}")
    assert "Without an interval Never due OIL-1" in words
    assert "1 line of the plan says neither hours nor months and so is never due." in words


def test_a_models_machines_and_demand_open_into_rows(looking):
    text = text_of(looking, f"/catalog/models/{MODEL}")
    for dealer, count in (("D001", 2), ("D002", 1)):
        address = f"/market/machines?dealer={dealer}&make=Acme&model=LT+1"
        assert number_behind(text, address) == [str(count)]
        assert rows_of(looking, address) == count
    months = re.findall(r'href="(/market/demand/machines\?[^"]*month=[^"]+)"', text)
    assert months
    for address in months:
        assert rows_of(looking, address) > 0, address


def test_a_model_leads_to_its_bulletins(looking):
    text = text_of(looking, f"/catalog/models/{MODEL}")
    assert f'href="/catalog/bulletins/{BULLETIN}"' in text
    assert "Check the hose" in text
    (count,) = re.findall(r'href="/market/bulletin-machines\?bulletin=bulletin:B-1&state=open[^"]*">(\d+) open', text)
    assert rows_of(looking, "/market/bulletin-machines?bulletin=bulletin:B-1&state=open") == int(count)


def test_a_part_says_where_it_is_used_and_what_replaced_it(looking):
    old = page(looking, f"/catalog/parts/{OLD_OIL}")
    assert "This part is replaced by OIL-1." in old
    assert "Acme LT 1 Oil change Every 100 h 2" in old
    assert "What is needed counts for the part sold instead." in old
    new = page(looking, f"/catalog/parts/{OIL}")
    assert "Acme LT 1 Without an interval Never due" in new
    assert "Replaces 1 OIL-0 Old oil" in new


def test_a_parts_demand_opens_into_the_machines_behind_it(looking):
    text = text_of(looking, f"/catalog/parts/{OIL}")
    months = re.findall(r'href="(/market/demand/machines\?part=part:OIL-1&month=[^"]*)"', text)
    assert months
    assert "ACME-1" in text_of(looking, months[0])


def test_a_bulletins_progress_opens_into_rows_by_dealer(looking):
    text = text_of(looking, f"/catalog/bulletins/{BULLETIN}")
    assert "50 %" in text
    for dealer, state, count in (("D001", "open", 1), ("D002", "done", 1), ("D001", "done", 0), ("D002", "", 1)):
        found = re.findall(r'href="(/market/bulletin-machines\?[^"]*)">(\d+)</a>', text)
        (shown,) = [
            (address, int(number))
            for address, number in found
            if f"dealer={dealer}" in address and (f"state={state}" in address if state else "state=" not in address)
        ]
        assert shown[1] == count
        assert rows_of(looking, shown[0]) == count


def test_a_bulletin_for_a_model_that_there_is_not_is_pointed_out(node, browser):
    bulletin = document("bulletin:B-2", code="B-2", title="Typing error", make="Acme", models=["LT 1", "TL 1"])
    saving.save(node.catalog, bulletin, by="test")
    words = page(browser, "/catalog/bulletins/bulletin:B-2")
    assert "The catalog has no model TL 1 of the make Acme." in words


def test_what_somebody_typed_is_never_read_as_a_part_of_a_catalog_page(node, browser):
    hostile = "<script>alert(1)</script> & \"quotes\" 'too'"
    plan = [{"id": "a", "title": hostile, "part": "part:X-1", "every_hours": 100, "option": hostile}]
    saving.save_many(
        node.catalog,
        [
            document("model:X-M", make="X", name=hostile, kind=hostile, plan=plan),
            document("part:X-1", number=hostile, name=hostile, unit=hostile, price=1.0, replaced_by="part:X-2"),
            document("part:X-2", number=hostile, name=hostile),
            document("bulletin:X-B", code=hostile, title=hostile, make="X", instructions=hostile, models=[hostile],
                     serial_from=hostile, parts=[{"id": "p", "part": "part:X-1"}]),
        ],
        "test",
    )  # fmt: skip
    for address in (
        "/catalog/models/model:X-M",
        "/catalog/parts/part:X-1",
        "/catalog/parts/part:X-2",
        "/catalog/bulletins/bulletin:X-B",
        "/documents/model:X-M/edit",
        "/documents/part:X-1/delete",
        "/documents/model:X-M/delete",
    ):
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert "<script>alert" not in answer.text, address
        assert "&lt;script&gt;alert(1)" in answer.text, address


def test_a_part_that_plans_name_is_not_deleted(node, browser):
    address = f"/documents/{OLD_OIL}/delete"
    words = page(browser, address)
    assert "1 line of 1 service plan names this part, so it cannot be deleted" in words
    assert "Acme LT 1" in words
    answer = browser.post(address, data={"revision": node.catalog.get(OLD_OIL)["_rev"]})
    assert answer.status_code == 422
    assert node.catalog.get(OLD_OIL) is not None


def test_a_part_that_another_is_replaced_by_or_a_bulletin_takes_is_not_deleted(node, browser):
    parts = [{"id": "p", "part": OIL, "quantity": 1}]
    bulletin = {**node.catalog.get(BULLETIN), "parts": parts}
    saving.save(node.catalog, bulletin, by="test")
    words = page(browser, f"/documents/{OIL}/delete")
    assert "1 line of 1 service plan and 1 bulletin and 1 part that it replaces name this part" in words


def test_a_part_that_nothing_names_is_deleted_and_comes_back(node, browser):
    saving.save(node.catalog, document("part:LOOSE", number="LOOSE", name="Loose"), by="test")
    address = "/documents/part:LOOSE"
    assert (
        browser.post(f"{address}/delete", data={"revision": node.catalog.get("part:LOOSE")["_rev"]}).status_code == 303
    )
    gone = browser.get("/catalog/parts/part:LOOSE", follow_redirects=True)
    assert gone.status_code == 410
    assert "parts deleted this on" in words_of(gone.text)
    assert "Bring it back" in gone.text
    assert browser.post(f"{address}/undelete").status_code == 303
    assert node.catalog.get("part:LOOSE")["name"] == "Loose"


def test_deleting_a_model_says_how_many_machines_lose_their_plan(node, browser):
    fill(node)
    words = page(browser, f"/documents/{MODEL}/delete")
    assert "3 machines of 2 dealers are of this model. They stay, but without a service plan" in words
    plan = node.catalog.get(MODEL)["plan"]
    browser.post(f"/documents/{MODEL}/delete", data={"revision": node.catalog.get(MODEL)["_rev"]})
    assert node.catalog.get(MODEL) is None
    assert browser.post(f"/documents/{MODEL}/undelete").status_code == 303
    assert node.catalog.get(MODEL)["plan"] == plan


def test_deleting_a_bulletin_says_where_it_is_still_to_be_done(market):
    words = page(signed_in(market, "parts"), f"/documents/{BULLETIN}/delete")
    assert "It is still to be done on 1 machine of 1 dealer" in words
    assert "It was done on 1 machine; the services that say so stay." in words


def test_what_others_find_a_document_by_does_not_change(node, browser):
    for document_id, field, value in ((MODEL, "name", "LT 2"), (OIL, "number", "OIL-9"), (BULLETIN, "code", "B-9")):
        before = node.catalog.get(document_id)
        shown = {"make": "Acme", "name": "x", "number": "OIL-1", "code": "B-1", "title": "x"}
        base = f'{{"_id": "{document_id}", "_rev": "{before["_rev"]}"}}'
        answer = browser.post(f"/documents/{document_id}/edit", data={**shown, "base": base, field: value})
        assert answer.status_code == 422
        assert f'id="field-{field}-error"' in answer.text
        assert node.catalog.get(document_id) == before


CATALOG_PAGES = [f"/catalog/models/{MODEL}", f"/catalog/parts/{OIL}", f"/catalog/bulletins/{BULLETIN}"]


def test_at_a_dealer_the_catalog_says_who_publishes_it_and_nobody_changes_it(dealer_node, sign_in):
    saving.save_many(dealer_node.catalog, catalog(), "test")
    for role in ("sales", "parts", "admin", "designer"):
        browser = sign_in(role)
        for address in CATALOG_PAGES:
            answer = browser.get(address)
            assert answer.status_code == 200, (role, address)
            assert "Published by the manufacturer" in words_of(answer.text)
            for forbidden in ("/edit", "/delete", "/market/"):
                assert forbidden not in answer.text, (role, address, forbidden)
        for document_id in (MODEL, OIL, BULLETIN):
            before = dealer_node.catalog.get(document_id)
            for address, typed in (
                (f"/documents/{document_id}/edit", {"base": "{}", "name": "x"}),
                (f"/documents/{document_id}/delete", {"revision": before["_rev"]}),
                (f"/documents/{document_id}/undelete", {}),
            ):
                answer = browser.post(address, data=typed)
                assert answer.status_code == 403, (role, address)
            assert dealer_node.catalog.get(document_id) == before
        assert browser.post("/documents/new/part", data={"number": "N", "name": "n"}).status_code == 403
    assert "The manufacturer publishes models" in words_of(sign_in("parts").get(f"/documents/{OIL}/edit").text)


def test_a_dealers_model_has_plan_and_bulletins_but_no_figures_of_others(dealer_node, client):
    saving.save_many(dealer_node.catalog, catalog(), "test")
    words = page(client, CATALOG_PAGES[0])
    assert "Oil change Every 100 h" in words
    assert "B-1 Check the hose" in words
    assert "machines in the field" not in words
    assert "Machines of this model" in words


def test_a_document_of_another_kind_has_no_catalog_page(browser):
    assert browser.get(f"/catalog/models/{OIL}").headers["Location"] == f"/documents/{OIL}"
    assert browser.get("/catalog/parts/part:NOBODY", follow_redirects=True).status_code == 404


def test_nobody_reads_the_catalog_signed_out(manufacturer_app):
    for address in CATALOG_PAGES:
        assert manufacturer_app.test_client().get(address).status_code == 302


def test_an_analyst_reads_the_catalog_and_is_offered_no_change(node, manufacturer_app):
    add_user(node, "ann", ["analyst"])
    browser = signed_in(manufacturer_app, "ann")
    for address in CATALOG_PAGES:
        text = browser.get(address).text
        assert "/edit" not in text
        assert "/delete" not in text
