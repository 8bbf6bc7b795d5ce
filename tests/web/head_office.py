"""A small market for tests of head office's pages: two dealers, three machines, opportunities, a bulletin, a plan."""

from __future__ import annotations

import contextlib
import html
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from leftovers import leave_nothing
from visitors import Browser, add_user, app_of

from app.config import read_settings
from app.design.indexes import build_indexes
from app.documents import saving
from app.market.forecast import refresh_forecast
from app.node import Node, open_node
from app.replication.dealers import add_dealer
from app.secrets import STORE, Secrets

FIRST = "D001:machine:ACME-1"
THIRD = "D002:machine:ACME-3"
CUSTOMER = "D001:customer:berg"
MODEL = "model:ACME-LT1"
OIL = "part:OIL-1"
BULLETIN = "bulletin:B-1"


def document(document_id: str, **fields: Any) -> dict[str, Any]:
    """A document of a dealer's book, or of the catalog, by its id."""
    parts = document_id.split(":")
    dealer = parts[0] if len(parts) > 2 else ""
    kind = parts[1] if dealer else parts[0]
    return {"_id": document_id, "type": kind, "dealer": dealer, "share": "manufacturer", **fields}


def machine(dealer: str, serial: str, **fields: Any) -> dict[str, Any]:
    """A machine of the make Acme; of the model LT 1, at Frankfurt, unless `fields` say otherwise."""
    usual = {"model": "LT 1", "status": "in service", "position": {"latitude": 50.1, "longitude": 8.7}}
    return document(f"{dealer}:machine:ACME-{serial}", make="Acme", serial=f"ACME-{serial}", **{**usual, **fields})


def fill(node: Node) -> None:
    """Two dealers; D001 has two machines, of which one is scrapped, D002 has one; D002's bulletin is done."""
    for code, name in (("D001", "Hartmann"), ("D002", "Alpland")):
        add_dealer(node, code, name)
    today = node.today().isoformat()
    saving.save_many(node.catalog, catalog(), "test")
    saving.save_many(
        node.market,
        [
            document(CUSTOMER, name="Berg Earthworks", city="Linz", status="active"),
            document("D001:person:ida", name="Ida Berg", customer=CUSTOMER),
            machine("D001", "1", customer=CUSTOMER),
            machine("D001", "2", status="scrapped", position=None),
            machine("D002", "3", position={"latitude": 47.3, "longitude": 11.4}),
            *(
                document(
                    f"{dealer}:reading:ACME-{serial}:{today}",
                    machine=f"{dealer}:machine:ACME-{serial}",
                    at=f"{today}T06:00:00Z",
                    hours=990.0,
                    source="manual",
                )
                for dealer, serial in (("D001", "1"), ("D002", "3"))
            ),
            document("D002:service:s1", machine=THIRD, done_on=today, kind="bulletin", bulletin=BULLETIN),
            document("D001:opportunity:x", customer=CUSTOMER, title="One more", stage="quoted", value=1000),
            document("D002:opportunity:y", title="Another", stage="quoted", value=500),
            document("D002:opportunity:z", title="Lost one", stage="lost", value=70),
            document("D001:activity:a", customer=CUSTOMER, kind="visit", at=f"{today}T08:00:00Z", subject="Coffee"),
        ],
        "test",
    )
    index(node)


def index(node: Node) -> None:
    """What the schedule does after dealers have synced: the forecast, and the indexes that pages read as they are."""
    refresh_forecast(node)
    build_indexes(node.market)


def catalog() -> list[dict[str, Any]]:
    """The model, whose plan names a part that was replaced, both parts, and the bulletin."""
    plan = [
        {"id": "a", "title": "Oil change", "part": "part:OIL-0", "quantity": 2, "every_hours": 100},
        {"id": "b", "title": "Without an interval", "part": OIL},
    ]
    return [
        document(MODEL, make="Acme", name="LT 1", kind="loader", hours_per_day=5, plan=plan),
        document("part:OIL-0", number="OIL-0", name="Old oil", unit="litre", price=1.0, replaced_by=OIL),
        document(OIL, number="OIL-1", name="Good oil", unit="litre", price=12.5),
        document(BULLETIN, code="B-1", title="Check the hose", make="Acme", severity="safety", issued_on="2026-01-02"),
    ]


def text_of(browser: Browser, address: str) -> str:
    """A page as it reads, with plain spaces; it must be there."""
    answer = browser.get(address)
    assert answer.status_code == 200, f"{address}: {answer.status}"
    return html.unescape(answer.text).replace("\xa0", " ")


def number_behind(text: str, address: str) -> list[str]:
    """The numbers that lead to an address on a page."""
    return re.findall(rf'<a[^>]* href="{re.escape(address)}"[^>]*>([\d,]+)</a>', text)


def rows_of(browser: Browser, address: str) -> int:
    """How many rows a page of rows shows."""
    return text_of(browser, address).count('class="row-link"')


@contextlib.contextmanager
def open_market(
    store_server: tuple[str, str, str], folder: Path, more: Iterable[dict[str, Any]] = ()
) -> Iterator[Flask]:
    """The pages of a filled head office with users ``analyst``, ``parts`` and ``admin``, for tests that only look.

    `more` are further documents of the market and the catalog.
    """
    url, user, password = store_server
    Secrets(folder).set(STORE, password)
    settings = replace(
        read_settings(folder, {}),
        role="manufacturer",
        name="Head office",
        store_url=url,
        store_user=user,
        store_prefix=f"test-{secrets.token_hex(5)}-",
    )
    with open_node(settings) as node:
        fill(node)
        if more := list(more):
            for database, of_dealers in ((node.market, True), (node.catalog, False)):
                documents = [each for each in more if bool(each["dealer"]) == of_dealers]
                results = saving.save_many(database, documents, "test")
                assert all(isinstance(result, saving.Saved) for result in results)
            index(node)
        for role in ("analyst", "parts", "admin"):
            add_user(node, role, [role])
        yield app_of(node)
        leave_nothing(node.store)
