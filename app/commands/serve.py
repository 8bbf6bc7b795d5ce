"""``ironbook serve``: the store, the pages and the schedule, until it is stopped."""

from __future__ import annotations

import contextlib
import importlib
import logging
import logging.handlers
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from filelock import FileLock, Timeout

from app.commands.options import data_option, stop_on_signals
from app.config import Settings, read_settings
from app.errors import ConfigurationError
from app.loopback import is_loopback

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger("ironbook.serve")

_THREADS = 8
_LOG_BYTES = 5_000_000
_STORE_AGAIN = 5.0
_ENDING = 5.0
"""Seconds that requests have to finish, and the thread that serves them to end."""


@click.command("serve")
@data_option
@click.option("--port", type=click.IntRange(0, 65535), help="The port of the pages (default: web.port).")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End when standard input does: with who started it.")
def command(data: Path | None, port: int | None, quiet: bool, with_parent: bool) -> None:
    """Run this node: its store, its pages and its schedule, until it is stopped with Ctrl-C."""
    settings = read_settings(data)
    serve(settings, settings.web_port if port is None else port, quiet, with_parent)


def serve(settings: Settings, port: int, quiet: bool = False, with_parent: bool = False) -> None:
    """Serves the pages of a node until a signal ends it, or, `with_parent`, standard input does.

    Raises ConfigurationError when it cannot start. A node whose settings a page has changed (it joined a dealer) is
    closed and opened again with the new ones.
    """
    from app.memory import share_one_heap

    share_one_heap()
    stopping = stop_on_signals()
    if with_parent:
        threading.Thread(target=_stop_with_input, args=(stopping,), name="parent", daemon=True).start()
    bound = _serve_once(settings, port, quiet, stopping)
    while not stopping.is_set():
        settings = read_settings(settings.data)
        bound = _serve_once(settings, bound, quiet, stopping)


def _serve_once(settings: Settings, port: int, quiet: bool, stopping: threading.Event) -> int:
    """Serves until a signal, or until the node has to be opened again; returns the port."""
    from app.node import make_data_folder, open_node

    # The port comes first: it is the cheapest thing that can be wrong.
    with _listening(settings.web_host, port) as listener, contextlib.ExitStack() as ending:
        make_data_folder(settings.data)
        ending.enter_context(_log_to_file(settings))
        ending.enter_context(_only_one(settings))
        node = ending.enter_context(open_node(settings, meanwhile=_load_pages))
        again = node.extensions["restart"] = threading.Event()
        host, bound = listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound}/"
        with _running(node, listener) as serving:
            if not quiet:
                click.echo(f"{settings.name} is at {address}  (Ctrl-C stops it)")
            log.info("%s serves %s", settings.name, address)
            watch = StoreWatch(node)
            while not stopping.wait(0.5) and not again.is_set():
                if not serving.is_alive():
                    raise ConfigurationError("The pages stopped being served; the log says why.")
                watch.look()
            if again.is_set():
                # The page that asked for it is still on its way to the browser.
                stopping.wait(0.5)
        log.info("%s stopped", settings.name)
    return int(bound)


@contextlib.contextmanager
def _running(node: Node, listener: socket.socket) -> Iterator[threading.Thread]:
    """The pages and the schedule of a node; gives the thread that serves the pages."""
    from waitress import wasyncore
    from waitress.server import create_server

    from app import create_app
    from app.design.indexes import IndexKeeper
    from app.replication.schedule import Schedule
    from app.web.imports import remove_uploads

    remove_uploads(node.settings.data)
    connections: dict[int, Any] = {}
    server = create_server(
        create_app(node),
        map=connections,
        sockets=[listener],
        threads=_THREADS,
        ident="Ironbook",
        clear_untrusted_proxy_headers=True,
    )
    schedule = Schedule(node)
    node.extensions["schedule"] = schedule
    schedule.start()
    indexes = IndexKeeper(node)
    indexes.start()
    serving = threading.Thread(target=server.run, name="pages", daemon=True)
    serving.start()
    try:
        yield serving
    finally:
        indexes.stop()
        schedule.stop()
        server.task_dispatcher.shutdown(timeout=_ENDING)
        # All connections with the rest: a browser keeps its own, and would go on talking to pages of a node that is
        # closed. By the thread that waits for them, because until it stops waiting the system keeps the port.
        server.trigger.pull_trigger(lambda: wasyncore.close_all(connections))
        serving.join(_ENDING)


def _load_pages() -> None:
    """Loads what the pages and the schedule are made of, a quarter of a second in which the store starts."""
    for name in ("waitress.server", "app.design.installing", "app.replication.schedule"):
        importlib.import_module(name)
    from app import web

    web.load_pages()


class StoreWatch:
    """Starts the embedded store again when it was killed, and says what happened: once, not at every try."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said = ""
        self._again_at = 0.0

    def look(self) -> None:
        """Looks once; after a failure to start it, not again for some seconds."""
        if self._node.store_process is None or time.monotonic() < self._again_at:
            return
        try:
            said = "The store had ended and was started again." if self._node.store_process.revive() else ""
        except ConfigurationError as error:
            said = str(error)
            self._again_at = time.monotonic() + _STORE_AGAIN
        if said and said != self._said:
            log.error("%s", said)
            click.echo(said, err=True)
        self._said = said


@contextlib.contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Two processes that serve one data folder would keep two schedules. Raises ConfigurationError."""
    folder = settings.data / "locks"
    folder.mkdir(exist_ok=True)
    lock = FileLock(str(folder / "serve.lock"))
    try:
        lock.acquire(timeout=0.2)
    except Timeout:
        raise ConfigurationError(
            f"The data folder {settings.data} is served already by another process; stop that one, or choose another "
            f"folder with --data."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _stop_with_input(stopping: threading.Event) -> None:
    # Not through sys.stdin: a thread that waits in it would hold its lock when the interpreter ends.
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    stopping.set()


@contextlib.contextmanager
def _listening(host: str, port: int) -> Any:
    try:
        information = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise ConfigurationError(f"web.host {host!r} is not an address of this computer.") from error
    listener = socket.socket(information[0], information[1])
    try:
        # On Windows SO_REUSEADDR would let two processes share the port.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(information[4])
            listener.listen(128)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} on {host} cannot be used ({error.strerror or error}): another program has it, or it is "
                f"not allowed. Choose another with --port or web.port."
            ) from error
        _warn_beyond_loopback(host)
        yield listener
    finally:
        listener.close()


def _warn_beyond_loopback(host: str) -> None:
    if not is_loopback(host):
        click.echo(f"The pages are served beyond this computer, on {host}, without encryption.", err=True)


@contextlib.contextmanager
def _log_to_file(settings: Settings) -> Iterator[None]:
    try:
        handler = logging.handlers.RotatingFileHandler(
            settings.data / "ironbook.log", maxBytes=_LOG_BYTES, backupCount=3, encoding="utf-8"
        )
    except OSError as error:
        raise ConfigurationError(
            f"The log {settings.data / 'ironbook.log'} cannot be written: {error.strerror}."
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.removeHandler(handler)
        handler.close()
