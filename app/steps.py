"""Says what is being done and how long each step took."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import click


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
