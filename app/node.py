"""What a running node is made of, in the order it starts and stops: data folder, store, databases, design."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from app.config import Settings
from app.couch import Database, Store, StoreError
from app.errors import ConfigurationError, IronbookError
from app.secrets import STORE, Secrets

if TYPE_CHECKING:
    from app.design import Form, View

log = logging.getLogger(__name__)

DEALER_DATABASES = ("catalog", "book", "local")
MANUFACTURER_DATABASES = ("catalog", "local", "market", "forecast")
# A store that another process of this node is just starting gets this long to answer, in seconds.
_ATTACH_PATIENCE = 10.0


@dataclass
class Node:
    """One running Ironbook: its settings, secrets, store and databases. Made by :func:`open_node`."""

    settings: Settings
    secrets: Secrets
    store: Store
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
def open_node(settings: Settings) -> Iterator[Node]:
    """Starts or attaches to the node's store, creates its databases and installs its design.

    Everything this process started is stopped at the end. Raises ConfigurationError or StoreError with a sentence
    for a data folder that cannot be used, a store that does not answer, or wrong credentials.
    """
    make_data_folder(settings.data)
    secrets = Secrets(settings.data)
    with contextlib.ExitStack() as cleanup:
        if settings.embedded:
            password = secrets.get_or_make(STORE)
            store = _embedded_store(settings, password, cleanup)
        else:
            password = os.environ.get("IRONBOOK_STORE_PASSWORD") or secrets.get(STORE) or ""
            if not password:
                raise ConfigurationError(
                    f"There is no password for {settings.store_url}: put it into IRONBOOK_STORE_PASSWORD, or keep it "
                    f"with: ironbook password store"
                )
            store = Store(settings.store_url, settings.store_user, password, settings.store_prefix)
            store.version()
        node = Node(settings, secrets, store)
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


def _create_databases(node: Node) -> None:
    names = MANUFACTURER_DATABASES if node.is_manufacturer else DEALER_DATABASES
    existing = set(node.store.names())
    for name in names:
        if name not in existing:
            node.store.create(name, partitioned=name == "market")


def _embedded_store(settings: Settings, password: str, cleanup: contextlib.ExitStack) -> Store:
    import embedded

    folder = settings.data / "store"
    note = folder / "running.json"
    # Starting comes first: a note left by a killed process names a port that somebody else may have by now, and the
    # password must not be offered to it. Only while the folder is held is the note's writer alive.
    try:
        running = embedded.start(
            folder,
            host=settings.store_host,
            port=settings.store_port,
            admin=(settings.store_user, password),
        )
    except embedded.FolderInUseError:
        # Another process of this node holds the folder: it is starting, or it has just begun to listen.
        return _attach_patiently(note, settings, password)
    except embedded.StoreNotStartedError as error:
        raise ConfigurationError(str(error)) from error
    cleanup.callback(running.stop)
    return Store(running.url, settings.store_user, password, settings.store_prefix)


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
