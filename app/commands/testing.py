"""``ironbook test``: lint, types and tests; arguments go to pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click

from app.errors import IronbookError
from app.project import ROOT

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# More than the two cores the budget is for: many tests wait for a process to start or to end.
_WORKERS = "4"


@click.command("test", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run the tests. Without arguments: ruff, mypy and every test; arguments go to pytest."""
    if not (ROOT / "tests").is_dir():
        raise IronbookError("The tests are in Ironbook's source folder, not in an installed copy; run this there.")
    _require("pytest", "ruff", "mypy", "hypothesis")
    install_chromium()
    if not arguments:
        for check in (
            ("ruff", "check", "."),
            ("ruff", "format", "--check", "."),
            ("mypy",),
        ):
            click.echo(f"$ {' '.join(check)}", err=True)
            failed = _run(*check)
            if failed:
                return failed
    alone = any(a.startswith(("-n", "--pdb", "-x")) for a in arguments)
    # In the order they are found: the folders with the longest tests come first, and none of them is left for the end.
    workers = () if alone else ("-n", _WORKERS, "--dist=loadfile", "--no-loadscope-reorder")
    return _run("pytest", *workers, *arguments)


def install_chromium() -> None:
    """Installs Debian's Chromium for the browser tests where that is possible without asking anybody."""
    if any(shutil.which(name) for name in _CHROMIUM):
        return
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root and shutil.which("apt-get"):
        click.echo("Installing Chromium for the browser tests ...", err=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (("update", "-qq"), ("install", "-y", "-qq", "--no-install-recommends", "chromium")):
            # The output would bury the tests' own; it is shown when it matters.
            done = subprocess.run(
                ["apt-get", *arguments],
                env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                click.echo(done.stderr, err=True)
                break
    if not any(shutil.which(name) for name in _CHROMIUM):
        click.echo("Chromium is missing, so the browser tests are skipped; install it to run them.", err=True)


def _require(*modules: str) -> None:
    import importlib.util

    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise IronbookError(
            f"The tests need {', '.join(missing)}: run them with ./ironbook test, which installs them, "
            f"or: pip install -r requirements-dev.lock"
        )


def _run(module: str, *arguments: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=Path(ROOT), env=environment, check=False,
    ).returncode  # fmt: skip
