"""What the tests of faults share: a manufacturer, a dealer, and as many failing lines between them as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from fault_proxy import Fault, FaultProxy
from trading import Trade, documents

from app.couch import Database
from app.replication import connections, sync_log
from app.replication.connections import Connection
from app.replication.passes import run_pass
from app.replication.results import PassResult
from app.replication.state import State, read_state
from app.secrets import connection_entry


@dataclass
class Line:
    """A connection of the dealer's over a proxy that fails as it is told."""

    trade: Trade
    proxy: FaultProxy

    @property
    def connection(self) -> Connection:
        return self.trade.connection

    def sync(self) -> PassResult:
        return run_pass(self.trade.dealer, self.connection)

    def fails_with(self, fault: Fault, **where: Any) -> PassResult:
        """One sync over the line with this fault, which is then mended."""
        self.proxy.fault(fault, **where)
        try:
            return self.sync()
        finally:
            self.proxy.mend()

    @property
    def state(self) -> State:
        return read_state(self.trade.dealer, self.connection.name)

    def last_entry(self) -> sync_log.Entry:
        return sync_log.entries(self.trade.dealer, self.connection.name, 1)[0]


@contextmanager
def faulty_line(trade: Trade, name: str = "faulty", certificate: tuple[Path, Path] | None = None) -> Iterator[Line]:
    """A line of its own between the two of a trade; `certificate`: files by which it is reached over TLS."""
    proxy = FaultProxy(trade.head_office.store.url, certificate)
    values = asdict(trade.connection) | {"name": name, "url": proxy.url}
    values["certificate"] = certificate[0].read_text() if certificate else ""
    del values["configured"]
    password = trade.dealer.secrets.get(connection_entry(trade.connection.name))
    connection = connections.save_connection(trade.dealer, values, password)
    try:
        yield Line(replace(trade, connection=connection), proxy)
    finally:
        proxy.stop()
        connections.remove_connection(trade.dealer, name)


def assert_said(line: Line, result: PassResult, kind: str, *words: str) -> None:
    """The failure is of this kind, and the state and the log say it in one sentence with these words."""
    assert result.failure is not None
    assert (result.failure.kind, result.error) == (kind, line.state.sentence)
    assert line.last_entry().sentence == line.state.sentence
    assert line.state.failing_since
    for word in (*words, line.proxy.url):
        assert word in result.error
    assert "Traceback" not in result.error


def assert_the_next_sync_finishes(line: Line) -> None:
    """With the line mended everything is on both sides, once, and nobody is told of a failure any more."""
    line.proxy.mend()
    result = line.sync()
    assert result.error == ""
    assert (line.state.failure, line.state.failing_since, line.state.failures) == ("", "", 0)
    assert_same(line.trade.dealer.book, line.trade.replica)


def assert_same(here: Database, there: Database) -> None:
    """Both hold the same documents in the same revisions, without a conflict, and tell the same of what was changed."""
    mine = documents(here)
    assert mine == documents(there)
    assert log_of_changes(here) == log_of_changes(there)
    assert not [id for id, document in mine.items() if "_conflicts" in document]


def log_of_changes(database: Database) -> dict[str, dict[str, Any]]:
    """The entries of the log of changes about what is shared, without what a store adds."""
    rows = database.all_docs(include_docs=True).rows
    entries = {str(row.id): row.doc for row in rows if row.doc and ":change:" in str(row.id)}
    return {id: entry for id, entry in entries.items() if entry.get("share") != "dealer"}
