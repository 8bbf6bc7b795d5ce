"""Head office's dashboard: figures over all dealers, each opening into the rows behind it."""

import re

import pytest
from head_office import fill, index, machine, number_behind, open_market, rows_of, text_of
from visitors import signed_in

from app.documents import saving


@pytest.fixture(scope="module")
def market(store_server, tmp_path_factory):
    """A small market that nothing here changes."""
    with open_market(store_server, tmp_path_factory.mktemp("market")) as app:
        yield app


@pytest.fixture
def browser(market):
    """An analyst's browser."""
    return signed_in(market, "analyst")


def test_signing_in_leads_to_the_dashboard(manufacturer_client):
    answer = manufacturer_client.get("/")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/dashboard")


def test_an_empty_market_has_a_dashboard_too(manufacturer_client):
    assert "No dealer is admitted yet" in text_of(manufacturer_client, "/dashboard")


@pytest.mark.parametrize(
    ("address", "count"),
    [
        ("/market/machines?make=Acme", 3),
        ("/market/machines?make=Acme&model=LT+1", 3),
        ("/market/machines?dealer=D001", 2),
        ("/market/machines?dealer=D002", 1),
        ("/market/opportunities?stage=quoted", 2),
        ("/market/opportunities?stage=open", 2),
        ("/market/bulletin-machines?bulletin=bulletin:B-1", 2),
        ("/market/bulletin-machines?bulletin=bulletin:B-1&state=open", 1),
        ("/market/bulletin-machines?bulletin=bulletin:B-1&state=done", 1),
    ],
)
def test_each_number_opens_into_as_many_rows(browser, address, count):
    text = text_of(browser, "/dashboard")
    assert str(count) in number_behind(text, address)
    assert rows_of(browser, address) == count


def test_scrapped_machines_are_told_apart(browser):
    assert number_behind(text_of(browser, "/dashboard"), "/market/machines?status=scrapped") == ["1"]
    assert rows_of(browser, "/market/machines?status=scrapped") == 1
    assert rows_of(browser, "/market/machines?dealer=D002&status=scrapped") == 0


def test_a_dealer_and_a_make_can_be_chosen(manufacturer_client, manufacturer_node):
    fill(manufacturer_node)
    browser = manufacturer_client
    saving.save_many(manufacturer_node.market, [{**machine("D001", "9"), "make": "Other", "model": "X"}], "test")
    index(manufacturer_node)
    for address, words, count in (
        ("/dashboard", "4 machines at 2 dealers", 4),
        ("/dashboard?dealer=D001", "3 machines · Hartmann", 3),
        ("/dashboard?make=Acme", "3 machines · Acme", 3),
        ("/dashboard?dealer=D001&make=Acme", "2 machines · Acme · Hartmann", 2),
    ):
        text = text_of(browser, address)
        assert f'<p class="subheading">{words}</p>' in text
        machines = address.replace("/dashboard", "/market/machines")
        assert re.search(rf'href="{re.escape(machines)}">\s*<span class="figure-value">{count}</span>', text)


