"""Head office's dealers: who syncs, adding one, a password told once, ending access and giving it back."""

from __future__ import annotations

import html
import logging
import re

import pytest
from head_office import document, fill, text_of
from visitors import add_user, signed_in

from app.couch import Store
from app.replication.dealers import add_dealer, find_dealer, remove_dealer
from app.replication.invitations import read_invitation

NEW = {"code": " d042 ", "name": "Bergmann & Söhne <b>GmbH</b>"}


@pytest.fixture
def node(manufacturer_node):
    """Head office with a dealer."""
    add_dealer(manufacturer_node, "D001", "Hartmann")
    return manufacturer_node


@pytest.fixture
def enter(manufacturer_node, manufacturer_app):
    """``enter("analyst")``: a browser at head office."""

    def enter(role):
        add_user(manufacturer_node, f"a-{role}", [role])
        return signed_in(manufacturer_app, f"a-{role}")

    return enter


@pytest.fixture
def admin(enter):
    """An administrator's browser."""
    return enter("admin")


def words_of(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split()).replace("\xa0", " ")


def password_on(answer):
    found = re.search(r'<div class="once">.*?<span class="code[^"]*">([^<]+)</span>', answer.text, re.S)
    assert found, "the page shows no password"
    return html.unescape(found.group(1))


def invitation_on(answer):
    return read_invitation(password_on(answer))


def opens(node, user, password, database):
    """Whether the store lets the user in."""
    from app.couch import StoreError

    try:
        Store(node.store.url, user, password, prefix=node.store.prefix).database(database).info()
    except StoreError:
        return False
    return True


def test_the_list_says_of_each_dealer_how_it_is_doing(manufacturer_node, enter):
    node = manufacturer_node
    fill(node)
    known = node.local.get("dealer:D001")
    report = {"node": "n1", "name": "Counter", "at": "2026-01-02T03:04:05Z", "syncs": 7, "refused": 3}
    node.local.put({**known, "last_sync": "2020-01-01T00:00:00Z", "nodes": [report, {**report, "node": "n2"}]})
    text = text_of(enter("analyst"), "/dealers")
    first, second = re.findall(r"(?s)<tr>\s*<td><a class=\"row-link\".*?</tr>", text)
    assert "Hartmann" in first
    assert re.search(r"Silent for [\d,]+ days", first)
    cells = re.findall(r'data-label="(\w+)[^"]*"[^>]*>(.*?)</td>', first)
    shown = {label: re.sub(r"<[^>]+>", "", value).strip() for label, value in cells}
    assert (shown["Computers"], shown["Refused"], shown["Customers"], shown["Machines"]) == ("2", "6", "1", "2")
    assert "Never synced" in second
    page = text_of(enter("parts"), "/dealers/D001")
    assert "6 documents of this dealer could not be exchanged" in page
    assert page.count("Counter") == 2


def test_a_dealers_page_says_which_documents_were_refused_and_why(manufacturer_node, enter):
    node = manufacturer_node
    fill(node)
    refusal = {"document_id": "D001:customer:<1>", "direction": "push", "reason": "Not & never.", "since": "2026-01-02"}
    report = {"node": "n1", "name": "Counter", "at": "2026-01-02T03:04:05Z", "syncs": 7, "refused": 30}
    known = node.local.get("dealer:D001")
    told = [refusal, {**refusal, "direction": "pull"}, "nonsense", *[refusal] * 20]
    node.local.put({**known, "last_sync": report["at"], "nodes": [{**report, "refusals": told}]})
    page = enter("parts").get("/dealers/D001").text
    assert "D001:customer:&lt;1&gt;" in page
    assert "Not &amp; never." in page
    assert page.count(">Head office<") == 8
    assert page.count(">The dealer<") == 1
    assert "The first 9 of 30; the dealer" in page
    assert "Which, and why, is told below." in page


