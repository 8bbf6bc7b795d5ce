"""Runs each of the demo's nodes in a process of its own, as ``ironbook serve`` does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from app.config import Settings
from app.demo.folders import DemoFolders
from app.errors import IronbookError
from app.project import ROOT
from app.steps import Steps

_PATIENCE = 60.0
_STOP_PATIENCE = 15.0


class Served:
    """One node's ``serve`` process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = f"http://127.0.0.1:{settings.web_port}/"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the process; :meth:`wait_until_ready` waits for its pages."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("IRONBOOK_")}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), environment.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--quiet", "--with-parent", "--data", str(self.settings.data)],
            env=environment,
            # Whatever ends the demo, even kill -9, closes this pipe, and the node ends as well.
            stdin=subprocess.PIPE,
            # Ctrl-C goes to the demo alone, which then stops its nodes in order.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            start_new_session=hasattr(os, "setsid"),
        )

    def wait_until_ready(self) -> None:
        """Returns when the node answers. Raises IronbookError when its process ended or does not answer."""
        assert self._process is not None
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise IronbookError(f"{self.settings.name} did not start; the lines above say why.")
            if answers(self.address):
                return
            time.sleep(0.05)
        raise IronbookError(f"{self.settings.name} did not answer within {_PATIENCE:.0f} s; its log is in {self.log}.")

    @property
    def log(self) -> Path:
        """The node's log file."""
        return self.settings.data / "ironbook.log"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stops the process, gently first."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        if hasattr(signal, "CTRL_BREAK_EVENT"):
            process.send_signal(signal.CTRL_BREAK_EVENT)
        else:
            process.terminate()
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(_STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(address: str) -> bool:
    """Whether a node's pages answer at `address`, an address on this computer."""
    try:
        with urllib.request.urlopen(f"{address}healthz", timeout=2) as answer:  # noqa: S310 - always http
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


@contextlib.contextmanager
def served(folders: DemoFolders, steps: Steps) -> Iterator[list[Served]]:
    """The demo's nodes, each in a process of its own, until the end of the ``with``."""
    nodes = [Served(folders.settings(folder)) for folder in folders.all()]
    try:
        with steps.step("serve", "Starting the three nodes"):
            for node in nodes:
                node.start()
            for node in nodes:
                node.wait_until_ready()
        yield nodes
    finally:
        for node in reversed(nodes):
            node.stop()
