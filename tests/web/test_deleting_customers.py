"""Deleting a customer with what hangs on it, the page of what was deleted, and bringing it back for 90 days."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import dealership
import pytest
from visitors import Browser

from app.documents import saving
from app.documents.common import utc_text
from app.node import Node

KEEPSAKE = "D001:keepsake:tom"
READING = "D001:reading:ACME-320001:"


@pytest.fixture
def node(dealer_node: Node) -> Node:
    dealership.open_dealership(dealer_node)
    return dealer_node


@pytest.fixture
def sales(node: Node, sign_in: Callable[..., Browser]) -> Browser:
    return sign_in("sales")


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\u00a0", " ")


def page(browser: Browser, address: str) -> str:
    return browser.get(address).get_data(as_text=True)


def delete(node: Node, browser: Browser, *along: str) -> str:
    document = node.book.get(dealership.CUSTOMER) or {}
    answer = browser.post(
        f"/documents/{dealership.CUSTOMER}/delete",
        data={"revision": document["_rev"], "along": list(along)},
        follow_redirects=True,
    )
    return words(answer.get_data(as_text=True))


def lives(node: Node, *ids: str) -> list[bool]:
    found = node.book.get_many(ids)
    return [id in found for id in ids]


def test_what_belongs_to_a_customer_is_ticked_and_its_machines_are_not(sales: Browser) -> None:
    shown = page(sales, f"/documents/{dealership.CUSTOMER}/delete")
    ticked = dict(re.findall(r'name="along" value="(\w+)"([^>]*)>', shown))
    assert {kind: "checked" in rest for kind, rest in ticked.items()} == {
        "keepsake": True, "person": True, "machine": False,
    }  # fmt: skip
    assert "2 machines , with their readings and services" in words(shown)


def test_a_customer_goes_with_what_was_ticked_and_all_of_it_comes_back(node: Node, sales: Browser) -> None:
    everything = (dealership.CUSTOMER, dealership.OWNER, dealership.ASSISTANT, KEEPSAKE)
    assert "“Berg Earthworks” was deleted, and 3 documents along with it." in delete(node, sales, "person")
    assert lives(node, *everything, dealership.EXCAVATOR) == [False, False, False, False, True]
    # The page that names what is gone still opens.
    assert sales.get(f"/machines/{dealership.EXCAVATOR}").status_code == 200

    listed = words(page(sales, "/recently-deleted"))
    assert "Berg Earthworks and 3 documents that went along Customer sales" in listed
    assert "Ida Berg" not in listed
    answer = sales.post(f"/documents/{dealership.CUSTOMER}/undelete", follow_redirects=True)
    assert "was brought back, and 3 documents along with it." in words(answer.get_data(as_text=True))
    assert lives(node, *everything) == [True, True, True, True]
    assert "Nothing was deleted" in words(page(sales, "/recently-deleted"))


def test_a_machine_that_goes_along_takes_its_readings(node: Node, sales: Browser) -> None:
    delete(node, sales, "machine", "person", "keepsake")
    rows = node.book.all_docs(startkey=READING, endkey=READING + "z").rows
    assert rows == []
    assert lives(node, dealership.EXCAVATOR, dealership.LOADER) == [False, False]
    sales.post(f"/documents/{dealership.CUSTOMER}/undelete")
    assert len(node.book.all_docs(startkey=READING, endkey=READING + "z").rows) == 3


def test_nothing_ticked_deletes_the_customer_alone(node: Node, sales: Browser) -> None:
    assert "“Berg Earthworks” was deleted. Its page" in delete(node, sales)
    assert lives(node, dealership.CUSTOMER, dealership.OWNER, KEEPSAKE) == [False, True, True]


def test_what_was_deleted_more_than_ninety_days_ago_is_not_offered(node: Node, sales: Browser) -> None:
    former = dealership.document(node, "customer", "D001:customer:former", name="Former Earthworks")
    document = saving.save(node.book, former, by="test", now="2020-01-01T00:00:00Z").document
    saving.delete(node.book, document, "sales", now=utc_text(datetime.now(UTC) - timedelta(days=91)))
    saving.delete(node.book, node.book.get(dealership.LOADER) or {}, "sales")
    listed = words(page(sales, "/recently-deleted"))
    assert "950001" in listed
    assert "Former Earthworks" not in listed
    gone = words(page(sales, "/documents/D001:customer:former"))
    assert "deleted more than 90 days ago" in gone
    assert "Bring it back" not in gone
    assert sales.post("/documents/D001:customer:former/undelete").status_code == 410
    assert lives(node, "D001:customer:former") == [False]


def test_the_list_is_paged_by_key_and_leaves_out_what_lives_again(
    node: Node, sales: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.web import deleted

    monkeypatch.setattr(deleted, "LINES", 4)
    made = [dealership.add(node, "task", f"D001:task:{n}", title=f"Task {n}") for n in range(10)]
    for number, each in enumerate(made):
        saving.delete(node.book, each, "sales", now=utc_text(datetime.now(UTC) - timedelta(minutes=20 - number)))
    saving.undelete(node.book, "D001:task:8", "sales")
    seen: list[str] = []
    address = "/recently-deleted"
    while address:
        shown = page(sales, address)
        seen += re.findall(r">(Task \d)<", shown)
        following = re.search(r'href="(/recently-deleted\?before=[^"]+)"', shown)
        address = following.group(1).replace("&amp;", "&") if following else ""
    assert seen == [f"Task {n}" for n in (9, 7, 6, 5, 4, 3, 2, 1, 0)]


def test_who_may_not_edit_sees_nothing_of_it(node: Node, sales: Browser, sign_in: Callable[..., Browser]) -> None:
    delete(node, sales, "person")
    reader = sign_in("designer")
    assert reader.get("/recently-deleted").status_code == 403
    assert reader.post(f"/documents/{dealership.CUSTOMER}/undelete").status_code == 403
    assert lives(node, dealership.CUSTOMER) == [False]


def test_more_than_a_page_can_wait_for_is_a_job(node: Node, sales: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.web import documents

    monkeypatch.setattr(documents, "AT_ONCE", 1)
    document = node.book.get(dealership.CUSTOMER) or {}
    answer = sales.post(
        f"/documents/{dealership.CUSTOMER}/delete", data={"revision": document["_rev"], "along": ["person"]}
    )
    assert answer.headers["Location"].startswith("/jobs/")
