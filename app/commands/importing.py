"""``ironbook import``: machines and readings from files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.commands.options import CommandGroup, data_option, opened, stop_on_signals
from app.steps import Steps


@click.group("import", cls=CommandGroup)
def command() -> None:
    """Import machines and readings from a file."""


@command.command("telematics", short_help="Read an ISO 15143-3 (AEMP 2.0) fleet snapshot.")
@click.argument("file", metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@data_option
def telematics(file: str, as_json: bool, data: Path | None) -> int:
    """Read an ISO 15143-3 (AEMP 2.0) fleet snapshot, XML or JSON, from FILE or standard input.

    Makes or updates machines, their readings and positions; a second run of the same file changes nothing. Ctrl-C stops
    it between two batches; the same import again does the rest. Exits 1 when it was stopped.
    """
    from app.exchange.telematics import import_telematics
    from app.exchange.unfinished import unfinished

    steps = Steps(quiet=as_json)
    stopping = stop_on_signals()
    with opened(data) as node, steps.step("import", f"Reading {file}") as progress:
        report = import_telematics(node, file, "import:telematics", progress, stopping.is_set)
        others = unfinished(node.local) if not report.stopped else []
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else report.as_text())
    for each in others:
        click.echo(each.sentence(), err=True)
    return 1 if report.stopped else 0
