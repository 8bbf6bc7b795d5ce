"""The demo's three data folders: one manufacturer, two dealers, each configured as a real node would be."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from filelock import FileLock, Timeout

from app.config import Settings, check_address, read_settings
from app.errors import IronbookError
from app.node import book_name, make_data_folder
from app.secrets import STORE, Secrets

DEALERS = {"D001": "Hartmann Baumaschinen, Kassel", "D002": "Alpland Maschinen, Innsbruck"}
MANUFACTURER = "Head office"
STORE_PREFIX = "ironbook-demo-"
# Of a demo whose folder goes away again: it must not meet one that is kept.
ONCE_PREFIX = "ironbook-once-"
SYNC_EVERY_MINUTES = 1
_READY = "ready.json"
_LOCK = "demo.lock"
# What a killed demo started ends by itself; this long it may take, in seconds.
_ENDING_PATIENCE = 15.0
Table = dict[str, str | int]
# No letters that are mistaken for another: the password is read off a screen and typed.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class OutsideCouch:
    """The CouchDB that holds the manufacturer's databases, when the demo is given one."""

    url: str
    user: str
    password: str
    prefix: str = STORE_PREFIX

    @property
    def address_with_user(self) -> str:
        """The address with the user's name in it, and without the password."""
        parts = urlsplit(self.url)
        return urlunsplit((parts.scheme, f"{quote(self.user, safe='')}@{parts.netloc}", parts.path, "", ""))


