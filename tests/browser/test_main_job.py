"""The main job in a browser: a dealer adds a machine and a keepsake and syncs; head office sees the machine."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_machine_added_at_a_dealer_reaches_head_office_and_a_keepsake_does_not(demo, page, chromium):
    dealer = demo.dealers[0]
    demo.sign_in(page, dealer, "sara")
    page.goto(f"{dealer.address}lists/customers")
    page.locator("table tbody tr a").first.click()
    expect(page.get_by_role("heading", name=re.compile("Parts needed in the next 90 days"))).to_be_visible()

    page.get_by_role("link", name="Add a machine").click()
    page.fill("input[name=make]", "Vardheim")
    page.fill("input[name=model]", "VX 18")
    page.fill("input[name=serial]", "BROWSER77")
    page.locator("form:has(input[name=serial]) .form-actions button").first.click()
    expect(page.locator("#section-machines").get_by_text("BROWSER77")).to_be_visible()

    page.get_by_role("link", name="Birthday, flowers").first.click()
    page.fill("input[name=flowers]", "white lilac from the garden")
    page.locator("form:has(input[name=flowers]) .form-actions button").first.click()
    flowers = page.get_by_text("white lilac from the garden")
    expect(flowers).to_be_visible()
    keepsake = flowers.locator("xpath=ancestor::*[.//a[normalize-space()='Open']][1]").get_by_role("link", name="Open")
    keepsake_address = (keepsake.get_attribute("href") or "").lstrip("/")
    assert ":keepsake:" in keepsake_address.replace("%3A", ":")
    assert page.request.get(dealer.address + keepsake_address).status == 200

    page.goto(f"{dealer.address}replication")
    page.get_by_role("button", name="Sync now").click()
    expect(page.get_by_text("The sync with manufacturer has been started")).to_be_visible()

    head_office = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    demo.sign_in(head_office, demo.head_office, "anna")
    # Within the 15 seconds in which the market is fed, and before the schedule's own sync, a minute after the start.
    _look_until(head_office, f"{demo.head_office.address}dashboard", "317 machines at 2 dealers", seconds=40)
    head_office.goto(f"{demo.head_office.address}documents/D001:machine:VARDHEIM-BROWSER77")
    expect(head_office.get_by_role("heading", name=re.compile("BROWSER77"))).to_be_visible()
    # It came with the same sync or not at all; the address is right, for the dealer's own node knows it.
    assert head_office.request.get(demo.head_office.address + keepsake_address).status == 404


def _look_until(page, address, words, seconds):
    for _ in range(seconds * 2):
        page.goto(address)
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(500)
    pytest.fail(f"{address} did not say {words!r} within {seconds} s: {page.locator('main').inner_text()[:500]}")
