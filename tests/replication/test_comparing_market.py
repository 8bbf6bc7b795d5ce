"""What differs between the dealers' replicas and the market is counted by type, each with its true reason."""

from __future__ import annotations

from typing import Any

import pytest
from trading import Trade, edit, make

from app import cli
from app.documents import saving
from app.market import comparing
from app.market.comparing import compare_with_market, dealers_to_compare
from app.market.feed import feed_anew, feed_market
from app.replication import differences as kinds
from app.replication.differences import Comparison
from app.replication.passes import run_pass


def found(comparison: Comparison) -> dict[tuple[str, str], list[str]]:
    """The customers that differ, by what and why."""
    return {
        (each.what, each.why): [example.document_id.rpartition(":")[2] for example in each.examples]
        for each in comparison.differences
        if each.type == "customer"
    }


def purge(database: Any, key: str) -> None:
    rev = (database.get(f"D001:customer:{key}") or {})["_rev"]
    database._ask("POST", ["_purge"], {f"D001:customer:{key}": [rev]})


def test_a_replica_that_was_fed_is_the_same(trade: Trade) -> None:
    make(trade.dealer, key="1", name="Miller")
    saving.delete(trade.dealer.book, make(trade.dealer, key="2", name="Gone"), "sara")
    run_pass(trade.dealer, trade.connection)
    before = compare_with_market(trade.head_office, "D001")
    assert set(found(before)) == {(kinds.ONLY_HERE, kinds.NOT_FED), (kinds.DELETION_HERE, kinds.NOT_FED)}
    feed_market(trade.head_office)
    result = compare_with_market(trade.head_office, "D001")
    assert result.same, result.differences
    assert [(each.here, each.there) for each in result.totals if each.type == "customer"] == [(1, 1)]


def test_each_difference_from_the_market_has_its_own_reason(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    replica, market = trade.replica, trade.head_office.market
    for key in ("edited", "lost", "purged", "bare", "same", "in both"):
        make(trade.dealer, key=key, name=key)
    run_pass(trade.dealer, trade.connection)
    feed_market(trade.head_office)
    make(trade.dealer, key="new", name="New")
    edit(trade.dealer.book, "D001:customer:edited", phone="1")
    edit(trade.dealer.book, "D001:customer:in both", phone="1")
    run_pass(trade.dealer, trade.connection)
    edit(market, "D001:customer:in both", by="anna", city="Linz")
    edit(market, "D001:customer:same", by="anna", city="Linz")
    purge(market, "lost")
    purge(replica, "purged")
    gone = replica.get("D001:customer:bare") or {}
    replica.put({"_id": gone["_id"], "_rev": gone["_rev"], "_deleted": True})
    other = {"_id": "D009:customer:1", "type": "customer", "dealer": "D009", "share": "manufacturer"}
    market.put(other)

    expected = {
        (kinds.ONLY_HERE, kinds.NOT_FED): ["new"],
        (kinds.NEWER_HERE, kinds.NOT_FED): ["edited"],
        (kinds.BOTH_CHANGED, kinds.NOT_FED): ["in both"],
        (kinds.ONLY_HERE, kinds.LOST_IN_MARKET): ["lost"],
        (kinds.ONLY_THERE, kinds.ONLY_IN_MARKET): ["purged"],
        (kinds.NEWER_THERE, kinds.ONLY_IN_MARKET): ["same"],
        (kinds.DELETED_HERE, kinds.BARE): ["bare"],
    }
    for size in (1000, 2):
        monkeypatch.setattr(comparing, "PAGE", size)
        result = compare_with_market(trade.head_office, "D001")
        assert found(result) == expected
    assert result.placed(kinds.DELETED_HERE) == "deleted in the replica, still in the market"
    assert dealers_to_compare(trade.head_office) == ["D001", "D009"]
    assert found(compare_with_market(trade.head_office, "D009")) == {(kinds.ONLY_THERE, kinds.NO_REPLICA): ["1"]}

    # The next feed brings what is new, and feeding anew what the market lost.
    feed_market(trade.head_office)
    assert result.mendable and feed_anew(trade.head_office, "D001") == 1
    left = set(found(compare_with_market(trade.head_office, "D001")))
    assert {why for _, why in left} == {kinds.ONLY_IN_MARKET, kinds.BARE}


def test_the_command_compares_every_dealer_and_feeds_anew_what_the_market_lost(
    trade: Trade, capsys: pytest.CaptureFixture[str]
) -> None:
    make(trade.dealer, key="1", name="Miller")
    run_pass(trade.dealer, trade.connection)
    feed_market(trade.head_office)
    settings = trade.head_office.settings
    (settings.data / "config.toml").write_text(
        f'[node]\nrole = "manufacturer"\n[store]\nurl = "{settings.store_url}"\nuser = "{settings.store_user}"\n'
        f'prefix = "{settings.store_prefix}"\n',
        encoding="utf-8",
    )

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(["sync", "compare", *words, "--data", str(settings.data)])
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out + shown.err

    code, told = run()
    assert code == 0
    assert "D001: The same" in told
    assert "customer: 1 in the replica, 1 in the market\n" in told
    purge(trade.head_office.market, "1")
    code, told = run("--dealer", "d001")
    assert code == 1
    assert "customer: only in the replica, was in the market" in told
    assert "ironbook sync compare --feed --dealer D001" in told
    assert run("--feed")[0] == 0
    assert run("--dealer", "D77") == (2, "ironbook: Nothing here is of a dealer D77. Those there are: D001.\n")
    assert run("--connection", "x")[0] == 2
