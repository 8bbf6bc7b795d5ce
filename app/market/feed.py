"""Every dealer's replica into ``market``, one way, so that the manufacturer's views run over all dealers at once."""

from __future__ import annotations

import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import StoreError
from app.design.indexes import build_indexes
from app.node import book_name
from app.replication.acquaintance import under_name
from app.replication.conflicts import merge_conflicts
from app.replication.results import session_counts
from app.replication.running import held

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

_FED = "ironbook-fed"
# CouchDB takes seconds to start a replication whatever its size, and several at once cost it little.
_AT_ONCE = 4
_WAIT = 120.0
# The replicas hold nothing else; asked again, so that no mistake elsewhere can put a private document here.
SELECTOR = {"share": "manufacturer"}


@dataclass(frozen=True)
class FeedReport:
    """What a run did: databases looked at and fed, documents written, conflicts merged, and sentences for failures."""

    databases: int
    fed: int
    written: int
    merged: int
    failures: tuple[str, ...]


@dataclass(frozen=True)
class _Fed:
    name: str
    seq: Any
    written: int
    merged: int
    failure: str


def feed_market(node: Node, stop: threading.Event | None = None) -> FeedReport:
    """Merges and feeds every replica that changed since it was fed last, and brings the market's indexes up to date.

    Waits for a run in another process. Raises StoreError when this node's store does not answer; a single replica that
    fails is told in the report.
    """
    with held(node, "market", _WAIT, "The market is being fed by another process already."):
        names = node.books()
        document = node.market.get_local(_FED) or {"_id": _FED}
        known: dict[str, Any] = dict(document.get("seqs") or {})
        # Asked of all together: one by one, two hundred dealers cost two hundred requests when nobody changed anything.
        now = {name: info["update_seq"] for name, info in node.store.infos(names).items()}
        changed = [name for name in names if name in now and now[name] != known.get(name)]
        fed: list[_Fed] = []
        if changed:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                fed = list(pool.map(lambda name: _feed(node, name, stop), changed))
            reached = {one.name: one.seq for one in fed if not one.failure}
            kept = {name: seq for name, seq in {**known, **reached}.items() if name in names}
            node.market.put_local({**document, "seqs": kept})
            build_indexes(node.market, stop)
    return FeedReport(
        databases=len(names),
        fed=sum(not one.failure for one in fed),
        written=sum(one.written for one in fed),
        merged=sum(one.merged for one in fed),
        failures=tuple(one.failure for one in fed if one.failure),
    )


def _feed(node: Node, name: str, stop: threading.Event | None) -> _Fed:
    if stop and stop.is_set():
        return _Fed(name, None, 0, 0, "Stopped.")
    try:
        merges = merge_conflicts(node.store.database(name), stop=stop)
        # Read before replicating: what is written meanwhile is fed the next time.
        seq = _seq(node, name)
        answer = node.store.replicate(name, "market", selector=SELECTOR)
    except StoreError as error:
        log.warning("%s could not be fed into the market: %s", name, error)
        return _Fed(name, None, 0, 0, f"{name} could not be fed into the market: {error}")
    _read, written, failed = session_counts(answer)
    if failed:
        log.warning("The market did not take %d documents of %s", failed, name)
    return _Fed(name, seq, written, merges.merged, "")


def fed_sequences(node: Node) -> dict[str, Any]:
    """Up to which sequence each replica was fed, by its database's name."""
    return dict((node.market.get_local(_FED) or {}).get("seqs") or {})


def feed_anew(node: Node, dealer: str) -> int:
    """Feeds a dealer's whole replica, whatever was fed before; returns the documents that the market lacked.

    Raises StoreError.
    """
    selector = under_name(SELECTOR, uuid.uuid4().hex)
    with held(node, "market", _WAIT, "The market is being fed by another process already."):
        answer = node.store.replicate(book_name(dealer), "market", selector=selector)
        build_indexes(node.market)
    return session_counts(answer)[1]


def _seq(node: Node, name: str) -> Any:
    return node.store.database(name).info()["update_seq"]
