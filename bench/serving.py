"""A real ``ironbook serve`` in a process of its own, and a browser that asks it for pages."""

from __future__ import annotations

import contextlib
import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.couch import Store
from app.project import ROOT
from app.secrets import STORE, Secrets

_PATIENCE = 300.0


@dataclass(frozen=True)
class Served:
    """A node that answers: its process, its address, and the seconds from its start to its first page."""

    data: Path
    pid: int
    address: str
    ready: float

    def store(self) -> Store:
        """The node's store, as the node itself reaches it."""
        note = json.loads((self.data / "store" / "running.json").read_text(encoding="utf-8"))
        return Store(note["url"], "ironbook", Secrets(self.data).get(STORE) or "")


@contextlib.contextmanager
def served(data: Path) -> Iterator[Served]:
    """``ironbook serve`` on a data folder, from its first answer until the end."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("IRONBOOK_")}
    environment["PYTHONPATH"] = str(ROOT)
    command = [sys.executable, "-m", "app.cli", "serve", "--quiet", "--data", str(data), "--port", str(port)]
    address = f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(process, address)
            yield Served(data, process.pid, address, time.monotonic() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


class Browser:
    """Asks for pages with the cookie of one session, on a new connection each time, as a first click does."""

    def __init__(self, address: str) -> None:
        self._address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, urllib.request.ProxyHandler({}))

    def get(self, path: str) -> str:
        """The page at `path`, read to its end. Raises OSError for one that is refused."""
        with self._opener.open(self._address + path, timeout=_PATIENCE) as answer:
            return str(answer.read().decode("utf-8"))

    def timed(self, path: str) -> float:
        """Milliseconds until the page is read to its end."""
        started = time.perf_counter()
        self.get(path)
        return (time.perf_counter() - started) * 1000

    def sign_in(self, user: str, password: str) -> None:
        """Signs in as a person does. Raises RuntimeError when that is refused."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/sign-in"))
        fields = {"csrf_token": token[1] if token else "", "name": user, "password": password}
        request = urllib.request.Request(  # noqa: S310 - this computer's own address
            f"{self._address}/sign-in", urllib.parse.urlencode(fields).encode(), {"Referer": self._address}
        )
        with self._opener.open(request, timeout=60) as answer:
            if "/sign-in" in answer.geturl():
                raise RuntimeError("Signing in did not work.")

    def wait_for_parts_desk(self) -> float:
        """Seconds until the parts desk has worked out what every machine needs."""
        started = time.monotonic()
        while "Working out what every machine needs" in self.get("/parts-desk"):
            if time.monotonic() - started > _PATIENCE:
                raise RuntimeError("The parts desk was not ready in time.")
            time.sleep(0.1)
        return time.monotonic() - started


def _wait_until_ready(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(f"serve ended with {process.returncode} before it answered.")
        try:
            with urllib.request.urlopen(f"{address}/sign-in", timeout=5):  # noqa: S310 - this computer's own address
                return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError("serve did not answer in time.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
