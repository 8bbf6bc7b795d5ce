"""How a node reaches its upstreams: connections from ``config.toml`` and from the replication page.

A connection made on a page is the document ``connection:<name>`` in ``local``; one in the configuration is read only.
Passwords are in the node's secrets and nowhere else. What happened over a connection is in :mod:`.state`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from app.clock_times import parse_times
from app.config import ConnectionSettings, read_connection
from app.couch import Database, Refused, Store, StoreError, WrongPassword, is_too_old
from app.errors import ConfigurationError, IronbookError
from app.loopback import leads_to_loopback
from app.replication import passwords
from app.replication.failures import failure, failure_of
from app.replication.state import change_state, forget_state
from app.secrets import connection_entry
from app.words import counted

if TYPE_CHECKING:
    from app.node import Node

DEFAULT_NAME = "manufacturer"


@dataclass(frozen=True)
class Connection(ConnectionSettings):
    """A connection as it is used: its settings and whether the configuration names it."""

    configured: bool = False

    @property
    def shares_all(self) -> bool:
        """Whether it stays inside the dealership and so carries everything."""
        return self.share == "dealer"

    @property
    def book_selector(self) -> dict[str, Any]:
        """What of the book it carries, in both directions, deletions included (DESIGN section 3)."""
        return ALL_DOCUMENTS if self.shares_all else {"share": "manufacturer"}


# Everything with a type: every document and every deletion, but no design document, for each node installs its own.
ALL_DOCUMENTS: dict[str, Any] = {"type": {"$gt": None}}


def carries(connection: Connection, leaf: Mapping[str, Any]) -> bool:
    """Whether a revision of the book passes the connection's selector."""
    return bool(leaf.get("type")) if connection.shares_all else leaf.get("share") == "manufacturer"


class UnknownConnection(IronbookError):  # noqa: N818
    """There is no connection of that name."""


def schedule_words(connection: ConnectionSettings) -> str:
    """When a connection syncs, as people say it: ``every 15 minutes``, ``at 06:00 and 18:30``, ``only on request``."""
    times = [f"{one:%H:%M}" for one in parse_times(connection.at)]
    if times:
        zone = f" ({connection.time_zone})" if connection.time_zone else ""
        return f"at {', '.join(times[:-1])}{' and ' if times[1:] else ''}{times[-1]}{zone}"
    minutes = connection.every_minutes
    if minutes <= 0:
        return "only on request"
    size, word = next(
        (size, word) for size, word in ((1440, "day"), (60, "hour"), (1, "minute")) if minutes % size == 0
    )
    count = minutes // size
    return f"every {word}" if count == 1 else f"every {count} {word}s"


def connections(node: Node) -> list[Connection]:
    """Every connection of this node by name; where both name one, the configuration's is in force."""
    found = {
        row.id: row.doc
        for row in node.local.all_docs(startkey="connection:", endkey="connection;", include_docs=True).rows
    }
    made = {document["name"]: _of_document(document) for document in found.values() if document}
    configured = {
        settings.name: Connection(**asdict(settings), configured=True) for settings in node.settings.connections
    }
    return sorted({**made, **configured}.values(), key=lambda connection: connection.name)


def find_connection(node: Node, name: str) -> Connection:
    """The connection called `name`. Raises UnknownConnection with the names there are."""
    known = connections(node)
    for connection in known:
        if connection.name == name:
            return connection
    if not known:
        raise UnknownConnection(
            f"There is no connection {name!r}: this node has none yet. Add one on the replication page, or with: "
            f"ironbook connection add"
        )
    names = ", ".join(connection.name for connection in known)
    raise UnknownConnection(f"There is no connection {name!r}; this node has {names}.")


def save_connection(node: Node, values: Mapping[str, Any], password: str | None = None) -> Connection:
    """Adds the connection `values` describe (the settings of ``[[connections]]``), or changes the one of that name.

    `password` None or empty keeps the one there is. A change clears a stop after a wrong password, and takes effect at
    the next tick of the schedule. Raises ConfigurationError, with one sentence, before anything is kept.
    """
    settings = check_values(node, values)
    if not password and not node.secrets.get(connection_entry(settings.name)):
        raise ConfigurationError(f"The connection needs the password of {settings.user} at {settings.url}.")
    document = node.local.get(f"connection:{settings.name}") or {"_id": f"connection:{settings.name}"}
    rev = {"_rev": document["_rev"]} if "_rev" in document else {}
    moved = any(document.get(key) != getattr(settings, key) for key in ("url", "book", "share", "catalog"))
    node.local.put({"_id": document["_id"], **rev, "type": "connection", **asdict(settings)})
    if password:
        node.secrets.set(connection_entry(settings.name), password)
    if moved:
        # Another upstream has seen nothing of what the old one was sent.
        forget_state(node, settings.name)
    else:
        _clear_stop(node, settings.name)
    return Connection(**asdict(settings))


