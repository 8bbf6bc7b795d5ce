"""Product support's campaign from end to end: published, seen at the dealer's machine, done there, counted here."""

from __future__ import annotations

import html
import re

from visitors import add_user, app_of, signed_in

from app.documents import saving
from app.market.feed import feed_market
from app.market.forecast import refresh_forecast
from app.replication import connections
from app.replication.dealers import add_dealer
from app.replication.passes import run_pass

BULLETIN = "bulletin:B-77"
INSIDE, OUTSIDE = "D001:machine:ACME-AC150", "D001:machine:ACME-AC900"


def words_of(answer):
    assert answer.status_code == 200, answer.status
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split()).replace("\xa0", " ")


def test_a_bulletin_is_published_done_at_the_dealer_and_counted_at_head_office(make_node):
    head_office, dealer = make_node("manufacturer"), make_node("dealer")
    admitted = add_dealer(head_office, dealer.dealer, "Hartmann")
    values = {"name": "manufacturer", "url": head_office.store.url, "user": admitted.user, "book": admitted.database}
    connection = connections.save_connection(dealer, {**values, "catalog": admitted.catalog}, admitted.password)
    for machine in (INSIDE, OUTSIDE):
        serial = machine.rpartition("-")[2]
        fields = {"make": "Acme", "model": "LT 1", "serial": serial, "status": "in service"}
        common = {"_id": machine, "type": "machine", "dealer": "D001", "share": "manufacturer"}
        saving.save(dealer.book, {**common, **fields}, by="test")
    add_user(head_office, "support", ["parts"])
    add_user(dealer, "peter", ["parts"])
    support, peter = signed_in(app_of(head_office), "support"), signed_in(app_of(dealer), "peter")

    def sync():
        assert run_pass(dealer, connection).error == ""
        feed_market(head_office)
        refresh_forecast(head_office)

    today = head_office.today().isoformat()
    assert f'name="issued_on" value="{today}"' in support.get("/documents/new/bulletin").text
    typed = {"code": "B-77", "title": "Check the hose", "severity": "safety", "make": "Acme"}
    typed |= {"serial_from": "AC100", "serial_to": "AC199", "instructions": "Look at it."}
    assert support.post("/documents/new/bulletin", data=typed).status_code == 303
    # Published a moment ago, it concerns nobody yet as far as is known: the page says that this is about to change.
    assert "are being counted" in words_of(support.get(f"/catalog/bulletins/{BULLETIN}"))
    sync()

    assert "B-77: Check the hose" in words_of(peter.get(f"/machines/{INSIDE}"))
    assert "B-77" not in words_of(peter.get(f"/machines/{OUTSIDE}"))
    progress = words_of(support.get(f"/catalog/bulletins/{BULLETIN}"))
    assert "1 machine concerned 1 open 0 done 0 % progress" in progress

    found = re.search(r'href="(/add/service\?[^"]*bulletin=[^"]*)"', peter.get(f"/machines/{INSIDE}").text)
    assert found, "the machine's page offers no way to record the bulletin as done"
    address = html.unescape(found.group(1))
    assert peter.get(address).status_code == 200
    done = {"done_on": dealer.today().isoformat(), "kind": "bulletin", "hours": "1200", "technician": "Uwe"}
    assert peter.post(address, data=done).status_code in (200, 303)
    assert "Open bulletins" not in words_of(peter.get(f"/machines/{INSIDE}"))
    sync()

    progress = words_of(support.get(f"/catalog/bulletins/{BULLETIN}"))
    assert "1 machine concerned 0 open 1 done 100 % progress" in progress
    assert "Hartmann 1 0 1" in progress
    rows = words_of(support.get(f"/market/bulletin-machines?bulletin={BULLETIN}&state=done"))
    assert "AC150" in rows
    assert "AC900" not in rows