def test_a_new_dealers_invitation_is_told_once_and_lets_it_in(node, admin):
    answer = admin.post("/dealers/new", data=NEW)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    invitation = invitation_on(answer)
    assert (invitation.dealer, invitation.dealer_name) == ("D042", NEW["name"])
    assert len(invitation.password) >= 30
    assert opens(node, invitation.user, invitation.password, "book-d042")
    page = words_of(admin.get("/dealers/D042"))
    assert "first computer Invited" in page
    # The tests' store is on this computer, and nobody else's computer finds it there.
    assert "is this computer’s own" in words_of(answer)


@pytest.mark.parametrize("address", ["/dealers/new", "/dealers/D001/password"])
def test_a_password_is_in_no_log_no_address_no_cookie_and_on_no_page_again(node, admin, caplog, address):
    caplog.set_level(logging.DEBUG)
    answer = admin.post(address, data=NEW)
    password = password_on(answer)
    if address.endswith("new"):
        password = invitation_on(answer).password
    assert "Location" not in answer.headers
    with admin.session_transaction() as session:
        assert password not in repr(dict(session))
    assert not any(password in value for value in answer.headers.getlist("Set-Cookie"))
    code = "D042" if address.endswith("new") else "D001"
    for page in ("/dealers", f"/dealers/{code}", f"/dealers/{code}/remove", "/dealers/new", "/replication", "/account"):
        shown = admin.get(page)
        assert shown.status_code == 200, page
        assert password not in shown.text, page
    assert password not in repr([row.doc for row in node.local.all_docs(include_docs=True)])
    assert password not in repr(dict(node.secrets.__dict__))
    assert password not in caplog.text


def test_names_are_never_read_as_a_part_of_the_page(node, admin):
    answer = admin.post("/dealers/new", data={"code": "D042", "name": 'A "B" <script>alert(1)</script> & \\ C'})
    assert invitation_on(answer).dealer_name == 'A "B" <script>alert(1)</script> & \\ C'
    for page in (answer, *(admin.get(each) for each in ("/dealers", "/dealers/D042", "/dealers/D042/remove"))):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text
    admin.post("/dealers/D042/remove")
    for page in (admin.get("/dealers/D042/readmit"), admin.post("/dealers/new", data={"code": "D042", "name": "x"})):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


WRONG = [
    ({"code": "42", "name": "x"}, "code", "A dealer's code is a capital letter followed by"),
    ({"code": "D-1", "name": "x"}, "code", "for example D042, not “D-1”."),
    ({"code": "D" * 17, "name": "x"}, "code", "16 at most"),
    ({"code": "", "name": "x"}, "code", "A dealer's code is"),
    ({"code": "D042", "name": "  "}, "name", "The dealer D042 needs a name."),
    ({"code": "d001", "name": "Another"}, "code", "The code D001 is taken by Hartmann."),
]


def test_a_dealer_that_cannot_be_added_is_told_why_and_nothing_is_made(node, admin):
    before, dealer = node.store.names(), node.local.get("dealer:D001")
    for typed, field, sentence in WRONG:
        answer = admin.post("/dealers/new", data=typed)
        assert answer.status_code == 422, typed
        assert sentence in words_of(answer)
        assert f'id="field-{field}-error"' in answer.text
        assert f'value="{html.escape(typed["name"].strip())}"' in answer.text
    assert (node.store.names(), node.local.get("dealer:D001")) == (before, dealer)


def test_a_new_password_makes_the_old_one_useless(node, admin):
    old = add_dealer(node, "D042", "Bergmann")
    assert opens(node, old.user, old.password, "book-d042")
    answer = admin.post("/dealers/D042/password")
    new = password_on(answer)
    assert "has a password of its own, which stays as it is" in words_of(answer)
    assert new != old.password
    assert not opens(node, old.user, old.password, "book-d042")
    assert opens(node, old.user, new, "book-d042")