def read_couch_address(url: str) -> OutsideCouch:
    """Splits the credentials off a CouchDB's address; a missing password comes from IRONBOOK_STORE_PASSWORD."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme not in ("http", "https") or not host:
        # Not said back: there may be a password in it.
        raise IronbookError("--couchdb must be an address such as http://admin@127.0.0.1:5984.")
    shown = f"[{host}]" if ":" in host else host
    bare = urlunsplit((parts.scheme, f"{shown}:{port}" if port else shown, parts.path.rstrip("/"), "", ""))
    check_address(bare, "--couchdb")
    user = unquote(parts.username or "admin")
    password = unquote(parts.password or "") or os.environ.get("IRONBOOK_STORE_PASSWORD", "")
    if not password:
        raise IronbookError(
            f"The CouchDB at {bare} needs {user}'s password: put it into IRONBOOK_STORE_PASSWORD and try again."
        )
    return OutsideCouch(bare, user, password)


@dataclass(frozen=True)
class DemoFolders:
    """Where the demo keeps its nodes."""

    root: Path

    @property
    def manufacturer(self) -> Path:
        """The manufacturer's data folder."""
        return self.root / "manufacturer"

    def dealer(self, code: str) -> Path:
        """A dealer's data folder."""
        return self.root / code.lower()

    def all(self) -> list[Path]:
        """Every node's data folder, the manufacturer's first."""
        return [self.manufacturer, *(self.dealer(code) for code in DEALERS)]

    def settings(self, folder: Path) -> Settings:
        """The settings of one of the demo's nodes; what the environment says of other nodes does not count."""
        environment = {name: value for name, value in os.environ.items() if name == "IRONBOOK_LOG_LEVEL"}
        return read_settings(folder, environment)

    @property
    def ready(self) -> bool:
        """Whether an earlier start filled these folders to the end."""
        return (self.root / _READY).is_file()

    def mark_ready(self, password: str) -> None:
        """Notes that the folders are complete, and the password of the demo's logins."""
        path = self.root / _READY
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"password": password}, file)

    def password(self) -> str:
        """The password of the demo's logins."""
        return str(json.loads((self.root / _READY).read_text(encoding="utf-8"))["password"])

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps the folder for one demo at a time, until the end of the ``with``. Raises IronbookError when another
        demo has it, when it holds something else, or when it cannot be written to."""
        if not self.ready:
            self._refuse_strangers()
        lock = FileLock(self.root / _LOCK)
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire(timeout=0)
        except Timeout:
            raise IronbookError(
                f"Another demo is running from {self.root}: stop that one, or choose another folder with --folder."
            ) from None
        except OSError as error:
            raise IronbookError(
                f"The folder {self.root} cannot be written to ({error.strerror or error}), so nothing was started; "
                f"choose another folder with --folder."
            ) from error
        try:
            yield
        finally:
            lock.release()

    def couch_address(self) -> str | None:
        """The CouchDB that the demo in this folder has its databases on; empty for none, None when there is no demo."""
        try:
            configuration = tomllib.loads((self.manufacturer / "config.toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return str(configuration.get("store", {}).get("url", ""))

    def clear(self) -> None:
        """Removes what is in the demo's folder. Raises IronbookError for a folder that is not a demo's."""
        if not self.root.exists():
            return
        self._refuse_strangers()
        self._wait_for_stores()
        # First the note that all is complete: what is removed in part only is not a demo.
        (self.root / _READY).unlink(missing_ok=True)
        try:
            for folder in self.all():
                if folder.exists():
                    shutil.rmtree(folder)
        except OSError as error:
            raise IronbookError(
                f"{error.filename or self.root} could not be removed ({error.strerror or error}); "
                f"remove {self.root} yourself, or choose another folder with --folder."
            ) from error

    def _refuse_strangers(self) -> None:
        known = {path.name for path in self.all()} | {_READY, _LOCK}
        try:
            strangers = sorted(path.name for path in self.root.iterdir() if path.name not in known)
        except FileNotFoundError:
            return
        except OSError as error:
            raise IronbookError(
                f"The folder {self.root} cannot be read ({error.strerror or error}); choose another with --folder."
            ) from error
        if strangers:
            raise IronbookError(
                f"{self.root} holds {strangers[0]}, which is not the demo's, so nothing was removed; "
                f"choose another folder with --folder."
            )

    def _wait_for_stores(self) -> None:
        """A store that a killed demo left is about to end, and must not write into what is made anew."""
        until = time.monotonic() + _ENDING_PATIENCE
        for folder in self.all():
            while (address := _store_address(folder)) and _listens(*address):
                if time.monotonic() > until:
                    raise IronbookError(
                        f"The store in {folder} is still running, so nothing was removed; stop what runs it, or choose "
                        f"another folder with --folder."
                    )
                time.sleep(0.1)


def _store_address(folder: Path) -> tuple[str, int] | None:
    """Where the store of a node's data folder listens, if it left a note of that."""
    try:
        parts = urlsplit(json.loads((folder / "store" / "running.json").read_text(encoding="utf-8"))["url"])
        return (parts.hostname, parts.port) if parts.hostname and parts.port else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listens(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((host, port)) == 0


def make_password() -> str:
    """A random password for the demo's logins."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))


def free_port() -> int:
    """A port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_configurations(folders: DemoFolders, ports: list[int], couch: OutsideCouch | None) -> None:
    """Writes each node's ``config.toml``. `ports`: the manufacturer's pages, its store, then each dealer's pages."""
    manufacturer_pages, manufacturer_store, *dealer_pages = ports
    if couch:
        upstream, prefix = couch.url, couch.prefix
        store: Table = {"url": couch.url, "user": couch.user, "prefix": prefix}
    else:
        upstream, prefix = f"http://127.0.0.1:{manufacturer_store}", ""
        store = {"port": manufacturer_store}
    _write(
        folders.manufacturer,
        {"node": {"role": "manufacturer", "name": MANUFACTURER}, "web": {"port": manufacturer_pages}, "store": store},
    )
    if couch:
        Secrets(folders.manufacturer).set(STORE, couch.password)
    for (code, name), port in zip(DEALERS.items(), dealer_pages, strict=True):
        _write(
            folders.dealer(code),
            {"node": {"role": "dealer", "dealer": code, "name": name}, "web": {"port": port}},
            {
                "name": "manufacturer",
                "url": upstream,
                "user": f"{prefix}dealer-{code.lower()}",
                "catalog": f"{prefix}catalog",
                "book": f"{prefix}{book_name(code)}",
                "share": "manufacturer",
                "every_minutes": SYNC_EVERY_MINUTES,
            },
        )


def _write(
    folder: Path,
    sections: dict[str, Table],
    connection: Table | None = None,
) -> None:
    make_data_folder(folder)
    lines = ["# Written by ironbook demo."]
    for section, table in sections.items():
        lines += ["", f"[{section}]", *_toml_lines(table)]
    if connection:
        lines += ["", "[[connections]]", *_toml_lines(connection)]
    (folder / "config.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml_lines(table: Table) -> list[str]:
    # A JSON text is a TOML text too, for strings and whole numbers.
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in table.items()]
