"""What differs between a dealer's replica and the market, by type, with the reason for each.

The replica is paged through by its changes, as the feed reads it; of the market only the dealer's living documents,
which stand together by their ids, so that one dealer costs what it has and not what all have. Nothing is written.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.couch import Database
from app.market.feed import SELECTOR, fed_sequences
from app.replication import differences as kinds
from app.replication.differences import Comparison, Side, Tally
from app.replication.scanning import (
    PAGE,
    Job,
    Look,
    Progress,
    Sides,
    bare_deletions,
    current,
    known_to,
    scan,
    scan_private,
    side_in,
    size_of,
)
from app.replication.sequences import changes_from

if TYPE_CHECKING:
    from app.node import Node

EXAMPLES = 20
PLACES = ("in the replica", "in the market")
_BOOK = "book"
_NOT_SHARED: Mapping[str, object] = {"$or": [{"share": {"$exists": False}}, {"share": {"$ne": SELECTOR["share"]}}]}


def dealers_to_compare(node: Node) -> list[str]:
    """The codes of the dealers that have a replica here or documents in the market, sorted."""
    replicas = {name.removeprefix("book-").upper() for name in node.books()}
    return sorted(replicas | set(_dealers_in(node.market)))


def compare_with_market(
    node: Node,
    dealer: str,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    examples: int = EXAMPLES,
) -> Comparison:
    """Compares the replica of the dealer of this code with the market; `examples` ids of each kind are kept.

    Setting `stop` ends it soon, with what was found so far. Raises StoreError.
    """
    job = Job(progress or (lambda _done, _total, _what: None), stop or threading.Event(), Tally(examples))
    replica = node.book_of(dealer)
    exists = node.store.exists(replica.name)
    fed = fed_sequences(node)
    pair = _Pair(dealer, replica, node.market, fed.get(replica.name))
    complete = True
    if exists:
        # The market has about as many of the dealer's documents as the replica.
        job.total = 2 * size_of(replica)
        complete = scan(job, pair.from_replica(job)) and scan_private(
            job, _BOOK, replica, _NOT_SHARED, kinds.NOT_FOR_MARKET
        )
    complete = complete and _scan_market(job, pair, exists)
    feeding = "The market was fed meanwhile; what was fed may be counted." if fed_sequences(node) != fed else ""
    return Comparison(dealer, complete, job.tally.totals(), job.tally.differences(), feeding, PLACES, False)


@dataclass(frozen=True)
class _Pair:
    """A replica and the market, which was fed from it up to the sequence `fed`, None for never."""

    dealer: str
    replica: Database
    market: Database
    fed: object

    def from_replica(self, job: Job) -> Look:
        """The look at what is in the replica and not in the market."""

        def lacking(ids: set[str], here: Sides, there: Sides) -> None:
            known = known_to(self.replica, there, ids)
            waiting = ids
            if self.fed is not None:
                waiting = {line["id"] for line in changes_from(self.replica, self.fed, doc_ids=sorted(ids)).results}
            for id in ids:
                what = kinds.lacking_there(here[id], side_in(there, id), id in known)
                why = kinds.NOT_FED if id in waiting else kinds.LOST_IN_MARKET
                job.tally.add(_BOOK, what, why, id)

        words = f"Comparing the replica of {self.dealer} with the market"
        return Look(_BOOK, kinds.HERE, self.replica, self.market, SELECTOR, lacking, words)


def _scan_market(job: Job, pair: _Pair, has_replica: bool) -> bool:
    start = f"{pair.dealer}:"
    while not job.stop.is_set():
        rows = pair.market.all_docs(startkey=start, endkey=f"{pair.dealer};", limit=PAGE).rows
        there = {str(row.id): Side(row.value["rev"]) for row in rows}
        for document_id in there:
            job.tally.count(_BOOK, document_id, kinds.THERE, False)
        here = current(pair.replica, there) if has_replica else {}
        differ = {id: [side.rev] for id, side in there.items() if side_in(here, id).rev != side.rev}
        lacking = set(pair.replica.revs_diff(differ)) if differ and has_replica else set(differ)
        # What the market lacks as well was counted from the replica already.
        for document_id in known_to(pair.market, here, lacking):
            what = kinds.lacking_here(side_in(here, document_id), there[document_id])
            why = kinds.ONLY_IN_MARKET if has_replica else kinds.NO_REPLICA
            job.tally.add(_BOOK, what, why, document_id)
        gone = [id for id in differ if id not in lacking and side_in(here, id).deleted]
        for document_id in bare_deletions(pair.replica, gone):
            job.tally.add(_BOOK, kinds.DELETED_HERE, kinds.BARE, document_id)
        job.step(len(rows), f"Comparing what the market has of {pair.dealer}")
        if len(rows) < PAGE:
            return True
        start = f"{rows[-1].id}\x00"
    return False


def _dealers_in(market: Database) -> Iterator[str]:
    """The dealers' codes in the market's ids, one request each: the ids of a dealer stand together."""
    start = "A"
    while True:
        rows = market.all_docs(startkey=start, endkey="[", limit=1).rows
        if not rows:
            return
        code = str(rows[0].id).partition(":")[0]
        yield code
        start = f"{code};"
