"""The embedded store: the part of CouchDB's HTTP interface that Ironbook needs, on SQLite.

`start` is what the application uses; everything else is reached over HTTP.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

__all__ = ["FolderInUseError", "RunningStore", "StoreNotStartedError", "start"]


class StoreNotStartedError(Exception):
    """The store could not start; the text is a sentence for a person."""


class FolderInUseError(StoreNotStartedError):
    """Another process runs a store on the data folder; its address is in `running.json` there."""


class RunningStore:
    """A store in a process of its own. `url` has no credentials in it. Ends with its parent, or at `stop()`."""

    def __init__(self, process: subprocess.Popen[bytes], url: str) -> None:
        self._process = process
        self._waiting = threading.Thread(target=process.wait, name="store", daemon=True)
        self._waiting.start()
        self.url = url
        self.pid = process.pid

    def stop(self, seconds: float = 10.0) -> None:
        """End the process; what it acknowledged is on the disk already. Does nothing when it has ended."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._waiting.join(seconds)
        if self._waiting.is_alive():
            self._process.kill()
            self._waiting.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def __enter__(self) -> RunningStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()


def start(
    directory: Path | str,
    host: str = "127.0.0.1",
    port: int = 0,
    admin: tuple[str, str] = ("admin", ""),
    log: Path | str | None = None,
    cors_origins: Sequence[str] = (),
    require_valid_user: bool = False,
    maximum_attachment: int | None = None,
    request_timeout: float | None = None,
    encrypted: tuple[str, int, Path, Path] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
) -> RunningStore:
    """Start the store on a data folder and wait until it answers. Port 0 takes a free one.

    `admin`: name and password; they go through a pipe, never through the command line. `log`: a file its errors are
    appended to (otherwise they go where this process's do). `cors_origins`, `require_valid_user`, `maximum_attachment`
    and `request_timeout`: see `embedded.server_settings`. `encrypted`: host, port, certificate and key (PEM files) of
    a second address on which the store answers over TLS. `meanwhile`: done while the store starts, in this thread.
    Raises StoreNotStartedError, or its FolderInUseError.
    """
    environment = dict(os.environ)
    root = str(Path(__file__).resolve().parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    # Read by the C library of most Linux systems, which otherwise keeps a heap for every few threads.
    environment.setdefault("MALLOC_ARENA_MAX", "2")
    command = [
        sys.executable,
        "-m",
        "embedded",
        "--dir",
        str(directory),
        "--host",
        host,
        "--port",
        str(port),
        "--child",
    ]
    command += [part for origin in cors_origins for part in ("--cors-origin", origin)]
    command += ["--require-valid-user"] if require_valid_user else []
    command += [] if maximum_attachment is None else ["--largest-attachment", str(maximum_attachment)]
    command += [] if request_timeout is None else ["--request-timeout", str(request_timeout)]
    if encrypted is not None:
        names = ("--tls-host", "--tls-port", "--certificate", "--key")
        command += [part for name, value in zip(names, encrypted, strict=True) for part in (name, str(value))]
    errors = None if log is None else Path(log).open("ab")  # noqa: SIM115
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, env=environment, bufsize=0
        )
    finally:
        if errors is not None:
            errors.close()
    assert process.stdin is not None
    assert process.stdout is not None
    admins = {admin[0]: admin[1]} if admin[1] else {}
    try:
        process.stdin.write(json.dumps(admins).encode() + b"\n")
        _do(meanwhile, process)
        line = process.stdout.readline()
    except BrokenPipeError:
        line = b""
    answer = json.loads(line) if line else {"error": "The store ended while it started; its log says why."}
    if "error" in answer:
        process.stdin.close()
        process.wait()
        process.stdout.close()
        kind = FolderInUseError if answer.get("in_use") else StoreNotStartedError
        raise kind(answer["error"])
    return RunningStore(process, answer["url"])


def _do(meanwhile: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    try:
        meanwhile()
    except BaseException:
        RunningStore(process, "").stop()
        raise
