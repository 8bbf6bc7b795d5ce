"""What several commands share: the data folder, opening the node, printing progress."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from app.config import Settings, read_settings

if TYPE_CHECKING:
    from app.node import Node


class CommandGroup(click.Group):
    """A group whose list of commands shows the first sentence of each whole; click would cut it off."""

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        rows = []
        for name in self.list_commands(context):
            found = self.get_command(context, name)
            rows.append((name, " ".join(((found and found.help) or "").split("\n\n")[0].split())))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


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


def stop_on_signals() -> threading.Event:
    """An event that is set when a person or the system asks this process to stop."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, stop)
    return stopping


def interrupt_on_signals() -> None:
    """From now on being asked to stop interrupts what is being done, as Ctrl-C does, so that all is put away."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None and threading.current_thread() is threading.main_thread():
            signal.signal(number, interrupt)
