"""What somebody types stays in its form, in a real browser: signed out meanwhile, or the store away for a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import dealership
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Route, expect
from visitors import PASSWORD, add_user
from werkzeug.serving import make_server

from app.node import Node

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

WORDS = "They want the tiltrotator as well"
SAVE = ".form-actions button:visible"


@pytest.fixture
def address(dealer_node: Node, dealer_app: Flask) -> Iterator[str]:
    """Where the dealership's pages are served to real browsers, in which ``sales`` may sign in."""
    dealership.open_dealership(dealer_node)
    add_user(dealer_node, "sales", ["sales"])
    server = make_server("127.0.0.1", 0, dealer_app, threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """A browser window, signed in, whose questions about leaving a page are answered with staying."""
    context = chromium.new_context()
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.dismiss())
    sign_in(page, address)
    yield page
    context.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    page.fill("input[name=name]", "sales")
    page.fill("input[type=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def log_a_visit(page: Page, address: str) -> None:
    """Opens the form on the customer's page and types into it."""
    page.goto(f"{address}/customers/{dealership.CUSTOMER}")
    page.get_by_role("link", name="Log an activity").click()
    page.fill("[name=subject]", WORDS)


def look_again(page: Page) -> None:
    """The page asks for the sync status, as it does when somebody comes back to its tab."""
    with page.expect_response("**/status"):
        page.evaluate("window.dispatchEvent(new Event('focus'))")


def test_whoever_was_signed_out_signs_in_in_another_tab_and_saves_what_they_typed(page: Page, address: str) -> None:
    log_a_visit(page, address)
    page.context.clear_cookies()
    look_again(page)
    expect(page.locator("#sync-status")).to_contain_text("Signed out")

    page.locator(f"form:has([name=subject]) {SAVE}").first.click()
    assert page.input_value("[name=subject]") == WORDS

    other = page.context.new_page()
    sign_in(other, address)
    look_again(page)
    expect(page.locator("#sync-status")).not_to_contain_text("Signed out")
    page.locator(f"form:has([name=subject]) {SAVE}").first.click()
    expect(page.locator("#section-activities")).to_contain_text(WORDS)


def test_a_page_on_which_nothing_is_typed_goes_to_the_sign_in_page_with_the_session(page: Page, address: str) -> None:
    page.goto(f"{address}/customers/{dealership.CUSTOMER}")
    page.context.clear_cookies()

    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_form_on_a_page_of_its_own_waits_for_the_new_session_too(page: Page, address: str) -> None:
    page.goto(f"{address}/documents/new/customer")
    page.fill("[name=name]", WORDS)
    page.context.clear_cookies()
    look_again(page)
    page.locator(f"main form {SAVE}").first.click()
    assert page.input_value("[name=name]") == WORDS

    sign_in(page.context.new_page(), address)
    look_again(page)
    page.locator(f"main form {SAVE}").first.click()

    expect(page.get_by_role("heading", name=WORDS)).to_be_visible()


@pytest.mark.parametrize("status", [401, 503])
def test_what_could_not_be_saved_stays_under_the_sentence_that_says_why(page: Page, address: str, status: int) -> None:
    log_a_visit(page, address)

    def refuse(route: Route) -> None:
        route.fulfill(status=status, content_type="text/html", body='<div class="notice">The store is away.</div>')

    page.route("**/add/activity**", refuse)
    page.locator(f"form:has([name=subject]) {SAVE}").first.click()
    expect(page.locator("[data-refusal]")).to_contain_text("The store is away.")
    assert page.input_value("[name=subject]") == WORDS

    page.unroute("**/add/activity**", refuse)
    page.locator(f"form:has([name=subject]) {SAVE}").first.click()
    expect(page.locator("#section-activities")).to_contain_text(WORDS)
