"""The customer's page, what is added on it, and the forms that open in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import dealership
import pytest
from visitors import Browser

from app.documents import saving
from app.node import Node
from app.parts.desk import parts_desk

PAGE = f"/customers/{dealership.CUSTOMER}"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def node(dealer_node: Node) -> Node:
    """A dealer with one customer, whose parts desk is ready."""
    dealership.open_dealership(dealer_node)
    parts_desk(dealer_node).needs(90)
    return dealer_node


@pytest.fixture
def sales(node: Node, sign_in: Callable[..., Browser]) -> Browser:
    return sign_in("sales")


def text(browser: Browser, address: str, **options: object) -> str:
    answer = browser.get(address, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_salesperson_sees_who_assists_whom_and_which_flowers_she_likes(sales: Browser) -> None:
    page = text(sales, PAGE)
    assert "Berg Earthworks" in page
    assert 'href="tel:+437321"' in page
    assert "assists Ida Berg" in page
    assert "assisted by Tom Alm" in page
    assert "white tulips" in page
    assert "in 6 days" in page


def test_keepsakes_are_not_shown_to_a_designer(node: Node, sign_in: Callable[..., Browser]) -> None:
    page = text(sign_in("designer"), PAGE)
    assert "Tom Alm" in page
    assert "tulips" not in page


def test_a_parts_manager_sees_hours_and_the_parts_the_machines_will_need(sales: Browser) -> None:
    page = text(sales, PAGE)
    assert "480" in page
    assert "P-OIL" in page
    assert "Engine oil filter" in page
    assert "in 10 days" in page
    assert "B-7" in page


def test_a_shorter_horizon_needs_less(sales: Browser) -> None:
    near = text(sales, f"{PAGE}?days=5&section=parts", headers=HTMX)
    assert "P-OIL" not in near
    assert "<html" not in near
    assert "P-OIL" in text(sales, f"{PAGE}?days=30&section=parts", headers=HTMX)


def test_a_horizon_that_is_no_number_is_the_usual_one(sales: Browser) -> None:
    for days in ("-1", "abc", "99999999999999999999", "٣"):
        assert "Parts needed in the next" in text(sales, f"{PAGE}?days={days}")


def test_an_unknown_customer_is_not_found(sales: Browser) -> None:
    answer = sales.get("/customers/D001:customer:nobody", follow_redirects=True)
    assert answer.status_code == 404
    assert "not on this node" in answer.get_data(as_text=True) or "no such document" in answer.get_data(as_text=True)


def test_activities_go_on_where_the_page_ended(node: Node, sales: Browser) -> None:
    for number in range(25):
        at = f"2026-10-{number + 1:02}T10:00:00Z"
        id = f"D001:activity:{number:02}"
        dealership.add(
            node, "activity", id, customer=dealership.CUSTOMER, kind="call", at=at, subject=f"Call number {number:02}."
        )
    page = text(sales, PAGE)
    assert "Call number 24." in page
    assert "Call number 05." in page
    assert "Call number 04." not in page
    following = page.split('hx-get="')
    address = next(part.split('"')[0] for part in following if "before=" in part.split('"')[0]).replace("&amp;", "&")
    older = text(sales, address, headers=HTMX)
    assert "Call number 04." in older
    assert "Call number 00." in older
    assert "Call number 05." not in older


def test_a_form_opens_in_its_section(sales: Browser) -> None:
    form = text(sales, f"/add/person?on={dealership.CUSTOMER}", headers=HTMX)
    assert 'id="add-people"' in form
    assert "<html" not in form
    assert 'name="customer"' not in form
    whole = text(sales, f"/add/person?on={dealership.CUSTOMER}")
    assert "<html" in whole


def test_a_person_added_in_place_appears_in_the_section(node: Node, sales: Browser) -> None:
    answer = sales.post(f"/add/person?on={dealership.CUSTOMER}", data={"name": "Eva Stern"}, headers=HTMX)
    section = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'id="section-people"' in section
    assert "Eva Stern" in section
    saved = next(
        row.doc for row in node.book.all_docs(include_docs=True) if row.doc and row.doc.get("name") == "Eva Stern"
    )
    assert saved["customer"] == dealership.CUSTOMER
    assert saved["share"] == "manufacturer"


def test_without_javascript_saving_leads_back_to_the_page(sales: Browser) -> None:
    answer = sales.post(f"/add/person?on={dealership.CUSTOMER}", data={"name": "Eva Stern"})
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"{PAGE}#people")
    assert "Eva Stern" in text(sales, PAGE)


def test_what_is_wrong_is_said_in_place_and_nothing_is_saved(node: Node, sales: Browser) -> None:
    before = node.book.info()["doc_count"]
    answer = sales.post(f"/add/person?on={dealership.CUSTOMER}", data={"name": "", "job": "Driver"}, headers=HTMX)
    form = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert answer.headers["HX-Retarget"] == "#add-people"
    assert "Name is missing." in form
    assert 'value="Driver"' in form
    assert node.book.info()["doc_count"] == before


def test_a_keepsake_added_in_place_stays_in_the_dealership(node: Node, sales: Browser) -> None:
    address = f"/add/keepsake?on={dealership.CUSTOMER}&person={dealership.OWNER}"
    answer = sales.post(address, data={"birthday.day": "14", "birthday.month": "3", "flowers": "peonies"}, headers=HTMX)
    assert answer.status_code == 200
    assert "peonies" in answer.get_data(as_text=True)
    rows = node.book.all_docs(startkey="D001:keepsake:", endkey="D001:keepsake;", include_docs=True)
    saved = next(row.doc for row in rows if row.doc and row.doc["flowers"] == "peonies")
    assert (saved["share"], saved["person"], saved["birthday"]) == ("dealer", dealership.OWNER, "03-14")


def test_a_new_machine_brings_the_parts_it_will_need(node: Node, sales: Browser) -> None:
    data = {"make": "Acme", "model": "320", "serial": "320777", "delivered_on": dealership.day(node, -190)}
    answer = sales.post(f"/add/machine?on={dealership.CUSTOMER}", data=data, headers=HTMX)
    sections = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "320777" in sections
    assert '<div id="section-parts" class="section" hx-swap-oob="true">' in sections
    assert f"{PAGE}" in sections
    assert node.book.get("D001:machine:ACME-320777") is not None


def test_a_machine_that_is_in_the_book_is_not_added_twice(sales: Browser) -> None:
    data = {"make": "Acme", "model": "320", "serial": "320 001"}
    answer = sales.post(f"/add/machine?on={dealership.CUSTOMER}", data=data, headers=HTMX)
    assert answer.status_code == 422
    assert f"/machines/{dealership.EXCAVATOR}" in answer.get_data(as_text=True)


def test_new_hours_move_the_next_service(node: Node, sales: Browser) -> None:
    address = f"/add/reading?on={dealership.CUSTOMER}&machine={dealership.LOADER}"
    answer = sales.post(address, data={"at": f"{dealership.day(node, 0)}T09:00", "hours": "1234"}, headers=HTMX)
    assert answer.status_code == 200
    assert "1,234" in answer.get_data(as_text=True)


def test_the_next_activity_ends_the_follow_up_it_answers(node: Node, sales: Browser) -> None:
    dealership.add(
        node,
        "activity",
        "D001:activity:open",
        customer=dealership.CUSTOMER,
        kind="visit",
        at="2026-11-01T10:00:00Z",
        subject="Offer",
        follow_up="2026-11-10",
    )
    address = f"/add/activity?on={dealership.CUSTOMER}&closes=D001:activity:open&next=/"
    data = {"kind": "call", "at": "2026-11-12T10:00", "subject": "Asked about the offer"}
    answer = sales.post(address, data=data)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    closed = node.book.get("D001:activity:open")
    assert closed is not None
    assert closed["follow_up_done"] is True


def test_an_address_given_as_next_leads_nowhere_else(sales: Browser) -> None:
    address = f"/add/person?on={dealership.CUSTOMER}&next=https://elsewhere.example/"
    answer = sales.post(address, data={"name": "Eva Stern"})
    assert answer.headers["Location"].startswith(("/customers/", "http://localhost/customers/"))


def test_a_designer_adds_nothing(node: Node, sign_in: Callable[..., Browser]) -> None:
    browser = sign_in("designer")
    assert browser.get(f"/add/person?on={dealership.CUSTOMER}").status_code == 403
    assert "/add/person" not in text(browser, PAGE)


def test_nothing_is_added_on_a_page_that_is_not_there(sales: Browser) -> None:
    assert sales.get("/add/person?on=D001:customer:nobody").status_code == 404
    assert sales.get(f"/add/person?on={dealership.OWNER}").status_code == 404
    assert sales.get(f"/add/nonsense?on={dealership.CUSTOMER}").status_code == 404


def test_a_disputed_field_is_marked_on_the_page(node: Node, sales: Browser) -> None:
    customer = node.book.get(dealership.CUSTOMER)
    assert customer is not None
    dispute = {"id": "d1", "field": "city", "value": "Graz", "by": "anna", "at": "2026-11-20T10:00:00Z"}
    node.book.put({**customer, "disputes": [dispute]})
    assert "to decide" in text(sales, PAGE)
    page = text(sales, "/replication/disputes")
    assert "Graz" in page
    assert "Linz" in page
    assert "/documents/D001:customer:berg/disputes/d1" in page.replace("%3A", ":")


def test_two_forms_open_at_once_share_no_id_and_every_label_has_its_field(sales: Browser) -> None:
    headers = {"HX-Request": "true"}
    seen: set[str] = set()
    for kind in ("person", "machine", "activity", "opportunity", "task"):
        form = sales.get(f"/add/{kind}?on={dealership.CUSTOMER}", headers=headers).get_data(as_text=True)
        ids = re.findall(r' id="([^"]+)"', form)
        assert len(ids) == len(set(ids)), kind
        assert seen.isdisjoint(ids), kind
        assert set(re.findall(r' for="([^"]+)"', form)) <= set(ids), kind
        seen.update(ids)


def test_what_is_wrong_in_a_row_leads_to_its_field(sales: Browser) -> None:
    typed = {"name": "Eva", "phones": "", "phones.new1.number": "no number"}
    answer = sales.post(f"/add/person?on={dealership.CUSTOMER}", data=typed, headers={"HX-Request": "true"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert '<a href="#field-people-phones.new1.number">' in page
    assert 'id="field-people-phones.new1.number"' in page
    assert 'aria-describedby="field-people-phones.new1.number-error"' in page


def test_before_a_customer_is_deleted_the_page_says_what_hangs_on_it(node: Node, sales: Browser) -> None:
    page = sales.get(f"/documents/{dealership.CUSTOMER}/delete").get_data(as_text=True)
    for words in ("1 keepsake", "2 machines", "2 people"):
        assert words in page.replace("\u00a0", " ")
    document = node.book.get(dealership.CUSTOMER)
    assert document is not None
    sales.post(f"/documents/{dealership.CUSTOMER}/delete", data={"revision": document["_rev"]})
    assert "deleted this" in sales.get(f"/customers/{dealership.CUSTOMER}", follow_redirects=True).get_data(
        as_text=True
    )
    assert sales.get(f"/documents/{dealership.OWNER}").status_code == 200
    sales.post(f"/documents/{dealership.CUSTOMER}/undelete")
    assert "Ida Berg" in sales.get(f"/customers/{dealership.CUSTOMER}").get_data(as_text=True)


def test_a_person_is_edited_in_place_and_a_stale_save_is_told(node: Node, sales: Browser) -> None:
    address = f"/edit-in-place/{dealership.ASSISTANT}?on={dealership.CUSTOMER}"
    htmx = {"HX-Request": "true"}
    form = sales.get(address, headers=htmx).get_data(as_text=True)
    assert 'id="field-people-name"' in form
    found = re.search(r'name="base" value="([^"]+)"', form)
    assert found
    base = unescape(found.group(1))
    shown = node.book.get(dealership.ASSISTANT)
    assert shown is not None
    saving.save(node.book, {**shown, "job": "Buyer"}, by="ben")
    wrong = sales.post(address, data={"base": base, "name": "", "job": "Office"}, headers=htmx)
    assert (wrong.status_code, wrong.headers["HX-Retarget"]) == (422, "#add-people")
    answer = sales.post(address, data={"base": base, "name": "Tom Alm-Berg", "job": "Office"}, headers=htmx)
    sections = answer.get_data(as_text=True)
    assert 'id="section-people"' in sections
    assert "ben saved this meanwhile" in sections
    saved = node.book.get(dealership.ASSISTANT)
    assert saved is not None
    assert (saved["name"], saved["job"], saved["assists"]) == ("Tom Alm-Berg", "Buyer", dealership.OWNER)


def test_editing_in_place_is_a_page_of_its_own_without_javascript(sales: Browser) -> None:
    answer = sales.get(f"/edit-in-place/{dealership.ASSISTANT}?on={dealership.CUSTOMER}")
    assert answer.headers["Location"].startswith(f"/documents/{dealership.ASSISTANT}/edit?next=")
    missing = sales.get("/edit-in-place/D001:person:nobody?on=x", headers={"HX-Request": "true"})
    assert missing.status_code == 404


def test_a_keepsake_is_called_by_its_person_and_never_by_a_key(node: Node, sales: Browser) -> None:
    person = "D001:person:01984906-a7d1-7321-ae88-c0b813ab2bc1"
    dealership.add(node, "person", person, customer=dealership.CUSTOMER, name="Eva Lang")
    address = f"/add/keepsake?on={dealership.CUSTOMER}&person={person}"
    answer = sales.post(address, data={"flowers": "asters"}, follow_redirects=True).get_data(as_text=True)
    assert "Keepsake “Eva Lang” was added." in answer
    (keepsake,) = list(node.book.all_docs(startkey="D001:keepsake:0", endkey="D001:keepsake:1"))
    page = sales.get(f"/documents/{keepsake.id}").get_data(as_text=True)
    assert re.search(r"<h1>\s*Eva Lang\s*</h1>", page)
    changed = node.book.get(str(keepsake.id))
    assert changed is not None
    saving.save(node.book, {**changed, "flowers": "roses"}, by="anna")
    assert "7321-ae88" not in re.sub(r'href="[^"]*"', "", sales.get("/lists/changes").get_data(as_text=True))
