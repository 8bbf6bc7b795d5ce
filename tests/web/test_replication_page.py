"""The replication page: connections, their log, refused documents, why something is not over there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import dealership
import pytest
from visitors import Browser

from app.node import Node
from app.replication import connections
from app.replication.state import change_state
from app.security.certificates import own_certificate

# Nobody listens there: port 9 is for discarding.
NOBODY = "http://127.0.0.1:9"
VALUES = {"name": "manufacturer", "url": NOBODY, "user": "dealer-d001", "every_minutes": 15, "book": "book-d001"}
FORM = {**{key: str(value) for key, value in VALUES.items()}, "catalog": "catalog", "share": "manufacturer"}


def connect(node: Node) -> None:
    connections.save_connection(node, VALUES, "a secret password")


def text(browser: Browser, address: str = "/replication", **options: Any) -> str:
    answer = browser.get(address, **options)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_node_without_a_connection_says_so(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    page = text(sign_in("sales"))
    assert "No connection yet" in page
    assert "Add a connection" not in page


def test_an_administrator_adds_a_connection(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    admin = sign_in("admin")
    assert 'value="book-d001"' in text(admin, "/replication/new")
    answer = admin.post("/replication/new", data={**FORM, "password": "a secret password"})
    assert answer.status_code == 302
    page = text(admin)
    assert NOBODY in page
    assert "every 15 minutes" in page
    assert "Never synced" in page
    assert "a secret password" not in page


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"url": "nonsense"}, "must be an address"),
        ({"url": "http://anna:pw@127.0.0.1:9"}, "must not hold a user or password"),
        ({"every_minutes": "often"}, "every_minutes must be"),
        ({"name": "Not A Name"}, "small letters"),
        ({"password": ""}, "needs the password"),
    ],
)
def test_a_connection_that_cannot_work_is_not_kept(
    dealer_node: Node, sign_in: Callable[..., Browser], changes: dict[str, str], sentence: str
) -> None:
    answer = sign_in("admin").post("/replication/new", data={**FORM, "password": "a secret password", **changes})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert sentence in page
    assert "a secret password" not in page
    assert connections.connections(dealer_node) == []


def test_a_second_connection_of_that_name_changes_nothing(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    answer = sign_in("admin").post("/replication/new", data={**FORM, "user": "other", "password": "x"})
    assert answer.status_code == 422
    assert connections.find_connection(dealer_node, "manufacturer").user == "dealer-d001"


def test_a_connection_is_changed_and_keeps_its_password(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    admin = sign_in("admin")
    answer = admin.post("/replication/connections/manufacturer/edit", data={**FORM, "every_minutes": "60"})
    assert answer.status_code == 302
    connection = connections.find_connection(dealer_node, "manufacturer")
    assert connection.every_minutes == 60
    assert connections.password_of(dealer_node, connection) == "a secret password"


def test_a_change_on_the_page_keeps_the_certificate_and_takes_clock_times(
    dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    certificate = own_certificate(dealer_node.settings.data / "tls")[0].read_text()
    values = {**VALUES, "url": "https://127.0.0.1:9", "certificate": certificate}
    connections.save_connection(dealer_node, values, "a secret password")
    admin, address = sign_in("admin"), "/replication/connections/manufacturer/edit"
    form = {**FORM, "url": "https://127.0.0.1:9"}
    assert admin.post(address, data={**form, "at": "6:00, 18:30", "time_zone": "Europe/Berlin"}).status_code == 302
    connection = connections.find_connection(dealer_node, "manufacturer")
    assert (connection.certificate, connection.at) == (certificate, "6:00, 18:30")
    assert "at 06:00 and 18:30 (Europe/Berlin)" in admin.get("/replication").text
    wrong = admin.post(address, data={**form, "at": "noon"})
    assert wrong.status_code == 422
    assert "at must be times such as 06:00, 18:30, and noon is none" in wrong.text


def test_only_an_administrator_changes_connections(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    sales = sign_in("sales")
    for address in ("/replication/new", "/replication/connections/manufacturer/edit"):
        assert sales.get(address).status_code == 403
    for action in ("pause", "resume", "remove"):
        assert sales.post(f"/replication/connections/manufacturer/{action}").status_code == 403
    assert connections.connections(dealer_node)


def test_pausing_is_shown_and_undone(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    admin = sign_in("admin")
    admin.post("/replication/connections/manufacturer/pause")
    assert "Syncing is paused." in text(admin)
    admin.post("/replication/connections/manufacturer/resume")
    assert "Syncing is paused." not in text(admin)


def test_a_removed_connection_leaves_the_documents(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    dealership.open_dealership(dealer_node)
    admin = sign_in("admin")
    admin.post("/replication/connections/manufacturer/remove")
    assert connections.connections(dealer_node) == []
    assert dealer_node.book.get(dealership.CUSTOMER) is not None


def test_sync_now_runs_in_the_background_and_is_logged(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    sales = sign_in("sales")
    answer = sales.post("/replication/connections/manufacturer/sync")
    assert answer.status_code == 303
    for thread in threading.enumerate():
        if thread.name == "job Sync with manufacturer":
            thread.join(60)
    assert "cannot be reached" in text(sales, answer.headers["Location"])
    page = text(sales)
    assert "Failed" in page
    assert "cannot be reached" in page
    assert "Not syncing" in page


def test_a_designer_starts_no_sync(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    assert sign_in("designer").post("/replication/connections/manufacturer/sync").status_code == 403


def test_the_state_of_a_connection_is_a_fragment(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    sales = sign_in("sales")
    fragment = text(sales, "/replication/connections/manufacturer/state")
    assert 'id="state-manufacturer"' in fragment
    assert "<html" not in fragment
    assert sales.get("/replication/connections/nobody/state").status_code == 404


def test_refused_documents_are_listed_with_the_reason(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    dealership.open_dealership(dealer_node)
    dealer_node.local.put(
        {
            "_id": f"refused:manufacturer:{dealership.CUSTOMER}",
            "type": "refused",
            "document": dealership.CUSTOMER,
            "rev": "1-a",
            "connection": "manufacturer",
            "direction": "push",
            "reason": "A document of another dealer may not be written.",
            "since": "2026-11-20T10:00:00Z",
        }
    )
    change_state(dealer_node, "manufacturer", refused=1)
    page = text(sign_in("sales"))
    assert "Berg Earthworks" in page
    assert "A document of another dealer may not be written." in page
    assert "Offer them again now" in page


def test_why_a_keepsake_is_not_over_there(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    connect(dealer_node)
    dealership.open_dealership(dealer_node)
    sales = sign_in("sales")
    page = text(sales, "/replication/why?document=http://localhost/documents/D001:keepsake:tom/edit")
    assert "shared within the dealership only" in page
    assert "no document" in text(sales, "/replication/why?document=D001:customer:nobody")
    assert "has no document in it" in text(sales, "/replication/why?document=http://localhost/")


def test_nothing_to_decide_is_said(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    assert "Nothing to decide" in text(sales, "/replication/disputes")
    assert "Nothing to decide" in text(sales, "/replication/disputes?start=nonsense")


def test_a_dispute_is_settled_with_one_click(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    dealership.open_dealership(dealer_node)
    customer = dealer_node.book.get(dealership.CUSTOMER)
    assert customer is not None
    dispute = {"id": "d1", "field": "city", "value": "Graz", "by": "anna", "at": "2026-11-20T10:00:00Z"}
    dealer_node.book.put({**customer, "disputes": [dispute]})
    sales = sign_in("sales")
    address = f"/documents/{dealership.CUSTOMER}/disputes/d1"
    answer = sales.post(address, data={"choice": "other", "next": "/replication/disputes"})
    assert answer.headers["Location"] == "/replication/disputes"
    settled = dealer_node.book.get(dealership.CUSTOMER)
    assert settled is not None
    assert settled["city"] == "Graz"
    assert "Nothing to decide" in text(sales, "/replication/disputes")


def test_the_manufacturers_page_says_that_dealers_call(manufacturer_node: Node, manufacturer_client: Browser) -> None:
    assert "Dealers call this node" in text(manufacturer_client)


def test_stopping_when_nothing_runs_is_said_and_only_who_syncs_may(
    dealer_node: Node, sign_in: Callable[..., Browser]
) -> None:
    connect(dealer_node)
    address = "/replication/connections/manufacturer/stop"
    sales = sign_in("sales")
    assert sales.post(address).status_code == 303
    assert "No sync with manufacturer is running" in text(sales)
    assert sales.post("/replication/connections/nobody/stop").status_code == 404
    assert sign_in("designer").post(address).status_code == 403
