"""The pages: one module for each group of them.

Every module here that has a blueprint named ``pages`` is registered; ``NODE_ROLE = "dealer"`` or ``"manufacturer"``
beside it limits it to nodes of that role.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

from flask import Blueprint, Flask


def register_pages(app: Flask, node_role: str) -> None:
    """Registers every group of pages meant for a node of this role."""
    for group in load_pages():
        pages = getattr(group, "pages", None)
        if isinstance(pages, Blueprint) and getattr(group, "NODE_ROLE", node_role) == node_role:
            app.register_blueprint(pages)


def load_pages() -> list[ModuleType]:
    """Loads every module of pages, whichever role it is for."""
    return [importlib.import_module(module.name) for module in pkgutil.iter_modules(__path__, f"{__name__}.")]
