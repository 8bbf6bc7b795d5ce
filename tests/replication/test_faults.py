"""Whatever a network or an upstream does: nothing is lost or doubled, it is said in a sentence, and made up for."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fault_proxy import Answer, Cut, Fault, Slow, Truncate
from faulty_lines import Line, assert_said, assert_the_next_sync_finishes, faulty_line
from trading import Trade, documents, edit, eventually, join, make

from app.documents import saving
from app.node import Node
from app.replication import connections, refusals
from app.replication.passes import run_pass
from app.replication.schedule import Schedule, next_delay
from app.security.certificates import own_certificate

PORTAL = Answer(200, b"<!DOCTYPE html><html><title>Hotel Wi-Fi</title>Please sign in.</html>", "text/html")
PUSH = r"book-d001/_bulk_docs"
PULL = r"book-d001/_bulk_get"
its_own_replicator = pytest.mark.skipif(
    "IRONBOOK_COUCHDB_URL" in os.environ,
    reason="How often and how long CouchDB's own replicator tries, and what it says then, is not ours to promise.",
)


def error(status: int, name: str = "error", reason: str = "told so", **headers: str) -> Answer:
    """An answer as a CouchDB gives it."""
    return Answer(status, f'{{"error":"{name}","reason":"{reason}"}}'.encode(), headers=headers)


def page(status: int) -> Answer:
    """An answer as something on the way gives it."""
    return Answer(status, b"<html><body>No.</body></html>", "text/html; charset=utf-8")


@pytest.fixture(scope="module")
def shared_trade(make_module_node: Callable[..., Node]) -> Trade:
    """A trade for all tests here: each has a line and documents of its own."""
    head_office, dealer = make_module_node("manufacturer"), make_module_node("dealer")
    return Trade(head_office, dealer, join(head_office, dealer))


@pytest.fixture
def line(shared_trade: Trade) -> Iterator[Line]:
    with faulty_line(shared_trade) as made:
        yield made


@contextmanager
def running_schedule(node: Node) -> Iterator[Schedule]:
    schedule = Schedule(node, tick=0.1)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def new_document(line: Line) -> str:
    """A document that only the dealer has."""
    key = str(len(documents(line.trade.dealer.book)) + 1)
    return str(make(line.trade.dealer, key=key, name="Miller")["_id"])


AT_ONCE: dict[str, tuple[Fault, str, str]] = {
    "portal": (PORTAL, "not_couchdb", "login page"),
    "redirect": (Answer(301, headers={"Location": "http://login.example/?secret=1"}), "not_couchdb", "login page"),
    "403": (error(403, "forbidden", "You are not allowed to access this db."), "forbidden", "admit"),
    "403 of something else": (page(403), "not_couchdb", "login page"),
    "429": (error(429, "too_many_requests"), "busy", "busy"),
    "500": (error(500, "internal_server_error"), "upstream", "error of its own"),
    "502 of a gateway": (page(502), "busy", "busy"),
    "503": (error(503, "service_unavailable"), "busy", "busy"),
    "503 of a gateway": (page(503), "busy", "busy"),
    "sign-in 511": (page(511), "not_couchdb", "login page"),
    "cut": (Cut(3), "no_network", "cannot be reached"),
    "truncated": (Truncate(20), "no_network", "cannot be reached"),
}


@pytest.mark.parametrize("name", AT_ONCE)
def test_an_upstream_that_fails_at_once_is_named_and_nothing_is_lost(line: Line, name: str) -> None:
    fault, kind, words = AT_ONCE[name]
    made = new_document(line)
    result = line.fails_with(fault)
    assert_said(line, result, kind, words)
    assert "secret" not in result.error
    assert made not in documents(line.trade.replica)
    assert_the_next_sync_finishes(line)


# What is tried again by the store itself takes seconds, so they fail at the same time.
IN_THE_MIDDLE: dict[str, tuple[Fault, str, str]] = {
    "portal": (PORTAL, "not_couchdb", "login page"),
    "redirect": (Answer(307, headers={"Location": "http://login.example/"}), "not_couchdb", "login page"),
    "403 of something else": (page(403), "not_couchdb", "login page"),
    "429": (error(429, "too_many_requests"), "busy", "busy"),
    "500": (error(500, "internal_server_error"), "upstream", "error of its own"),
    "503": (error(503, "service_unavailable"), "busy", "busy"),
    "502 of a gateway": (page(502), "busy", "busy"),
    "507": (error(507, "insufficient_storage", "The disk is full."), "disk_full", "space"),
    "511": (page(511), "not_couchdb", "login page"),
    "cut request": (Cut(100, request=True), "no_network", "cannot be reached"),
}


@its_own_replicator
def test_an_upstream_that_fails_in_the_middle_is_named_and_nothing_is_lost(shared_trade: Trade) -> None:
    with ExitStack() as open_lines:
        lines = {
            name: open_lines.enter_context(faulty_line(shared_trade, f"line-{number}"))
            for number, name in enumerate(IN_THE_MIDDLE)
        }
        made = new_document(lines["500"])
        with ThreadPoolExecutor(len(lines)) as pool:
            ended = {
                name: pool.submit(each.fails_with, IN_THE_MIDDLE[name][0], path=PUSH) for name, each in lines.items()
            }
        assert shared_trade.replica.get(made) is None
        for name, each in lines.items():
            assert_said(each, ended[name].result(), *IN_THE_MIDDLE[name][1:])
        for each in lines.values():
            assert_the_next_sync_finishes(each)


def asked_as(line: Line, status: int) -> int:
    """How many requests were answered with this status in the upstream's place."""
    return sum(asked.status == status for asked in line.proxy.asked)


