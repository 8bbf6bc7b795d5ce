"""``ironbook import``: machines and readings from files."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.commands.options import data_option, opened
from app.steps import Steps


@click.group("import")
def command() -> None:
    """Import machines and readings from a file."""


@command.command("telematics")
@click.argument("file", metavar="FILE|-")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@data_option
def telematics(file: str, as_json: bool, data: Path | None) -> int:
    """Read an ISO 15143-3 (AEMP 2.0) fleet snapshot, XML or JSON, from FILE or standard input.

    Makes or updates machines, their readings and positions; a second run of the same file changes nothing.
    """
    from app.exchange.telematics import import_telematics

    steps = Steps(quiet=as_json)
    with opened(data) as node, steps.step("import", f"Reading {file}") as progress:
        report = import_telematics(node, file, "import:telematics", progress)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else report.as_text())
    return 0
