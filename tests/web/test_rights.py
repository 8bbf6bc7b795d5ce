from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.security import rights


@dataclass(frozen=True)
class Person:
    roles: frozenset[str]
    node_role: str = "dealer"


def person(*roles: str, at: str = "dealer") -> Person:
    return Person(frozenset(roles), at)


@pytest.mark.parametrize("role", ["sales", "parts", "principal"])
def test_everybody_who_works_at_a_dealer_edits_the_book_and_reads_keepsakes(role: str) -> None:
    assert rights.may(person(role), "edit", "customer")
    assert rights.may(person(role), "edit", {"type": "machine"})
    assert rights.may(person(role), "read", {"type": "keepsake"})
    assert rights.may(person(role), "run", "replication")


@pytest.mark.parametrize("role", ["analyst", "designer"])
@pytest.mark.parametrize("subject", ["customer", "machine", "keepsake", "catalog", "users"])
def test_who_does_not_work_at_the_dealer_changes_nothing_in_its_book(role: str, subject: str) -> None:
    assert not rights.may(person(role), "edit", subject)


@pytest.mark.parametrize("role", ["analyst", "designer"])
def test_only_the_dealers_staff_reads_keepsakes(role: str) -> None:
    assert rights.may(person(role), "read", "customer")
    assert not rights.may(person(role), "read", "keepsake")


@pytest.mark.parametrize("role", list(rights.ROLES))
@pytest.mark.parametrize("kind", ["model", "part", "bulletin"])
def test_nobody_edits_the_catalog_at_a_dealer(role: str, kind: str) -> None:
    assert rights.may(person(role), "read", kind)
    assert not rights.may(person(role), "edit", kind)


@pytest.mark.parametrize("role", list(rights.ROLES))
def test_at_the_manufacturer_only_product_support_and_designers_edit_the_catalog(role: str) -> None:
    expected = role in ("parts", "designer", "admin")
    assert rights.may(person(role, at="manufacturer"), "edit", "model") is expected
    assert rights.may(person(role, at="manufacturer"), "delete", "part") is expected


@pytest.mark.parametrize("role", list(rights.ROLES))
def test_nobody_edits_a_dealers_documents_at_the_manufacturer(role: str) -> None:
    works_there = role in rights.ROLES_OF_NODE["manufacturer"]
    assert rights.may(person(role, at="manufacturer"), "read", "customer") == works_there
    assert not rights.may(person(role, at="manufacturer"), "edit", "customer")
    assert not rights.may(person(role, at="manufacturer"), "read", "keepsake")


@pytest.mark.parametrize("at", ["dealer", "manufacturer"])
@pytest.mark.parametrize("area", ["users", "connections"])
def test_only_administrators_change_users_and_connections(at: str, area: str) -> None:
    allowed = [role for role in rights.ROLES if rights.may(person(role, at=at), "edit", area)]
    assert allowed == ["admin"]


def test_without_a_role_or_a_node_nothing_is_allowed() -> None:
    assert not any(rights.may(person(), *right.split(":")) for right in rights.RIGHTS)
    assert not rights.may(person("admin", at="elsewhere"), "read", "book")


def test_an_action_no_rule_knows_is_refused() -> None:
    assert not rights.may(person("admin"), "paint", "book")


def test_what_is_told_about_a_keepsake_is_as_private_as_the_keepsake() -> None:
    change = {"type": "change", "document_type": "keepsake"}
    assert rights.may(person("sales"), "read", change)
    assert not rights.may(person("designer"), "read", change)
    assert rights.may(person("designer"), "read", {"type": "change", "document_type": "customer"})


def test_several_roles_add_up() -> None:
    both = person("analyst", "sales")
    assert rights.may(both, "edit", "customer")
    assert not rights.may(both, "edit", "users")
