"""The map and reduce functions of one index."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from embedded.javascript.sandbox import Sandbox, ScriptError, ScriptStoppedError

log = logging.getLogger("embedded.javascript")

SECONDS_A_BATCH = 3.0
"""Processor time a batch of documents, or of reductions, may take."""
SECONDS_A_DOCUMENT = 1.0
"""Processor time one document may take when its batch took too long."""
STOPPED_AT_MOST = 5
"""Documents that are given up in one batch before the whole index is: each costs its second."""


TEXT_A_CALL = 2_000_000
"""Characters handed to a reduce function together, unless one call alone is longer."""


class Emitted(NamedTuple):
    """One row: `document` is the place in the batch, `view` that of the map function; key and value are JSON texts."""

    document: int
    view: int
    key: str
    value: str


class ViewFunctions:
    """`maps` are map functions' sources in order, `reduces` JavaScript reduce functions. Raises CompilationError.

    `library` is `views.lib`, the only part of a design document its map functions may require.
    """

    def __init__(self, maps: Sequence[str], reduces: Sequence[str] = (), library: Any = None, where: str = "") -> None:
        self._maps = list(maps)
        self._reduces = list(reduces)
        self._root = {"views": {"lib": library}} if library is not None else None
        self._where = where
        self._mapping = Sandbox(self._maps, self._root, SECONDS_A_BATCH)
        self._reducing = Sandbox(self._reduces, self._root, SECONDS_A_BATCH) if self._reduces else None

    def map(self, documents: Sequence[str]) -> list[Emitted]:
        """The rows of a batch of documents (JSON texts), in order. A document that fails has none; the log says so.

        Raises ScriptStoppedError when too many documents of the batch had to be stopped.
        """
        if not self._maps or not documents:
            return []
        try:
            return self._map(self._mapping, documents)
        except (ScriptStoppedError, ScriptError):
            return self._map_one_by_one(documents)

    def _map(self, sandbox: Sandbox, documents: Sequence[str]) -> list[Emitted]:
        try:
            answer = sandbox.call("map", "[" + ",".join(documents) + "]")
        finally:
            if sandbox.alive:
                sandbox.write_log(self._where)
        if not answer:
            return []
        lines = iter(answer.split("\n"))
        rows = []
        for head, key, value in zip(lines, lines, lines, strict=True):
            document, _, view = head.partition(" ")
            rows.append(Emitted(int(document), int(view), key, value))
        return rows

    def _map_one_by_one(self, documents: Sequence[str]) -> list[Emitted]:
        """The batch had to be stopped: find the documents that did it, and leave them out."""
        rows: list[Emitted] = []
        stopped = 0
        sandbox = Sandbox(self._maps, self._root, SECONDS_A_DOCUMENT)
        for at, document in enumerate(documents):
            try:
                rows += [row._replace(document=at) for row in self._map(sandbox, [document])]
            except (ScriptStoppedError, ScriptError) as error:
                log.warning("%s: a document was skipped, its map function was stopped: %s", self._where, error)
                stopped += 1
                if stopped > STOPPED_AT_MOST:
                    raise ScriptStoppedError(
                        f"The map function had to be stopped for more than {STOPPED_AT_MOST} documents in a row of "
                        f"{len(documents)}; the index was not brought up to date."
                    ) from None
                sandbox = Sandbox(self._maps, self._root, SECONDS_A_DOCUMENT)
        self._mapping = Sandbox(self._maps, self._root, SECONDS_A_BATCH)
        return rows

    def reduce(self, calls: Iterable[str]) -> list[str]:
        """The answers of calls, each the JSON text `[function, keys or null, values, rereduce]`, as JSON texts.

        Raises ScriptStoppedError.
        """
        answers: list[str] = []
        for batch in _batches(calls):
            answers += self._reduce(batch)
        return answers

    def _reduce(self, calls: list[str]) -> list[str]:
        if self._reducing is None or not self._reducing.alive:
            self._reducing = Sandbox(self._reduces, self._root, SECONDS_A_BATCH)
        try:
            answers = self._reducing.call("reduce", "[" + ",".join(calls) + "]").split("\n")
        except ScriptError as error:
            raise ScriptStoppedError(str(error)) from None
        finally:
            if self._reducing.alive:
                self._reducing.write_log(self._where)
        if len(answers) != len(calls):
            raise ScriptStoppedError("The reduce function gave no answer.")
        return answers


def _batches(calls: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for call in calls:
        if batch and size + len(call) > TEXT_A_CALL:
            yield batch
            batch, size = [], 0
        batch.append(call)
        size += len(call)
    if batch:
        yield batch
