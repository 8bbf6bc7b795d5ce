from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from visitors import PASSWORD, Browser, add_user, signed_in
from werkzeug.test import TestResponse

from app.node import Node
from app.security import users
from app.security.attempts import FREE_FOR_USER
from app.web.addresses import local_page


def token_of(answer: TestResponse) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', answer.get_data(as_text=True))
    assert found
    return found.group(1)


def try_to_sign_in(app: Flask, name: str, password: str, wanted: str = "", address: str = "127.0.0.1") -> TestResponse:
    stranger = app.test_client()
    token = token_of(stranger.get("/sign-in"))
    form = {"name": name, "password": password, "next": wanted, "csrf_token": token}
    return stranger.post("/sign-in", data=form, environ_base={"REMOTE_ADDR": address})


@pytest.fixture
def anna(dealer_node: Node) -> None:
    add_user(dealer_node, "anna", ["sales"])


@pytest.mark.usefixtures("anna")
def test_the_right_password_opens_the_page_one_wanted(dealer_app: Flask) -> None:
    answer = try_to_sign_in(dealer_app, " Anna ", PASSWORD, "/account?x=1")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/account?x=1"
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(
    ("name", "password"), [("anna", "wrong"), ("nobody", PASSWORD), ("", ""), ("anna", "x" * 5000)]
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(dealer_app: Flask, name: str, password: str) -> None:
    answer = try_to_sign_in(dealer_app, name, password)
    assert answer.status_code == 401
    assert "The user name or the password is wrong." in answer.get_data(as_text=True)


@pytest.mark.usefixtures("anna")
def test_whoever_guesses_has_to_wait_even_with_the_right_password(dealer_app: Flask) -> None:
    for _ in range(FREE_FOR_USER):
        assert try_to_sign_in(dealer_app, "anna", "a wrong guess").status_code == 401
    answer = try_to_sign_in(dealer_app, "anna", PASSWORD)
    assert answer.status_code == 429
    assert "Too many wrong passwords. Wait " in answer.get_data(as_text=True)
    assert try_to_sign_in(dealer_app, "anna", PASSWORD, address="127.0.0.2").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "evil",
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: x=1",
        "/\t/evil.example",
    ],
)
def test_after_signing_in_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert local_page(wanted) == "/"


def test_a_page_of_this_node_is_gone_back_to() -> None:
    assert local_page("/lists/customers?start=%22A%22") == "/lists/customers?start=%22A%22"


def test_signing_out_ends_the_session(client: Browser) -> None:
    assert client.post("/sign-out").status_code == 303
    assert client.get("/account").status_code == 302


