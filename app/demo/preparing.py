"""Makes the demo ready: folders, configurations, documents, logins and the first sync."""

from __future__ import annotations

from app.couch import Store
from app.demo import filling
from app.demo.folders import (
    DEALERS,
    STORE_PREFIX,
    DemoFolders,
    OutsideCouch,
    make_password,
    write_configurations,
)
from app.node import open_node
from app.steps import Steps


def prepare(folders: DemoFolders, ports: list[int], couch: OutsideCouch | None, reset: bool, steps: Steps) -> None:
    """Makes, configures and fills the demo's nodes and syncs them once, or reuses those of an earlier start.

    `ports`: the manufacturer's pages, its store, then each dealer's pages. Raises IronbookError with a sentence.
    """
    if reset or not folders.ready:
        # What an interrupted start left behind is not a demo: filling it again would double it.
        folders.clear()
        if couch:
            _remove_databases(couch)
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


def _remove_databases(couch: OutsideCouch) -> None:
    store = Store(couch.url, couch.user, couch.password, STORE_PREFIX)
    for name in store.names():
        store.delete(name)
