"""``ironbook doctor``: whether everything Ironbook needs is there and works."""

from __future__ import annotations

import platform
import sqlite3
import sys
from importlib import metadata
from pathlib import Path

import click

from app.commands.options import data_option, settings_of
from app.errors import IronbookError


@click.command("doctor")
@data_option
def command(data: Path | None) -> int:
    """Check that everything Ironbook needs is there and works; exits 1 when something is wrong."""
    good = True
    for name, check in (
        ("Python", _python),
        ("SQLite", _sqlite),
        ("JavaScript", _javascript),
        ("Settings", lambda: _settings(data)),
        ("Node", lambda: _node(data)),
    ):
        try:
            click.echo(f"ok      {name}: {check()}")
        except IronbookError as error:
            good = False
            click.echo(f"WRONG   {name}: {error}")
    return 0 if good else 1


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        raise IronbookError(f"{platform.python_version()} runs, and Ironbook needs 3.11, 3.12 or 3.13.")
    return f"{platform.python_version()} on {platform.system()}"


def _sqlite() -> str:
    if sqlite3.sqlite_version_info < (3, 35):
        raise IronbookError(f"{sqlite3.sqlite_version} is too old: the embedded store needs 3.35.")
    return sqlite3.sqlite_version


def _javascript() -> str:
    import quickjs

    if quickjs.Context().eval("[1, 2, 3].map(function (n) { return n * 2; })[2]") != 6:
        raise IronbookError("QuickJS answers wrongly; reinstall the requirements.")
    return f"QuickJS, quickjs-ng {metadata.version('quickjs-ng')}"


def _settings(data: Path | None) -> str:
    settings = settings_of(data)
    return f"a {settings.role}'s node, data in {settings.data}"


def _node(data: Path | None) -> str:
    from app.node import open_node

    settings = settings_of(data)
    if not settings.data.exists():
        return "nothing was started here yet"
    with open_node(settings) as node:
        version = node.store.version()
    return f"its store answers ({version.get('vendor', {}).get('name', 'CouchDB')} {version.get('version', '')})"
