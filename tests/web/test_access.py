"""Every page there is, found in the application's own list of addresses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from visitors import Browser, add_user, signed_in
from werkzeug.routing import Rule

from app.node import Node
from app.security.access import needs, needs_of

OPEN_TO_ANYBODY = {
    "sign_in.show",
    "sign_in.sign_in",
    "sign_in.first_start",
    "sign_in.make_first_user",
    "joining.first_start",
    "frame.health",
}


def pages(app: Flask) -> Iterator[tuple[Rule, str]]:
    """Each rule with an address it fits."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            address = rule.rule
            for name in rule.arguments:
                address = address.replace(f"<path:{name}>", "D001:customer:x").replace(f"<{name}>", "x")
            yield rule, address


@pytest.fixture(scope="module")
def dealer_node(make_module_node: Callable[..., Node]) -> Node:
    """One for all tests here: they look, or are refused."""
    return make_module_node("dealer")


@pytest.fixture(scope="module")
def manufacturer_node(make_module_node: Callable[..., Node]) -> Node:
    """One for all tests here as well."""
    return make_module_node("manufacturer")


@pytest.fixture(params=["dealer", "manufacturer"])
def app(request: pytest.FixtureRequest) -> Flask:
    found = request.getfixturevalue(f"{request.param}_app")
    assert isinstance(found, Flask)
    return found


def test_every_page_says_what_it_needs(app: Flask) -> None:
    unmarked = {rule.endpoint for rule, _ in pages(app) if needs_of(app.view_functions[rule.endpoint]) is None}
    assert not unmarked


def test_only_these_pages_are_open_to_anybody(app: Flask) -> None:
    open_ones = {r.endpoint for r, _ in pages(app) if needs_of(app.view_functions[r.endpoint]) == ()}
    # Nobody joins a manufacturer's node to anything.
    here = app.view_functions.keys()
    assert open_ones == OPEN_TO_ANYBODY & here
    assert here >= OPEN_TO_ANYBODY - {"joining.first_start"}


def test_every_other_page_sends_a_stranger_to_the_sign_in(app: Flask) -> None:
    stranger = app.test_client()
    for rule, address in pages(app):
        if rule.endpoint in OPEN_TO_ANYBODY:
            continue
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            answer = stranger.open(address, method=method)
            if method == "GET":
                assert answer.status_code == 302, address
                assert answer.headers["Location"].startswith("/sign-in?next="), address
            else:
                assert answer.status_code == 401, (method, address)


def test_nothing_is_changed_without_the_sessions_token(app: Flask) -> None:
    node: Node = app.extensions["ironbook"]
    add_user(node, "anna", ["admin"])
    browser = signed_in(app, "anna")
    browser.token = ""
    for rule, address in pages(app):
        for method in rule.methods - {"OPTIONS", "HEAD", "GET"}:
            assert browser.open(address, method=method).status_code == 400, (method, address)


def test_a_part_of_a_page_sends_the_whole_page_to_the_sign_in(dealer_app: Flask) -> None:
    answer = dealer_app.test_client().get("/status", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/sign-in"


def test_a_page_without_a_mark_is_refused_to_everybody(dealer_node: Node, dealer_app: Flask) -> None:
    dealer_app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    add_user(dealer_node, "berta", ["admin"])
    answer = signed_in(dealer_app, "berta").get("/forgotten")
    assert answer.status_code == 403
    assert "secret" not in answer.get_data(as_text=True)


def test_a_mark_with_an_unknown_right_is_a_mistake_found_at_the_start() -> None:
    with pytest.raises(ValueError, match="paint:book"):
        needs("paint:book")


def test_a_page_is_refused_to_who_lacks_the_right(sign_in: Callable[..., Browser]) -> None:
    answer = sign_in("sales").get("/users")
    assert answer.status_code == 403
    assert "not open to you" in answer.get_data(as_text=True)
    assert sign_in("admin").get("/users").status_code == 200


@pytest.mark.parametrize("address", ["/sign-in", "/status", "/nothing-here", "/static/css/frame.css"])
def test_every_answer_tells_the_browser_what_to_refuse(client: Browser, address: str) -> None:
    headers = client.get(address).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


def test_pages_are_never_kept_by_a_cache_and_static_files_are_kept_for_a_year(client: Browser) -> None:
    assert client.get("/account").headers["Cache-Control"] == "no-store"
    static = client.get("/static/css/frame.css?v=1").headers["Cache-Control"]
    assert "max-age=31536000" in static
    assert "immutable" in static


def test_no_page_holds_inline_scripts_or_styles(client: Browser) -> None:
    for address in ("/account", "/jobs/none"):
        text = client.get(address).get_data(as_text=True)
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert all("src=" in part.split(">", 1)[0] for part in text.split("<script")[1:])


def test_a_node_on_loopback_answers_to_no_other_name(dealer_app: Flask) -> None:
    answer = dealer_app.test_client().get("/sign-in", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "evil.example" not in answer.get_data(as_text=True)


def test_two_nodes_on_one_computer_use_different_cookies(dealer_app: Flask, manufacturer_app: Flask) -> None:
    names = {app.config["SESSION_COOKIE_NAME"] for app in (dealer_app, manufacturer_app)}
    assert len(names) == 2


def test_an_unused_session_ends_and_a_page_that_asks_by_itself_is_no_use(client: Browser) -> None:
    hours = 12

    def set_back(seconds: int) -> None:
        with client.session_transaction() as session:
            session["used_at"] = int(time.time()) - seconds

    def used_at() -> Any:
        with client.session_transaction() as session:
            return session.get("used_at")

    set_back(600)
    before = used_at()
    client.get("/status")
    assert used_at() == before
    client.get("/account")
    assert used_at() > before
    set_back(hours * 3600 + 120)
    assert client.get("/account").status_code == 302
    assert client.get("/account").status_code == 302
