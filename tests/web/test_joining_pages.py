"""Inviting a computer and joining with an invitation, on pages."""

from __future__ import annotations

import html
import re
import threading
from collections.abc import Callable

import pytest
from flask import Flask
from visitors import Browser, add_user, app_of, signed_in
from werkzeug.test import TestResponse

from app.config import read_settings
from app.node import Node
from app.replication import connections, dealers, joining, members
from app.replication.invitations import Invitation, read_invitation, write_invitation
from app.replication.passes import run_pass


@pytest.fixture
def head_office(make_node: Callable[..., Node]) -> Node:
    node = make_node("manufacturer")
    dealers.add_dealer(node, "D001", "Bergmann <i>& Co</i>")
    return node


@pytest.fixture
def admin(head_office: Node) -> Browser:
    """An administrator's browser at head office."""
    app = app_of(head_office)
    add_user(head_office, "boss", ["admin"])
    return signed_in(app, "boss")


def words_of(answer: TestResponse) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def told(answer: TestResponse) -> Invitation:
    found = re.search(r"ironbook1-\S+?(?=<)", answer.text)
    assert found
    return read_invitation(found[0])


def test_a_computer_is_invited_on_its_dealers_page_and_seen_to_come(
    head_office: Node, admin: Browser, make_node: Callable[..., Node]
) -> None:
    assert 'href="/replication/computers/invite?dealer=D001"' in admin.get("/dealers/D001").text
    answer = admin.post("/replication/computers/invite", data={"dealer": "D001", "label": "The <b>shop</b>"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<b>shop</b>" not in answer.text
    invitation = told(answer)
    dealer = make_node("dealer")
    browser = _administrator_of(dealer)
    joined = browser.post("/replication/join", data={"invitation": write_invitation(invitation)})
    assert (joined.status_code, joined.headers["Location"]) == (303, "/replication")
    (connection,) = connections.connections(dealer)
    assert run_pass(dealer, connection).error == ""
    members.settle_members(head_office)
    page = words_of(admin.get("/dealers/D001"))
    assert "The <b>shop</b> Joined" in page
    assert invitation.password not in page
    assert "Shut it out" in admin.get(f"/replication/computers/{invitation.user}/remove").text
    admin.post(f"/replication/computers/{invitation.user}/remove")
    assert "was shut out there" in run_pass(dealer, connection).error
    assert "was shut out there" in words_of(browser.get("/replication"))
    assert 'href="/replication/join"' in browser.get("/replication").text
    assert "Shut out" in words_of(admin.get("/dealers/D001"))


def _administrator_of(node: Node) -> Browser:
    add_user(node, "chief", ["admin"])
    return signed_in(app_of(node), "chief")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("", "This is not an invitation"), ("hello", "begins with ironbook1-"), ("ironbook1-abc-123456", "is not whole")],
)
def test_what_is_no_invitation_is_told_so(sign_in: Callable[..., Browser], text: str, sentence: str) -> None:
    answer = sign_in("admin").post("/replication/join", data={"invitation": text})
    assert answer.status_code == 422
    assert sentence in words_of(answer)


def test_a_computer_without_a_name_is_not_invited(head_office: Node, admin: Browser) -> None:
    answer = admin.post("/replication/computers/invite", data={"dealer": "D001", "label": " "})
    assert answer.status_code == 422
    assert "Say which computer" in words_of(answer)
    assert members.members(head_office) == []
    assert admin.get("/replication/computers/invite").status_code == 404
    assert admin.post("/replication/computers/invite", data={"dealer": "D9", "label": "x"}).status_code == 422


def test_only_an_administrator_invites_joins_and_shuts_out(sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    for address in ("/replication/join", "/replication/computers/invite", "/replication/computers/x/remove"):
        assert sales.get(address).status_code == 403, address
        assert sales.post(address).status_code == 403, address


def test_on_the_first_start_an_empty_node_becomes_the_dealers_and_asks_to_be_opened_again(
    head_office: Node, make_node: Callable[..., Node]
) -> None:
    node = make_node("dealer", "D777")
    restart = node.extensions["restart"] = threading.Event()
    stranger = app_of(node).test_client()
    text = stranger.get("/first-start").text
    assert 'href="/first-start/join"' in text
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/first-start/join").text)
    assert token
    form = {"invitation": write_invitation(members.invite(head_office, "x", "D001")), "csrf_token": token[1]}
    elsewhere = stranger.post("/first-start/join", data=form, environ_base={"REMOTE_ADDR": "10.0.0.9"})
    assert elsewhere.status_code == 403
    assert not restart.is_set()
    answer = stranger.post("/first-start/join", data=form)
    assert answer.status_code == 200
    assert restart.is_set()
    assert read_settings(node.settings.data, {}).dealer == "D001"


def test_who_has_joined_is_not_asked_to_join_at_the_first_start(
    head_office: Node, make_node: Callable[..., Node]
) -> None:
    node = make_node("dealer")
    joining.join(node, members.invite(head_office, "x", "D001"))
    text = app_of(node).test_client().get("/first-start").text
    assert "Make the first administrator" in text
    assert "Join with the invitation" not in text


def test_once_somebody_can_sign_in_the_first_start_is_over(dealer_app: Flask, sign_in: Callable[..., Browser]) -> None:
    sign_in("admin")
    assert dealer_app.test_client().get("/first-start/join").status_code == 404
