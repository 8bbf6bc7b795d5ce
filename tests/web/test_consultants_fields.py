"""What a consultant adds to a form is on the pages written by hand too, under the words that the form has for it."""

from __future__ import annotations

import io
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import dealership
import pytest
from head_office import BULLETIN, CUSTOMER, FIRST, MODEL, OIL, catalog, fill
from visitors import Browser

from app.design.additions import Definition, put
from app.design.project import form_tables
from app.documents import saving
from app.node import Node

GRADE = {"name": "grade", "label": "Gravel grade", "type": "text"}
DRAWINGS = {"name": "drawings", "label": "Drawings", "type": "attachment"}


def add_fields(node: Node, form: str, *added: dict[str, Any], **labels: str) -> None:
    """Puts the project's form into force with `added` fields and other `labels`, as ``ironbook design put`` does."""
    table = deepcopy(dict(form_tables()[form]))
    for section in table["sections"]:
        for field in section["fields"]:
            field["label"] = labels.get(field["name"], field["label"])
    table["sections"][0]["fields"] += added
    database, dealer = (node.catalog, "") if node.is_manufacturer else (node.book, node.dealer)
    put(node, database, dealer, Definition("form", form, table), "consultant")


def text(browser: Browser, address: str) -> str:
    answer = browser.get(address)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("kind", "id", "address"),
    [
        ("model", MODEL, "/catalog/models/"),
        ("part", OIL, "/catalog/parts/"),
        ("bulletin", BULLETIN, "/catalog/bulletins/"),
    ],
)
def test_a_field_and_files_added_to_the_catalog_are_on_its_pages(
    manufacturer_node: Node, manufacturer_client: Browser, kind: str, id: str, address: str
) -> None:
    node = manufacturer_node
    saving.save_many(node.catalog, catalog(), "test")
    add_fields(node, kind, GRADE, DRAWINGS)
    saving.save(node.catalog, {**(node.catalog.get(id) or {}), "grade": "0/32 crushed"}, "test")
    sent = {"file": [(io.BytesIO(b"%PDF-1.7"), "sheet.pdf", "application/pdf")]}
    manufacturer_client.post(f"/files/drawings/{id}", data=sent, content_type="multipart/form-data")

    page = text(manufacturer_client, f"{address}{id}")

    assert "Gravel grade" in page and "0/32 crushed" in page
    assert "sheet.pdf" in page


def test_head_office_sees_what_it_gave_all_dealers_to_fill_in(
    manufacturer_node: Node, manufacturer_client: Browser
) -> None:
    node = manufacturer_node
    fill(node)
    for id, kind in ((CUSTOMER, "customer"), (FIRST, "machine")):
        saving.save(node.market, {**(node.market.get(id) or {}), "grade": "0/32 crushed"}, "test")
        add_fields(node, kind, GRADE)

    for address in (f"/market/customers/{CUSTOMER}", f"/market/machines/{FIRST}"):
        page = text(manufacturer_client, address)
        assert "Gravel grade" in page and "0/32 crushed" in page


def test_the_pages_written_by_hand_call_a_field_what_its_form_calls_it(
    dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    dealership.open_dealership(dealer_node)
    add_fields(dealer_node, "customer", phone="Ring them on", industry="Trade")
    add_fields(dealer_node, "machine", serial="Frame number")
    sales = sign_in("sales")

    customer = text(sales, f"/customers/{dealership.CUSTOMER}")
    assert "<dt>Ring them on</dt>" in customer
    assert "<dt>Frame number</dt>" in text(sales, f"/machines/{dealership.EXCAVATOR}")


def test_a_dealers_own_forms_are_a_list_for_those_who_design(
    dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    add_fields(dealer_node, "customer", GRADE)

    page = text(sign_in("designer"), "/lists/own-forms")
    assert "/documents/D001:form:customer" in page and page.count("row-link") == 1
    assert "Gravel grade" in text(sign_in("designer"), "/documents/D001:form:customer")
    assert sign_in("sales").get("/lists/own-forms").status_code == 403
