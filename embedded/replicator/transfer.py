"""One batch of a replication: what changed, what of it is missing, fetching it, writing it."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from embedded.http import json_text
from embedded.replicator import attachments
from embedded.replicator.checkpoints import Counts
from embedded.replicator.peer import Missing, Peer, RefusedAsAWhole
from embedded.replicator.request import Replication
from embedded.replicator.transport import AnswerTooLarge

log = logging.getLogger("embedded.replicator")

_BYTES_A_FETCH = 4_000_000
_MOST_BYTES_A_FETCH = 16_000_000
"""Documents may suddenly be larger than those before: beyond this, fewer are asked for again."""
_FIRST_FETCH = 50
_FIRST_BATCH = 100
_BYTES_A_WRITE = 8_000_000
_SHORT_SECONDS, _LONG_SECONDS = 1.0, 5.0


class Encoded(NamedTuple):
    """A document as JSON text: made once, while the batch before is being written."""

    id: str
    text: bytes


@dataclass(slots=True)
class Batch:
    """What is to be written so that everything up to `through` is on the target. `complete`: the feed ends here."""

    through: Any
    pending: int
    complete: bool
    counts: Counts = field(default_factory=Counts)
    documents: list[Encoded] = field(default_factory=list)
    large: list[tuple[dict[str, Any], set[str]]] = field(default_factory=list)
    """Documents whose attachments travel one document at a time, and the names of those to send."""


def fitting_size(size: int, seconds: float, most: int) -> int:
    """How much to do at once after `size` took so long: a few seconds' worth, so that progress shows. Pure.

    On a slow line a large batch would show nothing for minutes, and lose as much when the line is cut.
    """
    if seconds > _LONG_SECONDS:
        return max(1, int(size * _LONG_SECONDS / seconds))
    return min(4 * size, most) if seconds < _SHORT_SECONDS else min(size, most)


class Reader:
    """Reads batches from the source. Learns how large documents are and how fast the line is."""

    def __init__(self, replication: Replication, source: Peer, target: Peer) -> None:
        self._replication = replication
        self._source = source
        self._target = target
        self._documents_a_fetch = _FIRST_FETCH
        self._changes_a_batch = min(_FIRST_BATCH, replication.batch)
        self._asked_at: float | None = None

    def read(self, since: Any, wait_seconds: float | None) -> Batch:
        """The next batch. `wait_seconds`: how long to wait for a change where there is none yet."""
        replication = self._replication
        now = time.monotonic()
        if self._asked_at is not None and wait_seconds is None:
            # From one batch to the next is what reading and writing take together, whichever is slower.
            spent = now - self._asked_at
            self._changes_a_batch = fitting_size(self._changes_a_batch, spent, replication.batch)
        self._asked_at = now
        style = "main_only" if replication.winning_revs_only else "all_docs"
        page = self._source.changes(
            since, self._changes_a_batch, replication.selection, style=style, wait_seconds=wait_seconds
        )
        batch = Batch(page.last_seq, page.pending, page.complete)
        if not page.revisions:
            return batch
        missing = self._target.revs_diff(page.revisions)
        batch.counts.missing_checked = sum(len(leaves) for leaves in page.revisions.values())
        batch.counts.missing_found = sum(len(lack.revisions) for lack in missing.values())
        for document in self._fetch(missing):
            self._add(batch, document, missing)
        return batch

    def _fetch(self, missing: Mapping[str, Missing]) -> Iterator[dict[str, Any]]:
        waiting = list(missing.items())
        at = 0
        while at < len(waiting):
            group = dict(waiting[at : at + self._documents_a_fetch])
            started = time.monotonic()
            try:
                documents, size = self._source.documents(group, _MOST_BYTES_A_FETCH if len(group) > 1 else None)
            except AnswerTooLarge:
                self._documents_a_fetch = max(1, len(group) // 4)
                continue
            spent = time.monotonic() - started
            yield from documents
            at += len(group)
            fitting = max(1, int(_BYTES_A_FETCH * len(group) / max(size, 1)))
            self._documents_a_fetch = fitting_size(len(group), spent, min(fitting, self._replication.batch))

    def _add(self, batch: Batch, document: dict[str, Any], missing: Mapping[str, Missing]) -> None:
        batch.counts.docs_read += 1
        if not document["_id"].startswith("_design/"):
            # CouchDB fetches design documents one by one and does not count them here.
            batch.counts.bulk_get_docs += 1
            batch.counts.bulk_get_attempts += 1
        if not attachments.has_attachments(document):
            batch.documents.append(_encoded(document))
            return
        lack = missing.get(document["_id"], Missing([], []))
        needed = attachments.unknown_attachments(document, lack.ancestors)
        names = set(document["_attachments"])
        if needed == names and attachments.length_of(document, needed) <= attachments.INLINE_BYTES:
            batch.documents.append(_encoded(attachments.inline(self._source, document)))
        else:
            batch.large.append((document, needed))


def _encoded(document: dict[str, Any]) -> Encoded:
    return Encoded(document["_id"], json_text.text(document).encode("utf-8", "replace"))


def write(batch: Batch, source: Peer, target: Peer) -> Counts:
    """Write a batch. A refused document is counted and left behind, as CouchDB does."""
    refusals: list[str] = []
    for documents in _portions(batch.documents):
        refusals += _write_portion(target, documents)
    for document, needed in batch.large:
        refusal = attachments.send(source, target, document, needed)
        refusals += [] if refusal is None else [refusal]
    for refusal in refusals:
        log.info("%s refused %s", target.name, refusal)
    batch.counts.doc_write_failures = len(refusals)
    batch.counts.docs_written = len(batch.documents) + len(batch.large) - len(refusals)
    return batch.counts


def _write_portion(target: Peer, documents: list[Encoded]) -> list[str]:
    try:
        return target.write([document.text for document in documents])
    except RefusedAsAWhole:
        # One document that cannot be taken must not keep the others away.
        outcomes = [target.write_one(document.id, document.text) for document in documents]
        return [refusal for refusal in outcomes if refusal is not None]


def _portions(documents: list[Encoded]) -> Iterator[list[Encoded]]:
    """Groups of documents that are together no larger than a server takes in one request."""
    portion: list[Encoded] = []
    size = 0
    for document in documents:
        if portion and size + len(document.text) > _BYTES_A_WRITE:
            yield portion
            portion, size = [], 0
        portion.append(document)
        size += len(document.text)
    if portion:
        yield portion
