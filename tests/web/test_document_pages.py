"""Any document by its form."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from visitors import Browser, add_user, signed_in
from werkzeug.test import TestResponse

from app.documents import saving
from app.node import Node

CUSTOMER = "D001:customer:c1"


def text_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split()).replace("\xa0", " ")


def field_of(answer: TestResponse, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}"[^>]*? value="([^"]*)"', answer.get_data(as_text=True))
    assert found, f"the page has no field {name}"
    return html.unescape(found.group(1))


def make(node: Node, type: str, key: str, by: str = "anna", **fields: Any) -> dict[str, Any]:
    document = {"_id": f"D001:{type}:{key}", "type": type, "dealer": "D001", "share": "manufacturer", **fields}
    return saving.save(node.book, document, by=by).document


@pytest.fixture
def customer(dealer_node: Node) -> dict[str, Any]:
    return make(dealer_node, "customer", "c1", name="Harrow & Sons", status="active", phone="+44 1353 1", city="Ely")


def documents_of(node: Node, type: str) -> list[dict[str, Any]]:
    rows = node.book.all_docs(startkey=f"D001:{type}:", endkey=f"D001:{type};", include_docs=True)
    return [row.doc for row in rows if row.doc]


def changes_of(node: Node, document_id: str) -> list[dict[str, Any]]:
    rows = node.book.view("history", "by_document", startkey=[document_id], endkey=[document_id, {}], include_docs=True)
    return [row.doc for row in rows if row.doc]


@pytest.mark.usefixtures("customer")
def test_a_document_is_shown_by_its_form(client: Browser) -> None:
    answer = client.get(f"/documents/{CUSTOMER}")
    assert answer.status_code == 200
    text = text_of(answer)
    for words in ("Harrow & Sons", "Town Ely", "Status Active", "Telephone +44 1353 1", "anna"):
        assert words in text


def test_a_year_is_not_a_number_of_thousands(client: Browser, dealer_node: Node) -> None:
    make(dealer_node, "machine", "ACME-1", make="Acme", serial="1", year=2020)
    make(dealer_node, "keepsake", "k1", person="D001:person:p1", customer=CUSTOMER, birth_year=1971)
    assert "Year built 2020" in text_of(client.get("/documents/D001:machine:ACME-1"))
    assert "Year of birth 1971" in text_of(client.get("/documents/D001:keepsake:k1"))
    assert field_of(client.get("/documents/D001:keepsake:k1/edit"), "birth_year") == "1971"


@pytest.mark.usefixtures("customer")
def test_what_somebody_typed_is_never_read_as_a_part_of_the_page(client: Browser, dealer_node: Node) -> None:
    make(dealer_node, "person", "p1", customer=CUSTOMER, name="<script>alert(1)</script>", notes="<b>x</b>")
    page = client.get("/documents/D001:person:p1").get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<b>x" not in page


def test_a_reference_shows_what_it_is_called_and_leads_there(
    client: Browser, dealer_node: Node, customer: dict[str, Any]
) -> None:
    make(dealer_node, "person", "p1", customer=customer["_id"], name="Ada Byrne")
    page = client.get("/documents/D001:person:p1").get_data(as_text=True)
    assert re.search(r'<a href="/[a-z]+/D001:customer:c1">Harrow &amp; Sons</a>', page)


@pytest.mark.usefixtures("customer")
def test_an_edit_changes_what_was_typed_and_says_who_did_it(client: Browser, dealer_node: Node) -> None:
    page = client.get(f"/documents/{CUSTOMER}/edit")
    typed = {"base": field_of(page, "base"), "name": "Harrow & Daughters", "phone": "+44 1353 2", "city": ""}
    answer = client.post(f"/documents/{CUSTOMER}/edit", data=typed)
    assert answer.status_code == 303
    saved = dealer_node.book.get(CUSTOMER)
    assert saved
    assert (saved["name"], saved["phone"], saved["status"]) == ("Harrow & Daughters", "+44 1353 2", "active")
    assert "city" not in saved
    assert saved["updated_by"] == "principal"
    (change,) = changes_of(dealer_node, CUSTOMER)
    assert {row["field"] for row in change["changes"]} == {"name", "phone", "city"}
    assert "principal" in text_of(client.get(f"/documents/{CUSTOMER}"))


@pytest.mark.usefixtures("customer")
def test_a_value_of_the_wrong_kind_is_kept_on_the_page_and_nothing_is_saved(client: Browser, dealer_node: Node) -> None:
    before = dealer_node.book.get(CUSTOMER)
    page = client.get(f"/documents/{CUSTOMER}/edit")
    typed = {"base": field_of(page, "base"), "name": "", "email": "not an address", "notes": "long talk"}
    answer = client.post(f"/documents/{CUSTOMER}/edit", data=typed)
    assert answer.status_code == 422
    assert field_of(answer, "email") == "not an address"
    assert field_of(answer, "base") == typed["base"]
    text = text_of(answer)
    assert "2 fields need your attention" in text
    assert "Name is missing." in text
    assert "E-mail cannot be “not an address”" in text
    assert "long talk" in text
    assert dealer_node.book.get(CUSTOMER) == before


def test_a_stale_save_keeps_what_both_typed(client: Browser, dealer_node: Node, customer: dict[str, Any]) -> None:
    page = client.get(f"/documents/{CUSTOMER}/edit")
    saving.save(dealer_node.book, {**customer, "city": "March"}, by="tom", base=customer)
    typed = {"base": field_of(page, "base"), "name": "Harrow & Sons", "phone": "+44 1353 2", "city": "Ely"}
    answer = client.post(f"/documents/{CUSTOMER}/edit", data=typed, follow_redirects=True)
    saved = dealer_node.book.get(CUSTOMER)
    assert saved
    assert (saved["phone"], saved["city"]) == ("+44 1353 2", "March")
    assert not saved.get("disputes")
    assert "tom saved this meanwhile" in text_of(answer)


def test_a_stale_save_of_the_same_field_is_a_dispute_that_one_click_settles(
    client: Browser, dealer_node: Node, customer: dict[str, Any]
) -> None:
    page = client.get(f"/documents/{CUSTOMER}/edit")
    saving.save(dealer_node.book, {**customer, "phone": "+44 1353 9"}, by="tom", base=customer)
    typed = {"base": field_of(page, "base"), "name": "Harrow & Sons", "phone": "+44 1353 2", "city": "Ely"}
    answer = client.post(f"/documents/{CUSTOMER}/edit", data=typed, follow_redirects=True)
    assert "tom changed Telephone meanwhile too" in text_of(answer)
    shown = client.get(f"/documents/{CUSTOMER}")
    text = text_of(shown)
    assert "Two people changed Telephone" in text
    assert re.search(r"Stands now; tom wrote it [^.]* \+44 1353 9", text)
    assert "+44 1353 2 Take this" in text
    saved = dealer_node.book.get(CUSTOMER)
    assert saved
    (dispute,) = saved["disputes"]
    address = f"/documents/{CUSTOMER}/disputes/{dispute['id']}"
    assert client.post(address, data={"choice": "both"}).status_code == 400
    assert client.post(address, data={"choice": "other"}).status_code == 303
    settled = dealer_node.book.get(CUSTOMER)
    assert settled
    assert settled["phone"] == "+44 1353 2"
    assert not settled.get("disputes")
    again = client.post(address, data={"choice": "now"}, follow_redirects=True)
    assert "This was settled already." in text_of(again)


@pytest.mark.usefixtures("customer")
def test_a_damaged_base_saves_nothing(client: Browser, dealer_node: Node) -> None:
    before = dealer_node.book.get(CUSTOMER)
    for base in ("{", "[]", '{"_rev": 5}'):
        assert client.post(f"/documents/{CUSTOMER}/edit", data={"base": base, "name": "x"}).status_code == 400
    assert dealer_node.book.get(CUSTOMER) == before


@pytest.mark.usefixtures("customer")
def test_nobody_makes_a_document_somebody_elses_by_its_page(client: Browser, dealer_node: Node) -> None:
    page = client.get(f"/documents/{CUSTOMER}/edit")
    base = {**json.loads(field_of(page, "base")), "dealer": "D999", "share": "dealer", "type": "user"}
    typed = {"base": json.dumps(base), "name": "New", "dealer": "D999", "share": "dealer", "type": "user", "_id": "x"}
    assert client.post(f"/documents/{CUSTOMER}/edit", data=typed).status_code == 303
    saved = dealer_node.book.get(CUSTOMER)
    assert saved
    assert (saved["name"], saved["dealer"], saved["share"], saved["type"]) == (
        "New",
        "D001",
        "manufacturer",
        "customer",
    )


@pytest.mark.usefixtures("customer")
def test_a_new_document_begins_with_what_the_address_says(client: Browser) -> None:
    page = client.get(f"/documents/new/person?customer={CUSTOMER}")
    assert field_of(page, "customer") == CUSTOMER
    assert field_of(page, "customer:typed") == "Harrow & Sons"


@pytest.mark.usefixtures("customer")
def test_a_new_document_is_saved_with_its_rows(client: Browser, dealer_node: Node) -> None:
    typed = {
        "customer": CUSTOMER,
        "name": "Ada Byrne",
        "phones": "",
        "phones.newx.label": "Mobile",
        "phones.newx.number": "+44 7700 900123",
        "next": "/account",
    }
    answer = client.post("/documents/new/person", data=typed)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/account"
    (person,) = [
        row.doc for row in dealer_node.book.all_docs(startkey="D001:person:", endkey="D001:person;", include_docs=True)
    ]
    (phone,) = person["phones"]
    assert phone["number"] == "+44 7700 900123"
    assert phone["id"] not in ("", "newx")
    assert (person["dealer"], person["share"], person["created_by"]) == ("D001", "manufacturer", "principal")


@pytest.mark.usefixtures("customer")
def test_a_reference_that_was_only_typed_is_looked_up(client: Browser, dealer_node: Node) -> None:
    typed = {"customer": "", "customer:typed": "harrow & sons", "name": "Ada Byrne", "phones": ""}
    assert client.post("/documents/new/person", data=typed).status_code == 303
    typed["customer:typed"] = "Nobody Ltd."
    answer = client.post("/documents/new/person", data=typed)
    assert answer.status_code == 422
    assert "There is none called “Nobody Ltd.”" in text_of(answer)
    assert field_of(answer, "customer:typed") == "Nobody Ltd."


@pytest.mark.usefixtures("customer")
def test_rows_are_added_and_removed_without_javascript_and_without_saving(client: Browser, dealer_node: Node) -> None:
    typed = {"customer": CUSTOMER, "name": "Ada", "phones": "", "phones.a.number": "+44 1", "add_row": "phones"}
    added = client.post("/documents/new/person", data=typed)
    assert added.status_code == 200
    keys = set(re.findall(r'name="phones\.(\w+)\.number"', added.get_data(as_text=True)))
    assert "a" in keys
    assert len(keys) == 2
    del typed["add_row"]
    removed = client.post("/documents/new/person", data={**typed, "remove_row": "phones.a"})
    assert 'name="phones.a.number"' not in removed.get_data(as_text=True)
    assert not documents_of(dealer_node, "person")


def test_the_same_machine_is_not_added_a_second_time(client: Browser, dealer_node: Node) -> None:
    typed = {"make": "CAT", "serial": "HEX 00123", "status": "in stock"}
    assert client.post("/documents/new/machine", data=typed).status_code == 303
    answer = client.post("/documents/new/machine", data={**typed, "serial": "hex00123"})
    assert answer.status_code == 422
    assert "is in the book already" in text_of(answer)
    assert "D001:machine:CAT-HEX00123" in answer.get_data(as_text=True)


def test_a_deleted_document_says_who_deleted_it_and_comes_back(
    client: Browser, dealer_node: Node, customer: dict[str, Any]
) -> None:
    address = f"/documents/{CUSTOMER}"
    asked = client.get(f"{address}/delete")
    assert field_of(asked, "revision") == customer["_rev"]
    stale = client.post(f"{address}/delete", data={"revision": "1-x"})
    assert "changed this since you opened the page" in text_of(stale)
    assert dealer_node.book.get(CUSTOMER) is not None
    assert client.post(f"{address}/delete", data={"revision": customer["_rev"]}).status_code == 303
    assert dealer_node.book.get(CUSTOMER) is None
    gone = client.get(address)
    assert gone.status_code == 410
    assert "principal deleted this on" in text_of(gone)
    assert client.post(f"{address}/undelete").status_code == 303
    back = dealer_node.book.get(CUSTOMER)
    assert back
    assert back["name"] == "Harrow & Sons"


@pytest.mark.parametrize(
    "address",
    [
        "/documents/D001:customer:nothing",
        "/documents/nonsense",
        "/documents/D001:customer:nothing/edit",
        "/documents/_design/history",
        "/documents/%00",
        "/documents/model:NO/SUCH",
        "/documents/new/nothing",
    ],
)
def test_an_unknown_id_is_a_page_that_says_so(client: Browser, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "There is nothing here" in text_of(answer)


def test_a_document_whose_form_is_unknown_is_shown_as_it_is_and_not_edited(client: Browser, dealer_node: Node) -> None:
    make(dealer_node, "sketch", "s1", name="Plan", colours=["red", "blue"])
    answer = client.get("/documents/D001:sketch:s1")
    assert answer.status_code == 200
    text = text_of(answer)
    assert "This node has no form" in text
    assert "Colours red, blue" in text
    assert client.get("/documents/D001:sketch:s1/edit").status_code == 404


def test_who_does_not_work_here_reads_no_keepsake(
    sign_in: Callable[..., Browser], dealer_node: Node, customer: dict[str, Any]
) -> None:
    make(dealer_node, "person", "p1", customer=CUSTOMER, name="Ada Byrne")
    make(dealer_node, "keepsake", "k1", customer=CUSTOMER, person="D001:person:p1", flowers="Freesias", share="dealer")
    address = "/documents/D001:keepsake:k1"
    shown = text_of(sign_in("sales").get(address))
    assert "Freesias" in shown
    assert "Stays in the dealership" in shown
    refused = sign_in("designer").get(address)
    assert refused.status_code == 403
    assert "Freesias" not in refused.get_data(as_text=True)


def test_who_may_only_read_is_shown_no_way_to_change(sign_in: Callable[..., Browser], customer: dict[str, Any]) -> None:
    reader = sign_in("designer")
    assert "/edit" not in reader.get(f"/documents/{CUSTOMER}").get_data(as_text=True)
    assert reader.get(f"/documents/{CUSTOMER}/edit").status_code == 403
    assert reader.post(f"/documents/{CUSTOMER}/delete", data={"revision": customer["_rev"]}).status_code == 403


def test_the_catalog_is_edited_at_the_manufacturer_only(
    client: Browser, dealer_node: Node, manufacturer_node: Node, manufacturer_app: Flask
) -> None:
    part = {"_id": "part:1R-0750", "type": "part", "dealer": "", "share": "manufacturer", "number": "1R-0750"}
    for node in (dealer_node, manufacturer_node):
        saving.save(node.catalog, part, by="support")
    assert client.get("/documents/part:1R-0750").status_code == 200
    assert client.get("/documents/part:1R-0750/edit").status_code == 403
    add_user(manufacturer_node, "support", ["parts"])
    add_user(manufacturer_node, "ann", ["analyst"])
    support, analyst = signed_in(manufacturer_app, "support"), signed_in(manufacturer_app, "ann")
    assert analyst.get("/documents/part:1R-0750/edit").status_code == 403
    page = support.get("/documents/part:1R-0750/edit")
    typed = {"base": field_of(page, "base"), "number": "1R-0750", "name": "Fuel filter", "price": "12.5"}
    assert support.post("/documents/part:1R-0750/edit", data=typed).status_code == 303
    saved = manufacturer_node.catalog.get("part:1R-0750")
    assert saved
    assert (saved["name"], saved["price"]) == ("Fuel filter", 12.5)


def test_the_list_under_a_reference_shows_what_begins_with_what_was_typed(client: Browser, dealer_node: Node) -> None:
    make(dealer_node, "customer", "c1", name="Harrow & Sons", city="Ely")
    make(dealer_node, "customer", "c2", name="Harland Quarries")
    make(dealer_node, "customer", "c3", name="Brandt")
    page = client.get("/lookup/customer?q=har").get_data(as_text=True)
    assert page.count('role="option"') == 2
    assert 'data-value="D001:customer:c1" data-title="Harrow &amp; Sons"' in page
    assert client.get("/lookup/customer?q=quarr").get_data(as_text=True).count('role="option"') == 1
    assert "Nothing begins with" in client.get("/lookup/customer?q=zzz").get_data(as_text=True)
    assert client.get("/lookup/customer?q=%20").get_data(as_text=True).strip() == ""


def test_a_customers_own_people_come_first_where_one_is_chosen(client: Browser, dealer_node: Node) -> None:
    make(dealer_node, "person", "p1", name="Ann Other", customer="D001:customer:other")
    make(dealer_node, "person", "p2", name="Ann Zoe", customer=CUSTOMER)
    page = client.get(f"/lookup/person?q=ann&context={CUSTOMER}").get_data(as_text=True)
    assert re.findall(r'data-title="([^"]+)"', page) == ["Ann Zoe", "Ann Other"]
    own = client.get(f"/lookup/person?q=&context={CUSTOMER}").get_data(as_text=True)
    assert re.findall(r'data-title="([^"]+)"', own) == ["Ann Zoe"]


def test_a_list_of_matches_is_refused_where_the_documents_are(sign_in: Callable[..., Browser]) -> None:
    assert sign_in("designer").get("/lookup/keepsake?q=a").status_code == 403


def test_the_page_that_edits_a_keepsake_says_whose_it_is(sign_in: Callable[..., Browser], dealer_node: Node) -> None:
    saving.save_many(
        dealer_node.book,
        [
            {"_id": "D001:person:p", "type": "person", "dealer": "D001", "share": "manufacturer", "name": "Ada Berg"},
            {
                "_id": "D001:keepsake:k",
                "type": "keepsake",
                "dealer": "D001",
                "share": "dealer",
                "person": "D001:person:p",
            },
        ],
        "test",
    )

    assert "Edit Ada Berg" in sign_in("sales").get("/documents/D001:keepsake:k/edit").get_data(as_text=True)


def test_a_new_customer_is_looked_after_by_the_salesperson_who_enters_it_and_by_nobody_else(
    sign_in: Callable[..., Browser],
) -> None:
    sales, parts = sign_in("sales"), sign_in("parts")
    assert field_of(sales.get("/documents/new/customer"), "salesperson") != ""
    assert field_of(parts.get("/documents/new/customer"), "salesperson") == ""
    assert field_of(parts.get("/documents/new/customer?salesperson=Jo"), "salesperson") == "Jo"
