"""Stores that are killed and started many times: each a fork of one process that has everything imported already.

`embedded.start` needs 0.3 s, nearly all of it Python's imports; a fork serves after 0.1 s. Where the system cannot fork
they are started with `embedded.start`.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from couch_requests import ADMIN, Couch

import embedded

_LATE_IMPORTS = (
    "embedded.replicator.jobs",
    "embedded.server_process",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "sqlite3.dbapi2",
    "uvicorn.lifespan.off",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.httptools_impl",
)
"""What a store imports only once it runs; a fork that has become somebody else may not even be able to."""


class StoreOnFolder:
    """One data folder and the store on it, which `kill` and `stop` end and `start` begins again, elsewhere."""

    def __init__(self, folder: Path, forks: Forks, port: int = 0) -> None:
        """`port`: where it answers at every start; 0 takes a free one each time."""
        self.folder = folder
        self._forks = forks
        self._port = port
        self._pid: int | None = None
        self.couch: Couch

    def start(self, user: int | None = None) -> Couch:
        """`user`: become this one first, where this process may; root may write what is read-only."""
        url, self._pid = self._forks.start(self.folder, user, self._port)
        self.couch = Couch(url, ADMIN)
        return self.couch

    def kill(self) -> None:
        """Returns once the process is gone."""
        self._end("kill")

    def stop(self) -> None:
        """In good order, as at the end of a day."""
        self._end("stop")

    def _end(self, how: str) -> None:
        assert self._pid is not None
        self._forks.end(self._pid, how)
        self._pid = None

    @property
    def is_running(self) -> bool:
        return self._pid is not None

    @property
    def pid(self) -> int:
        assert self._pid is not None
        return self._pid


class Forks:
    """The process whose forks serve. May be used from one thread at a time."""

    def __init__(self, log: Path) -> None:
        self._can_fork = hasattr(os, "fork")
        self._started: dict[int, embedded.RunningStore] = {}
        self._log = log
        if self._can_fork:
            root = str(Path(embedded.__file__).parent.parent)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
            with log.open("ab") as errors:
                self._parent = subprocess.Popen(
                    [sys.executable, __file__],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment,
                )  # fmt: skip

    def start(self, folder: Path, user: int | None = None, port: int = 0) -> tuple[str, int]:
        """Address and process id. Raises StoreNotStartedError with what the store says."""
        if self._can_fork:
            answer = self._ask("start", [str(folder), user, port])
            if "url" not in answer:
                raise embedded.StoreNotStartedError(answer["error"])
            return answer["url"], answer["pid"]
        running = embedded.start(folder, port=port, admin=ADMIN)
        self._started[running.pid] = running
        return running.url, running.pid

    def end(self, pid: int, how: str) -> None:
        if self._can_fork:
            self._ask(how, pid)
            return
        running = self._started.pop(pid)
        if how == "kill":
            os.kill(pid, signal.SIGTERM)  # which ends a process on Windows without asking it
        running.stop()

    def _ask(self, what: str, argument: Any) -> dict[str, Any]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps([what, argument]) + "\n")
        self._parent.stdin.flush()
        line = self._parent.stdout.readline()
        assert line, f"the process that forks stores ended; {self._log} says why"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        if self._can_fork:
            assert self._parent.stdin is not None
            assert self._parent.stdout is not None
            self._parent.stdin.close()
            self._parent.wait()
            self._parent.stdout.close()


@contextmanager
def forks(folder: Path) -> Iterator[Forks]:
    folder.mkdir(parents=True, exist_ok=True)
    opened = Forks(folder / "stores.log")
    try:
        yield opened
    finally:
        opened.close()


def _serve(folder: str, port: int, told: int, alive: int) -> NoReturn:
    """Be a store until it is ended; tell its address, or why there is none, once."""
    from embedded.server_process import serve

    try:
        os.close(0)
        serve(
            Path(folder), "127.0.0.1", port, {ADMIN[0]: ADMIN[1]},
            lambda url: _write(told, {"url": url, "pid": os.getpid()}), alive,
        )  # fmt: skip
    except BaseException as error:
        _write(told, {"error": repr(error)})
    finally:
        os._exit(0)


def _write(descriptor: int, value: Any) -> None:
    os.write(descriptor, json.dumps(value).encode() + b"\n")


def main() -> None:
    """Fork a store, or end one, for each line of standard input. The forks end with this process."""
    from embedded.server import collect_routes

    collect_routes()
    for name in _LATE_IMPORTS:
        importlib.import_module(name)
    alive, held_by_the_parent = os.pipe()
    os.set_inheritable(held_by_the_parent, False)
    for line in sys.stdin:
        what, argument = json.loads(line)
        if what == "start":
            _start(*argument, alive, held_by_the_parent)
        else:
            os.kill(argument, signal.SIGKILL if what == "kill" else signal.SIGTERM)
            os.waitpid(argument, 0)
            _write(1, {})


def _start(folder: str, user: int | None, port: int, alive: int, held_by_the_parent: int) -> None:
    reading, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(held_by_the_parent)
        os.close(reading)
        if user is not None:
            os.setgroups([])
            os.setuid(user)
        _serve(folder, port, told, alive)
    os.close(told)
    with os.fdopen(reading) as answers:
        _write(1, json.loads(answers.readline() or '{"error": "it ended while it started"}'))


if __name__ == "__main__":
    main()
