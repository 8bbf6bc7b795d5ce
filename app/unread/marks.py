"""A node's unread marks: follows the databases, and answers what somebody has not seen.

They are in a file of the data folder, on this node alone (docs/decisions/unread.md says why not in `local`). A page
costs a request to each database for what changed since the one before, and no more than a query of the file.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from app.couch import Database, Refused
from app.kept_file import KeptFile, set_state, state
from app.unread import journal
from app.unread.journal import Unread
from app.unread.news import Gone, News, news_of

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

FILE_NAME = "unread.sqlite"
_EXTENSION = "unread"
_NOTE = "unread"
# Documents taken in at once, and how long a page waits for it, in seconds; the rest goes on in a thread.
_PAGE = 500
_PATIENCE = 0.05
_making = threading.Lock()
_Answer = TypeVar("_Answer")


class UnreadMarks:
    """One a node; safe between threads. Use :func:`unread_marks` to get it.

    A file that cannot be written or read leaves pages without marks, and says so in the log: no page fails for them.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._file = KeptFile(node.settings.data / FILE_NAME, journal.FORMAT, journal.TABLES)
        self._is_recognised = False
        self._thread: threading.Thread | None = None

    def follow(self, settled: bool = True) -> None:
        """Takes in what has changed, for a twentieth of a second; what is left then is taken in by a thread.

        Until the node is `settled` (its first sync has come to an end) what arrives is what there is, not what is new.
        Raises StoreError.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            is_all = self._try_following(settled, _PATIENCE)
        finally:
            self._lock.release()
        if not is_all:
            self._go_on()

    def bring_up_to_date(self) -> None:
        """Returns when everything is taken in. Raises StoreError."""
        is_all = False
        while not is_all:
            with self._lock:
                is_all = self._try_following(True, _PATIENCE)

    def among(self, person: str, documents: Iterable[str]) -> frozenset[str]:
        """Those of the documents that are unread for `person` (a user's name)."""
        return self._ask(person, frozenset(), lambda connection: journal.among(connection, person, documents))

    def count(self, person: str) -> dict[str, int]:
        """How many documents are unread for `person`, by type."""
        nothing: dict[str, int] = {}
        return self._ask(person, nothing, lambda connection: journal.count(connection, person))

    def latest(self, person: str, types: Sequence[str], limit: int, before: int = 0) -> list[Unread]:
        """The latest unread documents of these types; `before` is the number of the last one of the page before."""
        nothing: list[Unread] = []
        return self._ask(person, nothing, lambda connection: journal.latest(connection, person, types, limit, before))

    def newest(self) -> int:
        """The number of the last arrival: what somebody is shown from now on holds it."""
        return self._reading(0, journal.newest)

    def read(self, person: str, documents: Sequence[str], until: int | None = None) -> None:
        """Marks documents as read, up to the arrival `until`: the last one before they were read from the store."""
        if self.among(person, documents):
            self._write(lambda connection: journal.see(connection, person, documents, _until(connection, until)))

    def read_type(self, person: str, type: str, until: int | None = None) -> None:
        """Marks every document of a type as read."""
        self._write(lambda connection: journal.see_type(connection, person, type, _until(connection, until)))

    def read_all(self, person: str, until: int | None = None) -> None:
        """Marks everything as read."""
        self._write(lambda connection: journal.see_all(connection, person, _until(connection, until)))

    def forget(self, documents: Iterable[str]) -> None:
        """Forgets documents that turned out not to be there any more."""
        gone = list(documents)

        def act(connection: sqlite3.Connection) -> None:
            for each in gone:
                journal.forget(connection, each)

        self._write(act)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()

    def _ask(self, person: str, nothing: _Answer, question: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        if not self._reading(True, lambda connection: journal.is_known(connection, person)):
            self._write(lambda connection: journal.begin(connection, person))
        return self._reading(nothing, question)

    def _reading(self, nothing: _Answer, question: Callable[[sqlite3.Connection], _Answer]) -> _Answer:
        try:
            with self._file.reading() as connection:
                return question(connection)
        except sqlite3.Error as error:
            log.warning("The unread marks in %s cannot be read: %s", self._file.path, error)
            return nothing

    def _write(self, act: Callable[[sqlite3.Connection], object]) -> None:
        with self._lock:
            try:
                with self._file.writing() as connection:
                    act(connection)
            except sqlite3.Error as error:
                log.warning("The unread marks in %s cannot be written: %s", self._file.path, error)

    def _go_on(self) -> None:
        with _making:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._finish_quietly, name="unread", daemon=True)
                self._thread.start()

    def _finish_quietly(self) -> None:
        try:
            self.bring_up_to_date()
        except Exception as error:
            log.warning("The unread marks could not be brought up to date: %s", error)

    def _try_following(self, settled: bool, patience: float) -> bool:
        """Does what there is to do within `patience` seconds, with the lock held; whether that was all."""
        end = time.monotonic() + patience
        try:
            if not self._is_recognised:
                self._recognise()
            if not settled:
                self._begin_now()
                return True
            for database in self._followed():
                while self._follow_one(database):
                    if time.monotonic() > end:
                        return False
        except sqlite3.OperationalError as error:
            log.warning("The unread marks in %s cannot be written: %s", self._file.path, error)
        except sqlite3.DatabaseError as error:
            log.warning("The unread marks begin anew: %s", error)
            self._file.remove()
            self._is_recognised = False
            return False
        return True

    def _followed(self) -> tuple[Database, ...]:
        """The databases whose documents are marked; not `market`: what 200 dealers do all day is no news."""
        node = self._node
        return (node.catalog,) if node.is_manufacturer else (node.book, node.catalog)

    def _recognise(self) -> None:
        """Begins anew where the file is of another book, or one of both was put back to an older state.

        The book and the file have the same token, another one after every start.
        """
        database = self._followed()[0]
        note = database.get_local(_NOTE)
        token = secrets.token_hex(8)
        with self._file.writing() as connection:
            kept = state(connection, "token")
            if note is None or note.get("token") != kept:
                self._file.clear(connection)
                set_state(connection, "since", self._now())
            set_state(connection, "token", token)
        database.put_local({**(note or {"_id": _NOTE}), "token": token})
        self._is_recognised = True

    def _now(self) -> dict[str, Any]:
        return {database.name: database.info()["update_seq"] for database in self._followed()}

    def _begin_now(self) -> None:
        now = self._now()
        with self._file.writing() as connection:
            if state(connection, "since") != now:
                set_state(connection, "since", now)

    def _follow_one(self, database: Database) -> bool:
        """Takes in a page of what has changed in a database; whether there is more."""
        with self._file.reading() as connection:
            since = state(connection, "since")
        try:
            page = database.changes(since=since[database.name], limit=_PAGE, include_docs=True)
        except Refused:
            # A sequence of another kind of store says nothing here.
            self._begin_now()
            return False
        if not page.results:
            return False
        found = [news_of(change) for change in page.results]
        there = _there(database, {str(change["id"]) for change in page.results}, found)
        # Nobody at a dealer writes the catalog, though somebody may have the name of somebody at the manufacturer.
        strangers = database.name == "catalog" and not self._node.is_manufacturer
        with self._file.writing() as connection:
            before = journal.newest(connection)
            for each in found:
                if isinstance(each, Gone):
                    journal.forget(connection, each.document)
                elif each is not None and each.document in there:
                    journal.take(connection, each, "" if strangers else each.by)
            if journal.newest(connection) != before:
                journal.prune(connection, self._node.today().isoformat())
            since[database.name] = page.last_seq
            set_state(connection, "since", since)
        return len(page.results) == _PAGE


def _there(database: Database, ids: set[str], found: Sequence[News | Gone | None]) -> set[str]:
    """The documents that news may be about: an entry of the log may come after its document was deleted."""
    gone = {each.document for each in found if isinstance(each, Gone)}
    named = {each.document for each in found if isinstance(each, News)}
    elsewhere = sorted(named - ids)
    if elsewhere:
        rows = database.all_docs(keys=elsewhere).rows
        named -= set(elsewhere)
        named |= {str(row.key) for row in rows if row.id and not (row.value or {}).get("deleted")}
    return named - gone


def _until(connection: sqlite3.Connection, until: int | None) -> int:
    newest = journal.newest(connection)
    return newest if until is None else min(until, newest)


def unread_marks(node: Node) -> UnreadMarks:
    """The node's unread marks, made at the first call."""
    with _making:
        marks = node.extensions.get(_EXTENSION)
        if not isinstance(marks, UnreadMarks):
            marks = UnreadMarks(node)
            node.extensions[_EXTENSION] = marks
    return marks