def test_a_new_password_signs_out_everywhere_else(dealer_node: Node, dealer_app: Flask) -> None:
    add_user(dealer_node, "anna", ["sales"])
    laptop, counter = signed_in(dealer_app, "anna"), signed_in(dealer_app, "anna")
    new = {"present": PASSWORD, "password": "another long password", "password_again": "another long password"}
    assert laptop.post("/account", data=new).status_code == 303
    assert laptop.get("/account").status_code == 200
    assert counter.get("/account").status_code == 302
    assert try_to_sign_in(dealer_app, "anna", PASSWORD).status_code == 401
    assert try_to_sign_in(dealer_app, "anna", "another long password").status_code == 303


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (
            {"present": "wrong", "password": "a long password", "password_again": "a long password"},
            "present password is",
        ),
        ({"present": PASSWORD, "password": "a long password", "password_again": "another"}, "two new passwords differ"),
        ({"present": PASSWORD, "password": "short", "password_again": "short"}, "at least 10 characters"),
        ({"present": PASSWORD, "password": "aaaaaaaaaaaa", "password_again": "aaaaaaaaaaaa"}, "too easy to guess"),
    ],
)
def test_an_unusable_new_password_changes_nothing(
    dealer_node: Node, sign_in: Callable[..., Browser], typed: dict[str, str], sentence: str
) -> None:
    before = dealer_node.local.get("user:sales")
    browser = sign_in("sales")
    before = dealer_node.local.get("user:sales")
    answer = browser.post("/account", data=typed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert dealer_node.local.get("user:sales") == before


def test_the_first_start_makes_an_administrator_once(dealer_node: Node, dealer_app: Flask) -> None:
    stranger = dealer_app.test_client()
    assert stranger.get("/sign-in").headers["Location"] == "/first-start"
    form = {
        "csrf_token": token_of(stranger.get("/first-start")),
        "name": "Anna",
        "display_name": "Anna Keller",
        "password": "four random words",
        "password_again": "four random words",
    }
    assert stranger.post("/first-start", data=form).status_code == 303
    assert stranger.get("/users").status_code == 200
    assert [user.name for user in users.all_users(dealer_node.local, "dealer")] == ["anna"]
    assert "four random words" not in str(dealer_node.local.get("user:anna"))
    assert dealer_app.test_client().get("/first-start").status_code == 404


def test_the_first_administrator_cannot_be_made_from_another_computer(dealer_node: Node, dealer_app: Flask) -> None:
    stranger = dealer_app.test_client()
    token = token_of(stranger.get("/first-start"))
    form = {"csrf_token": token, "name": "eve", "password": "four random words", "password_again": "four random words"}
    answer = stranger.post("/first-start", data=form, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 403
    assert not users.any_users(dealer_node.local)


def test_a_user_who_may_not_sign_in_any_more_is_out_at_once(dealer_node: Node, dealer_app: Flask) -> None:
    add_user(dealer_node, "anna", ["sales"])
    add_user(dealer_node, "boss", ["admin"])
    anna, boss = signed_in(dealer_app, "anna"), signed_in(dealer_app, "boss")
    changed = {"display_name": "Anna", "roles": "sales"}
    assert boss.post("/users/anna", data=changed).status_code == 303
    assert anna.get("/account").status_code == 302
    assert try_to_sign_in(dealer_app, "anna", PASSWORD).status_code == 401


def test_the_last_administrator_stays_one(dealer_node: Node, sign_in: Callable[..., Browser]) -> None:
    boss = sign_in("admin")
    answer = boss.post("/users/admin", data={"display_name": "Admin", "roles": "sales", "active": "yes"})
    assert answer.status_code == 422
    assert "is the only administrator" in answer.get_data(as_text=True)
    user = users.find_user(dealer_node.local, "admin", "dealer")
    assert user and user.roles == {"admin"}


def test_an_administrator_adds_a_user_who_can_sign_in(dealer_app: Flask, sign_in: Callable[..., Browser]) -> None:
    boss = sign_in("admin")
    typed = {"name": "Ben", "display_name": "Ben Ames", "roles": ["sales", "parts"], "password": "quite a long one"}
    assert boss.post("/users/new", data=typed).status_code == 303
    assert "Ben Ames" in boss.get("/users").get_data(as_text=True)
    assert try_to_sign_in(dealer_app, "ben", "quite a long one").status_code == 303
    again = boss.post("/users/new", data=typed)
    assert again.status_code == 422
    assert "There is already a user named ben." in again.get_data(as_text=True)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": "ben", "password": "short", "roles": "sales"}, "at least 10 characters"),
        ({"name": "b:en", "password": "quite a long one", "roles": "sales"}, "The user name must begin"),
        ({"name": "ben", "password": "quite a long one"}, "Choose at least one role"),
        ({"name": "ben", "password": "quite a long one", "roles": "king"}, "There is no role king"),
        ({"name": "quitealongname", "password": "quitealongname", "roles": "sales"}, "too easy to guess"),
    ],
)
def test_an_impossible_user_is_not_made(
    dealer_node: Node, sign_in: Callable[..., Browser], typed: dict[str, str], sentence: str
) -> None:
    boss = sign_in("admin")
    answer = boss.post("/users/new", data=typed)
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    assert [user.name for user in users.all_users(dealer_node.local, "dealer")] == ["admin"]
