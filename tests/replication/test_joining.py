"""Joining with an invitation: once, in time, over the right certificate; and leaving when told to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from trading import documents, make

from app.config import read_settings
from app.couch import Store, WrongPassword
from app.errors import IronbookError
from app.node import Node, open_node
from app.replication import connections, dealers, explaining, joining, members, passwords
from app.replication.connections import Connection, find_connection
from app.replication.invitations import Invitation, read_invitation, write_invitation
from app.replication.passes import run_pass
from app.replication.passwords import key_entry
from app.replication.state import read_state
from app.secrets import connection_entry

_Made = Callable[..., Node]


@pytest.fixture(scope="module")
def head_office(make_module_node: _Made) -> Node:
    """The manufacturer of all tests here; each has invitations of its own."""
    node = make_module_node("manufacturer")
    dealers.add_dealer(node, "D001", "Bergmann")
    return node


@pytest.fixture(autouse=True)
def _empty_book(head_office: Node) -> None:
    """Nothing in the dealer's replica from the test before."""
    head_office.store.delete("book-d001")
    dealers.remove_dealer(head_office, "D001")
    dealers.add_dealer(head_office, "D001", "Bergmann")


def state_of(head_office: Node, user: str) -> str:
    return next(member.state for member in members.members(head_office) if member.user == user)


def invite(node: Node, label: str = "the depot", **options: object) -> Invitation:
    """An invitation as it arrives: read from its text."""
    dealer = "D001" if node.is_manufacturer else ""
    return read_invitation(write_invitation(members.invite(node, label, dealer, **options)))  # type: ignore[arg-type]


def test_who_joins_syncs_with_a_password_nobody_has_seen(head_office: Node, make_node: _Made) -> None:
    invitation, dealer = invite(head_office), make_node("dealer")
    connection = joining.join(dealer, invitation)
    make(dealer, name="Miller")
    assert run_pass(dealer, connection).error == ""
    assert set(documents(head_office.book_of("D001"))) == {"D001:customer:1"}
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""
    assert dealer.secrets.get(connection_entry(connection.name)) != invitation.password
    with pytest.raises(WrongPassword):
        Store(invitation.url, invitation.user, invitation.password).version()


@pytest.mark.parametrize("taken", [True, False])
def test_an_invitation_is_good_for_one_node(taken: bool, head_office: Node, make_node: _Made) -> None:
    invitation, first, second = invite(head_office), make_node("dealer"), make_node("dealer")
    connection = joining.join(first, invitation)
    if taken:
        members.settle_members(head_office)
    with pytest.raises(IronbookError, match="has been used"):
        joining.join(second, invitation)
    assert second.secrets.get(key_entry("manufacturer")) is None
    assert connections.connections(second) == []
    assert run_pass(first, connection).error == ""


def test_who_cannot_reach_the_upstream_is_told_that_nothing_was_joined(head_office: Node, make_node: _Made) -> None:
    invitation, dealer = replace(invite(head_office), url="http://127.0.0.1:9"), make_node("dealer")
    with pytest.raises(IronbookError, match=r"nothing was joined.*same invitation again"):
        joining.join(dealer, invitation)
    assert connections.connections(dealer) == []


def test_head_office_sees_who_came(head_office: Node, make_node: _Made) -> None:
    invitation = invite(head_office)
    members.settle_members(head_office)
    assert state_of(head_office, invitation.user) == "invited"
    joining.join(make_node("dealer"), invitation)
    members.settle_members(head_office)
    assert state_of(head_office, invitation.user) == "joined"


def test_an_invitation_that_nobody_used_in_time_is_worth_nothing(head_office: Node, make_node: _Made) -> None:
    invitation = invite(head_office, hours=-1.0)
    dealer = make_node("dealer")
    with pytest.raises(IronbookError, match="was good until"):
        joining.join(dealer, invitation)
    members.settle_members(head_office)
    assert state_of(head_office, invitation.user) == "expired"
    with pytest.raises(IronbookError, match="was taken back"):
        joining.join(dealer, replace(invitation, expires_at="2999-01-01T00:00:00Z"))


def test_joined_in_time_it_stays_after_the_invitation_expired(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, replace(invite(head_office, hours=-1.0), expires_at="2999-01-01T00:00:00Z"))
    members.settle_members(head_office)
    assert state_of(head_office, connection.user) == "joined"
    assert run_pass(dealer, connection).error == ""


