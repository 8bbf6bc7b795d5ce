"""What several commands share: the data folder, opening the node, printing progress."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.config import Settings, read_settings

if TYPE_CHECKING:
    from app.node import Node


def data_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--data FOLDER`` to a command."""
    return click.option(
        "--data",
        type=click.Path(file_okay=False, path_type=Path),
        help="The node's data folder (default: IRONBOOK_NODE_DATA, else node.data of config.toml).",
    )(function)


@contextlib.contextmanager
def opened(data: Path | None) -> Iterator[Node]:
    """The node of a data folder, for one command."""
    from app.node import open_node

    with open_node(read_settings(data)) as node:
        yield node


def settings_of(data: Path | None) -> Settings:
    """The settings of a data folder."""
    return read_settings(data)


def ask_password(prompt: str) -> str:
    """A password from the terminal, or, where there is none, the first line of standard input."""
    if sys.stdin.isatty():
        return str(click.prompt(prompt, hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise click.UsageError("There is no password on standard input.")
    return password


class Steps:
    """Says on standard error what is being done and how long each step took."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def step(self, name: str, sentence: str) -> Iterator[Callable[[str], None]]:
        """One step; yields a function that shows a line of progress below its sentence."""
        started = time.monotonic()
        terminal = sys.stderr.isatty()
        if not self.quiet:
            click.echo(f"{sentence} ...", err=True, nl=not terminal)

        def progress(text: str) -> None:
            if terminal and not self.quiet:
                click.echo(f"\r\033[K{sentence} ... {text}", err=True, nl=False)

        yield progress
        self.seconds[name] = round(time.monotonic() - started, 2)
        if not self.quiet:
            if terminal:
                click.echo(f"\r\033[K{sentence} ... {self.seconds[name]:.1f} s", err=True)
            else:
                click.echo(f"  {self.seconds[name]:.1f} s", err=True)
