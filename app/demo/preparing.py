"""Makes the demo ready: folders, configurations, documents, logins and the first sync."""

from __future__ import annotations

from app.couch import Store
from app.demo import filling
from app.demo.folders import (
    DEALERS,
    ONCE_PREFIX,
    DemoFolders,
    OutsideCouch,
    make_password,
    write_configurations,
)
from app.errors import IronbookError
from app.node import open_node
from app.steps import Steps


def prepare(folders: DemoFolders, ports: list[int], couch: OutsideCouch | None, reset: bool, steps: Steps) -> None:
    """Makes, configures and fills the demo's nodes and syncs them once, or reuses those of an earlier start.

    `ports`: the manufacturer's pages, its store, then each dealer's pages. Raises IronbookError with a sentence.
    """
    if couch:
        # Before anything is removed: whether it is one, and the password right.
        Store(couch.url, couch.user, couch.password).version()
    made_with = folders.couch_address()
    if reset or not folders.ready:
        if couch:
            _remove_databases(couch, reset or made_with == couch.url or couch.prefix == ONCE_PREFIX)
        # What an interrupted start left behind is not a demo: filling it again would double it.
        folders.clear()
    elif made_with != (couch.url if couch else ""):
        where = f"on {made_with}" if made_with else "in a store of its own"
        raise IronbookError(
            f"The demo in {folders.root} has head office's databases {where}: start it in the "
            f"same way, with or without --couchdb, or add --reset to start over."
        )
    write_configurations(folders, ports, couch)
    if folders.ready:
        return
    password = make_password()
    with open_node(folders.settings(folders.manufacturer)) as head_office:
        with steps.step("catalog", "Filling head office's catalog") as progress:
            replication_passwords = filling.fill_manufacturer(head_office, password, progress)
        for code, name in DEALERS.items():
            with open_node(folders.settings(folders.dealer(code))) as node:
                with steps.step(f"book_{code.lower()}", f"Filling the book of {name}") as progress:
                    filling.fill_dealer(node, replication_passwords[code], password, progress)
                with steps.step(f"sync_{code.lower()}", f"First sync of {name}") as progress:
                    filling.sync(node, progress)
        with steps.step("aggregate", "Adding up at head office"):
            filling.aggregate(head_office)
    folders.mark_ready(password)


def _remove_databases(couch: OutsideCouch, ours: bool) -> None:
    """Removes what an earlier demo has on that CouchDB: its databases and users, known by their prefix."""
    store = Store(couch.url, couch.user, couch.password, couch.prefix)
    names = store.names()
    if names and not ours:
        raise IronbookError(
            f"{couch.url} holds the databases of a demo from another folder ({couch.prefix}{names[0]} and others); "
            f"nothing was changed. Add --reset to remove them and start over."
        )
    for name in names:
        store.delete(name)
    if names:
        for code in DEALERS:
            store.delete_user(f"{couch.prefix}dealer-{code.lower()}")
