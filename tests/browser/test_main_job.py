"""In a browser: a machine added at a dealer reaches head office, a keepsake does not; and what was typed is never lost.

One file, for every file of these starts a demo of its own.
"""

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
        # Asked for without being drawn, which costs less than the nodes it waits for.
        if words in page.request.get(address).text().replace("\xa0", " "):
            break
        page.wait_for_timeout(500)
    page.goto(address)
    expect(page.get_by_text(words)).to_be_visible()


def _fill_in(page, dealer):
    page.goto(f"{dealer.address}documents/new/customer")
    page.fill("input[name=name]", "Typed at length")
    page.fill("textarea[name=notes]", "and not to be typed again")


def _save(page):
    page.get_by_role("button", name="Save").last.click()


def test_what_was_typed_survives_the_end_of_the_session_and_is_saved_after_signing_in_again(demo, page):
    dealer = demo.dealers[0]
    demo.sign_in(page, dealer, "sara")
    _fill_in(page, dealer)
    page.context.clear_cookies()
    _save(page)
    expect(page.get_by_text("nothing was saved")).to_be_visible()
    assert page.input_value("textarea[name=notes]") == "and not to be typed again"

    demo.sign_in(page.context.new_page(), dealer, "sara")
    _save(page)
    expect(page.get_by_role("heading", name="Typed at length")).to_be_visible()
    expect(page.get_by_text("and not to be typed again")).to_be_visible()


def test_what_was_typed_stays_when_the_node_does_not_answer(demo, page):
    dealer = demo.dealers[0]
    demo.sign_in(page, dealer, "sara")
    _fill_in(page, dealer)
    page.context.set_offline(True)
    _save(page)
    expect(page.get_by_text("Ironbook does not answer")).to_be_visible()
    assert page.input_value("input[name=name]") == "Typed at length"


def test_two_clicks_save_once_and_the_page_says_so_where_one_is(demo, page):
    dealer = demo.dealers[0]
    demo.sign_in(page, dealer, "sara")
    page.goto(f"{dealer.address}documents/new/customer")
    assert page.evaluate("document.activeElement.name") == "name"
    page.fill("input[name=name]", "Clicked twice")
    page.get_by_role("button", name="Save").last.dblclick()
    expect(page.get_by_role("heading", name="Clicked twice")).to_be_visible()
    page.get_by_role("link", name="Log a visit").click()
    page.fill("input[name=subject]", "Came by")
    _save(page)
    expect(page.get_by_text(re.compile("Came by.* was added"))).to_be_in_viewport()
    page.goto(f"{dealer.address}search?q=Clicked twice")
    assert page.get_by_role("link", name="Clicked twice").count() == 1
