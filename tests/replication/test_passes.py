"""One sync between a dealer and the manufacturer: what travels, what stays, what happens when it cannot."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from trading import Computer, Trade, documents, edit, every_leaf, join, make

from app.couch import Store
from app.documents import saving
from app.node import Node
from app.replication import connections, sync_log
from app.replication.passes import run_pass
from app.replication.results import Progress
from app.replication.running import AlreadyRunning, Running
from app.replication.state import read_state


def test_a_dealers_documents_arrive_and_the_catalog_comes_back(trade: Trade) -> None:
    saving.save(trade.head_office.catalog, _model(), "paul")
    made = make(trade.dealer, name="Miller Quarry")
    result = run_pass(trade.dealer, trade.connection)
    assert result.error == ""
    assert documents(trade.replica) == {made["_id"]: trade.dealer.book.get(made["_id"])}
    assert (trade.dealer.catalog.get("model:CAT-320") or {}).get("name") == "320"
    assert [(step.read, step.written, step.failed) for step in result.steps[1:]] == [(0, 0, 0), (1, 1, 0)]


def test_what_the_manufacturer_writes_into_a_book_reaches_the_dealer(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller Quarry")
    run_pass(trade.dealer, trade.connection)
    edit(trade.replica, made["_id"], by="anna", website="https://miller.example")
    run_pass(trade.dealer, trade.connection)
    assert (trade.dealer.book.get(made["_id"]) or {})["website"] == "https://miller.example"


def test_what_is_private_to_the_dealership_never_reaches_the_manufacturer(trade: Trade) -> None:
    make(trade.dealer, name="Miller Quarry")
    make(trade.dealer, "keepsake", "1", share="dealer", birthday="03-14", flowers="white roses")
    gone = make(trade.dealer, "keepsake", "2", share="dealer", birthday="04-01")
    saving.delete(trade.dealer.book, gone, "sara")
    edit(trade.dealer.book, "D001:keepsake:1", flowers="tulips")
    run_pass(trade.dealer, trade.connection)
    run_pass(trade.dealer, trade.connection)
    leaves = every_leaf(trade.replica)
    assert any(leaf["type"] == "customer" for leaf in leaves.values())
    for (document_id, _), leaf in leaves.items():
        assert leaf["share"] == "manufacturer", document_id
        assert ":keepsake:" not in document_id


def test_a_deletion_travels_both_ways(trade: Trade) -> None:
    here, there = make(trade.dealer, key="1", name="Miller"), make(trade.dealer, key="2", name="Smith")
    run_pass(trade.dealer, trade.connection)
    saving.delete(trade.dealer.book, trade.dealer.book.get(here["_id"]), "sara")
    saving.delete(trade.replica, trade.replica.get(there["_id"]), "anna")
    run_pass(trade.dealer, trade.connection)
    for database in (trade.dealer.book, trade.replica):
        assert database.get(here["_id"]) is None
        assert database.get(there["_id"]) is None
    run_pass(trade.dealer, trade.connection)
    assert trade.dealer.book.get(here["_id"]) is None


def test_concurrent_edits_merge_to_the_same_document_on_both_sides(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller", phone="1", city="Kassel")
    run_pass(trade.dealer, trade.connection)
    edit(trade.dealer.book, made["_id"], phone="2", city="Bonn")
    edit(trade.replica, made["_id"], by="anna", website="https://miller.example", city="Berlin")
    result = run_pass(trade.dealer, trade.connection)
    assert (result.merged, result.disputes) == (1, 1)
    here, there = documents(trade.dealer.book)[made["_id"]], documents(trade.replica)[made["_id"]]
    assert here == there
    assert "_conflicts" not in here
    assert (here["phone"], here["website"]) == ("2", "https://miller.example")
    assert {here["city"], here["disputes"][0]["value"]} == {"Bonn", "Berlin"}


def test_an_edit_that_met_a_deletion_stays_and_says_who_deleted(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    saving.delete(trade.dealer.book, trade.dealer.book.get(made["_id"]), "tom")
    edit(trade.replica, made["_id"], by="anna", phone="7")
    run_pass(trade.dealer, trade.connection)
    for database in (trade.dealer.book, trade.replica):
        document = documents(database)[made["_id"]]
        assert document["phone"] == "7"
        assert [(dispute["field"], dispute["by"]) for dispute in document["disputes"]] == [("_deleted", "tom")]


def test_a_sync_with_nothing_to_do_writes_nothing_and_shares_one_line_of_the_log(trade: Trade) -> None:
    make(trade.dealer, name="Miller")
    run_pass(trade.dealer, trade.connection)
    results = [run_pass(trade.dealer, trade.connection) for _ in range(3)]
    assert all(result.quiet for result in results)
    log = sync_log.entries(trade.dealer, trade.connection.name)
    assert [entry.passes for entry in log] == [3, 1]
    assert log[0].start == results[0].start
    assert log[0].end == results[2].end


def test_a_dealer_reaches_only_its_own_replica(trade: Trade, make_node: Callable[..., Node]) -> None:
    other = make_node("dealer", dealer="D002")
    connection = join(trade.head_office, other)
    make(other, name="Other")
    stray = connections.Connection(**{**connection.__dict__, "book": f"{trade.head_office.store.prefix}book-d001"})
    result = run_pass(other, stray)
    assert result.failure is not None
    assert result.failure.kind == "forbidden"
    assert documents(trade.replica) == {}


def test_after_a_wrong_password_the_schedule_leaves_the_account_alone(trade: Trade) -> None:
    good = trade.dealer.secrets.get("connection:manufacturer")
    assert good
    connections.set_password(trade.dealer, "manufacturer", "wrong")
    result = run_pass(trade.dealer, trade.connection)
    assert result.failure is not None
    assert result.failure.kind == "wrong_password"
    state = read_state(trade.dealer, "manufacturer")
    assert state.stopped
    assert state.failing_since == result.start
    connections.set_password(trade.dealer, "manufacturer", good)
    assert not read_state(trade.dealer, "manufacturer").stopped
    assert run_pass(trade.dealer, trade.connection).error == ""
    assert read_state(trade.dealer, "manufacturer").failing_since == ""


def test_a_missing_database_and_a_silent_address_are_told_apart(trade: Trade) -> None:
    def failing(**changes: str) -> str:
        connection = connections.Connection(**{**trade.connection.__dict__, **changes})
        failure = run_pass(trade.dealer, connection).failure
        assert failure is not None
        return failure.kind

    assert failing(url="http://127.0.0.1:9") == "no_network"
    assert failing(catalog="nowhere") in ("missing", "forbidden")
    assert failing(book="nowhere") in ("missing", "forbidden")


def test_two_syncs_of_one_connection_never_run_at_once_in_one_process(trade: Trade) -> None:
    make(trade.dealer, name="Miller")
    second: list[str] = []

    def meanwhile(_progress: Progress) -> None:
        if not second:
            try:
                run_pass(trade.dealer, trade.connection)
            except AlreadyRunning as error:
                second.append(str(error))

    assert run_pass(trade.dealer, trade.connection, meanwhile).error == ""
    assert len(second) == 1


def test_two_syncs_of_one_connection_never_run_at_once_in_two_processes(trade: Trade) -> None:
    folder = trade.dealer.settings.data / "locks"
    folder.mkdir()
    hold = (
        "import filelock, sys; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held', flush=1); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(folder / "sync-manufacturer.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(AlreadyRunning):
            run_pass(trade.dealer, trade.connection)
        other.kill()
    assert run_pass(trade.dealer, trade.connection, wait=10.0).error == ""


def test_a_stopped_sync_keeps_what_was_done_and_the_next_one_finishes(trade: Trade) -> None:
    made = make(trade.dealer, name="Miller")
    stop = threading.Event()
    result = run_pass(trade.dealer, trade.connection, lambda progress: stop.set(), stop)
    assert result.failure is not None
    assert result.failure.kind == "stopped"
    assert not read_state(trade.dealer, "manufacturer").failing_since
    assert run_pass(trade.dealer, trade.connection).error == ""
    assert made["_id"] in documents(trade.replica)


def test_a_change_made_while_the_manufacturer_is_down_arrives_when_it_is_back(
    computers: Callable[[str], Computer], dealer_node: Node
) -> None:
    away = computers("manufacturer")
    head_office = away.start()
    connection = join(head_office, dealer_node)
    made = make(dealer_node, name="Miller")
    run_pass(dealer_node, connection)
    away.stop()
    edit(dealer_node.book, made["_id"], notes="Asked for a quote.")
    result = run_pass(dealer_node, connection)
    assert result.failure is not None
    assert result.failure.kind == "no_network"
    head_office = away.start()
    result = run_pass(dealer_node, connection)
    assert result.error == ""
    assert (head_office.book_of("D001").get(made["_id"]) or {})["notes"] == "Asked for a quote."
    assert result.read == 2, "the edit and its line in the log of changes; it went on from its checkpoint"


def test_a_laptop_behind_a_dealership_server_shares_everything_with_it_and_little_beyond(
    trade: Trade, make_node: Callable[..., Node]
) -> None:
    laptop = make_node("dealer")
    server = trade.dealer
    user = f"{server.store.prefix}laptop"
    server.store.put_user(user, "secret of the laptop", roles=["dealer:D001"])
    for name in ("book", "catalog"):
        server.store.set_security(name, members=[user])
    values = {
        "name": "dealership",
        "url": server.store.url,
        "user": user,
        "book": f"{server.store.prefix}book",
        "catalog": f"{server.store.prefix}catalog",
        "share": "dealer",
    }
    connection = connections.save_connection(laptop, values, "secret of the laptop")
    saving.save(trade.head_office.catalog, _model(), "paul")
    make(laptop, name="Miller")
    make(laptop, "keepsake", share="dealer", flowers="white roses")
    run_pass(server, trade.connection)
    assert run_pass(laptop, connection).error == ""
    assert run_pass(server, trade.connection).error == ""
    assert set(documents(server.book)) == {"D001:customer:1", "D001:keepsake:1"}
    assert set(documents(trade.replica)) == {"D001:customer:1"}
    assert laptop.catalog.get("model:CAT-320") is not None


def test_a_check_says_what_works_and_stops_at_what_does_not(trade: Trade) -> None:
    found = connections.check(trade.dealer, trade.connection)
    assert found.ok
    assert len(found.sentences) == 3
    wrong = connections.check(trade.dealer, trade.connection, "wrong")
    assert not wrong.ok
    assert "password" in str(wrong)
    itself = connections.Connection(
        **{
            **trade.connection.__dict__,
            "url": trade.dealer.store.url,
            "user": trade.dealer.store.user,
            "book": f"{trade.dealer.store.prefix}book",
            "catalog": f"{trade.dealer.store.prefix}catalog",
        }
    )
    own_password = trade.dealer.secrets.get("store")
    assert "itself" in str(connections.check(trade.dealer, itself, own_password))


def test_passwords_are_in_no_document_and_no_log(trade: Trade, caplog: pytest.LogCaptureFixture) -> None:
    password = trade.dealer.secrets.get("connection:manufacturer")
    assert password
    with caplog.at_level("DEBUG"):
        run_pass(trade.dealer, trade.connection)
        connections.set_password(trade.dealer, "manufacturer", password + "x")
        run_pass(trade.dealer, trade.connection)
    assert password not in caplog.text
    for row in trade.dealer.local.all_docs(include_docs=True).rows:
        assert password not in str(row.doc)


def test_the_replicated_selector_is_the_stores_own_business(store: Store) -> None:
    """What the pass relies on: a selector on type lets documents and our deletions through, design documents not."""
    source, target = store.create("source"), store.create("target")
    source.bulk(
        [
            {"_id": "D001:customer:1", "type": "customer"},
            {"_id": "D001:customer:2", "type": "customer", "_deleted": True},
            {"_id": "_design/own", "language": "javascript"},
        ]
    )
    store.replicate("source", "target", selector=connections.ALL_DOCUMENTS)
    assert {change["id"] for change in target.changes().results} == {"D001:customer:1", "D001:customer:2"}


def _model() -> dict[str, object]:
    return {
        "_id": "model:CAT-320",
        "type": "model",
        "dealer": "",
        "share": "manufacturer",
        "make": "CAT",
        "name": "320",
    }


def test_a_sync_shows_how_far_it_is_and_goes_on_from_where_it_was_stopped(trade: Trade) -> None:
    wanted = [
        {"_id": f"D001:customer:{n:05}", "type": "customer", "dealer": "D001", "share": "manufacturer", "name": str(n)}
        for n in range(3000)
    ]
    saving.save_many(trade.dealer.book, wanted, "sara")
    seen: list[Progress] = []
    stop = threading.Event()

    def watch(progress: Progress) -> None:
        seen.append(progress)
        # Where the machine is fast it is over before it can be stopped; then there is nothing to go on with.
        if progress.done and progress.step == "Push the book":
            stop.set()

    folder = trade.dealer.settings.data / "locks"
    trade.dealer.extensions["replication.running"] = Running(folder, every=0.0)
    elsewhere: list[Progress | None] = []

    def watch_elsewhere(progress: Progress) -> None:
        elsewhere.append(Running(folder).get(trade.connection.name))
        watch(progress)

    run_pass(trade.dealer, trade.connection, watch_elsewhere, stop)
    run_pass(trade.dealer, trade.connection)
    assert elsewhere[:3] == seen[:3]
    assert Running(folder).get(trade.connection.name) is None
    assert [step.step for step in seen if not step.done][:3] == ["Pull the catalog", "Pull the book", "Push the book"]
    assert len(documents(trade.replica)) == len(wanted)
    # The next sync counts its own documents, not those of all syncs before it.
    make(trade.dealer, key="one more", name="One more")
    assert run_pass(trade.dealer, trade.connection).written >= 1
    assert read_state(trade.dealer, trade.connection.name).counted["push"] >= len(wanted)
