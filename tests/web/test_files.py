"""Files attached to documents: what is attached comes back, nothing runs, nobody's file goes unasked."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import dealership
import pytest
from own_forms import override_form
from visitors import Browser
from werkzeug.test import TestResponse

from app.documents import saving
from app.node import Node
from app.replication.conflicts import merge_conflicts
from app.web import files

ADDRESS = f"/files/photos/{dealership.CUSTOMER}"
PAGE = f"/customers/{dealership.CUSTOMER}"
PHOTOS = {"name": "photos", "label": "Photographs", "type": "attachment"}
CONTRACT = {"name": "contract", "label": "Contract", "type": "attachment", "read": ["principal"]}
GRADE = {"name": "grade", "label": "Credit grade", "type": "choice", "choices": [["a", "Grade A"], ["b", "Grade B"]]}


@pytest.fixture
def node(dealer_node: Node) -> Node:
    """The dealership, to whose customers a consultant has added photographs, a contract and a grade."""
    dealership.open_dealership(dealer_node)
    override_form(dealer_node, "customer", (PHOTOS, CONTRACT, GRADE))
    return dealer_node


def attach(browser: Browser, *chosen: tuple[str, bytes, str], to: str = ADDRESS) -> TestResponse:
    sent = [(io.BytesIO(content), name, kind) for name, content, kind in chosen]
    return browser.post(to, data={"file": sent}, content_type="multipart/form-data")


def attachments(node: Node) -> dict[str, Any]:
    document = node.book.get(dealership.CUSTOMER)
    assert document is not None
    found: dict[str, Any] = document.get("_attachments") or {}
    return found


def test_a_file_is_attached_listed_downloaded_and_removed(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    answer = attach(sales, ("Bagger ü.png", b"\x89PNG picture", "image/png"))
    assert answer.status_code == 303
    page = sales.get(PAGE).get_data(as_text=True)
    assert "Bagger ü.png" in page
    back = sales.get(ADDRESS, query_string={"name": "photos/Bagger ü.png"})
    assert (back.data, back.mimetype) == (b"\x89PNG picture", "image/png")
    assert back.headers["Content-Disposition"].startswith("attachment;")
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    assert sales.post(f"{ADDRESS}/remove", data={"name": "photos/Bagger ü.png"}).status_code == 303
    assert attachments(node) == {}
    log = sales.get(f"/documents/{dealership.CUSTOMER}").get_data(as_text=True)
    assert 'history-to">Bagger ü.png' in log
    assert 'history-from">Bagger ü.png' in log


def test_what_a_file_claims_to_be_does_not_make_it_run(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    attach(sales, ("../../x.html", b"<script>alert(1)</script>", "text/html"), ("a.svg", b"<svg/>", "image/svg+xml"))
    assert sorted(attachments(node)) == ["photos/a.svg", "photos/x.html"]
    for name in attachments(node):
        back = sales.get(ADDRESS, query_string={"name": name})
        assert back.mimetype == "application/octet-stream"
        assert back.headers["Content-Disposition"].startswith("attachment;")


def test_a_second_file_of_a_name_replaces_nothing(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    for content in (b"one", b"two"):
        attach(sales, ("plan.pdf", content, "application/pdf"))
    assert sorted(attachments(node)) == ["photos/plan (2).pdf", "photos/plan.pdf"]


def test_too_large_or_nothing_is_a_sentence_and_nothing_is_attached(
    node: Node, sign_in: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "LARGEST_FILE", 3 * 1024 * 1024)
    sales = sign_in("sales")
    large = attach(sales, ("small.txt", b"x", "text/plain"), ("film.mp4", b"x" * (3 * 1024 * 1024 + 1), "video/mp4"))
    assert large.status_code == 422
    assert "“film.mp4” has more than 3 MB" in large.get_data(as_text=True)
    assert "Choose a file first" in attach(sales).get_data(as_text=True)
    assert attachments(node) == {}


def test_only_who_may_edit_attaches_and_only_who_may_read_downloads(
    node: Node, sign_in: Callable[..., Browser]
) -> None:
    contract = f"/files/contract/{dealership.CUSTOMER}"
    assert attach(sign_in("principal"), ("c.pdf", b"secret", "application/pdf"), to=contract).status_code == 303
    assert attach(sign_in("designer"), ("x.txt", b"x", "text/plain")).status_code == 403
    sales = sign_in("sales")
    assert "c.pdf" not in sales.get(PAGE).get_data(as_text=True)
    assert "c.pdf" not in sales.get(f"/documents/{dealership.CUSTOMER}").get_data(as_text=True)
    assert sales.get(contract, query_string={"name": "contract/c.pdf"}).status_code == 403
    assert sales.get(ADDRESS, query_string={"name": "contract/c.pdf"}).status_code == 404
    assert sales.post(f"{contract}/remove", data={"name": "contract/c.pdf"}).status_code == 403
    assert sales.post(f"{ADDRESS}/remove", data={"name": "contract/c.pdf"}).status_code == 303
    assert list(attachments(node)) == ["contract/c.pdf"]
    sales.token = ""
    assert attach(sales, ("x.txt", b"x", "text/plain")).status_code == 400


def test_files_of_two_people_and_of_two_branches_are_all_kept(node: Node) -> None:
    shown = node.book.get(dealership.CUSTOMER)
    assert shown is not None

    def file(data: str) -> dict[str, str]:
        return {"content_type": "text/plain", "data": data}

    saving.save(node.book, {**shown, "_attachments": {"photos/a.txt": file("YQ==")}}, by="anna")
    stale = saving.save(node.book, {**shown, "_attachments": {"photos/a.txt": file("Yg==")}}, by="ben").document
    assert len(stale["_attachments"]) == 2
    revisions = node.book.leaves(dealership.CUSTOMER)[0]["_revisions"]
    start, ids = revisions["start"], revisions["ids"]
    branch = {
        **shown, "_rev": f"{start - 1}-0123456789abcdef0123456789abcdef", "name": "Berg & Sons",
        "_revisions": {"start": start - 1, "ids": ["0123456789abcdef0123456789abcdef", *ids[2:]]},
        "_attachments": {"photos/c.txt": file("Yw==")},
    }  # fmt: skip
    node.book.bulk([branch], new_edits=False)
    merge_conflicts(node.book)
    assert {"photos/a.txt", "photos/c.txt"} < attachments(node).keys()
    assert len(attachments(node)) == 3


def test_what_is_brought_back_has_its_files_again(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    attach(sales, ("a.txt", b"kept", "text/plain"))
    document = node.book.get(dealership.CUSTOMER)
    assert document is not None
    saving.delete(node.book, document, by="anna")
    saving.undelete(node.book, dealership.CUSTOMER, by="anna")
    assert sales.get(ADDRESS, query_string={"name": "photos/a.txt"}).data == b"kept"


def test_editing_a_document_leaves_its_files(node: Node, sign_in: Callable[..., Browser]) -> None:
    sales = sign_in("sales")
    attach(sales, ("a.txt", b"kept", "text/plain"))
    sales.post(f"/documents/{dealership.CUSTOMER}/edit", data={"name": "Berg", "grade": "a"})
    assert list(attachments(node)) == ["photos/a.txt"]
    page = sales.get(PAGE).get_data(as_text=True)
    assert "Credit grade" in page
    assert "Grade A" in page
