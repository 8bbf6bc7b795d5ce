"""The demo's three data folders: one manufacturer, two dealers, each configured as a real node would be."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from app.config import Settings, check_address, read_settings
from app.errors import IronbookError
from app.node import book_name, make_data_folder
from app.secrets import STORE, Secrets

DEALERS = {"D001": "Hartmann Baumaschinen, Kassel", "D002": "Alpland Maschinen, Innsbruck"}
MANUFACTURER = "Head office"
STORE_PREFIX = "ironbook-demo-"
SYNC_EVERY_MINUTES = 1
_READY = "ready.json"
Table = dict[str, str | int]
# No letters that are mistaken for another: the password is read off a screen and typed.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class OutsideCouch:
    """The CouchDB that holds the manufacturer's databases, when the demo is given one."""

    url: str
    user: str
    password: str


def read_couch_address(url: str) -> OutsideCouch:
    """Splits the credentials off a CouchDB's address; a missing password comes from IRONBOOK_STORE_PASSWORD."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    bare = urlunsplit((parts.scheme, f"{host}:{port}" if port else host, parts.path.rstrip("/"), "", ""))
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

    def clear(self) -> None:
        """Removes the demo's folders. Raises IronbookError for a folder that is not a demo's."""
        if not self.root.exists():
            return
        known = {path.name for path in self.all()} | {_READY}
        strangers = sorted(path.name for path in self.root.iterdir() if path.name not in known)
        if strangers:
            raise IronbookError(
                f"{self.root} holds {strangers[0]}, which is not the demo's, so nothing was removed; "
                f"choose another folder with --folder."
            )
        shutil.rmtree(self.root)


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
        upstream, prefix = couch.url, STORE_PREFIX
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
                "user": f"dealer-{code.lower()}",
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