def check_values(node: Node, values: Mapping[str, Any]) -> ConnectionSettings:
    """The settings `values` describe, if a connection with them can be kept here. Raises ConfigurationError."""
    settings = read_connection(values, "The connection")
    if any(settings.name == configured.name for configured in node.settings.connections):
        raise ConfigurationError(
            f"The connection {settings.name!r} is in this node's config.toml: change it there, or choose another name."
        )
    return settings


def set_password(node: Node, name: str, password: str) -> None:
    """Keeps a new password for a connection, configured ones too, and lets it sync again."""
    connection = find_connection(node, name)
    if not password:
        raise ConfigurationError(f"The connection needs the password of {connection.user} at {connection.url}.")
    node.secrets.set(connection_entry(name), password)
    _clear_stop(node, name)


def remove_connection(node: Node, name: str) -> None:
    """Forgets a connection, its password and what was kept about it; the documents it brought stay.

    Raises UnknownConnection, and ConfigurationError for one that ``config.toml`` names.
    """
    connection = find_connection(node, name)
    if connection.configured:
        raise ConfigurationError(f"The connection {name!r} is in this node's config.toml: remove it there.")
    document = node.local.get(f"connection:{name}")
    if document:
        node.local.put({"_id": document["_id"], "_rev": document["_rev"], "_deleted": True})
    node.secrets.remove(connection_entry(name))
    passwords.forget(node, name)
    forget_state(node, name)


def pause_connection(node: Node, name: str) -> None:
    """Takes a connection off the schedule until it is resumed; "sync now" still works."""
    change_state(node, find_connection(node, name).name, paused=True)


def resume_connection(node: Node, name: str) -> None:
    """Puts a paused or stopped connection back on the schedule, with its failures forgiven."""
    change_state(node, find_connection(node, name).name, paused=False, stopped=False, failures=0)


def password_of(node: Node, connection: Connection) -> str:
    """The password of a connection. Raises ConfigurationError when none is kept."""
    password = node.secrets.get(connection_entry(connection.name))
    if not password:
        raise ConfigurationError(
            f"There is no password for the connection {connection.name}: enter it on the replication page, "
            f"or with: ironbook password {connection.name}"
        )
    return password


def upstream(node: Node, connection: Connection) -> Store:
    """The upstream's store, with the credentials kept here; makes no request (:func:`.passwords.reach` does)."""
    return Store(connection.url, connection.user, password_of(node, connection), certificate=connection.certificate)


@dataclass(frozen=True)
class Check:
    """What a check of a connection found: a sentence for each thing that was tested, in order.

    `failure` is the kind of what is wrong (see ``failures``), where it has one.
    """

    ok: bool
    sentences: tuple[str, ...]
    failure: str = ""

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def check(node: Node, connection: Connection, password: str | None = None) -> Check:
    """Tests the address, the password and both databases of a connection; `password` None takes the one kept.

    Stops at the first thing that is wrong: a password that is refused is not offered a second time, because CouchDB
    locks accounts. Raises ConfigurationError when there is no password at all.
    """
    there = Store(
        connection.url, connection.user, password or password_of(node, connection), certificate=connection.certificate
    )
    said: list[str] = []
    try:
        try:
            welcome = there.welcome()
        except WrongPassword:
            taken = passwords.with_next_password(node, connection) if password is None else None
            if taken is None:
                raise
            there, welcome = taken, taken.welcome()
        if is_too_old(welcome):
            return Check(False, (failure("too_old", connection.url).sentence,))
        said.append(f"{connection.url} answers, version {welcome['version']}.")
        for name, what in ((connection.book, "book"), (connection.catalog, "catalog")):
            documents = there.database(name).info().get("doc_count", 0)
            said.append(f"{connection.user} may use the {what} {name}, which has {counted(documents, 'document')}.")
        if connection.shares_all and is_the_manufacturers(there.database(connection.book)):
            return Check(False, (*said, failure("beyond_the_dealership", connection.url).sentence))
    except Refused:
        return Check(False, (*said, failure("not_couchdb", connection.url).sentence))
    except StoreError as error:
        joined = password is None and passwords.has_joined(node, connection.name)
        found = failure_of(error, connection.url, connection.user, joined)
        return Check(False, (*said, found.sentence), found.kind)
    if not node.is_manufacturer and _is_own_book(node, connection):
        return Check(False, (*said, "This connection leads from this node to itself. Enter the upstream's address."))
    if connection.url.startswith("http://") and not leads_to_loopback(connection.url):
        said.append("The address is not https: on the way, anybody can read the password and what is sent.")
    return Check(True, tuple(said))


def is_the_manufacturers(replica: Database) -> bool:
    """Whether an upstream's database is a manufacturer's replica of a book, where nothing private may go."""
    return replica.get("_design/shared-only") is not None


def _is_own_book(node: Node, connection: Connection) -> bool:
    return connection.url.rstrip("/") == node.store.url and connection.book == f"{node.store.prefix}book"


def _of_document(document: Mapping[str, Any]) -> Connection:
    known = ConnectionSettings.__dataclass_fields__
    return Connection(**{key: value for key, value in document.items() if key in known})


def _clear_stop(node: Node, name: str) -> None:
    change_state(node, name, stopped=False, failures=0)
