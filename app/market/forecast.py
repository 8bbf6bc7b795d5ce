"""The forecast: one standing a machine, derived from ``market`` and ``catalog``, and nothing that could be lost.

It follows the changes of both from where it was, page by page, and remembers after each page; in a new month, or when
``forecast`` was deleted, it is built anew from all machines, for what is needed "this month" has moved.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any

from app.design.indexes import build_indexes
from app.market.catalog import Catalog, model_id
from app.market.standing import standing, standing_id
from app.parts.serials import plain
from app.replication.running import held
from app.replication.sequences import changes_from

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

_DESIGN = "forecast-sources"
_FOLLOWED = "ironbook-forecast"
# Raised when standings hold something new, so that those of an older version are made anew.
_SHAPE = 3
_BATCH = 500
_WAIT = 120.0


@dataclass(frozen=True)
class ForecastReport:
    """What a run did: machines looked at, standings written or removed, and whether all were built anew."""

    machines: int
    written: int
    rebuilt: bool


def refresh_forecast(node: Node, stop: threading.Event | None = None, today: date | None = None) -> ForecastReport:
    """Brings ``forecast`` up to date. Waits for a run in another process. Raises StoreError."""
    with held(node, "forecast", _WAIT, "The forecast is being worked out by another process already."):
        run = _Run(node, today or node.today(), stop or threading.Event())
        followed = node.forecast.get_local(_FOLLOWED)
        rebuilt = not followed or (followed.get("month"), followed.get("shape")) != (run.month, _SHAPE)
        if rebuilt:
            run.build_all()
        else:
            assert followed is not None
            run.follow(followed)
        if run.written:
            build_indexes(node.forecast, stop)
        return ForecastReport(run.machines, run.written, rebuilt)


def is_complete(node: Node) -> bool:
    """Whether the forecast is of this month and of every machine: not while it is being built anew (one request)."""
    followed = node.forecast.get_local(_FOLLOWED) or {}
    return (followed.get("month"), followed.get("shape")) == (node.today().strftime("%Y-%m"), _SHAPE)


class _Run:
    def __init__(self, node: Node, today: date, stop: threading.Event) -> None:
        self.node = node
        self.today = today
        self.month = today.strftime("%Y-%m")
        self.stop = stop
        self.machines = 0
        self.written = 0
        self._catalog = Catalog(node.catalog)

    def build_all(self) -> None:
        """Every machine of the market; standings of machines that are gone are removed."""
        market_seq = self.node.market.info()["update_seq"]
        catalog_seq = self.node.catalog.info()["update_seq"]
        known: set[str] = set()
        for batch in _batches(self._all_machines()):
            known.update(batch)
            self._work_out(batch)
            if self.stop.is_set():
                return
        for rows in _pages(self.node.forecast.all_docs, _BATCH):
            gone = [
                {"_id": row.id, "_rev": row.value["rev"], "_deleted": True}
                for row in rows
                if ":standing:" in row.id and row.id.replace(":standing:", ":machine:", 1) not in known
            ]
            self._write(gone)
        self._remember(market_seq, catalog_seq)

    def follow(self, followed: Mapping[str, Any]) -> None:
        """The machines that changes of the catalog and the market concern."""
        market_seq, catalog_seq = followed["market_seq"], followed["catalog_seq"]
        changed: set[str] = set()
        for page in self._changes(self.node.catalog, catalog_seq):
            catalog_seq = page.last_seq
            changed.update(change["id"] for change in page.results)
        for batch in _batches(sorted(self._concerned_by_catalog(changed))):
            self._work_out(batch)
        for page in self._changes(self.node.market, market_seq):
            for batch in _batches(sorted(self._concerned(page.results))):
                self._work_out(batch)
            market_seq = page.last_seq
            if page.results:
                self._remember(market_seq, catalog_seq)
            if self.stop.is_set():
                return
        if (market_seq, catalog_seq) != (followed["market_seq"], followed["catalog_seq"]):
            self._remember(market_seq, catalog_seq)

    def _changes(self, database: Any, since: Any) -> Iterator[Any]:
        while True:
            page = changes_from(database, since, limit=_BATCH, include_docs=True)
            yield page
            if len(page.results) < _BATCH or self.stop.is_set():
                return
            since = page.last_seq

    def _concerned(self, changes: Iterable[Mapping[str, Any]]) -> set[str]:
        machines: set[str] = set()
        customers: set[str] = set()
        dealers: set[str] = set()
        for change in changes:
            parts = str(change["id"]).split(":")
            if len(parts) < 3:
                continue
            dealer, kind = parts[0], parts[1]
            if kind == "machine":
                machines.add(change["id"])
            elif kind == "reading":
                machines.add(f"{dealer}:machine:{parts[2]}")
            elif kind == "customer":
                customers.add(change["id"])
            elif kind == "service":
                machine = (change.get("doc") or {}).get("machine")
                # A deletion does not say whose service it was; it is rare enough to look at all of that dealer.
                machines.add(machine) if machine else dealers.add(dealer)
        for dealer in dealers:
            rows = self.node.market.all_docs(startkey=f"{dealer}:machine:", endkey=f"{dealer}:machine;").rows
            machines.update(str(row.id) for row in rows)
        if customers:
            keys = [["customer", customer] for customer in sorted(customers)]
            machines.update(
                str(row.id) for row in self.node.market.view(_DESIGN, "machines", keys=keys, reduce=False).rows
            )
        return machines

    def _concerned_by_catalog(self, changed: set[str]) -> set[str]:
        """The machines whose model, parts or bulletins changed."""
        bulletins = {each for each in changed if each.startswith("bulletin:")}
        models = {each for each in changed if each.startswith("model:")} | self._catalog.models_with_parts(
            {each for each in changed if each.startswith("part:")}
        )
        if not models and not bulletins:
            return set()
        makes = self._catalog.makes_of_bulletins(bulletins)
        groups = self.node.market.view(_DESIGN, "machines", startkey=["model"], endkey=["model", {}], group_level=3)
        keys = [
            row.key for row in groups if model_id(row.key[1], row.key[2]) in models or plain(row.key[1]) in makes
        ]  # fmt: skip
        rows = self.node.market.view(_DESIGN, "machines", keys=keys, reduce=False).rows if keys else []
        concerned = {str(row.id) for row in rows}
        for bulletin in bulletins:
            # Those it concerned before it was changed.
            keys = [row.key for row in self._bulletins() if row.key[3] == bulletin]
            told = self.node.forecast.view("forecast", "bulletins", keys=keys, reduce=False) if keys else ()
            concerned.update(str(row.id).replace(":standing:", ":machine:", 1) for row in told)
        return concerned

    def _bulletins(self) -> Iterable[Any]:
        """The keys under which all dealers' machines stand that a bulletin concerns: as many as there are bulletins,
        dealers and makes, not machines.
        """
        return self.node.forecast.view("forecast", "bulletins", startkey=[None], endkey=[None, {}], group=True)

    def _all_machines(self) -> Iterator[str]:
        last: dict[str, Any] = {}
        while True:
            rows = self.node.market.view(
                _DESIGN, "machines", reduce=False, limit=_BATCH + 1,
                **{"startkey": ["model"], "endkey": ["model", {}], **last},
            ).rows  # fmt: skip
            yield from (str(row.id) for row in rows[:_BATCH])
            if len(rows) <= _BATCH:
                return
            last = {"startkey": rows[_BATCH].key, "startkey_docid": rows[_BATCH].id}

    def _work_out(self, machine_ids: Sequence[str]) -> None:
        machines = self.node.market.get_many(machine_ids)
        customers = self.node.market.get_many(sorted({m["customer"] for m in machines.values() if m.get("customer")}))
        self._catalog.read_for(machines.values())
        history: dict[str, list[dict[str, Any]]] = {}
        for row in self.node.market.view(_DESIGN, "history", keys=list(machines)).rows if machines else ():
            history.setdefault(row.key, []).append(row.value)
        before = self.node.forecast.get_many([standing_id(machine_id) for machine_id in machine_ids])
        documents: list[dict[str, Any]] = []
        for machine_id in machine_ids:
            existing = before.get(standing_id(machine_id))
            machine = machines.get(machine_id)
            if machine is None:
                if existing:
                    documents.append({"_id": existing["_id"], "_rev": existing["_rev"], "_deleted": True})
                continue
            name = str((customers.get(machine.get("customer", "")) or {}).get("name") or "")
            document = standing(
                machine, history.get(machine_id, ()), self._catalog.model_of(machine), name, self.today,
                self._catalog.parts, self._catalog.bulletins_of(machine),
            )  # fmt: skip
            if existing is None:
                documents.append(document)
            elif document != {key: value for key, value in existing.items() if key != "_rev"}:
                documents.append({**document, "_rev": existing["_rev"]})
        self.machines += len(machine_ids)
        self._write(documents)

    def _write(self, documents: list[dict[str, Any]]) -> None:
        if documents:
            results = self.node.forecast.bulk(documents)
            self.written += sum(not result.error for result in results)

    def _remember(self, market_seq: Any, catalog_seq: Any) -> None:
        document = self.node.forecast.get_local(_FOLLOWED) or {"_id": _FOLLOWED}
        self.node.forecast.put_local(
            {
                **document,
                "market_seq": market_seq,
                "catalog_seq": catalog_seq,
                "month": self.month,
                "shape": _SHAPE,
            }
        )


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(ids)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _pages(read: Any, limit: int) -> Iterator[list[Any]]:
    """The rows of a whole database by id, a page at a time."""
    start: dict[str, Any] = {}
    while True:
        rows = read(limit=limit + 1, **start).rows
        yield rows[:limit]
        if len(rows) <= limit:
            return
        start = {"startkey": rows[limit].id}
