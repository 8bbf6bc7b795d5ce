"""Joining an upstream with an invitation, and changing the password a connection uses.

The invitation's password has been seen by people and mail servers, so the first thing a node does with it is to replace
it by one that nobody has seen (:mod:`.passwords`).
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.couch import StoreError
from app.couch.certificates import fingerprint, shown_certificate
from app.errors import ConfigurationError, IronbookError
from app.replication import connections
from app.replication.connections import Connection
from app.replication.failures import failure_of
from app.replication.invitations import BadInvitation, Invitation, check_time
from app.replication.passwords import (
    forget,
    is_waiting,
    key_entry,
    reach,
    request_new_password,
    was_requested,
)

if TYPE_CHECKING:
    from app.node import Node


def join(node: Node, invitation: Invitation, name: str = "") -> Connection:
    """Checks the invitation against the upstream, takes a password of its own, and keeps the connection.

    On a node that is still empty, its ``config.toml`` is written with the dealer the invitation is for; the node has to
    be opened again then (its settings say another dealer). Nothing is kept when anything is wrong; a join that was cut
    off is finished by joining again with the same invitation. Raises IronbookError with a sentence.
    """
    check_time(invitation, datetime.now(UTC))
    if node.is_manufacturer:
        raise IronbookError("The manufacturer's node has no upstream; an invitation is for a dealer's node.")
    if node.dealer != invitation.dealer and not _is_empty(node):
        raise IronbookError(
            f"The invitation is for a node of dealer {invitation.dealer}, and this one belongs to {node.dealer} and "
            f"has documents. Join with a new data folder (--data)."
        )
    if invitation.fingerprint and not node.settings.embedded:
        raise IronbookError(
            "The upstream has a certificate of its own making, which a CouchDB cannot be told to trust alone. Use the "
            "embedded store here, or give the upstream a certificate of a known authority."
        )
    settings = invitation.connection(name or _name(invitation))
    settings = replace(settings, certificate=_certificate(invitation))
    connection = Connection(**asdict(settings))
    for known in connections.connections(node):
        if known.name == connection.name and known.url != connection.url:
            raise IronbookError(
                f"This node has a connection {known.name} to {known.url} already. Give the new one another name with "
                f"--name."
            )
    checked = connections.check(node, connection, invitation.password)
    was_cut_off = _was_cut_off(node, connection.name, invitation)
    if not checked.ok and checked.failure == "wrong_password" and was_cut_off:
        # The upstream has taken this node's own password already; the first sync turns to it.
        return connections.save_connection(node, asdict(settings), invitation.password)
    if not checked.ok:
        raise IronbookError(_refused(checked, connection.url))
    try:
        if not was_cut_off and was_requested(connection, invitation.password):
            raise BadInvitation("The invitation has been used by another node already. Ask for a new one.")
        if node.dealer != invitation.dealer or not (node.settings.data / "config.toml").exists():
            write_settings(node.settings.data, invitation.dealer, invitation.dealer_name)
        if not was_cut_off:
            # Of an invitation before this one.
            forget(node, connection.name)
        node.secrets.set(key_entry(connection.name), invitation.key)
        request_new_password(node, connection, invitation.password)
    except StoreError as error:
        raise IronbookError(failure_of(error, connection.url, connection.user).sentence) from error
    return connections.save_connection(node, asdict(settings), invitation.password)


def rotate_password(node: Node, name: str) -> None:
    """Asks the upstream to take a new random password for the connection `name`; it does within a minute.

    Raises IronbookError.
    """
    connection = connections.find_connection(node, name)
    try:
        there = reach(node, connection, connections.password_of(node, connection))
        request_new_password(node, connection, there.password)
    except StoreError as error:
        raise IronbookError(failure_of(error, connection.url, connection.user).sentence) from error


def write_settings(data: Path, dealer: str, name: str) -> None:
    """Writes the first ``config.toml`` of a dealer's node. Raises ConfigurationError when there is one already."""
    path = data / "config.toml"
    text = (
        "# Made when this node joined; every setting and its meaning is in the config.toml of Ironbook itself.\n"
        f'[node]\nrole = "dealer"\ndealer = {json.dumps(dealer)}\nname = {json.dumps(name, ensure_ascii=False)}\n'
    )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            f"{path} says another dealer than the invitation. Correct node.dealer there to {dealer!r}, or join with a "
            f"new data folder (--data)."
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror or error}.") from error


def _name(invitation: Invitation) -> str:
    return "manufacturer" if invitation.share == "manufacturer" else "dealership"


def _certificate(invitation: Invitation) -> str:
    """The upstream's certificate, once it is seen to be the one the invitation means; empty for an authority's."""
    if not invitation.fingerprint:
        return ""
    try:
        shown = shown_certificate(invitation.url)
    except StoreError as error:
        raise IronbookError(failure_of(error, invitation.url, invitation.user).sentence) from error
    if fingerprint(shown) != invitation.fingerprint:
        raise BadInvitation(
            f"What answers at {invitation.url} shows another certificate than the one the invitation names: it may be "
            f"somebody in between. Nothing was sent. Ask whoever invited you whether the certificate was renewed."
        )
    return shown


def _was_cut_off(node: Node, name: str, invitation: Invitation) -> bool:
    """Whether this node has asked for a password of its own with this invitation and has not heard that it joined."""
    return node.secrets.get(key_entry(name)) == invitation.key and is_waiting(node, name)


def _refused(checked: connections.Check, url: str) -> str:
    if checked.failure == "wrong_password":
        return "The invitation has been used already or was taken back. Ask for a new one."
    if checked.failure == "no_network":
        return (
            f"{url} cannot be reached, so nothing was joined. Check that it is running and that this computer "
            "has a network, then join with the same invitation again."
        )
    return checked.sentences[-1]


def _is_empty(node: Node) -> bool:
    """Whether nothing was entered on this node and it has no connection."""
    if connections.connections(node):
        return False
    rows = node.book.all_docs(limit=1, endkey="_design/").rows or node.book.all_docs(limit=1, startkey="_design0").rows
    return not rows
