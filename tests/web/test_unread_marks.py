"""Unread marks on pages: what others changed since somebody last looked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import dealership
import pytest
from visitors import Browser

from app.couch import Database
from app.documents import saving
from app.node import Node
from app.parts.desk import parts_desk
from app.unread.marks import unread_marks

MARK = "Others changed this since you last looked"
LIST = "/lists/customers?all=yes"


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    parts_desk(dealer_node).needs(90)
    return dealer_node


@pytest.fixture
def reader(node: Node, sign_in: Callable[..., Browser]) -> Browser:
    """A salesperson who has looked at the lists once."""
    browser = sign_in("sales")
    assert MARK not in text(browser, LIST)
    return browser


def text(browser: Browser, address: str = "/", **options: Any) -> str:
    answer = browser.get(address, follow_redirects=True, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def edit(database: Database, id: str, by: str, **fields: Any) -> None:
    stored = database.get(id)
    assert stored is not None
    saving.save(database, {**stored, **fields}, by=by)


def page_of(id: str) -> str:
    return f"/{id.split(':')[1]}s/{id}"


def test_what_somebody_else_changed_is_marked_in_the_list_until_it_is_opened(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    assert text(reader, LIST).count(MARK) == 1
    text(reader, page_of(dealership.CUSTOMER))
    assert MARK not in text(reader, LIST)


def test_marks_are_each_persons_own(node: Node, reader: Browser, sign_in: Callable[..., Browser]) -> None:
    other = sign_in("parts")
    text(other, LIST)
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    text(reader, page_of(dealership.CUSTOMER))
    assert MARK not in text(reader, LIST)
    assert MARK in text(other, LIST)


def test_ones_own_edits_are_never_unread(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "sales", phone="+43 732 99")
    assert MARK not in text(reader, LIST)


def test_a_new_person_starts_with_nothing_unread(node: Node, reader: Browser, sign_in: Callable[..., Browser]) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    newcomer = sign_in("principal")
    assert "Nothing is unread" in text(newcomer, "/unread")
    edit(node.book, dealership.OWNER, "ben", job="Chairwoman")
    assert "Ida Berg" in text(newcomer, "/unread")


def test_home_counts_what_is_unread_and_says_who_changed_what(node: Node, reader: Browser) -> None:
    assert 'id="unread"' not in text(reader)
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99", email="office@berg.example")
    dealership.add(node, "task", "D001:task:1", title="Call the bank", customer=dealership.CUSTOMER)
    home = text(reader)
    card = home[home.index('id="unread"') : home.index("</section>", home.index('id="unread"'))]
    assert '<span class="count">2</span>' in card
    assert "by ben" in card
    assert "changed" in card
    assert "Telephone" in card
    assert "E-mail" in card
    assert "added by test" in card
    assert card.index("Call the bank") < card.index("Berg Earthworks")


def test_fields_that_a_role_may_not_read_are_not_named(
    node: Node, reader: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    assert "Telephone" in text(reader, "/unread")
    monkeypatch.setattr("app.web.unread.hidden_fields", lambda form, roles: frozenset({"phone"}))
    page = text(reader, "/unread")
    assert "Berg Earthworks" in page
    assert "Telephone" not in page


def test_a_type_that_one_may_not_read_is_not_counted(node: Node, sign_in: Callable[..., Browser]) -> None:
    salesperson, consultant = sign_in("sales"), sign_in("designer")
    text(salesperson)
    text(consultant)
    dealership.add(node, "keepsake", "D001:keepsake:9", person=dealership.OWNER, customer=dealership.CUSTOMER)
    assert "Nothing is unread" not in text(salesperson, "/unread")
    assert "Nothing is unread" in text(consultant, "/unread")


def test_a_list_is_marked_as_read_with_one_click_and_the_others_stay(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    edit(node.book, dealership.EXCAVATOR, "ben", notes="Loud")
    assert "Unread only (1)" in text(reader, LIST)
    reader.post("/unread/read", data={"type": "customer", "next": LIST})
    assert "Unread only" not in text(reader, LIST)
    assert "Unread only (1)" in text(reader, "/lists/machines?all=yes")


def test_everything_is_marked_as_read_but_what_came_after_the_page(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    text(reader, "/unread")
    shown = unread_marks(node).newest()
    edit(node.book, dealership.OWNER, "ben", job="Chairwoman")
    answer = reader.post("/unread/read", data={"until": str(shown), "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/unread"
    page = text(reader, "/unread")
    assert "Ida Berg" in page
    assert "Berg Earthworks" not in page[page.index("<main") :]


def test_the_button_of_a_list_leads_back_to_it(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    (back,) = re.findall(r'name="next" value="(/lists[^"]*)"', text(reader, LIST))
    assert back == LIST


def test_what_is_found_and_what_is_due_is_marked_too(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    dealership.add(node, "task", "D001:task:1", title="Call the bank", due_on=dealership.day(node, 2))
    assert text(reader, "/search?q=Berg").count(MARK) == 1
    assert text(reader, "/?whose=all").count(MARK) == 1


def test_unread_only_shows_one_type(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    edit(node.book, dealership.OWNER, "ben", job="Chairwoman")
    page = text(reader, "/unread?type=person")
    assert "Ida Berg" in page
    assert "Berg Earthworks" not in page[page.index("<main") :]


def test_the_customers_page_marks_its_lines_and_marks_them_as_read_together(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.OWNER, "ben", job="Chairwoman")
    edit(node.book, dealership.EXCAVATOR, "ben", notes="Loud")
    page = text(reader, page_of(dealership.CUSTOMER))
    assert page.count(MARK) == 2
    assert "2 documents of this page are unread" in page.replace("\N{NO-BREAK SPACE}", " ")
    ids = [dealership.OWNER, dealership.EXCAVATOR]
    reader.post("/unread/read", data={"id": ids, "next": page_of(dealership.CUSTOMER)})
    assert MARK not in text(reader, page_of(dealership.CUSTOMER))


def test_the_machines_page_marks_its_services(node: Node, reader: Browser) -> None:
    dealership.add(node, "service", "D001:service:9", machine=dealership.EXCAVATOR, done_on=dealership.day(node, -1))
    assert text(reader, page_of(dealership.EXCAVATOR)).count(MARK) == 1
    text(reader, "/documents/D001:service:9")
    assert MARK not in text(reader, page_of(dealership.EXCAVATOR))


def test_a_deleted_document_leaves_no_mark_also_when_its_entry_in_the_log_comes_later(
    node: Node, reader: Browser
) -> None:
    edit(node.book, dealership.OWNER, "ben", job="Chairwoman")
    assert "Ida Berg" in text(reader, "/unread")
    stored = node.book.get(dealership.OWNER)
    assert stored is not None
    saving.delete(node.book, stored, by="ben")
    assert "Nothing is unread" in text(reader, "/unread")
    late = {"_id": "D001:change:late", "type": "change", "dealer": "D001", "share": "manufacturer"}
    about = {"document": dealership.OWNER, "document_type": "person", "by": "cleo", "at": "2026-01-01T00:00:00Z"}
    node.book.put({**late, **about, "changes": [{"id": "1", "field": "job", "from": "", "to": "x"}]})
    assert "Nothing is unread" in text(reader, "/unread")


def test_what_the_manufacturer_publishes_is_unread_also_for_who_has_the_same_name(node: Node, reader: Browser) -> None:
    edit(node.catalog, "bulletin:B-7", "sales", title="Check the hose twice")
    assert "Check the hose twice" in text(reader, "/unread")
    text(reader, "/catalog/bulletins/bulletin:B-7")
    assert "Nothing is unread" in text(reader, "/unread")


def test_the_manufacturers_people_see_what_the_others_changed_in_the_catalog(
    manufacturer_node: Node, manufacturer_client: Browser
) -> None:
    part = {"_id": "part:P-1", "type": "part", "dealer": "", "share": "manufacturer", "number": "P-1", "name": "Filter"}
    text(manufacturer_client, "/unread")
    saving.save(manufacturer_node.catalog, part, by="kim")
    assert MARK in text(manufacturer_client, "/lists/parts?all=yes")
    assert 'id="unread"' in text(manufacturer_client)
    edit(manufacturer_node.catalog, "part:P-1", "parts", name="Oil filter")
    text(manufacturer_client, "/catalog/parts/part:P-1")
    assert MARK not in text(manufacturer_client, "/lists/parts?all=yes")
    assert 'id="unread"' not in text(manufacturer_client)


def test_marks_outlive_a_restart_and_nothing_is_unread_after_the_file_was_lost(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    assert MARK in text(reader, LIST)
    unread_marks(node).close()
    node.extensions.pop("unread")
    assert MARK in text(reader, LIST)
    unread_marks(node).close()
    node.extensions.pop("unread")
    (node.settings.data / "unread.sqlite").write_bytes(b"no database at all")
    for suffix in ("-wal", "-shm"):
        (node.settings.data / f"unread.sqlite{suffix}").unlink(missing_ok=True)
    assert MARK not in text(reader, LIST)
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 98")
    assert MARK in text(reader, LIST)


def test_a_book_put_back_to_an_older_state_begins_anew(node: Node, reader: Browser) -> None:
    edit(node.book, dealership.CUSTOMER, "ben", phone="+43 732 99")
    assert MARK in text(reader, LIST)
    note = node.book.get_local("unread")
    assert note is not None
    node.book.put_local({**note, "token": "of last week"})
    unread_marks(node).close()
    node.extensions.pop("unread")
    assert MARK not in text(reader, LIST)