@pytest.mark.parametrize(
    "path",
    ["", *(pytest.param(path, marks=its_own_replicator) for path in (PUSH, r"book-d001/_changes"))],
)
def test_a_refused_password_is_offered_once_and_not_again_until_a_person_acts(line: Line, path: str) -> None:
    made = new_document(line)
    line.proxy.fault(error(401, "unauthorized", "Name or password is incorrect."), path)
    result = line.sync()
    assert_said(line, result, "wrong_password", "password")
    assert asked_as(line, 401) == 1
    assert line.state.stopped
    assert made not in documents(line.trade.replica)
    asked = len(line.proxy.asked)
    with running_schedule(line.trade.dealer) as schedule:
        # The other connection of this dealer was planned by the same look at all of them, and has run.
        assert eventually(lambda: made in documents(line.trade.replica))
        assert schedule.next_run(line.connection.name) is None
    assert len(line.proxy.asked) == asked
    connections.resume_connection(line.trade.dealer, line.connection.name)
    assert_the_next_sync_finishes(line)


@its_own_replicator
def test_a_password_refused_after_much_was_sent_is_not_offered_again_to_say_how_far_it_came(line: Line) -> None:
    saving.save_many(
        line.trade.dealer.book,
        (
            {"_id": f"D001:task:{n}", "type": "task", "dealer": "D001", "share": "manufacturer", "subject": f"{n}"}
            for n in range(150)
        ),
        "sara",
    )
    line.proxy.fault(error(401, "unauthorized"), r"book-d001/(_revs_diff|_local)", skip=4)
    assert_said(line, line.sync(), "wrong_password")
    assert asked_as(line, 401) == 1
    assert_the_next_sync_finishes(line)


def test_a_password_refused_for_a_file_is_not_offered_for_every_file_to_come(line: Line) -> None:
    for _ in range(4):
        document = line.trade.dealer.book.get(new_document(line))
        assert document is not None
        line.trade.dealer.book.put_attachment(document, "photo.jpg", random.Random(4).randbytes(50_000), "image/jpeg")
    line.proxy.fault(error(401, "unauthorized"), "book-d001/D001", "PUT")
    line.proxy.fault(error(401, "unauthorized"), once_asked="PUT .*book-d001/D001")
    assert_said(line, line.sync(), "wrong_password")
    assert asked_as(line, 401) == 2
    assert_the_next_sync_finishes(line)


def test_a_gateway_that_refuses_a_password_in_its_own_words_is_not_asked_again_either(line: Line) -> None:
    assert_said(line, line.fails_with(page(401)), "wrong_password", "password")
    assert line.state.stopped
    assert_the_next_sync_finishes(line)


@its_own_replicator
def test_a_document_too_large_for_what_is_on_the_way_is_listed_and_the_others_arrive(line: Line) -> None:
    large = make(line.trade.dealer, key="large", name="Miller", notes="x" * 60_000)["_id"]
    small = new_document(line)
    line.proxy.fault(page(413), larger_than=50_000)
    result = line.sync()
    assert result.error == ""
    assert small in documents(line.trade.replica)
    assert large not in documents(line.trade.replica)
    refused = refusals.refused_documents(line.trade.dealer, line.connection.name)
    assert [(entry.document_id, entry.direction) for entry in refused] == [(large, "push")]
    assert "large" in refused[0].reason.lower() or "413" in refused[0].reason
    assert line.state.refused == 1
    assert_the_next_sync_finishes(line)
    assert line.state.refused == 0


@its_own_replicator
def test_who_asks_for_patience_gets_it(line: Line) -> None:
    new_document(line)
    result = line.fails_with(error(429, "too_many_requests", **{"Retry-After": "1800"}), path=PUSH)
    assert_said(line, result, "busy", "busy")
    assert line.state.wait_seconds == 1800
    delay = next_delay(line.connection, line.state, 0.5, line.trade.dealer.now())
    assert delay is not None
    assert delay >= 1800
    assert_the_next_sync_finishes(line)
    assert line.state.wait_seconds == 0


@its_own_replicator
def test_an_upstream_that_is_busy_for_a_moment_is_asked_again_in_the_same_sync(line: Line) -> None:
    made = new_document(line)
    assert line.fails_with(error(503), path=PUSH, times=1).error == ""
    assert made in documents(line.trade.replica)
    assert_the_next_sync_finishes(line)


