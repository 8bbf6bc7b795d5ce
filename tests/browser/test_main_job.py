"""The main job in a browser: a dealer adds a machine and a keepsake and syncs; head office looks at its figures."""

import re

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def test_a_dealer_adds_a_machine_and_a_keepsake_in_place_and_head_office_has_its_figures(demo, page, chromium):
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
    expect(page.get_by_text("white lilac from the garden")).to_be_visible()

    page.goto(f"{dealer.address}replication")
    page.get_by_role("button", name=re.compile("Sync now|Sync with")).first.click()
    page.wait_for_load_state("networkidle")

    head_office = chromium.new_context(viewport={"width": 390, "height": 844}).new_page()
    demo.sign_in(head_office, demo.head_office, "anna")
    head_office.goto(f"{demo.head_office.address}dashboard")
    expect(head_office.get_by_text("machines at 2 dealers")).to_be_visible()
    assert "white lilac" not in head_office.content()
