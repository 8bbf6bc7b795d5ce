"""Pages through Flask's test client, on nodes of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from visitors import Browser, add_user, app_of, signed_in

from app.node import Node


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
