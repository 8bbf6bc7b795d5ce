"""The parts desk: what every machine of the book needs, kept in a file and brought up to date by ``_changes``.

The first time, all machines with their readings and services are read; afterwards a page costs one request that
answers what has changed since the last one, and the work for the machines concerned. Everything is done in pieces that
take a fraction of a second, so that nobody waits for more than one of them: what takes longer goes on in a thread.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.couch import Database, NotFound
from app.errors import IronbookError
from app.kept_file import set_state, state
from app.parts import questions, table
from app.parts.desk_file import desk_file
from app.parts.needs import Need
from app.parts.questions import Question, Standing
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

_EXTENSION = "parts_desk"
FILE_NAME = "parts-desk.sqlite"
# Documents read, and machines worked out, at once: each takes about a twentieth of a second.
_PAGE = 500
_MACHINES = 150
# Between two pieces of work in the thread, in seconds: those who wait for the desk get their turn.
_TURN = 0.002
_NOTE = "parts-desk"
_making = threading.Lock()


@dataclass(frozen=True, slots=True)
class Building:
    """How far the desk is with what takes long: `what` it does, and so many `done` of about `total`."""

    done: int
    total: int
    what: str = "Reading machines, readings and services"
    unit: str = "document"

    def sentence(self) -> str:
        """For the page that waits."""
        return f"{self.what}: {self.done:,} of about {counted(self.total, self.unit)}."


class PartsDesk:
    """One a node; safe between threads. Use :func:`parts_desk` to get it.

    Questions are answered with what the desk knew when it was last brought up to date.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._file = desk_file(node.settings.data / FILE_NAME)
        self._is_of_this_book = False
        self._building: Building | None = None
        self._thread: threading.Thread | None = None
        self._failure: Exception | None = None

    def building(self, horizon_days: int = 0, every_machine: bool = True) -> Building | None:
        """None when the desk is up to date; otherwise goes on in a thread, unless it does, and says how far it is.

        Without `every_machine` it is enough that every document is known: :meth:`customer` works out its machines.
        Raises the StoreError that ended the work before; the next call starts again.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if every_machine and self._is_running() and self._building is not None:
            return self._building
        with self._lock:
            if self._step(horizon_days, every_machine):
                return None
        with _making:
            if not self._is_running():
                self._thread = threading.Thread(
                    target=self._finish_quietly, args=(horizon_days,), name="parts-desk", daemon=True
                )
                self._thread.start()
        return self._building or Building(0, 0)

    def bring_up_to_date(self, horizon_days: int = 0) -> None:
        """Returns when everything is known until `horizon_days` from today. Raises StoreError."""
        while True:
            with self._lock:
                if self._step(horizon_days):
                    return

    def version(self) -> tuple[Any, ...]:
        """As long as this stays the same, so do the answers."""
        with self._file.reading() as connection:
            return (state(connection, "token"), state(connection, "version", 0))

    def question(self, days: int, **filters: Any) -> Question:
        """A question about parts needed until `days` from today; for `filters` see :class:`Question`."""
        return Question(self._node.today(), days, **filters)

    @contextlib.contextmanager
    def asking(self) -> Iterator[sqlite3.Connection]:
        """What :mod:`app.parts.questions` asks, on one moment of the desk."""
        with self._file.reading() as connection:
            yield connection

    def needs(self, horizon_days: int) -> list[Need]:
        """What all machines need until `horizon_days` from today, overdue first; brings the desk up to date before.

        All of them at once: a page asks for less. Raises StoreError.
        """
        self.bring_up_to_date(horizon_days)
        with self.asking() as connection:
            return questions.all_needs(connection, self.question(horizon_days))

    def customer(
        self, customer_id: str, horizon_days: int, follow: bool = True
    ) -> tuple[list[Need], dict[str, Standing]]:
        """What one customer's machines need, and how each of them stands, by its id. Raises StoreError.

        Brings these machines up to date; with `follow`, reads before what has changed.
        """
        done = not follow
        while not done:
            with self._lock:
                done = self._step(every_machine=False)
        with self._lock, self._file.writing() as connection:
            while table.work_out(connection, self._node.today(), _MACHINES, customer_id):
                self._count(connection)
        with self.asking() as connection:
            return questions.customer(connection, self.question(horizon_days, customer=customer_id))

    def average(self, model_id: str) -> float | None:
        """Hours a day of this book's machines of a model (by its catalog id); None for too few, or while not ready."""
        if not self._is_of_this_book:
            return None
        with self.asking() as connection:
            return table.average(connection, model_id)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _finish_quietly(self, horizon_days: int) -> None:
        try:
            finished = False
            while not finished:
                with self._lock:
                    finished = self._step(horizon_days)
                threading.Event().wait(_TURN)
        except Exception as error:
            log.warning("The parts desk could not be brought up to date: %s", error)
            self._failure = error

    def _step(self, horizon_days: int = 0, every_machine: bool = True) -> bool:
        """Does one piece of what is to be done, with the lock held; whether that was all."""
        try:
            is_all = self._try_step(horizon_days, every_machine)
            if is_all and every_machine:
                self._building = None
            return is_all
        except NotFound:
            # Somebody has emptied the book and begun anew: so does the desk.
            self._is_of_this_book = False
            raise
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise IronbookError(
                    f"The parts desk could not write its file {self._file.path} ({error}). The book is as it was; "
                    f"free some space or correct the folder's permissions, and try again."
                ) from error
            log.warning("The parts desk is made anew: %s", error)
            self._file.remove()
            self._is_of_this_book = False
            return False

    def _try_step(self, horizon_days: int, every_machine: bool) -> bool:
        if not self._is_of_this_book:
            self._recognise()
        if not self._read_first() or not self._follow():
            return False
        with self._file.writing() as connection:
            table.begin_day(connection, self._node.today(), horizon_days)
            table.sell_parts_again(connection)
            return not every_machine or self._work_out(connection)

    def _recognise(self) -> None:
        """Begins anew where the file is of another book, or the book was put back to an older state.

        The book and the file have the same token, another one after every start.
        """
        book = self._node.book
        note = book.get_local(_NOTE)
        token = secrets.token_hex(8)
        with self._file.writing() as connection:
            kept = state(connection, "token")
            if note is None or note.get("token") != kept:
                self._file.clear(connection)
                since = {each.name: each.info()["update_seq"] for each in (self._node.catalog, book)}
                set_state(connection, "since", since)
                set_state(connection, "reading", [0, ""])
                set_state(connection, "documents", int(book.info().get("doc_count") or 0))
            set_state(connection, "token", token)
        book.put_local({**(note or {"_id": _NOTE}), "token": token})
        self._is_of_this_book = True

    def _read_first(self) -> bool:
        """Reads a page of the documents that were there at the beginning; whether all are read."""
        with self._file.reading() as connection:
            cursor = state(connection, "reading")
            read = state(connection, "read", 0)
            total = state(connection, "documents", 0)
        if cursor is None:
            return True
        at, start = cursor
        node = self._node
        prefixes = [(node.catalog, kind) for kind in table.CATALOG_KINDS]
        prefixes += [(node.book, f"{node.dealer}:{kind}") for kind in table.KINDS]
        database, prefix = prefixes[at]
        # The documents of one type stand together by their ids.
        rows = database.all_docs(
            startkey=start or f"{prefix}:", endkey=f"{prefix};", include_docs=True, limit=_PAGE
        ).rows
        with self._file.writing() as connection:
            for row in rows:
                table.take(connection, str(row.id), row.doc)
            following = [at, f"{rows[-1].id}\x00"] if len(rows) == _PAGE else [at + 1, ""]
            set_state(connection, "reading", following if following[0] < len(prefixes) else None)
            set_state(connection, "read", read + len(rows))
            self._count(connection)
        self._building = Building(read + len(rows), max(total, read + len(rows)))
        return False

    def _follow(self) -> bool:
        """Takes in what has changed; whether that was all."""
        node = self._node
        with self._file.reading() as connection:
            since = state(connection, "since")
        is_all = True
        for database in (node.catalog, node.book):
            is_all = self._follow_one(database, since) and is_all
        return is_all

    def _follow_one(self, database: Database, since: dict[str, Any]) -> bool:
        page = database.changes(since=since[database.name], limit=_PAGE, include_docs=True)
        if not page.results:
            return True
        since[database.name] = page.last_seq
        with self._file.writing() as connection:
            concerned = [
                table.take(connection, change["id"], None if change.get("deleted") else change.get("doc"))
                for change in page.results
            ]
            set_state(connection, "since", since)
            if any(concerned):
                self._count(connection)
        if len(page.results) < _PAGE:
            return True
        before = self._building
        done = len(page.results) + (before.done if before and before.what.startswith("Taking") else 0)
        self._building = Building(done, done + int(page.pending or 0), "Taking in what has changed")
        return False

    def _work_out(self, connection: sqlite3.Connection) -> bool:
        today = self._node.today()
        worked_out = table.work_out(connection, today, _MACHINES)
        remaining = table.count_stale(connection)
        if not remaining:
            table.move_averages(connection)
            remaining = table.count_stale(connection)
            if 0 < remaining <= _MACHINES:
                worked_out += table.work_out(connection, today, remaining)
                remaining = 0
        if worked_out:
            self._count(connection)
        if not remaining:
            return True
        total = table.count_machines(connection)
        self._building = Building(total - remaining, total, "Working out what machines need", "machine")
        return False

    def _count(self, connection: sqlite3.Connection) -> None:
        set_state(connection, "version", state(connection, "version", 0) + 1)


def parts_desk(node: Node) -> PartsDesk:
    """The node's parts desk, made at the first call. Raises IronbookError on the manufacturer's node."""
    assert node.book  # the manufacturer's node says that it has none
    with _making:
        desk = node.extensions.get(_EXTENSION)
        if not isinstance(desk, PartsDesk):
            desk = PartsDesk(node)
            node.extensions[_EXTENSION] = desk
    return desk
