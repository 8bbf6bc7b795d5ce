"""The manufacturer's side of a connection: admitting dealers, and when each was last heard of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.config import DEALER_CODE
from app.errors import IronbookError
from app.node import book_name
from app.replication.members import remove_members
from app.replication.password_records import random_password, record_of
from app.replication.reports import NodeReport, read_reports, report_of

if TYPE_CHECKING:
    from app.node import Node


class UnknownDealer(IronbookError):  # noqa: N818
    """There is no dealer of that code."""


class NotAdmitted(IronbookError):  # noqa: N818
    """A dealer that cannot be added like this; `field` is what is wrong, ``code`` or ``name``."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True)
class Admitted:
    """What a dealer needs to connect. The password is told this once and kept nowhere here."""

    code: str
    database: str
    catalog: str
    user: str
    password: str


@dataclass(frozen=True)
class Dealer:
    """One dealer as the manufacturer knows it. `last_sync` is by this node's clock, empty for never.

    `left_at` is set once the dealer was removed: its documents stay, its user is gone.
    `nodes` are the dealer's own words, one for each of its nodes that syncs with this one.
    """

    code: str
    name: str
    database: str
    user: str
    added_at: str
    left_at: str
    last_sync: str
    nodes: tuple[NodeReport, ...]


def add_dealer(node: Node, code: str, name: str) -> Admitted:
    """Makes the dealer's database, admits only that dealer's replication user to it, and makes that user.

    A dealer that was removed is admitted again with all it had. Raises NotAdmitted for a code that cannot be or is
    admitted already, before anything is made.
    """
    _needs_manufacturer(node)
    name = name.strip()
    if not DEALER_CODE.fullmatch(code):
        raise NotAdmitted(
            f"A dealer's code is a capital letter followed by capital letters and digits, 16 at most, "
            f"for example D042, not “{code}”.",
            "code",
        )
    if not name:
        raise NotAdmitted(f"The dealer {code} needs a name.", "name")
    known = node.local.get(f"dealer:{code}")
    if known and not known.get("left_at"):
        raise NotAdmitted(
            f"The code {code} is taken by {known['name']}. If that is who you mean, invite its computer from that "
            f"dealer's page, or with ironbook node invite LABEL --dealer {code}.",
            "code",
        )
    _admit_to_catalog(node)
    database = book_name(code)
    user = _user(node, code)
    password = random_password()
    node.store.create(database)
    node.store.put_user_record(user, record_of(password), roles=[_role(node), f"dealer:{code}"])
    # Last of what admits anybody: until now only administrators may open the new database.
    node.store.set_security(database, members=[user], roles=[])
    _install_design(node, database)
    rev = {"_rev": known["_rev"]} if known else {}
    node.local.put(
        {
            "_id": f"dealer:{code}",
            **rev,
            "type": "dealer",
            "code": code,
            "name": name,
            "database": database,
            "user": user,
            "added_at": _now(),
            "left_at": "",
        }
    )
    prefix = node.store.prefix
    return Admitted(code, prefix + database, f"{prefix}catalog", user, password)


def new_password(node: Node, code: str) -> Admitted:
    """A new password for a dealer's replication user; the old one is of no use from now on. Raises UnknownDealer."""
    dealer = find_dealer(node, code)
    if dealer.left_at:
        raise IronbookError(
            f"The dealer {code} was removed, so a password would be of no use to it: admit it again first."
        )
    password = random_password()
    node.store.put_user_record(dealer.user, record_of(password), roles=[_role(node), f"dealer:{code}"])
    prefix = node.store.prefix
    return Admitted(code, prefix + dealer.database, f"{prefix}catalog", dealer.user, password)


def remove_dealer(node: Node, code: str) -> None:
    """Takes a dealer's right to connect away, at once. Its documents stay, here and at the dealer's."""
    dealer = find_dealer(node, code)
    node.store.delete_user(dealer.user)
    remove_members(node, code)
    document = node.local.get(f"dealer:{code}")
    if document:
        node.local.put({**document, "left_at": _now()})


def dealers(node: Node) -> list[Dealer]:
    """Every dealer by code, in one request."""
    rows = node.local.all_docs(startkey="dealer:", endkey="dealer;", include_docs=True).rows
    return [_dealer(row.doc) for row in rows if row.doc]


def find_dealer(node: Node, code: str) -> Dealer:
    """The dealer of this code. Raises UnknownDealer."""
    document = node.local.get(f"dealer:{code}")
    if document is None:
        raise UnknownDealer(f"There is no dealer {code!r} here; the list of dealers shows those there are.")
    return _dealer(document)


def note_syncs(node: Node) -> list[str]:
    """Reads what the dealers' nodes reported since the last time, and notes when; returns the dealers heard of.

    A dealer's clock may be years off, so a report counts from the moment it is first seen here. Run by the schedule.
    """
    heard: list[str] = []
    documents: list[dict[str, Any]] = []
    names = set(node.books())
    rows = node.local.all_docs(startkey="dealer:", endkey="dealer;", include_docs=True).rows
    for document in (row.doc for row in rows if row.doc):
        if document["database"] not in names:
            continue
        reports = [report.fields() for report in read_reports(node.store.database(document["database"]))]
        if reports and reports != document.get("nodes"):
            heard.append(document["code"])
            documents.append({**document, "nodes": reports, "last_sync": _now()})
    if documents:
        node.local.bulk(documents)
    return heard


def _admit_to_catalog(node: Node) -> None:
    node.store.set_security("catalog", members=[], roles=[_role(node)])


def _install_design(node: Node, database: str) -> None:
    from app.design import installing

    installing.install_into(node, database)


# On a CouchDB that others use too, users and roles are as much in need of a name of their own as databases.
def _user(node: Node, code: str) -> str:
    return f"{node.store.prefix}dealer-{code.lower()}"


def _role(node: Node) -> str:
    return f"{node.store.prefix}dealer"


def _needs_manufacturer(node: Node) -> None:
    if not node.is_manufacturer:
        raise IronbookError("Dealers are admitted on the manufacturer's node; this is a dealer's.")


def _dealer(document: Mapping[str, Any]) -> Dealer:
    return Dealer(
        code=document["code"],
        name=document["name"],
        database=document["database"],
        user=document["user"],
        added_at=document.get("added_at", ""),
        left_at=document.get("left_at", ""),
        last_sync=document.get("last_sync", ""),
        nodes=tuple(report_of(report["node"], report) for report in document.get("nodes", ())),
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
