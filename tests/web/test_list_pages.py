"""Any list by its view."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from visitors import Browser
from werkzeug.test import TestResponse

from app.documents import saving
from app.node import Node
from app.web.csv_export import csv_lines
from app.web.list_page import Asked, asked_in


def text_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split()).replace("\xa0", " ")


def titles(answer: TestResponse) -> list[str]:
    return re.findall(r'<td[^>]*><a class="row-link" href="[^"]+">([^<]+)</a>', answer.get_data(as_text=True))


def link(answer: TestResponse, rel: str) -> str:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', answer.get_data(as_text=True))
    return html.unescape(found.group(1)) if found else ""


def fill(node: Node, *documents: dict[str, Any]) -> None:
    common = {"dealer": "D001", "share": "manufacturer"}
    results = saving.save_many(node.book, [{**common, **each} for each in documents], by="anna")
    assert all(isinstance(result, saving.Saved) for result in results)


def customers(count: int) -> list[dict[str, Any]]:
    return [
        {"_id": f"D001:customer:{n:03}", "type": "customer", "name": f"Customer {n:03}", "city": f"Town {n % 7}"}
        for n in range(count)
    ]


def opportunities(*stages: tuple[str, int]) -> list[dict[str, Any]]:
    return [
        {"_id": f"D001:opportunity:{n}", "type": "opportunity", "title": f"Deal {n}", "customer": "D001:customer:000",
         "stage": stage, "value": value, "expected_on": f"2026-12-{n % 28 + 1:02}"}
        for n, (stage, value) in enumerate(stages)
    ]  # fmt: skip


def test_an_empty_list_says_what_to_do_next(client: Browser) -> None:
    answer = client.get("/lists/customers")
    assert answer.status_code == 200
    assert "No customers yet" in text_of(answer)
    assert "/documents/new/customer" in answer.get_data(as_text=True)


def test_a_long_list_is_read_page_by_page_forwards_and_back_without_losing_a_row(
    client: Browser, dealer_node: Node
) -> None:
    fill(dealer_node, *customers(120))
    seen, address = [], "/lists/customers"
    while address:
        answer = client.get(address)
        seen += titles(answer)
        last, address = address, link(answer, "next")
        if address:
            address = "/lists/customers" + address
    assert seen == [f"Customer {n:03}" for n in range(120)]
    back = client.get("/lists/customers" + link(client.get(last), "previous"))
    assert titles(back) == [f"Customer {n:03}" for n in range(50, 100)]
    first = client.get("/lists/customers" + link(back, "first"))
    assert titles(first)[0] == "Customer 000"
    assert not link(first, "previous")


def test_a_click_on_a_head_sorts_and_a_second_turns_it_round(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(10))
    up = client.get("/lists/customers?sort=city&order=up")
    assert titles(up)[0] == "Customer 000"
    assert 'aria-sort="ascending"' in up.get_data(as_text=True)
    down = client.get("/lists/customers?sort=city&order=down")
    assert titles(down)[0] == "Customer 006"
    assert 'aria-sort="descending"' in down.get_data(as_text=True)


def test_categories_have_counts_and_totals_that_open(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(1), *opportunities(("quoted", 1000), ("lead", 200), ("quoted", 500)))
    text = text_of(client.get("/lists/opportunities"))
    assert re.search(r"Lead 1 200.00 EUR .*Quoted 2 1,500.00 EUR|Lead 1 200.00 EUR .*Quoted 2 1,500 EUR", text)
    assert "Total 1,700 EUR" in text
    inside = client.get('/lists/opportunities?in=["quoted"]')
    assert titles(inside) == ["Deal 0", "Deal 2"]
    assert "Total 1,500 EUR" in text_of(inside)


def test_a_long_list_with_categories_begins_with_the_categories(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(1), *opportunities(*[("lead", 1), ("won", 2)] * 30))
    folded = client.get("/lists/opportunities")
    assert titles(folded) == []
    assert "Lead 30" in text_of(folded)
    assert len(titles(client.get("/lists/opportunities?all=yes"))) == 50
    assert len(titles(client.get('/lists/opportunities?in=["won"]'))) == 30


def test_categories_alone_come_in_the_order_of_their_rows(client: Browser, dealer_node: Node) -> None:
    days = [f"2026-{month:02}-{day:02}T08:00:00Z" for month in (9, 10, 11) for day in range(1, 21)]
    visits = [
        {"_id": f"D001:activity:{at}", "type": "activity", "dealer": "D001", "share": "manufacturer", "at": at,
         "kind": "visit", "subject": "Visit", "salesperson": "Jo"} for at in days
    ]  # fmt: skip
    fill(dealer_node, *visits)
    page = text_of(client.get("/lists/activities-by-month"))
    assert page.index("2026-11 › Jo") < page.index("2026-10 › Jo") < page.index("2026-09 › Jo")


def test_a_reference_is_shown_by_its_title(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(1), *opportunities(("lead", 1)))
    page = client.get("/lists/opportunities").get_data(as_text=True)
    assert re.search(r'<a href="[^"]*D001:customer:000">Customer 000</a>', page)


def test_a_disputed_row_is_marked(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(2))
    base = dealer_node.book.get("D001:customer:001")
    assert base
    saving.save(dealer_node.book, {**base, "city": "Ely"}, by="tom", base=base)
    saving.save(dealer_node.book, {**base, "city": "Ulm"}, by="sara", base=base)
    page = client.get("/lists/customers").get_data(as_text=True)
    assert page.count('class="disputed"') == 1
    assert "to decide" in text_of(client.get("/lists/customers"))


@pytest.mark.parametrize("query", ["in=nonsense", "in={}", "in=[[]]", "start=nonsense", "sort=nothing", "direction=up"])
def test_an_address_that_makes_no_sense_shows_the_list_from_its_beginning(
    client: Browser, dealer_node: Node, query: str
) -> None:
    fill(dealer_node, *customers(3))
    answer = client.get(f"/lists/customers?{query}")
    assert answer.status_code == 200
    assert titles(answer) == ["Customer 000", "Customer 001", "Customer 002"]


def test_the_whole_list_comes_as_csv_in_the_order_asked_for(client: Browser, dealer_node: Node) -> None:
    fill(dealer_node, *customers(70), *opportunities(("lead", 1)))
    answer = client.get("/lists/customers.csv?order=down")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="customers.csv"' in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert rows[0][:2] == ["Name", "Town"]
    assert [row[0] for row in rows[1:]] == [f"Customer {n:03}" for n in reversed(range(70))]
    deals = list(csv.reader(io.StringIO(client.get("/lists/opportunities.csv").get_data().decode("utf-8-sig"))))
    assert deals[0][0] == "Stage"
    assert deals[1][:4] == ["Lead", "Deal 0", "Customer 000", "1"]


def test_a_cell_that_a_spreadsheet_would_run_is_text_and_a_telephone_number_stays_one() -> None:
    lines = "".join(csv_lines(["A"], [["=1+1"], ["@x"], ["+49 731 1"], ["-5"], ["+cmd|' /C calc'!A0"], [True], [None]]))
    assert list(csv.reader(io.StringIO(lines.removeprefix("\ufeff")))) == [
        ["A"],
        ["'=1+1"],
        ["'@x"],
        ["+49 731 1"],
        ["-5"],
        ["'+cmd|' /C calc'!A0"],
        ["yes"],
        [""],
    ]


def test_a_list_is_refused_to_who_may_not_read_its_documents(sign_in: Callable[..., Browser]) -> None:
    assert sign_in("designer").get("/lists/birthdays").status_code == 403
    assert sign_in("designer").get("/lists/birthdays.csv").status_code == 403
    assert sign_in("sales").get("/lists/birthdays").status_code == 200
    assert sign_in("sales").get("/lists/forms").status_code == 403


def test_an_unknown_list_is_a_page_that_says_so(client: Browser) -> None:
    answer = client.get("/lists/nothing")
    assert answer.status_code == 404
    assert "There is no list called “nothing” on this node." in text_of(answer)


def test_every_list_of_the_project_opens_at_both_kinds_of_node(
    dealer_node: Node, sign_in: Callable[..., Browser], manufacturer_client: Browser, manufacturer_node: Node
) -> None:
    admin = sign_in("admin")
    index = admin.get("/lists").get_data(as_text=True)
    for name, view in dealer_node.views().items():
        if set(view.databases) & {"book", "catalog"}:
            assert admin.get(f"/lists/{name}").status_code == 200, name
            assert f'href="/lists/{name}"' in index
    for name, view in manufacturer_node.views().items():
        if set(view.databases) & {"market", "catalog"} and view.type not in ("form", "view", "keepsake"):
            assert manufacturer_client.get(f"/lists/{name}").status_code == 200, name


def test_an_address_says_what_it_asks_for_and_nothing_else() -> None:
    asked = Asked(category=("open", None), sort="name", descending=True)
    query = asked.query(start="abc", previous=True)
    pairs = dict(part.split("=", 1) for part in query[1:].split("&"))
    assert set(pairs) == {"in", "sort", "order", "start", "direction"}
    assert Asked().query() == "?"
    assert asked_in({"in": '["open",null]', "sort": "name", "order": "down"}) == asked


def test_the_log_of_changes_names_the_document_and_leads_to_it(client: Browser, dealer_node: Node) -> None:
    customer = {"_id": "D001:customer:c1", "type": "customer", "dealer": "D001", "share": "dealer", "name": "Berg KG"}
    saved = saving.save(dealer_node.book, customer, by="anna").document
    saving.save(dealer_node.book, {**saved, "city": "Linz"}, by="anna")
    page = client.get("/lists/changes").get_data(as_text=True)
    assert "Berg KG" in page
    assert 'href="/customers/D001:customer:c1"' in page
    phones = [{"id": f"p{n}", "number": f"+49 {n}"} for n in range(400)]
    person = {"type": "person", "dealer": "D001", "share": "dealer", "customer": saved["_id"], "name": "Ida"}
    saving.save(dealer_node.book, {**person, "phones": phones}, by="anna")
    assert "392 more" in client.get("/customers/D001:customer:c1").get_data(as_text=True)