@its_own_replicator
@pytest.mark.parametrize("fault", [Cut(0), Truncate(1), Cut(200, request=True)], ids=["cut", "truncated", "half sent"])
def test_an_answer_that_is_lost_is_asked_for_again_and_nothing_is_doubled(line: Line, fault: Fault) -> None:
    for _ in range(3):
        new_document(line)
    assert line.fails_with(fault, path=PUSH, times=1).error == ""
    assert_the_next_sync_finishes(line)


@its_own_replicator
def test_what_comes_down_is_not_taken_for_whole_when_the_line_is_cut(line: Line) -> None:
    made = new_document(line)
    assert line.sync().error == ""
    edit(line.trade.replica, made, by="anna", notes="x" * 20_000)
    line.proxy.fault(Truncate(5000), PULL, times=1)
    line.proxy.fault(Cut(3000), PULL, times=1)
    assert line.sync().error == ""
    assert len((line.trade.dealer.book.get(made) or {})["notes"]) == 20_000
    assert_the_next_sync_finishes(line)


@its_own_replicator
def test_a_login_page_does_not_count_as_having_kept_a_file(line: Line) -> None:
    made = line.trade.dealer.book.get(new_document(line))
    assert made is not None
    content = random.Random(4).randbytes(100_000)
    line.trade.dealer.book.put_attachment(made, "photo.jpg", content, "image/jpeg")
    result = line.fails_with(PORTAL, method="PUT", path=r"book-d001/D001")
    assert_said(line, result, "not_couchdb", "login page")
    assert_the_next_sync_finishes(line)
    assert line.trade.replica.attachment(made["_id"], "photo.jpg")[0] == content


@its_own_replicator
def test_a_line_of_2_kilobytes_a_second_is_slow_and_not_broken(line: Line) -> None:
    assert line.sync().error == ""
    for _ in range(5):
        new_document(line)
    assert line.fails_with(Slow(2000)).error == ""
    assert_the_next_sync_finishes(line)


def test_a_line_that_cuts_everything_is_waited_for_longer_and_longer(line: Line) -> None:
    line.proxy.fault(Cut(0))
    with running_schedule(line.trade.dealer) as schedule:
        assert eventually(lambda: line.state.failure == "no_network")
        assert eventually(lambda: schedule.next_run(line.connection.name) is not None)
        probed = line.proxy.connected
        # It is looked whether the upstream is back; it was never away, so that is no reason to try at once.
        assert eventually(lambda: line.proxy.connected > probed + 2)
        assert line.state.failures == 1
    assert_the_next_sync_finishes(line)


def test_an_upstream_that_is_off_is_made_up_for_when_it_is_on_again(line: Line) -> None:
    new_document(line)
    line.proxy.refuse()
    assert_said(line, line.sync(), "no_network", "cannot be reached")
    line.proxy.accept()
    assert_the_next_sync_finishes(line)


def certificate_of_last_year(folder: Path, known: tuple[Path, Path]) -> tuple[Path, Path]:
    """One that expired yesterday, with the key of another."""
    key = serialization.load_pem_private_key(known[1].read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hq.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=366)).not_valid_after(now - timedelta(days=1))
    path = folder / "expired.pem"
    path.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return path, known[1]


def test_another_certificate_is_sent_nothing_until_it_is_the_right_one_again(
    shared_trade: Trade, tmp_path: Path
) -> None:
    right, other = own_certificate(tmp_path / "right"), own_certificate(tmp_path / "other")
    with faulty_line(shared_trade, "over-tls", right) as line:
        new_document(line)
        line.proxy.show(other)
        assert_said(line, line.sync(), "certificate", "certificate", "cannot be trusted")
        assert line.proxy.asked == []
        line.proxy.show(right)
        assert_the_next_sync_finishes(line)


def test_an_expired_certificate_is_called_that(shared_trade: Trade, tmp_path: Path) -> None:
    right = own_certificate(tmp_path / "right")
    expired = certificate_of_last_year(tmp_path, right)
    with faulty_line(shared_trade, "expired", expired) as line:
        new_document(line)
        assert_said(line, line.sync(), "certificate_date", "expired", "date")
        assert line.proxy.asked == []
        renewed = asdict(line.connection) | {"url": line.proxy.url, "certificate": right[0].read_text()}
        del renewed["configured"]
        line.trade.connection = connections.save_connection(shared_trade.dealer, renewed)
        line.proxy.show(right)
        assert_the_next_sync_finishes(line)


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(shared_trade: Trade, tmp_path: Path) -> None:
    with faulty_line(shared_trade, "unknown", own_certificate(tmp_path)) as line:
        unknown = replace(line.connection, certificate="")
        result = run_pass(shared_trade.dealer, unknown)
        assert_said(line, result, "certificate", "cannot be trusted")
        assert line.proxy.asked == []