def test_a_removed_dealer_is_shut_out_and_its_documents_stay(node, admin):
    admitted = add_dealer(node, "D042", "Bergmann")
    node.book_of("D042").put(document("D042:customer:a", name="Kies"))
    asked = words_of(admin.get("/dealers/D042/remove"))
    assert "Its database here (book-d042) is kept" in asked
    assert find_dealer(node, "D042").left_at == ""
    answer = admin.post("/dealers/D042/remove", follow_redirects=True)
    assert "Bergmann can no longer sync. What it sent is still here." in words_of(answer)
    assert not opens(node, admitted.user, admitted.password, "book-d042")
    assert node.book_of("D042").get("D042:customer:a")["name"] == "Kies"
    page = words_of(admin.get("/dealers/D042"))
    assert "This dealer was removed on" in page
    assert "New password" not in page
    assert admin.post("/dealers/D042/password").status_code == 422
    left_at = find_dealer(node, "D042").left_at
    assert "was removed already" in words_of(admin.post("/dealers/D042/remove", follow_redirects=True))
    assert find_dealer(node, "D042").left_at == left_at


def test_a_removed_dealer_is_admitted_again_with_all_it_had(node, admin):
    add_dealer(node, "D042", "Bergmann")
    node.book_of("D042").put(document("D042:customer:a", name="Kies"))
    remove_dealer(node, "D042")
    assert 'href="/dealers/D042/readmit"' in admin.get("/dealers/D042").text
    assert "Everything it sent was kept" in words_of(admin.get("/dealers/D042/readmit"))
    assert find_dealer(node, "D042").left_at
    invitation = invitation_on(admin.post("/dealers/D042/readmit"))
    dealer = find_dealer(node, "D042")
    assert (dealer.left_at, dealer.name) == ("", "Bergmann")
    assert opens(node, invitation.user, invitation.password, "book-d042")
    assert node.book_of("D042").get("D042:customer:a")["name"] == "Kies"
    # Asked again, it is no second password.
    assert admin.post("/dealers/D042/readmit").status_code == 303


def test_nobody_gets_a_removed_dealers_documents_by_its_code_alone(node, admin):
    remove_dealer(node, "D001")
    answer = admin.post("/dealers/new", data={"code": "D001", "name": "Somebody else"})
    assert answer.status_code == 422
    assert "belongs to Hartmann, which was removed" in words_of(answer)
    assert 'href="/dealers/D001/readmit"' in answer.text
    dealer = find_dealer(node, "D001")
    assert dealer.left_at
    assert dealer.name == "Hartmann"


CHANGES = ["/dealers/new", "/dealers/D001/password", "/dealers/D001/remove", "/dealers/D001/readmit"]


def test_only_an_administrator_changes_dealers(node, enter):
    before = node.local.get("dealer:D001")
    for role in ("parts", "analyst", "designer"):
        _is_refused(enter(role))
        assert node.local.get("dealer:D001") == before
        assert node.local.get("dealer:D042") is None


def _is_refused(browser):
    for address in CHANGES:
        assert browser.post(address, data=NEW).status_code == 403, address
    for address in ("/dealers/new", "/dealers/D001/remove", "/dealers/D001/readmit"):
        assert browser.get(address).status_code == 403, address
    page = browser.get("/dealers/D001")
    assert page.status_code == 200
    for words in ("New password", "/remove", "/readmit"):
        assert words not in page.text
    assert "/dealers/new" not in browser.get("/dealers").text


def test_a_change_without_the_sessions_token_is_refused(node, admin):
    before, names = node.local.get("dealer:D001"), node.store.names()
    admin.token = ""
    for address in CHANGES:
        assert admin.post(address, data=NEW).status_code == 400, address
    assert (node.local.get("dealer:D001"), node.store.names()) == (before, names)


def test_a_dealer_that_there_is_not_is_changed_by_nobody(node, admin):
    for address in ("/dealers/D999/password", "/dealers/D999/remove", "/dealers/D999/readmit"):
        assert admin.post(address).status_code == 404, address
    assert node.local.get("dealer:D999") is None


def test_a_dealers_own_people_have_no_such_pages(sign_in):
    for role in ("sales", "parts", "principal", "designer", "admin"):
        browser = sign_in(role)
        for address in ("/dealers", "/dealers/D001", "/dealers/new"):
            assert browser.get(address).status_code == 404, (role, address)
        for address in CHANGES:
            assert browser.post(address, data=NEW).status_code == 404, (role, address)
