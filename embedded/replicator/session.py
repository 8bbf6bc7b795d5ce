"""One run of a replication, from the starting point both sides share to the end of the source's feed, or for ever.

Two threads: one reads the next batch while the other writes the last. A checkpoint is recorded only for what the target
has acknowledged, so the process may be killed at any moment: the next run reads a little twice and misses nothing.
"""

from __future__ import annotations

import contextlib
import datetime
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from embedded.replicator import checkpoints, transfer
from embedded.replicator.checkpoints import Counts, Start
from embedded.replicator.errors import Cancelled, ReplicationError
from embedded.replicator.peer import Peer
from embedded.replicator.request import Replication
from embedded.replicator.transfer import Batch, Reader

log = logging.getLogger("embedded.replicator")

_LONGPOLL_SECONDS = 10.0
_QUEUE_SECONDS = 0.25

Progress = Callable[[dict[str, Any]], None]


class Session:
    """`progress` is called with the fields of `_active_tasks` that changed. `cancelled` ends it within moments."""

    def __init__(
        self,
        replication: Replication,
        server: str,
        source: Peer,
        target: Peer,
        cancelled: threading.Event,
        progress: Progress,
    ) -> None:
        self._replication = replication
        self._server = server
        self._source = source
        self._target = target
        self._cancelled = cancelled
        self._progress = progress
        self._batches: queue.Queue[Batch | Exception] = queue.Queue(maxsize=1)
        self._revs: dict[str, str | None] = {}
        self._session = checkpoints.Session(secrets.token_hex(16), datetime.datetime.now(datetime.UTC), Start())
        self._counts = Counts()
        self._through: Any = 0
        self._recorded: Any = 0
        self._recorded_at = time.monotonic()
        self._checkpoint: dict[str, Any] = {}
        self._checkpoint_id = ""
        self._stop_reading = False

    def run(self) -> dict[str, Any]:
        """Replicate. Returns CouchDB's answer to a one-shot `_replicate`; raises ReplicationError or Cancelled."""
        self._open()
        start = self._find_start()
        threading.Thread(target=self._read, name="replication-read", daemon=True).start()
        try:
            self._write_batches()
        finally:
            self._stop_reading = True
            with contextlib.suppress(queue.Empty):
                self._batches.get_nowait()
        if not self._checkpoint:
            self._checkpoint = self._new_checkpoint()
        answer = {key: value for key, value in self._checkpoint.items() if not key.startswith("_")}
        if self._through == start.since and start.history:
            return {"ok": True, "no_changes": True, **answer}
        return {"ok": True, **answer}

    # --- the beginning

    def _open(self) -> None:
        replication = self._replication
        self._source.open()
        try:
            self._target.open()
        except ReplicationError as error:
            if error.error != "db_not_found" or not replication.create_target:
                raise
            self._target.create(dict(replication.create_target_params))
            self._target.open()
        self._replication = replication.with_filter_code(self._source.filter_code(replication.selection))

    def _find_start(self) -> Start:
        replication = self._replication
        found: dict[str, dict[str, Any] | None] = {}
        if replication.use_checkpoints:
            self._checkpoint_id = f"_local/{replication.checkpoint_id(self._server)}"
            for side, peer in (("source", self._source), ("target", self._target)):
                found[side] = peer.local_document(self._checkpoint_id)
                self._revs[side] = (found[side] or {}).get("_rev")
        start = checkpoints.starting_point(found.get("source"), found.get("target"))
        if start.history:
            self._checkpoint = dict(found["source"] or {})
            self._checkpoint["history"] = start.history
            self._checkpoint["source_last_seq"] = start.since
        if replication.since_seq is not None:
            start = Start(replication.since_seq, start.history)
        self._session = checkpoints.Session(self._session.session_id, self._session.started, start)
        self._counts = start.counts()
        self._through = self._recorded = start.since
        self._tell()
        return start

    # --- reading

    def _read(self) -> None:
        """In a thread of its own: hand batches over until the feed ends, something fails or nobody wants them."""
        reader = Reader(self._replication, self._source, self._target)
        since, wait = self._through, None
        try:
            while not self._is_over():
                batch = reader.read(since, wait)
                self._hand_over(batch)
                if batch.complete and not self._replication.continuous:
                    return
                since = batch.through
                wait = _LONGPOLL_SECONDS if batch.complete else None
        except Exception as error:
            self._hand_over(error)

    def _hand_over(self, what: Batch | Exception) -> None:
        while not self._is_over():
            try:
                self._batches.put(what, timeout=_QUEUE_SECONDS)
            except queue.Full:
                continue
            return

    def _is_over(self) -> bool:
        return self._stop_reading or self._cancelled.is_set()

    # --- writing

    def _write_batches(self) -> None:
        while True:
            batch = self._next_batch()
            if batch is None:
                self._record_if_due(idle=True)
                continue
            self._counts.add(transfer.write(batch, self._source, self._target))
            self._through = batch.through
            self._tell(changes_pending=batch.pending)
            if batch.complete and not self._replication.continuous:
                # Where a sequence was given, it may be further than what is recorded although nothing followed it.
                self._record(even_if_nothing_followed=self._replication.since_seq is not None)
                return
            self._record_if_due()

    def _next_batch(self) -> Batch | None:
        """The next batch; None when there is none yet. Raises what the reading thread met."""
        if self._cancelled.is_set():
            self._record_quietly()
            raise Cancelled
        try:
            batch = self._batches.get(timeout=_QUEUE_SECONDS)
        except queue.Empty:
            return None
        if isinstance(batch, Exception):
            if not isinstance(batch, Cancelled):
                self._record_quietly()
            raise batch
        return batch

    # --- checkpoints

    def _record_if_due(self, idle: bool = False) -> None:
        due = 1.0 if idle else self._replication.checkpoint_seconds
        if self._through != self._recorded and time.monotonic() - self._recorded_at >= due:
            self._record()

    def _record_quietly(self) -> None:
        """A replication that ends early still says how far it came, if the peers take it."""
        with contextlib.suppress(ReplicationError, Cancelled):
            self._record()

    def _record(self, even_if_nothing_followed: bool = False) -> None:
        """Record on both sides that everything up to `_through` is on the target."""
        if self._through == self._recorded and not even_if_nothing_followed:
            return
        self._checkpoint = self._new_checkpoint()
        if self._replication.use_checkpoints:
            for side, peer in (("source", self._source), ("target", self._target)):
                self._put_checkpoint(side, peer)
        self._recorded, self._recorded_at = self._through, time.monotonic()
        self._tell()

    def _new_checkpoint(self) -> dict[str, Any]:
        now = datetime.datetime.now(datetime.UTC)
        flat = self._replication.selection.doc_ids is not None
        return checkpoints.record(self._session, now, self._through, self._counts, flat)

    def _put_checkpoint(self, side: str, peer: Peer) -> None:
        try:
            self._revs[side] = peer.put_local_document(self._checkpoint_id, self._checkpoint, self._revs[side])
        except ReplicationError as error:
            if error.error not in ("forbidden", "unauthorized"):
                raise
            # Everything arrived; only the next run will have to look from further back.
            log.warning("%s does not let this user record checkpoints: %s", peer.name, error.reason)

    def _tell(self, **more: Any) -> None:
        counts = self._counts
        self._progress(
            {
                "docs_read": counts.docs_read,
                "docs_written": counts.docs_written,
                "doc_write_failures": counts.doc_write_failures,
                "missing_revisions_found": counts.missing_found,
                "revisions_checked": counts.missing_checked,
                "bulk_get_docs": counts.bulk_get_docs,
                "bulk_get_attempts": counts.bulk_get_attempts,
                "source_seq": self._through,
                "through_seq": self._through,
                "checkpointed_source_seq": self._recorded,
                **more,
            }
        )
