"""Connections on the command line: add, change, check, pause, sync and remove, with exit codes a script can go by."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest
from trading import Trade, documents, make

from app import cli
from app.documents import saving
from app.node import Node
from app.replication import connections, dealers
from app.replication.state import read_state

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(trade: Trade, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``run("sync", typed="…")`` runs a command on the dealer's node; gives the exit code and what was printed."""
    settings = trade.dealer.settings
    (settings.data / "config.toml").write_text(
        f'[store]\nurl = "{settings.store_url}"\nuser = "{settings.store_user}"\nprefix = "{settings.store_prefix}"\n',
        encoding="utf-8",
    )

    def run(*arguments: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, "--data", str(settings.data)])
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out + shown.err

    return run


def test_what_was_deleted_is_listed_and_brought_back(trade: Trade, run: Run) -> None:
    made = make(trade.dealer, key="1", name="Miller")
    person = make(trade.dealer, "person", key="1", name="Ida", customer=made["_id"])
    saving.delete_together(trade.dealer.book, made, [person["_id"]], "sara")
    code, told = run("deleted")
    assert code == 0
    assert "sara  D001:customer:1, and 1 along with it" in told
    assert run("deleted", "restore", made["_id"]) == (0, "D001:customer:1 was brought back, and 1 along with it.\n")
    assert set(documents(trade.dealer.book)) == {made["_id"], person["_id"]}
    assert "Nothing was deleted" in run("deleted")[1]
    assert run("deleted", "restore", "D001:customer:9")[0] == 2


def secrets_of(node: Node) -> dict[str, str]:
    found: dict[str, str] = json.loads((node.settings.data / "secrets.json").read_text(encoding="utf-8"))
    return found


def test_what_dealer_add_prints_makes_a_connection_that_works_and_prints_no_password(trade: Trade, run: Run) -> None:
    admitted = dealers.new_password(trade.head_office, "D001")
    connections.remove_connection(trade.dealer, "manufacturer")
    store = trade.head_office.store
    code, added = run(
        "connection", "add", f"{store.url}/", "--user", admitted.user, "--book", admitted.database,
        "--catalog", admitted.catalog, typed=f"{admitted.password}\n",
    )  # fmt: skip
    assert code == 0
    assert f"{admitted.user} may use the book {admitted.database}" in added
    made = make(trade.dealer, name="Miller")
    code, synced = run("sync")
    assert code == 0
    assert "0 refused" in synced
    assert made["_id"] in documents(trade.replica)
    trade.dealer.book.put(
        {**{k: v for k, v in made.items() if k != "_rev"}, "_id": "D009:customer:1", "dealer": "D009"}
    )
    code, refused = run("sync")
    assert code == 1
    assert "1 refused" in refused
    listed = run("connection", "list")[1]
    assert not any(secret in added + synced + refused + listed for secret in secrets_of(trade.dealer).values())


def test_a_wrong_password_is_kept_with_exit_code_1_and_the_right_one_goes_on(trade: Trade, run: Run) -> None:
    right = secrets_of(trade.dealer)["connection:manufacturer"]
    assert run("password", "manufacturer", typed="wrong-word\n")[0] == 0
    code, said = run("connection", "check")
    assert code == 1
    assert "does not accept the password" in said
    assert "wrong-word" not in said
    assert run("password", "manufacturer", typed=f"{right}\n")[0] == 0
    assert run("connection", "check")[0] == 0


def test_a_connection_is_changed_paused_and_removed_with_its_password(trade: Trade, run: Run) -> None:
    assert run("connection", "change", "manufacturer", "--every", "45")[0] == 0
    after = connections.find_connection(trade.dealer, "manufacturer")
    assert (after.every_minutes, after.book) == (45, trade.connection.book)
    assert run("connection", "change", "manufacturer", "--book", "book-of-nobody")[0] == 1
    assert run("connection", "pause", "manufacturer")[0] == 0
    assert read_state(trade.dealer, "manufacturer").paused
    assert "Syncing is paused." in run("connection", "list")[1]
    assert run("connection", "resume", "manufacturer")[0] == 0
    assert not read_state(trade.dealer, "manufacturer").paused
    assert run("connection", "remove", "manufacturer")[0] == 0
    assert "connection:manufacturer" not in secrets_of(trade.dealer)
    assert "no connection yet" in run("connection", "list")[1]


def test_what_cannot_be_exits_2_with_a_sentence_before_a_password_is_asked_for(run: Run) -> None:
    add = ("connection", "add")
    whose = ("--user", "u", "--book", "b")
    for arguments, says in (
        ((*add, "ftp://host", *whose), "url must be an address"),
        ((*add, "http://host", "--user", "u", "--book", "B b"), "book must be a database's name"),
        ((*add, "http://host", *whose, "--every", "-1"), "every_minutes must be"),
        (("connection", "change", "manufacturer"), "Nothing to change"),
        (
            ("connection", "change", "elsewhere", "--every", "5"),
            "no connection 'elsewhere'; this node has manufacturer",
        ),
        (("connection", "pause", "elsewhere"), "no connection 'elsewhere'"),
        (("connection", "remove", "elsewhere"), "no connection 'elsewhere'"),
        (("password", "elsewhere"), "no connection 'elsewhere'"),
        (("sync", "--connection", "elsewhere"), "no connection 'elsewhere'"),
        (("sync", "why", "D001:customer:never"), "no document D001:customer:never"),
        (("sync", "why", " "), "Give the document's id"),
        (("user", "password", "nobody"), "no user named nobody"),
    ):
        code, said = run(*arguments)
        assert (code, says in said, "Traceback" in said) == (2, True, False), said


def test_compare_says_what_differs_and_why_and_that_it_is_the_same(trade: Trade, run: Run) -> None:
    make(trade.dealer, key="1", name="Miller")
    assert run("sync")[0] == 0
    code, told = run("sync", "compare")
    assert (code, "manufacturer: The same: both sides hold the same" in told) == (0, True)
    assert "customer: 1 here, 1 there; deleted 0 here, 0 there" in told
    make(trade.dealer, key="2", name="Huber")
    make(trade.dealer, key="3", name="Maier")
    code, told = run("sync", "compare", "--ids", "1")
    assert code == 1
    assert "2  customer: only here, not sent yet." in told
    assert "D001:customer:2" in told
    assert "and 1 more" in told
    code, told = run("sync", "--everything")
    assert (code, "Everything was compared again, as somebody asked." in told) == (0, True)
    assert set(documents(trade.replica)) == {f"D001:customer:{n}" for n in (1, 2, 3)}
