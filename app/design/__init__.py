"""Forms and views as data: what documents are made of and how they are listed, without code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.design.fields import DesignError, Field
from app.design.forms import Form, Section
from app.design.inforce import design, refresh
from app.design.listing import Category, ListPage, ListRow, page
from app.design.parsing import new_document, parse, validate
from app.design.views import Column, View

if TYPE_CHECKING:
    from app.node import Node

__all__ = [
    "Category",
    "Column",
    "DesignError",
    "Field",
    "Form",
    "ListPage",
    "ListRow",
    "Section",
    "View",
    "forms",
    "new_document",
    "page",
    "parse",
    "refresh",
    "validate",
    "views",
]


def forms(node: Node) -> dict[str, Form]:
    """Every form in force on the node, by type."""
    return design(node).forms


def views(node: Node) -> dict[str, View]:
    """Every view in force on the node, by name."""
    return design(node).views
