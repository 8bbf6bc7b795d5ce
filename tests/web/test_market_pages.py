"""The rows behind head office's figures, a dealer's machine and customer seen there, and who may look."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from flask import Flask
from head_office import CUSTOMER, FIRST, document, machine, open_market, rows_of, text_of
from visitors import Browser, add_user, signed_in

PAGES = [
    "/dashboard", "/dashboard/installed", "/dashboard/pipeline",
    "/dashboard/places?south=-80&north=80&west=-179&east=179&zoom=2", "/demand", "/demand.csv",
    "/market/machines", "/market/machines.csv", "/market/opportunities", "/market/opportunities.csv",
    "/market/activities", "/market/activities.csv", "/market/customers", "/market/customers.csv",
    "/market/overdue", "/market/overdue.csv", "/market/demand/machines", "/market/demand/machines.csv",
    "/market/bulletin-machines", "/market/bulletin-machines.csv",
    f"/market/machines/{FIRST}", f"/market/customers/{CUSTOMER}",
]  # fmt: skip
FORMULA = '=HYPERLINK("http://bad.example";"x")'


def _more() -> Iterator[dict[str, object]]:
    yield document("D001:customer:evil", name=FORMULA, city="+1", status="@x")
    for number in range(120):
        yield machine("D002", f"P{number:03}", model=f"T{number // 60}", status="in stock", position=None)
    plan = [{"id": "a", "title": "Oil", "part": "part:OIL-1", "quantity": 5, "every_hours": 300}]
    for make in ("Borex", "Corvan"):
        yield document(f"model:{make.upper()}-1", make=make, name="1", hours_per_day=6, plan=plan)
        for number in range(30):
            yield document(
                f"D001:machine:{make.upper()}-{number}",
                make=make,
                model="1",
                serial=f"{number}",
                delivered_on="2024-01-01",
            )
    yield document("D001:opportunity:minus", title="-5 %", stage="quoted", value=-12.5, customer="D001:customer:evil")


@pytest.fixture(scope="module")
def market(store_server, tmp_path_factory) -> Iterator[Flask]:
    """A market with more rows than a page, and names that a spreadsheet would run."""
    with open_market(store_server, tmp_path_factory.mktemp("market"), _more()) as app:
        node = app.extensions["ironbook"]
        for role in ("sales", "principal"):
            add_user(node, role, [role])
        yield app


@pytest.fixture(scope="module")
def browser(market: Flask) -> Browser:
    return signed_in(market, "analyst")


def _csv(browser: Browser, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))


# Who may look


@pytest.mark.parametrize("address", PAGES)
def test_an_analyst_reads_every_page(browser, address):
    assert browser.get(address).status_code == 200


@pytest.mark.parametrize("role", ["sales", "principal"])
def test_a_dealers_role_reads_none_of_them(market, role):
    visitor = signed_in(market, role)
    assert {address: visitor.get(address).status_code for address in PAGES} == dict.fromkeys(PAGES, 403)


def test_nobody_reads_them_signed_out(market):
    visitor = market.test_client()
    assert {visitor.get(address).status_code for address in PAGES} <= {302, 401}


@pytest.mark.parametrize("address", PAGES)
def test_none_of_them_changes_anything(browser, address):
    assert browser.post(address).status_code in (403, 405)


@pytest.mark.parametrize("address", [f"/documents/{FIRST}/edit", f"/documents/{CUSTOMER}/edit"])
def test_an_analyst_cannot_edit_what_is_a_dealers(browser, address):
    assert browser.get(address).status_code == 403


# Rows


def test_rows_are_paged_by_key_there_and_back(browser):
    forward, address = [], "/market/machines?dealer=D002"
    addresses = []
    while address:
        text = text_of(browser, address)
        addresses.append(address)
        forward.append(re.findall(r'class="row-link" href="([^"]+)"', text))
        following = re.search(r'href="([^"]+)" rel="next"', text)
        address = following[1] if following else ""
    assert [len(page) for page in forward] == [50, 50, 21]
    assert len({each for page in forward for each in page}) == 121
    previous = re.search(r'href="([^"]+)" rel="previous"', text_of(browser, addresses[-1]))[1]
    assert re.findall(r'class="row-link" href="([^"]+)"', text_of(browser, previous)) == forward[1]
    previous = re.search(r'href="([^"]+)" rel="previous"', text_of(browser, previous))[1]
    assert re.findall(r'class="row-link" href="([^"]+)"', text_of(browser, previous)) == forward[0]


def test_rows_of_several_makes_are_paged_as_one_table(browser):
    pages, address = [], "/market/demand/machines?part=part:OIL-1"
    addresses = []
    while address:
        text = text_of(browser, address)
        addresses.append(address)
        pages.append(re.findall(r'class="row-link" href="([^"]+)"', text))
        following = re.search(r'href="([^"]+)" rel="next"', text)
        address = following[1] if following else ""
    assert [len(page) for page in pages] == [50, 12]
    assert len({each for page in pages for each in page}) == 62
    makes = [{each.split(":")[-1].split("-")[0] for each in page} for page in pages]
    assert makes == [{"ACME", "BOREX", "CORVAN"}, {"CORVAN"}]
    previous = re.search(r'href="([^"]+)" rel="previous"', text_of(browser, addresses[-1]))
    first = text_of(browser, previous[1]) if previous else ""
    assert re.findall(r'class="row-link" href="([^"]+)"', first) == pages[0]


@pytest.mark.parametrize("start", ["x", "%00", "W10", "eyJhIjoxfQ", "W1sibW9kZWwiXSwxXQ", "a" * 5000])
def test_a_start_that_is_none_is_the_beginning(browser, start):
    assert rows_of(browser, f"/market/machines?dealer=D002&start={start}") == 50


def test_a_file_has_the_rows_of_all_pages(browser):
    rows = _csv(browser, "/market/machines.csv?dealer=D002")
    assert len(rows) == 121
    assert {row["Dealer code"] for row in rows} == {"D002"}
    assert {row["Make"] for row in rows} == {"Acme"}


def test_a_file_has_the_choices_of_its_page(browser):
    text = text_of(browser, "/market/machines?dealer=D002&status=in+stock&make=Acme")
    address = re.search(r'href="(/market/machines\.csv[^"]+)"', text)[1]
    assert len(_csv(browser, address)) == 120


def test_a_spreadsheet_runs_nothing_of_a_file(browser):
    (evil,) = [row for row in _csv(browser, "/market/customers.csv?dealer=D001") if "HYPERLINK" in row["Customer"]]
    assert evil["Customer"] == f"'{FORMULA}"
    assert evil["Status"].startswith("'@")
    (minus,) = [row for row in _csv(browser, "/market/opportunities.csv") if "5 %" in row["Opportunity"]]
    assert minus["Opportunity"] == "'-5 %"
    assert minus["Value, EUR"] == "-12.5"
    assert minus["Customer"] == f"'{FORMULA}"


def test_names_are_shown_as_they_are_and_never_run(browser):
    page = browser.get("/market/customers?dealer=D001").text
    assert "=HYPERLINK(&#34;http://bad.example&#34;;&#34;x&#34;)" in page


def test_quantities_stand_beside_their_unit_and_values_say_their_currency(browser):
    (row,) = _csv(browser, "/market/demand/machines.csv?part=part:OIL-1&dealer=D001&make=Acme")
    assert row["Unit"] == "litre"
    assert float(row["Value, EUR"]) == pytest.approx(float(row["Quantity"]) * 12.5)
    parts = _csv(browser, "/demand.csv?dealer=D001&make=Acme")
    (part,) = parts
    assert (part["Part"], part["Unit"]) == ("OIL-1", "litre")
    assert [float(part[name]) for name in ("Quantity", "Value, EUR")] == [
        float(row[name]) for name in ("Quantity", "Value, EUR")
    ]


@pytest.mark.parametrize(
    "address",
    [
        "/market/bulletin-machines?bulletin=bulletin:NONE", "/market/bulletin-machines?bulletin=part:OIL-1",
        "/market/machines?square=9", "/market/machines?dealer=D999", "/market/customers?dealer=../x",
        "/market/overdue?make=Nobody", "/market/machines?make=Acme&dealer=d001",
        "/dashboard?make=%27%22",
    ],
)  # fmt: skip
def test_what_is_not_there_is_told_in_a_sentence(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 404
    assert re.search(r"There is no |No machine of the make|This is no part of the map", answer.text)


@pytest.mark.parametrize(
    "address",
    [
        "/market/machines?make=Acme&model=Nothing", "/market/machines?status=lost", "/market/opportunities?stage=x",
        "/market/activities?month=1999-01", "/market/demand/machines?part=part:NONE", "/market/customers?dealer=D002",
    ],
)  # fmt: skip
def test_nothing_to_show_is_said(browser, address):
    text = text_of(browser, address)
    assert "Nothing here" in text
    assert re.search(r"<strong>0 \w+", text)


# A dealer's machine and customer


def test_a_machine_is_seen_with_its_hours_plan_and_dealer(browser):
    text = text_of(browser, f"/market/machines/{FIRST}")
    assert "ACME-1" in text
    assert "Hartmann" in text
    assert "Berg Earthworks" in text
    assert "Oil change" in text
    assert "990" in text


def test_a_machine_at_head_office_offers_nothing_to_change(browser):
    for address in (f"/market/machines/{FIRST}", f"/market/customers/{CUSTOMER}"):
        content = text_of(browser, address).split('id="content"', 1)[1]
        assert "<form" not in content
        assert not re.search(r'href="[^"]*(/edit|/new|/delete)', content)


def test_a_customer_is_seen_with_what_belongs_to_it(browser):
    text = text_of(browser, f"/market/customers/{CUSTOMER}")
    for words in ("Berg Earthworks", "Ida Berg", "Coffee", "One more", "ACME-1", "Linz", "990 h"):
        assert words in text, words


@pytest.mark.parametrize("address", ["/market/machines/D001:machine:NONE", f"/market/machines/{CUSTOMER}"])
def test_a_machine_that_there_is_not_is_told_so(browser, address):
    answer = browser.get(address, follow_redirects=True)
    assert answer.status_code == 404 or "Berg Earthworks" in answer.text


# Dealers


def test_silent_dealers_open_into_a_list_of_them(browser):
    assert re.search(
        r'href="/dealers\?silent=yes">\s*<span class="figure-value">0</span>', text_of(browser, "/dashboard")
    )
    assert "No dealer is silent" in text_of(browser, "/dealers?silent=yes")
