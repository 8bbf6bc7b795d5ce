from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, abort
from visitors import Browser, add_user, signed_in

from app.couch import Conflict, Refused, Store, Unreachable
from app.errors import IronbookError
from app.node import Node
from app.security.access import needs


@pytest.fixture
def broken(dealer_node: Node, dealer_app: Flask) -> Iterator[Browser]:
    """A browser at a node with a page for each way to fail: ``/fail/<how>``."""
    failures = {
        "bug": ZeroDivisionError("the secret of the bug"),
        "away": Unreachable("The store at http://127.0.0.1:1 does not answer: connection refused."),
        "conflict": Conflict("changed"),
        "refused": Refused("The store refused the request: too large."),
        "sentence": IronbookError("The file is not a fleet snapshot; nothing was imported."),
    }

    @needs("signed in")
    def fail(how: str) -> str:
        if how.isdigit():
            abort(int(how))
        raise failures[how]

    dealer_app.add_url_rule("/fail/<how>", "fail", fail, methods=["GET", "POST"])
    add_user(dealer_node, "anna", ["sales"])
    yield signed_in(dealer_app, "anna")


@pytest.mark.parametrize(
    ("how", "code", "words"),
    [
        ("400", 400, "This could not be understood"),
        ("403", 403, "This is not open to you"),
        ("404", 404, "There is nothing here"),
        ("405", 405, "This does not work this way"),
        ("413", 413, "larger than 100 MB"),
        ("422", 422, "This could not be saved"),
        ("500", 500, "what had been saved before is kept"),
        ("418", 418, "This could not be understood"),
        ("bug", 500, "Something went wrong in Ironbook"),
        ("away", 503, "The store does not answer"),
        ("conflict", 409, "Somebody else saved this at the same moment"),
        ("refused", 422, "too large"),
        ("sentence", 422, "The file is not a fleet snapshot; nothing was imported."),
    ],
)
def test_every_failure_is_a_page_that_says_what_happened_and_what_to_do(
    broken: Browser, how: str, code: int, words: str
) -> None:
    answer = broken.get(f"/fail/{how}")
    assert answer.status_code == code
    page = answer.get_data(as_text=True)
    assert words in page
    assert "the secret of the bug" not in page
    assert "Traceback" not in page


def test_a_part_of_a_page_that_fails_is_a_sentence_in_its_place(broken: Browser) -> None:
    answer = broken.get("/fail/away", headers={"HX-Request": "true"})
    assert answer.status_code == 503
    page = answer.get_data(as_text=True)
    assert "<html" not in page
    assert "does not answer" in page
    assert 'role="alert"' in page


def test_a_save_without_a_session_says_that_what_was_typed_is_still_there(dealer_app: Flask) -> None:
    answer = dealer_app.test_client().post("/documents/new/customer", data={"name": "x"})
    assert answer.status_code == 401
    assert "what you typed is still in the form" in answer.get_data(as_text=True)


def test_an_upload_over_the_limit_is_refused_with_a_page(client: Browser) -> None:
    answer = client.post(
        "/imports/telematics",
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(200 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    assert "larger than 100 MB" in answer.get_data(as_text=True)


def test_a_store_that_is_away_is_told_as_such_on_every_page(client: Browser, dealer_node: Node) -> None:
    dealer_node.store = Store("http://127.0.0.1:9", "ironbook", "x")
    for address in ("/lists/customers", "/documents/D001:customer:x"):
        answer = client.get(address)
        assert answer.status_code == 503, address
        assert "does not answer" in answer.get_data(as_text=True)
    assert client.get("/healthz").status_code == 503


def test_the_node_says_that_it_is_well(dealer_app: Flask) -> None:
    answer = dealer_app.test_client().get("/healthz")
    assert answer.status_code == 200
    assert answer.get_json() == {"ok": True}


def test_a_wrong_method_is_a_page(client: Browser) -> None:
    assert client.get("/sign-out").status_code == 405
