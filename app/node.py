"""What a running node is made of, in the order it starts and stops: data folder, store, databases, design."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.config import Settings
from app.couch import Database, Store, StoreError, is_too_old
from app.errors import ConfigurationError, IronbookError
from app.secrets import STORE, Secrets
from app.security.certificates import own_certificate

if TYPE_CHECKING:
    import embedded
    from app.design import Form, View

log = logging.getLogger(__name__)

DEALER_DATABASES = ("catalog", "book", "local")
MANUFACTURER_DATABASES = ("catalog", "local", "market", "forecast")
# A store that another process of this node is just starting gets this long to answer, in seconds.
_ATTACH_PATIENCE = 10.0
_PROBE_PATIENCE = 2.0


@dataclass
class Node:
    """One running Ironbook: its settings, secrets, store and databases. Made by :func:`open_node`."""

    settings: Settings
    secrets: Secrets
    store: Store
    store_process: StoreProcess | None = None
    extensions: dict[str, object] = field(default_factory=dict)

    @property
    def role(self) -> str:
        """``"dealer"`` or ``"manufacturer"``."""
        return self.settings.role

    @property
    def is_manufacturer(self) -> bool:
        """Whether this node sees all dealers."""
        return self.role == "manufacturer"

    @property
    def dealer(self) -> str:
        """The dealer's code; empty on the manufacturer's node."""
        return self.settings.dealer

    @property
    def catalog(self) -> Database:
        """Models, service plans, parts, bulletins, shared forms and views."""
        return self.store.database("catalog")

    @property
    def local(self) -> Database:
        """Users, connections, sync log, unread marks; never replicated."""
        return self.store.database("local")

    @property
    def book(self) -> Database:
        """The dealer's own book. Raises IronbookError on the manufacturer's node, which has none."""
        if self.is_manufacturer:
            raise IronbookError("The manufacturer's node has no book of its own; it has one database per dealer.")
        return self.store.database("book")

    @property
    def market(self) -> Database:
        """Every dealer's shared documents in one database; the manufacturer's node only."""
        return self.store.database("market")

    @property
    def forecast(self) -> Database:
        """What is derived from market and catalog; the manufacturer's node only."""
        return self.store.database("forecast")

    def book_of(self, dealer: str) -> Database:
        """On the manufacturer's node, the replica of one dealer's book."""
        return self.store.database(book_name(dealer))

    def books(self) -> list[str]:
        """The names of the dealers' replicas on the manufacturer's node, sorted."""
        return sorted(name for name in self.store.names() if name.startswith("book-"))

    def forms(self) -> dict[str, Form]:
        """Every form in force on this node, by document type."""
        from app import design

        return design.forms(self)

    def views(self) -> dict[str, View]:
        """Every view in force on this node, by name."""
        from app import design

        return design.views(self)

    def form(self, document_type: str) -> Form | None:
        """The form of a document type, or None when this node has none for it."""
        return self.forms().get(document_type)

    def now(self) -> datetime:
        """The time now, in the node's time zone."""
        zone = self.settings.time_zone
        return datetime.now(ZoneInfo(zone)) if zone else datetime.now().astimezone()

    def today(self) -> date:
        """The date today, in the node's time zone."""
        return self.now().date()


def book_name(dealer: str) -> str:
    """The name of a dealer's replica on the manufacturer's node."""
    return f"book-{dealer.lower()}"


@contextlib.contextmanager
def open_node(settings: Settings, meanwhile: Callable[[], object] = lambda: None) -> Iterator[Node]:
    """Starts or attaches to the node's store, creates its databases and installs its design.

    `meanwhile` is done while an embedded store starts: what its caller has to load anyway.
    Everything this process started is stopped at the end. Raises ConfigurationError or StoreError with a sentence
    for a data folder that cannot be used, a store that does not answer, or wrong credentials.
    """
    make_data_folder(settings.data)
    secrets = Secrets(settings.data)
    with contextlib.ExitStack() as cleanup:
        if settings.embedded:
            password = secrets.get_or_make(STORE)
            process = StoreProcess(settings, password)
            cleanup.callback(process.stop)
            store = process.open(meanwhile)
        else:
            process = None
            password = os.environ.get("IRONBOOK_STORE_PASSWORD") or secrets.get(STORE) or ""
            if not password:
                raise ConfigurationError(
                    f"There is no password for {settings.store_url}: put it into IRONBOOK_STORE_PASSWORD, or keep it "
                    f"with: ironbook password store"
                )
            store = Store(settings.store_url, settings.store_user, password, settings.store_prefix)
            welcome = store.version()
            if is_too_old(welcome):
                raise ConfigurationError(
                    f"The store at {settings.store_url} is of version {welcome.get('version') or 'unknown'}, and "
                    f"Ironbook needs CouchDB 3. Upgrade it, or leave store.url empty for the embedded store."
                )
        node = Node(settings, secrets, store, process)
        _create_databases(node)
        from app.design import installing

        installing.install(node)
        yield node


def make_data_folder(data: Path) -> None:
    """Makes the data folder, for its owner only. Raises ConfigurationError when it cannot be written to."""
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = data / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The data folder {data} cannot be written to: {error.strerror or error}. "
            f"Choose another with --data, or correct its permissions."
        ) from error


