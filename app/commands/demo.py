"""``ironbook demo``: a manufacturer and two dealers on this computer."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from app.commands.options import interrupt_on_signals, stop_on_signals
from app.errors import IronbookError
from app.steps import Steps

if TYPE_CHECKING:
    from app.demo.folders import DemoFolders, OutsideCouch
    from app.demo.serving import Served

_PORT_PATIENCE = 3.0


@click.command("demo")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the demo keeps its data (default: demo-data here; with --once a folder that is removed again).",
)
@click.option(
    "--port", type=click.IntRange(1024, 65500), default=8040, show_default=True, help="The first of four ports."
)
@click.option("--reset", is_flag=True, help="Remove what an earlier demo left and start over.")
@click.option(
    "--couchdb",
    metavar="URL",
    help="Put the manufacturer's databases on this CouchDB; the password is better kept in IRONBOOK_STORE_PASSWORD.",
)
@click.option("--once", is_flag=True, help="Start, sync, check, stop; exit 1 when a check fails.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one line of JSON.")
def command(folder: Path | None, port: int, reset: bool, couchdb: str | None, once: bool, as_json: bool) -> int:
    """Show Ironbook with a manufacturer and two dealers on this computer.

    The first start fills their books and syncs them; the next ones go on where you left. Each dealer syncs every
    minute. Ctrl-C stops the three.
    """
    from app.demo.folders import ONCE_PREFIX, DemoFolders, read_couch_address

    if as_json and not once:
        raise click.UsageError("--json goes with --once.")
    couch = read_couch_address(couchdb) if couchdb else None
    if couch and couchdb:
        _take_off_command_line(couchdb, couch)
    interrupt_on_signals()
    if not once:
        _show(DemoFolders((folder or Path("demo-data")).absolute()), port, couch, reset)
        return 0
    with contextlib.ExitStack() as cleanup:
        if folder is None:
            folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="ironbook-demo-")))
            couch = replace(couch, prefix=ONCE_PREFIX) if couch else None
        folders = DemoFolders(folder.absolute())
        with folders.held():
            return _once(folders, couch, reset, as_json)


def _take_off_command_line(given: str, couch: OutsideCouch) -> None:
    """Starts this process again, the same one, without the password among its arguments, which everybody can list.

    Windows shows a process's arguments to its owner and administrators only, and cannot do this.
    """
    where = next((index for index, argument in enumerate(sys.argv) if given in argument), None)
    if where is None or os.name == "nt" or couch.password not in unquote(urlsplit(given).netloc):
        os.environ.pop("IRONBOOK_STORE_PASSWORD", None)
        return
    arguments = [*sys.argv[1:]]
    arguments[where - 1] = sys.argv[where].replace(given, couch.address_with_user)
    environment = {**os.environ, "IRONBOOK_STORE_PASSWORD": couch.password}
    os.execve(sys.executable, [sys.executable, "-m", "app.cli", *arguments], environment)  # noqa: S606 - ourselves


def _show(folders: DemoFolders, port: int, couch: OutsideCouch | None, reset: bool) -> None:
    from app.demo.folders import DEALERS
    from app.demo.preparing import prepare

    steps = Steps()
    ports = list(range(port, port + 2 + len(DEALERS)))
    with folders.held():
        _check_ports(ports)
        prepare(folders, ports, couch, reset, steps)
        _serve(folders, steps)


def _serve(folders: DemoFolders, steps: Steps) -> None:
    from app.demo.filling import MANUFACTURER_LOGINS, dealer_logins
    from app.demo.folders import DEALERS
    from app.demo.serving import served

    with served(folders, steps) as nodes:
        click.echo()
        for node, logins in zip(nodes, (MANUFACTURER_LOGINS, *map(dealer_logins, DEALERS)), strict=True):
            names = ", ".join(f"{name} ({role})" for name, _, role in logins)
            click.echo(f"  {node.address:<26} {node.settings.name}\n{'':<29}log in as {names}")
        click.echo(f"\n  The password of all of them is  {folders.password()}")
        click.echo(
            "  Each dealer syncs every minute. Ctrl-C stops the demo; what you did is kept for the next start.\n"
        )
        _watch(nodes)


def _watch(nodes: list[Served]) -> None:
    stopping = stop_on_signals()
    while not stopping.wait(0.5):
        for node in nodes:
            if not node.running:
                raise IronbookError(f"{node.settings.name} stopped unexpectedly; its log is {node.log}.")
    click.echo("Stopping ...", err=True)


def _once(folders: DemoFolders, couch: OutsideCouch | None, reset: bool, as_json: bool) -> int:
    from app.demo import checks
    from app.demo.folders import DEALERS, free_port
    from app.demo.preparing import prepare
    from app.demo.serving import served
    from app.node import open_node

    started = time.monotonic()
    steps = Steps(quiet=as_json)
    prepare(folders, [free_port() for _ in range(2 + len(DEALERS))], couch, reset, steps)
    counts = {}
    for code in DEALERS:
        with open_node(folders.settings(folders.dealer(code))) as node:
            counts[code] = checks.counts(node)
    results: dict[str, bool] = {}
    with served(folders, steps) as nodes:
        for name, sentence, check in checks.all_checks(folders, nodes[0]):
            with steps.step(name, sentence):
                results[name] = check()
            if not results[name] and not as_json:
                click.echo("  NO: this did not hold.", err=True)
    good = all(results.values())
    seconds = {**steps.seconds, "total": round(time.monotonic() - started, 2)}
    if as_json:
        click.echo(json.dumps({"ok": good, "checks": results, "documents": counts, "seconds": seconds}))
    else:
        held = sum(results.values())
        click.echo(f"{held} of {len(results)} checks held in {seconds['total']:.1f} s.")
    return 0 if good else 1


def _check_ports(ports: list[int]) -> None:
    # What a killed demo leaves takes a moment to end.
    until = time.monotonic() + _PORT_PATIENCE
    for port in ports:
        while _occupied(port):
            if time.monotonic() > until:
                raise IronbookError(
                    f"Port {port} is occupied, perhaps by a demo in another window; stop that, or choose four other "
                    f"ports with --port."
                )
            time.sleep(0.1)


def _occupied(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
