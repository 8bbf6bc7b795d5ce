"""Running the store: one process, one data folder, one port."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn
from filelock import FileLock, Timeout

from embedded.http.connection import Connection
from embedded.server import Application, Store
from embedded.server_settings import Settings

DEFAULTS = Settings()
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class StartError(Exception):
    """The store cannot start; the text is a sentence for a person."""


class FolderInUseError(StartError):
    """Another process runs a store on the data folder."""


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Where the store answers over TLS, and the PEM files of its certificate (with its chain) and private key."""

    host: str
    port: int
    certificate: Path
    key: Path


def check_certificate(encrypted: Encrypted) -> None:
    """Raises StartError unless the two files are a certificate and its key."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(encrypted.certificate, encrypted.key)
    except ssl.SSLError as error:
        raise StartError(
            f"{encrypted.certificate} and {encrypted.key} are not a certificate and its private key in PEM format "
            f"({error.reason or error})."
        ) from None
    except OSError as error:
        raise StartError(
            f"The certificate {encrypted.certificate} or its key {encrypted.key} cannot be read: {error.strerror}."
        ) from None


def serve(
    directory: Path,
    host: str,
    port: int,
    admins: Mapping[str, str],
    ready: Callable[[str], None],
    stop_when_closed: int | None = None,
    settings: Settings = DEFAULTS,
    encrypted: Encrypted | None = None,
) -> None:
    """Serve until told to stop. `ready` is called with the URL once requests are answered.

    `stop_when_closed`: a file descriptor; the store ends when its other side is closed, so that it never outlives the
    process that started it. `encrypted`: a second address on which the same store answers over TLS. Raises StartError.
    """
    for address in (host, *([encrypted.host] if encrypted else [])):
        if not admins and address not in _LOOPBACK:
            raise StartError(
                f"The store was told to listen on {address} but has no admin password, so anybody could reach it. "
                "Set one, or listen on 127.0.0.1."
            )
    allow_many_files()
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
        listeners = [_listen(host, port)]
        if encrypted is not None:
            check_certificate(encrypted)
            listeners.append(_listen(encrypted.host, encrypted.port))
        asyncio.run(_serve(directory, listeners, host, admins, ready, stop_when_closed, settings, encrypted))
    finally:
        (directory / "running.json").unlink(missing_ok=True)
        lock.release()


_MANY_FILES = 4096
"""What 200 dealers with a connection each and their databases need several times over."""


def allow_many_files() -> None:
    """Lets this process open as many files and connections as it may; some systems begin with 256."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise, and has no such limit for sockets
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MANY_FILES if hard == resource.RLIM_INFINITY else min(_MANY_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class _Server(uvicorn.Server):
    """uvicorn's server, but it ends the feeds before it waits for them, ends at once when nothing is under way, and an
    end by a signal is an orderly one."""

    def __init__(self, store: Store, config: uvicorn.Config, takes_signals: bool = True) -> None:
        super().__init__(config)
        self._store = store
        self._takes_signals = takes_signals
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Let `serve` return; from whatever thread."""
        self.should_exit = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: it has ended already
            self._store.loop.call_soon_threadsafe(self._ending.set)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        self.end()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        signals = _signals() if self._takes_signals else []
        before = {number: signal.signal(number, self.handle_exit) for number in signals}
        try:
            yield
        finally:
            for number, answer in before.items():
                signal.signal(number, answer)

    async def main_loop(self) -> None:
        """uvicorn's looks ten times a second whether it is to end; this is told, and keeps the date in the answers."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DATE_SECONDS):
                    await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends when every answer under way is complete, or after `timeout_graceful_shutdown`."""
        self._store.stopping.set()
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.config.timeout_graceful_shutdown):
                while (self.server_state.connections or self.server_state.tasks) and not self.force_exit:
                    await asyncio.sleep(_LOOKS_SECONDS)
        for task in self.server_state.tasks:
            task.cancel()


_DATE_SECONDS = 1.0
_LOOKS_SECONDS = 0.005


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
    listeners: list[socket.socket],
    host: str,
    admins: Mapping[str, str],
    ready: Callable[[str], None],
    stop_when_closed: int | None,
    settings: Settings,
    encrypted: Encrypted | None,
) -> None:
    store = Store(directory, admins, asyncio.get_running_loop(), settings)
    await _make_system_databases(store)
    shown = f"[{host}]" if ":" in host else host
    store.url = f"http://{shown}:{listeners[0].getsockname()[1]}"
    application = Application(store)
    server = _Server(store, _configuration(application))
    servers = [server]
    if encrypted is not None:
        servers.append(_Server(store, _configuration(application, encrypted), takes_signals=False))
    if stop_when_closed is not None:
        _watch(stop_when_closed, server)
    serving = [
        asyncio.ensure_future(one.serve(sockets=[listener])) for one, listener in zip(servers, listeners, strict=True)
    ]
    while not all(one.started for one in servers) and not any(one.done() for one in serving):
        await asyncio.sleep(0.005)
    if not any(one.done() for one in serving):
        _tell_where(directory, store.url)
        ready(store.url)
    try:
        await asyncio.wait(serving, return_when=asyncio.FIRST_COMPLETED)
        for one in servers:
            one.end()
        await asyncio.gather(*serving)
    finally:
        await store.end()


def _configuration(application: Application, encrypted: Encrypted | None = None) -> uvicorn.Config:
    class Patient(Connection):
        patience = application.store.settings.request_timeout

    return uvicorn.Config(
        application,
        http=Patient,
        ws="none",
        lifespan="off",
        interface="asgi3",
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=120,
        timeout_graceful_shutdown=2,
        ssl_certfile=encrypted.certificate if encrypted else None,
        ssl_keyfile=encrypted.key if encrypted else None,
    )


async def _make_system_databases(store: Store) -> None:
    if not store.databases.exists("_users"):
        await store.databases.create("_users")


def _watch(descriptor: int, server: _Server) -> None:
    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(descriptor, 4096):
                pass
        server.end()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _tell_where(directory: Path, url: str) -> None:
    """Tell other processes on this data folder where the store is; no secrets in it."""
    unfinished = directory / "running.json.new"
    unfinished.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    unfinished.replace(directory / "running.json")
