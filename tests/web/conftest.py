"""Pages through Flask's test client, on nodes of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask
from visitors import Browser, add_user, app_of, signed_in

from app.node import Node
from app.security import passwords


@pytest.fixture(scope="module", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Passwords are hashed in a millisecond; that guessing them is slow is proved with the hashes themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
def dealer_app(dealer_node: Node) -> Flask:
    """A dealer's pages; no user yet."""
    return app_of(dealer_node)


@pytest.fixture
def manufacturer_app(manufacturer_node: Node) -> Flask:
    """The manufacturer's pages; no user yet."""
    return app_of(manufacturer_node)


@pytest.fixture
def sign_in(dealer_node: Node, dealer_app: Flask) -> Callable[..., Browser]:
    """``sign_in("sales")``: a browser at the dealer, signed in with these roles."""

    def enter(*roles: str) -> Browser:
        name = "-".join(roles)
        if dealer_node.local.get(f"user:{name}") is None:
            add_user(dealer_node, name, roles)
        return signed_in(dealer_app, name)

    return enter


@pytest.fixture
def client(sign_in: Callable[..., Browser]) -> Browser:
    """A browser at the dealer, signed in as the principal."""
    return sign_in("principal")


@pytest.fixture
def manufacturer_client(manufacturer_node: Node, manufacturer_app: Flask) -> Browser:
    """A browser at the manufacturer, signed in as product support."""
    add_user(manufacturer_node, "parts", ["parts"])
    return signed_in(manufacturer_app, "parts")