def _check_identity(node: Node, existing: set[str]) -> None:
    """Raises ConfigurationError when the databases are another node's, before this one adds its own to them."""
    where = f"The data folder {node.settings.data}" if node.settings.embedded else f"The store {node.store.url}"
    other = {"manufacturer": "book", "dealer": "market"}[node.role]
    if other in existing:
        was = "a dealer" if node.is_manufacturer else "the manufacturer"
        raise ConfigurationError(
            f"{where} holds the databases of {was}, and node.role is {node.role!r}. "
            f"Correct node.role, or give this node a data folder and store.prefix of its own."
        )
    if node.is_manufacturer or "book" not in existing:
        return
    # Ids begin with the dealer's code, in capitals, and stand in the order of their characters, before any "_design/…".
    first = node.book.all_docs(startkey="A", endkey="[", limit=1).rows
    dealer = str(first[0].id).split(":", 1)[0] if first else node.dealer
    if dealer != node.dealer:
        raise ConfigurationError(
            f"{where} holds the book of the dealer {dealer}, and node.dealer is {node.dealer}. "
            f"Correct node.dealer, or give this node a data folder and store.prefix of its own."
        )


def _create_databases(node: Node) -> None:
    names = MANUFACTURER_DATABASES if node.is_manufacturer else DEALER_DATABASES
    existing = set(node.store.names())
    _check_identity(node, existing)
    for name in names:
        if name not in existing:
            node.store.create(name, partitioned=name == "market")


class StoreProcess:
    """The embedded store of a data folder, in a process that this one started, or another one of the same node."""

    def __init__(self, settings: Settings, password: str) -> None:
        self._settings = settings
        self._password = password
        self._running: embedded.RunningStore | None = None
        self._url = ""

    def open(self, meanwhile: Callable[[], object] = lambda: None) -> Store:
        """Starts the store, doing `meanwhile` what it is given, or finds the one that another process runs.

        Raises ConfigurationError.
        """
        import embedded

        # Starting comes first: a note left by a killed process names a port that somebody else may have by now, and the
        # password must not be offered to it. Only while the folder is held is the note's writer alive.
        try:
            self._start(self._settings.store_port, meanwhile)
        except embedded.FolderInUseError:
            # Another process of this node holds the folder: it is starting, or it has just begun to listen.
            note = self._settings.data / "store" / "running.json"
            store = _attach_patiently(note, self._settings, self._password)
        except embedded.StoreNotStartedError as error:
            raise ConfigurationError(str(error)) from error
        else:
            store = Store(self._url, self._settings.store_user, self._password, self._settings.store_prefix)
        self._url = store.url
        return store

    def revive(self) -> bool:
        """Starts the store again, at the address it had, when its process has ended; says whether it did.

        What it acknowledged is on the disk. Raises ConfigurationError when it cannot be started; to be tried again.
        """
        import embedded

        if self._running.is_running() if self._running else _listens(self._url):
            return False
        try:
            self._start(urlsplit(self._url).port or 0)
        except embedded.FolderInUseError:
            raise ConfigurationError(
                f"The store ended, and another process has begun to use {self._settings.data}; when that has ended, "
                f"the store is started again."
            ) from None
        except embedded.StoreNotStartedError as error:
            raise ConfigurationError(f"The store ended and cannot be started again: {error}") from error
        return True

    def stop(self) -> None:
        """Ends the store if this process started it."""
        if self._running:
            self._running.stop()

    def _start(self, port: int, meanwhile: Callable[[], object] = lambda: None) -> None:
        import embedded

        self._running = embedded.start(
            self._settings.data / "store",
            host=self._settings.store_host,
            port=port,
            admin=(self._settings.store_user, self._password),
            encrypted=_encrypted(self._settings),
            meanwhile=meanwhile,
        )
        self._url = self._running.url


def _listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_PROBE_PATIENCE):
            return True
    except OSError:
        return False


def _encrypted(settings: Settings) -> tuple[str, int, Path, Path] | None:
    """Where other nodes reach the embedded store, and with which certificate; None where they do not."""
    if not settings.public_host:
        return None
    if settings.certificate:
        certificate, key = settings.data / settings.certificate, settings.data / settings.certificate_key
    else:
        certificate, key = own_certificate(settings.data / "tls")
    return settings.public_host, settings.public_port, certificate, key


def _attach(note: Path, settings: Settings, password: str) -> Store | None:
    try:
        url = json.loads(note.read_text(encoding="utf-8"))["url"]
        store = Store(url, settings.store_user, password, settings.store_prefix)
        store.names()
    except (OSError, ValueError, KeyError, TypeError, StoreError):
        return None
    return store


def _attach_patiently(note: Path, settings: Settings, password: str) -> Store:
    until = time.monotonic() + _ATTACH_PATIENCE
    while time.monotonic() < until:
        store = _attach(note, settings, password)
        if store:
            return store
        time.sleep(0.1)
    raise ConfigurationError(
        f"Another process uses the data folder {settings.data}, but its store does not answer; stop it and try again."
    )