def test_who_is_removed_syncs_no_more_at_once_keeps_its_data_and_is_told(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    run_pass(dealer, connection)
    make(dealer, name="Miller")
    members.remove_member(head_office, connection.user)
    result = run_pass(dealer, connection)
    assert "was shut out there" in result.error
    assert "Everything here stays" in result.error
    assert connections.check(dealer, connection).sentences[-1] == result.error
    assert result.error in explaining.why(dealer, "D001:customer:1")[-1]
    assert read_state(dealer, connection.name).stopped
    assert set(documents(dealer.book)) == {"D001:customer:1"}
    assert state_of(head_office, connection.user) == "removed"


def test_who_was_removed_joins_again_with_another_invitation(head_office: Node, make_node: _Made) -> None:
    dealer, other = make_node("dealer"), make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    members.settle_members(head_office)
    run_pass(dealer, connection)
    joining.rotate_password(dealer, connection.name)
    members.remove_member(head_office, connection.user)
    make(dealer, name="Miller")
    assert run_pass(dealer, connection).failure
    used = invite(head_office)
    joining.join(other, used)
    with pytest.raises(IronbookError, match="has been used"):
        joining.join(dealer, used)
    members.settle_members(head_office)
    with pytest.raises(IronbookError, match="has been used"):
        joining.join(dealer, used)
    assert find_connection(dealer, connection.name).user == connection.user
    again = joining.join(dealer, invite(head_office))
    assert not read_state(dealer, again.name).stopped
    members.settle_members(head_office)
    assert run_pass(dealer, again).error == ""
    assert set(documents(head_office.book_of("D001"))) == {"D001:customer:1"}


def test_with_a_dealer_all_its_nodes_are_removed(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    dealers.remove_dealer(head_office, "D001")
    assert "was shut out there" in run_pass(dealer, connection).error


def test_one_node_is_removed_and_another_of_the_same_dealer_goes_on(head_office: Node, make_node: _Made) -> None:
    first, second = make_node("dealer"), make_node("dealer")
    leaving, staying = joining.join(first, invite(head_office)), joining.join(second, invite(head_office, "the shop"))
    members.remove_member(head_office, leaving.user)
    assert run_pass(second, staying).error == ""


def test_a_node_reaches_no_other_dealer(head_office: Node, make_node: _Made) -> None:
    head_office.store.create("book-d002")
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    there = connections.upstream(dealer, connection)
    with pytest.raises(IronbookError):
        there.database(head_office.store.prefix + "book-d002").info()


def test_a_password_is_changed_with_one_word(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    members.settle_members(head_office)
    run_pass(dealer, connection)
    before = connections.password_of(dealer, connection)
    joining.rotate_password(dealer, connection.name)
    assert run_pass(dealer, connection).error == ""
    members.settle_members(head_office)
    assert connections.check(dealer, connection).ok
    assert run_pass(dealer, connection).error == ""
    assert connections.password_of(dealer, connection) != before
    assert run_pass(dealer, connection).error == ""
    with pytest.raises(WrongPassword):
        Store(connection.url, connection.user, before).version()


def test_why_is_answered_also_between_a_change_of_the_password_and_the_next_sync(
    head_office: Node, make_node: _Made
) -> None:
    dealer = make_node("dealer")
    joining.join(dealer, invite(head_office))
    make(dealer, name="Miller")
    members.settle_members(head_office)
    assert "not over there yet" in explaining.why(dealer, "D001:customer:1")[-1]


@pytest.mark.parametrize("taken", [True, False])
def test_a_join_that_was_cut_off_is_finished_with_the_same_invitation(
    taken: bool, head_office: Node, make_node: _Made
) -> None:
    invitation, dealer = invite(head_office), make_node("dealer")
    connection = Connection(**asdict(invitation.connection("manufacturer")))
    dealer.secrets.set(key_entry("manufacturer"), invitation.key)
    passwords.request_new_password(dealer, connection, invitation.password)
    if taken:
        members.settle_members(head_office)
    connection = joining.join(dealer, invitation)
    assert run_pass(dealer, connection).error == ""
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""


def test_a_password_can_be_changed_again_before_the_first_change_was_taken(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    joining.rotate_password(dealer, connection.name)
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""


def test_nobody_else_can_change_a_members_password(head_office: Node, make_node: _Made) -> None:
    first, second = make_node("dealer"), make_node("dealer")
    mine, other = joining.join(first, invite(head_office)), joining.join(second, invite(head_office, "the shop"))
    members.settle_members(head_office)
    assert run_pass(first, mine).error == ""
    assert run_pass(second, other).error == ""
    replica = connections.upstream(second, other).database(other.book)
    asked = {user: f"ironbook-password-{user}" for user in (mine.user, other.user)}
    request = replica.get_local(asked[other.user]) or {}
    assert request["record"]["derived_key"]
    replica.put_local({**request, "_id": asked[mine.user], "number": 2**60})
    replica.put_local({"_id": asked[other.user], "number": "x", "record": []})
    members.settle_members(head_office)
    assert run_pass(first, mine).error == ""
    assert run_pass(second, other).error == ""


def test_a_former_request_brings_no_former_password_back(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = joining.join(dealer, invite(head_office))
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""
    replica, asked = head_office.book_of("D001"), f"ironbook-password-{connection.user}"
    former = replica.get_local(asked) or {}
    joining.rotate_password(dealer, connection.name)
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""
    replica.put_local(
        {**(replica.get_local(asked) or {}), **{key: former[key] for key in ("number", "record", "proof")}}
    )
    members.settle_members(head_office)
    assert run_pass(dealer, connection).error == ""


def test_a_password_entered_by_hand_is_changed_by_hand(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = join_by_hand(head_office, dealer)
    with pytest.raises(IronbookError, match="ironbook password manufacturer"):
        joining.rotate_password(dealer, connection.name)


def test_a_node_with_documents_of_another_dealer_does_not_join(head_office: Node, make_node: _Made) -> None:
    other = make_node("dealer", "D002")
    make(other, name="Miller")
    with pytest.raises(IronbookError, match="belongs to D002"):
        joining.join(other, invite(head_office))
    assert not (other.settings.data / "config.toml").exists()


def test_an_empty_node_becomes_one_of_the_dealer_that_was_invited(head_office: Node, make_node: _Made) -> None:
    fresh = make_node("dealer", "D777")
    joining.join(fresh, invite(head_office))
    settings = read_settings(fresh.settings.data, {})
    assert (settings.role, settings.dealer, settings.name) == ("dealer", "D001", "Bergmann")


def test_head_office_itself_does_not_join(head_office: Node) -> None:
    with pytest.raises(IronbookError, match="no upstream"):
        joining.join(head_office, invite(head_office))


@pytest.mark.parametrize(("label", "dealer"), [(" ", "D001"), ("x", ""), ("x", "D999")])
def test_an_invitation_needs_a_name_and_a_dealer_that_is_admitted(head_office: Node, label: str, dealer: str) -> None:
    before = members.members(head_office)
    with pytest.raises(IronbookError):
        members.invite(head_office, label, dealer)
    assert members.members(head_office) == before


def test_a_connection_to_somewhere_else_is_not_replaced(head_office: Node, make_node: _Made) -> None:
    dealer = make_node("dealer")
    connection = join_by_hand(head_office, dealer)
    with pytest.raises(IronbookError, match="already"):
        joining.join(dealer, replace(invite(head_office), url="http://127.0.0.1:1"))
    assert find_connection(dealer, "manufacturer") == connection


def join_by_hand(head_office: Node, dealer: Node) -> Connection:
    admitted = dealers.new_password(head_office, "D001")
    values = {"name": "manufacturer", "url": head_office.store.url, "user": admitted.user, "book": admitted.database}
    return connections.save_connection(dealer, {**values, "catalog": admitted.catalog}, admitted.password)


# Over TLS, with a certificate of the server's own.


@pytest.fixture
def dealership(tmp_path: Path) -> Node:
    """A dealership's server that laptops reach over TLS."""
    with ExitStack() as stack:
        yield stack.enter_context(open_node(_settings(tmp_path / "server", public_host="127.0.0.1")))  # type: ignore[misc]


@pytest.fixture
def laptop(tmp_path: Path) -> Node:
    with open_node(_settings(tmp_path / "laptop")) as node:
        yield node  # type: ignore[misc]


def _settings(data: Path, public_host: str = ""):  # type: ignore[no-untyped-def]
    data.mkdir()
    port = _free_port()
    return replace(
        read_settings(data, {}),
        name="Bergmann",
        dealer="D001",
        public_host=public_host,
        public_port=port,
        public_url=f"https://127.0.0.1:{port}" if public_host else "",
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_laptop_trusts_the_certificate_of_its_invitation_and_no_other(
    dealership: Node, laptop: Node, tmp_path: Path
) -> None:
    invitation = invite(dealership, "Anna's laptop")
    with pytest.raises(IronbookError, match="another certificate"):
        joining.join(laptop, replace(invitation, fingerprint="00" * 32))
    assert connections.connections(laptop) == []
    connection = joining.join(laptop, invitation)
    make(laptop, name="Miller")
    make(laptop, "keepsake", share="dealer", flowers="white roses")
    assert run_pass(laptop, connection).error == ""
    assert set(documents(dealership.book)) == {"D001:customer:1", "D001:keepsake:1"}
    # Whoever else takes that address cannot show this certificate.
    other = replace(dealership.settings, data=tmp_path / "other", public_port=_free_port())
    with open_node(other):
        moved = replace(connection, url=f"https://127.0.0.1:{other.public_port}")
        assert "certificate" in str(connections.check(laptop, moved))
    assert find_connection(laptop, connection.name).certificate == connection.certificate


def test_three_levels_from_a_laptop_to_head_office(head_office: Node, dealership: Node, laptop: Node) -> None:
    upward = joining.join(dealership, invite(head_office))
    inward = joining.join(laptop, invite(dealership, "Anna's laptop"))
    assert (upward.name, upward.share) == ("manufacturer", "manufacturer")
    assert (inward.name, inward.share) == ("dealership", "dealer")
    make(laptop, name="Miller")
    make(laptop, "keepsake", share="dealer", flowers="white roses")
    for node, connection in ((laptop, inward), (dealership, upward)):
        assert run_pass(node, connection).error == ""
    assert set(documents(head_office.book_of("D001"))) == {"D001:customer:1"}
