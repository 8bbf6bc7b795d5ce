"""The journal of what arrived, and what each person has seen of it: tables in SQLite, in the caller's transaction.

Arrivals are numbered in the order in which this node's own store told of them. A colleague's laptop that brings an
edit of last week today, or has a clock ten years off, gets the next number like any other.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.kept_file import set_state, state
from app.unread.news import News

# Another number where the tables, or what is put into them, change. An older file is made anew: nothing is unread then.
FORMAT = 1
TABLES = """
CREATE TABLE arrivals (
    document TEXT, author TEXT, name TEXT NOT NULL, type TEXT NOT NULL, number INTEGER NOT NULL, at TEXT NOT NULL,
    logged_at TEXT NOT NULL, fields TEXT NOT NULL, added INTEGER NOT NULL, PRIMARY KEY (document, author)
) WITHOUT ROWID;
CREATE INDEX arrivals_in_order ON arrivals (number);
CREATE TABLE people (name TEXT PRIMARY KEY, after INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE seen (
    person TEXT, document TEXT, number INTEGER NOT NULL, PRIMARY KEY (person, document)
) WITHOUT ROWID;
"""
"""`arrivals`: the latest news of each document by each author; `at` is that of the document's last save, `logged_at`
that of the entry in the log. `people`: what came until `after` counts as read. `seen`: the same for one document."""

# Days on which this node ran, not days of a calendar: a clock that is set wrong for an hour forgets nothing.
HORIZON_DAYS = 90
MOST_ARRIVALS = 20_000
_SPARE = 500

_UNREAD = """
FROM arrivals a LEFT JOIN seen s ON s.person = :person AND s.document = a.document
WHERE a.number > :after AND a.author <> :person AND a.number > coalesce(s.number, 0)
"""
_AMONG = "AND a.document IN (SELECT value FROM json_each(:documents))"
_SEE = f"INSERT OR REPLACE INTO seen SELECT :person, a.document, :until {_UNREAD} AND a.number <= :until"


@dataclass(frozen=True)
class Unread:
    """A document that somebody else changed. `number` is that of its last arrival; `fields` are those changed last."""

    document: str
    type: str
    by: str
    at: str
    number: int
    fields: tuple[str, ...]
    added: bool


def take(connection: sqlite3.Connection, news: News, author: str) -> None:
    """Takes in one piece of news. `author` is who does not need to be told of it: its `by`, or nobody here ("")."""
    row = connection.execute(
        "SELECT at, logged_at FROM arrivals WHERE document=? AND author=?", (news.document, author)
    ).fetchone()
    at, logged_at = row or ("", "")
    if row and news.at == at:
        if news.is_entry and logged_at != news.at:
            # The entry of an edit that the document told of before: it only adds which fields.
            connection.execute(
                "UPDATE arrivals SET logged_at=?, fields=?, added=0 WHERE document=? AND author=?",
                (news.at, json.dumps(news.fields), news.document, author),
            )
        return
    if news.is_entry and row and news.at == logged_at:
        return
    if row and news.at == logged_at:
        # The document came after its entry. Who looked in between has not seen it: it arrives now.
        connection.execute(
            "UPDATE arrivals SET at=?, number=? WHERE document=? AND author=?",
            (news.at, _next(connection), news.document, author),
        )
        return
    values = (at, news.at, json.dumps(news.fields)) if news.is_entry else (news.at, logged_at, "[]")
    connection.execute(
        "INSERT OR REPLACE INTO arrivals (document, author, name, type, number, at, logged_at, fields, added) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (news.document, author, news.by, news.type, _next(connection), *values, int(news.added)),
    )


def forget(connection: sqlite3.Connection, document: str) -> None:
    """Forgets a document that was deleted."""
    connection.execute("DELETE FROM arrivals WHERE document=?", (document,))
    connection.execute("DELETE FROM seen WHERE document=?", (document,))


def newest(connection: sqlite3.Connection) -> int:
    """The number of the last arrival."""
    return int(state(connection, "number", 0))


def _next(connection: sqlite3.Connection) -> int:
    number = newest(connection) + 1
    set_state(connection, "number", number)
    return number


def prune(connection: sqlite3.Connection, day: str) -> None:
    """Forgets what is beyond the horizon, in days on which the node ran and in arrivals; `day` is today's date."""
    days: list[tuple[str, int]] = [(each, number) for each, number in state(connection, "days", [])]
    until = 0
    if not days or days[-1][0] != day:
        days.append((day, newest(connection)))
        if len(days) > HORIZON_DAYS:
            until = days[-HORIZON_DAYS][1]
        set_state(connection, "days", days[-HORIZON_DAYS:])
    (count,) = connection.execute("SELECT count(*) FROM arrivals").fetchone()
    if count > MOST_ARRIVALS + _SPARE:
        (beyond,) = connection.execute(
            "SELECT number FROM arrivals ORDER BY number DESC LIMIT 1 OFFSET ?", (MOST_ARRIVALS,)
        ).fetchone()
        until = max(until, int(beyond))
    if until:
        connection.execute("DELETE FROM arrivals WHERE number <= ?", (until,))
        connection.execute("DELETE FROM seen WHERE number <= ?", (until,))


def is_known(connection: sqlite3.Connection, person: str) -> bool:
    """Whether somebody has marks already."""
    return connection.execute("SELECT 1 FROM people WHERE name=?", (person,)).fetchone() is not None


def begin(connection: sqlite3.Connection, person: str) -> None:
    """Begins somebody's marks: what there is counts as read."""
    connection.execute("INSERT OR IGNORE INTO people VALUES (?, ?)", (person, newest(connection)))


def among(connection: sqlite3.Connection, person: str, documents: Iterable[str]) -> frozenset[str]:
    """Those of the documents that are unread, in one query."""
    rows = connection.execute(
        f"SELECT DISTINCT a.document {_UNREAD} {_AMONG}",
        {**_person(connection, person), "documents": json.dumps(list(documents))},
    )
    return frozenset(str(id) for (id,) in rows)


def count(connection: sqlite3.Connection, person: str) -> dict[str, int]:
    """How many documents are unread, by their type."""
    rows = connection.execute(
        f"SELECT a.type, count(DISTINCT a.document) {_UNREAD} GROUP BY a.type", _person(connection, person)
    )
    return {str(kind): int(number) for kind, number in rows}


def latest(
    connection: sqlite3.Connection, person: str, types: Sequence[str], limit: int, before: int = 0
) -> list[Unread]:
    """Unread documents of these types, the latest first; `before` is the number of the last one of the page before."""
    rows = connection.execute(
        "SELECT a.document, a.type, a.name, a.at, a.logged_at, max(a.number) AS latest, a.fields, a.added "  # noqa: S608 - constants
        f"{_UNREAD} AND a.type IN (SELECT value FROM json_each(:types)) GROUP BY a.document "
        "HAVING :before = 0 OR latest < :before ORDER BY latest DESC LIMIT :limit",
        {**_person(connection, person), "types": json.dumps(list(types)), "before": before, "limit": limit},
    )
    return [
        Unread(id, kind, by, max(at, logged_at), int(number), tuple(json.loads(fields)), bool(added))
        for id, kind, by, at, logged_at, number, fields, added in rows
    ]


def see(connection: sqlite3.Connection, person: str, documents: Iterable[str], until: int) -> None:
    """Marks documents as read, as far as arrivals up to the number `until`."""
    connection.execute(
        f"{_SEE} {_AMONG} GROUP BY a.document",
        {**_person(connection, person), "documents": json.dumps(list(documents)), "until": until},
    )


def see_type(connection: sqlite3.Connection, person: str, type: str, until: int) -> None:
    """Marks every document of a type as read."""
    connection.execute(
        f"{_SEE} AND a.type = :type GROUP BY a.document",
        {**_person(connection, person), "type": type, "until": until},
    )


def see_all(connection: sqlite3.Connection, person: str, until: int) -> None:
    """Marks everything as read up to the number `until`."""
    connection.execute("UPDATE people SET after=max(after, ?) WHERE name=?", (until, person))
    connection.execute("DELETE FROM seen WHERE person=? AND number <= ?", (person, until))


def _person(connection: sqlite3.Connection, person: str) -> dict[str, str | int]:
    row = connection.execute("SELECT after FROM people WHERE name=?", (person,)).fetchone()
    return {"person": person, "after": int(row[0]) if row else newest(connection)}
