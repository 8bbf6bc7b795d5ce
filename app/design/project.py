"""The project's own forms and views: the files in ``forms/`` and ``views/``, and such tables as documents."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from app.design.fields import DesignError
from app.documents.common import body, digest
from app.project import ROOT

Table = Mapping[str, Any]


@cache
def form_tables() -> Mapping[str, Table]:
    """The table of each form in ``forms/``, by type."""
    return read_tables(ROOT / "forms")


@cache
def view_tables() -> Mapping[str, Table]:
    """The table of each view in ``views/``, by name."""
    return read_tables(ROOT / "views")


def read_tables(folder: Path) -> dict[str, Table]:
    """The tables of a folder's TOML files, each with its ``name``. Raises DesignError naming file and problem."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}


def _read(path: Path) -> Table:
    try:
        return {"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError) as problem:
        raise DesignError(f"{path.parent.name}/{path.name} cannot be read: {problem}.") from problem


# Every document has a type and a share; those that a table names are of the documents it is about.
_RENAMED = {"type": "of_type", "share": "of_share"}


def document_of(kind: str, table: Table) -> dict[str, Any]:
    """The document, without ``_id``, in which the catalog keeps a form or a view (`kind`).

    ``installed`` is a digest of the table: it tells whether somebody has changed the document since.
    """
    fields = {_RENAMED.get(key, key): value for key, value in table.items()}
    return {"type": kind, "dealer": "", "share": "manufacturer", **fields, "installed": digest(table)}


def table_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The table that a ``form:`` or ``view:`` document holds."""
    original = {new: old for old, new in _RENAMED.items()}
    return {original.get(key, key): value for key, value in body(document).items() if key != "installed"}
