"""Design documents written by hand: ``design_docs/<name>/`` read into the JSON that a store takes.

A folder has ``design.toml`` with ``databases`` (a list of ``book``, ``book-*``, ``catalog``, ``market``, ``forecast``,
``local``) and perhaps ``options``; ``views/<view>/map.js`` and ``reduce.js``; ``filters/<filter>.js``;
``validate_doc_update.js``. Each JavaScript file is one function expression in ES5, or, as a reduce, the name of one
that the store has built in.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.design.fields import DesignError
from app.project import ROOT

DATABASES = ("book", "book-*", "catalog", "market", "forecast", "local")


@dataclass(frozen=True)
class DesignDocument:
    """A design document without ``_id``, and the databases it belongs into (names, ``book-*`` for all such)."""

    name: str
    databases: tuple[str, ...]
    body: Mapping[str, Any]

    def belongs_in(self, database: str) -> bool:
        """Whether it is installed in the database of that name."""
        return any(fnmatch.fnmatchcase(database, pattern) for pattern in self.databases)


def read_design_documents(folder: Path = ROOT / "design_docs") -> dict[str, DesignDocument]:
    """Every design document below `folder`, by name. Raises DesignError for a folder that is not as described."""
    folders = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
    return {each.name: _read(each) for each in folders if any(each.iterdir())}


def _read(folder: Path) -> DesignDocument:
    where = f"design_docs/{folder.name}"
    settings = _settings(folder, where)
    body: dict[str, Any] = {"language": "javascript"}
    views = {each.name: _view(each, where) for each in sorted((folder / "views").glob("*")) if each.is_dir()}
    if views:
        body["views"] = views
    filters = {each.stem: _function(each) for each in sorted((folder / "filters").glob("*.js"))}
    if filters:
        body["filters"] = filters
    validation = folder / "validate_doc_update.js"
    if validation.is_file():
        body["validate_doc_update"] = _function(validation)
    if len(body) == 1:
        raise DesignError(f"{where} has neither views, filters nor validate_doc_update.js.")
    if settings.get("options"):
        body["options"] = settings["options"]
    return DesignDocument(folder.name, tuple(settings["databases"]), body)


def _settings(folder: Path, where: str) -> dict[str, Any]:
    try:
        settings = tomllib.loads((folder / "design.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DesignError(f"{where} has no design.toml that says in which databases it belongs.") from None
    except (OSError, ValueError) as problem:
        raise DesignError(f"{where}/design.toml cannot be read: {problem}.") from problem
    databases = settings.get("databases")
    if not isinstance(databases, list) or not databases or not set(databases) <= set(DATABASES):
        raise DesignError(f"{where}/design.toml: databases must be a list of some of {', '.join(DATABASES)}.")
    return settings


def _view(folder: Path, where: str) -> dict[str, str]:
    if not (folder / "map.js").is_file():
        raise DesignError(f"{where}/views/{folder.name} has no map.js.")
    view = {"map": _function(folder / "map.js")}
    if (folder / "reduce.js").is_file():
        view["reduce"] = _function(folder / "reduce.js")
    return view


def _function(path: Path) -> str:
    """A function's text, from the word ``function`` on: a comment before it explains the file, not the function."""
    text = path.read_text(encoding="utf-8").strip()
    lines = text.splitlines()
    while lines and (not lines[0].strip() or lines[0].startswith("//")):
        lines.pop(0)
    text = "\n".join(lines).strip().rstrip(";")
    if not text.startswith(("function", "_")):
        raise DesignError(f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path} is not one function.")
    return text