@pytest.mark.parametrize("address", ["/dashboard?dealer=D999", "/market/machines?dealer=D999", "/dealers/D999"])
def test_a_dealer_that_there_is_not_is_told_so(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 404
    assert "There is no dealer “D999” here" in answer.text


@pytest.mark.parametrize("address", ["/dashboard?make=Nobody", "/market/machines?make=Nobody"])
def test_a_make_that_nobody_has_is_told_so(browser, address):
    answer = browser.get(address)
    assert answer.status_code == 404
    assert "No machine of the make “Nobody” is known here" in answer.text


def test_the_demand_of_a_month_opens_into_parts_and_these_into_machines(browser):
    text = text_of(browser, "/dashboard")
    month = re.search(r'href="(/demand/\d{4}-\d\d)"', text).group(1)
    parts = text_of(browser, month)
    # The plan names OIL-0, which OIL-1 has replaced.
    assert "OIL-1" in parts
    assert "OIL-0" not in parts
    machines = re.search(r'href="(/market/demand/machines\?[^"]+part=part:OIL-1[^"]*)"', parts).group(1)
    rows = text_of(browser, machines)
    assert "ACME-1" in rows
    assert "ACME-3" in rows
    assert "ACME-2" not in rows


def test_the_months_of_a_dealer_and_a_make_open_into_their_machines(browser):
    text = text_of(browser, "/dashboard?dealer=D002&make=Acme")
    needs = re.search(r'href="(/market/demand/machines\?month=[^"]+)"', text).group(1)
    rows = text_of(browser, needs)
    assert "ACME-3" in rows
    assert "ACME-1" not in rows


def test_pieces_and_litres_are_never_added_up(browser):
    rows = text_of(browser, "/market/demand/machines")
    assert re.search(r"<strong>2 needs · [\d,.]+ EUR at list prices</strong>", rows)
    of_part = text_of(browser, "/market/demand/machines?part=part:OIL-1")
    assert re.search(r"<strong>2 machines · [\d,.]+ litres · [\d,.]+ EUR at list prices</strong>", of_part)


def test_a_month_without_demand_is_told_so(browser):
    answer = browser.get("/demand/1999-01")
    assert answer.status_code == 404
    assert "No parts are foreseen for Jan" in answer.text


def test_the_map_counts_each_machine_once_at_every_zoom(browser):
    world = "south=-85&north=85&west=-180&east=180"
    for zoom in (0, 3, 5, 12):
        points = browser.get(f"/dashboard/places?{world}&zoom={zoom}").get_json()
        assert sum(point["count"] for point in points) == 2
    (near,) = browser.get("/dashboard/places?south=49&north=51&west=8&east=9&zoom=9&dealer=D001").get_json()
    assert (near["count"], near["latitude"], near["longitude"]) == (1, 50.1, 8.7)
    assert rows_of(browser, near["url"]) == 1


@pytest.mark.parametrize(
    "address",
    [
        "/dashboard/places?zoom=3",
        "/dashboard/places?south=a&north=1&west=1&east=1&zoom=3",
        "/dashboard/places?south=nan&north=1&west=1&east=1&zoom=3",
        "/dashboard/places?south=0&north=1&west=1&east=inf&zoom=3",
    ],
)
def test_a_window_without_sides_is_a_bad_request(browser, address):
    assert browser.get(address).status_code == 400


def test_bulletins_say_how_far_they_have_come(browser):
    text = text_of(browser, "/dashboard")
    assert "Check the hose" in text
    assert "50 %" in text


def test_dealers_say_when_they_were_last_heard_of(manufacturer_client, manufacturer_node):
    fill(manufacturer_node)
    browser = manufacturer_client
    assert text_of(browser, "/dashboard").count("Never synced") == 2
    dealer = manufacturer_node.local.get("dealer:D001")
    manufacturer_node.local.put({**dealer, "last_sync": "2020-01-01T00:00:00Z"})
    assert re.search(r"Silent for \d[\d,]* days", text_of(browser, "/dashboard"))


def test_a_forecast_that_is_built_anew_is_told_to_be_incomplete(manufacturer_client, manufacturer_node):
    fill(manufacturer_node)
    assert "being worked out anew" not in text_of(manufacturer_client, "/dashboard")
    manufacturer_node.forecast.put_local(
        {**manufacturer_node.forecast.get_local("ironbook-forecast"), "month": "2020-01"}
    )
    assert "being worked out anew" in text_of(manufacturer_client, "/dashboard")


def test_the_whole_installed_base_and_the_whole_pipeline_have_pages(browser):
    assert number_behind(text_of(browser, "/dashboard/installed"), "/market/machines?make=Acme&model=LT+1") == ["3"]
    assert "1,500" in text_of(browser, "/dashboard/pipeline")


def test_a_dealer_has_no_dashboard(client):
    assert client.get("/dashboard").status_code == 404


def test_nobody_sees_the_dashboard_signed_out(manufacturer_app):
    answer = manufacturer_app.test_client().get("/dashboard")
    assert answer.status_code == 302
    assert "sign-in" in answer.headers["Location"]
