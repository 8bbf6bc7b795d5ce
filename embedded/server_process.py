"""Running the store: one process, one data folder, one port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

from embedded.server import Application, Store
from embedded.server_settings import Settings

DEFAULTS = Settings()
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class StartError(Exception):
    """The store cannot start; the text is a sentence for a person."""


class FolderInUseError(StartError):
    """Another process runs a store on the data folder."""


def serve(
    directory: Path,
    host: str,
    port: int,
    admins: Mapping[str, str],
    ready: Callable[[str], None],
    stop_when_closed: int | None = None,
    settings: Settings = DEFAULTS,
) -> None:
    """Serve until told to stop. `ready` is called with the URL once requests are answered.

    `stop_when_closed`: a file descriptor; the store ends when its other side is closed, so that it never outlives the
    process that started it. Raises StartError.
    """
    if not admins and host not in _LOOPBACK:
        raise StartError(
            f"The store was told to listen on {host} but has no admin password, so anybody could reach it. "
            "Set one, or listen on 127.0.0.1."
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory / "store.lock")
        lock.acquire(timeout=0)
    except Timeout:
        raise FolderInUseError(
            f"Another store is already running on {directory}. Stop it first, or use another data folder."
        ) from None
    except OSError as error:
        raise StartError(f"The data folder {directory} cannot be used: {error.strerror}.") from None
    try:
        listener = _listen(host, port)
        asyncio.run(_serve(directory, listener, host, admins, ready, stop_when_closed, settings))
    finally:
        (directory / "running.json").unlink(missing_ok=True)
        lock.release()


class _Server(uvicorn.Server):
    """uvicorn's server, but it ends the feeds before it waits for them, and an end by a signal is an orderly one."""

    def __init__(self, store: Store, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._store = store

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in _signals()}
        try:
            yield
        finally:
            for number, answer in before.items():
                signal.signal(number, answer)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._store.stopping.set()
        await super().shutdown(sockets)


def _signals() -> list[signal.Signals]:
    """Those that end the store; not Ctrl-C where it is ignored, which is in a child of a program in a terminal."""
    return [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio turns Nagle's delay off only for sockets that say they are TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":  # there the option means that two processes may share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
    except OSError as error:
        listener.close()
        raise StartError(f"The store cannot listen on {host} port {port}: {error.strerror}.") from None
    listener.setblocking(False)
    return listener


async def _serve(
    directory: Path,
    listener: socket.socket,
    host: str,
    admins: Mapping[str, str],
    ready: Callable[[str], None],
    stop_when_closed: int | None,
    settings: Settings,
) -> None:
    store = Store(directory, admins, asyncio.get_running_loop(), settings)
    await _make_system_databases(store)
    shown = f"[{host}]" if ":" in host else host
    store.url = f"http://{shown}:{listener.getsockname()[1]}"
    server = _Server(
        store,
        uvicorn.Config(
            Application(store),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=120,
            timeout_graceful_shutdown=2,
        ),
    )
    if stop_when_closed is not None:
        _watch(stop_when_closed, server)
    serving = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if not serving.done():
        _tell_where(directory, store.url)
        ready(store.url)
    try:
        await serving
    finally:
        await store.end()


async def _make_system_databases(store: Store) -> None:
    if not store.databases.exists("_users"):
        await store.databases.create("_users")


def _watch(descriptor: int, server: uvicorn.Server) -> None:
    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(descriptor, 4096):
                pass
        server.should_exit = True

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _tell_where(directory: Path, url: str) -> None:
    """Tell other processes on this data folder where the store is; no secrets in it."""
    unfinished = directory / "running.json.new"
    unfinished.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    unfinished.replace(directory / "running.json")
