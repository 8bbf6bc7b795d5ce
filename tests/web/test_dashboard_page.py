"""Head office's dashboard: figures over all dealers, each opening into the rows behind it."""

import re
from datetime import UTC, datetime

from visitors import signed_in

from app.documents import saving
from app.market.forecast import refresh_forecast


def machine(dealer, serial, model="LT 1"):
    return {
        "_id": f"{dealer}:machine:ACME-{serial}",
        "type": "machine",
        "dealer": dealer,
        "share": "manufacturer",
        "make": "Acme",
        "model": model,
        "serial": serial,
        "position": {"latitude": 50.1, "longitude": 9.2},
    }


def reading(dealer, serial, hours):
    today = datetime.now(UTC).date().isoformat()
    return {
        "_id": f"{dealer}:reading:ACME-{serial}:{today}",
        "type": "reading",
        "dealer": dealer,
        "share": "manufacturer",
        "machine": f"{dealer}:machine:ACME-{serial}",
        "at": f"{today}T06:00:00Z",
        "hours": hours,
        "source": "manual",
    }


def opportunity(dealer, key, stage, value):
    return {
        "_id": f"{dealer}:opportunity:{key}",
        "type": "opportunity",
        "dealer": dealer,
        "share": "manufacturer",
        "title": "One more",
        "stage": stage,
        "value": value,
    }


def fill(node):
    saving.save_many(
        node.catalog,
        [
            {
                "_id": "model:ACME-LT1",
                "type": "model",
                "dealer": "",
                "share": "manufacturer",
                "make": "Acme",
                "name": "LT 1",
                "hours_per_day": 5,
                "plan": [{"id": "a", "title": "Oil", "part": "OIL-1", "quantity": 2, "every_hours": 100}],
            },
            {
                "_id": "part:OIL-1",
                "type": "part",
                "dealer": "",
                "share": "manufacturer",
                "number": "OIL-1",
                "name": "Engine oil",
                "unit": "litre",
            },
        ],
        "test",
    )
    saving.save_many(
        node.market,
        [
            machine("D001", "1"),
            machine("D001", "2"),
            machine("D002", "3"),
            reading("D001", "1", 990.0),
            reading("D002", "3", 990.0),
            opportunity("D001", "x", "quoted", 1000),
            opportunity("D002", "y", "quoted", 500),
        ],
        "test",
    )
    refresh_forecast(node)


def test_signing_in_leads_to_the_dashboard(manufacturer_client):
    answer = manufacturer_client.get("/")
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("/dashboard")


def test_an_empty_market_has_a_dashboard_too(manufacturer_client):
    answer = manufacturer_client.get("/dashboard")
    assert answer.status_code == 200
    assert "No dealer is admitted yet" in answer.text


def test_the_installed_base_opens_into_as_many_rows(manufacturer_node, manufacturer_client):
    fill(manufacturer_node)
    text = manufacturer_client.get("/dashboard").text
    assert "3 machines" in text
    url = re.search(r'data-label="Machines" class="number"><a href="(/lists/machines\?[^"]+)">3</a>', text).group(1)
    rows = manufacturer_client.get(url.replace("&amp;", "&")).text
    assert all(f"ACME-{serial}" in rows for serial in "123")


def test_the_pipeline_adds_up_by_stage_and_dealer(manufacturer_node, manufacturer_client):
    fill(manufacturer_node)
    text = manufacturer_client.get("/dashboard").text.replace("\xa0", " ")
    assert "1,500.00 EUR" in text or "1,500 EUR" in text
    assert re.search(r"D001: 1, 1,000(\.00)? EUR", text)


def test_the_demand_of_a_month_opens_into_parts_and_these_into_machines(manufacturer_node, manufacturer_client):
    fill(manufacturer_node)
    text = manufacturer_client.get("/dashboard").text
    month = re.search(r'href="(/demand/\d{4}-\d\d)"', text).group(1)
    parts = manufacturer_client.get(month).text
    machines_url = re.search(r'href="(/demand/\d{4}-\d\d/part:OIL-1)"', parts).group(1)
    machines = manufacturer_client.get(machines_url).text
    assert "Engine oil" in parts
    assert '<td data-label="Unit">litre</td>' in parts
    assert "litre</td>" in machines
    assert "ACME-1" in machines
    assert "ACME-3" in machines


def test_a_month_without_demand_is_told_so(manufacturer_client):
    answer = manufacturer_client.get("/demand/1999-01")
    assert answer.status_code == 404
    assert "No parts are foreseen for 1999-01" in answer.text


def test_a_dealer_has_no_dashboard(client):
    assert client.get("/dashboard").status_code == 404


def test_nobody_sees_the_dashboard_signed_out(manufacturer_app):
    answer = manufacturer_app.test_client().get("/dashboard")
    assert answer.status_code == 302
    assert "sign-in" in answer.headers["Location"]


def test_the_page_is_for_who_may_read_the_market(manufacturer_node, manufacturer_app):
    from visitors import add_user

    add_user(manufacturer_node, "analyst", ["analyst"])
    assert signed_in(manufacturer_app, "analyst").get("/dashboard").status_code == 200
