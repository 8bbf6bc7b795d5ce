"""``config.toml`` and the environment, read into :class:`Settings`."""

from __future__ import annotations

import os
import re
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.clock_times import parse_times
from app.errors import ConfigurationError
from app.project import ROOT

DEALER_CODE = re.compile(r"[A-Z][A-Z0-9]{0,15}")
DATABASE_PREFIX = re.compile(r"([a-z][a-z0-9_$()+-]*)?")
DATABASE_NAME = re.compile(r"[a-z][a-z0-9_$()+/-]*")
_LOG_LEVELS = ("debug", "info", "warning", "error")
_MOST_HORIZON_DAYS = 3650
_MOST_SESSION_HOURS = 24 * 365
_LONGEST_USER = 120


@dataclass(frozen=True)
class ConnectionSettings:
    """How to reach an upstream; see ``config.toml`` for what each setting means."""

    name: str
    url: str
    user: str
    catalog: str = "catalog"
    book: str = "book"
    share: str = "manufacturer"
    every_minutes: int = 15
    at: str = ""
    time_zone: str = ""
    certificate: str = ""

    @property
    def runs_by_itself(self) -> bool:
        """Whether it syncs on an interval or at clock times, and not on request only."""
        return self.every_minutes > 0 or bool(self.at)


@dataclass(frozen=True)
class Settings:
    """Every setting of one node. ``data`` is absolute; ``connections`` are those the configuration names."""

    role: str
    dealer: str
    name: str
    data: Path
    currency: str
    time_zone: str
    web_host: str
    web_port: int
    session_hours: int
    store_url: str
    store_user: str
    store_prefix: str
    store_host: str
    store_port: int
    horizon_days: int
    log_level: str
    public_host: str = ""
    public_port: int = 6984
    public_url: str = ""
    certificate: str = ""
    certificate_key: str = ""
    connections: tuple[ConnectionSettings, ...] = field(default=())

    @property
    def embedded(self) -> bool:
        """Whether this node runs the embedded store."""
        return not self.store_url


def read_settings(data: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the node whose data folder is `data` (default: what the configuration names).

    Raises ConfigurationError, naming file and setting, for anything unknown or of the wrong kind.
    """
    environ = os.environ if environ is None else environ
    merged = _read_toml(ROOT / "config.toml")
    defaults = {section: dict(table) for section, table in merged.items()}
    if data is None:
        data = Path(environ.get("IRONBOOK_NODE_DATA") or merged["node"]["data"])
    data = data.expanduser().absolute()
    own = data / "config.toml"
    connections: list[Any] = []
    if own.exists():
        overrides = _read_toml(own)
        connections = overrides.pop("connections", [])
        for section, table in overrides.items():
            _override(merged, defaults, section, table, str(own))
    _override_from_environment(merged, defaults, environ)
    return _checked(merged, data, _read_connections(connections, str(own)))


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        # Windows' editor puts a mark in front of UTF-8, which TOML does not know.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}.") from error


def _override(
    merged: dict[str, Any], defaults: dict[str, dict[str, Any]], section: str, table: Any, where: str
) -> None:
    if section not in defaults or not isinstance(table, dict):
        known = ", ".join(defaults)
        raise ConfigurationError(f"{where}: there is no section [{section}]; the sections are {known}.")
    for key, value in table.items():
        if key not in defaults[section]:
            known = ", ".join(defaults[section])
            raise ConfigurationError(f"{where}: [{section}] has no setting {key!r}; its settings are {known}.")
        expected = type(defaults[section][key])
        if type(value) is not expected:
            kind = {str: "a text in quotes", int: "a whole number"}[expected]
            raise ConfigurationError(f"{where}: {section}.{key} must be {kind}, not {value!r}.")
        merged[section][key] = value


def _override_from_environment(
    merged: dict[str, Any], defaults: dict[str, dict[str, Any]], environ: Mapping[str, str]
) -> None:
    for section, table in defaults.items():
        for key, default in table.items():
            name = f"IRONBOOK_{section}_{key}".upper()
            text = environ.get(name)
            if text is None:
                continue
            if isinstance(default, int):
                try:
                    merged[section][key] = int(text)
                except ValueError:
                    raise ConfigurationError(f"{name} must be a whole number, not {text!r}.") from None
            else:
                merged[section][key] = text


def _checked(merged: dict[str, Any], data: Path, connections: tuple[ConnectionSettings, ...]) -> Settings:
    node, web, store = merged["node"], merged["web"], merged["store"]
    if node["role"] not in ("dealer", "manufacturer"):
        raise ConfigurationError(f'node.role must be "dealer" or "manufacturer", not {node["role"]!r}.')
    if node["role"] == "dealer" and not DEALER_CODE.fullmatch(node["dealer"]):
        raise ConfigurationError(
            f"node.dealer must be a capital letter followed by capital letters and digits, 16 at most, "
            f"for example D001, not {node['dealer']!r}."
        )
    for section, table in (("web", web), ("store", store)):
        if not 0 <= table["port"] <= 65535:
            raise ConfigurationError(f"{section}.port must be between 0 and 65535, not {table['port']}.")
    if store["url"]:
        check_address(store["url"], "store.url")
    _check_public(store)
    if not DATABASE_PREFIX.fullmatch(store["prefix"]):
        raise ConfigurationError(
            f"store.prefix must begin with a small letter and hold small letters, digits and - only, "
            f"not {store['prefix']!r}."
        )
    if node["time_zone"]:
        check_time_zone(node["time_zone"], "node.time_zone")
    if merged["log"]["level"] not in _LOG_LEVELS:
        raise ConfigurationError(f"log.level must be one of {', '.join(_LOG_LEVELS)}, not {merged['log']['level']!r}.")
    _check_ranges(merged)
    return Settings(
        role=node["role"],
        dealer=node["dealer"] if node["role"] == "dealer" else "",
        name=node["name"],
        data=data,
        currency=node["currency"],
        time_zone=node["time_zone"],
        web_host=web["host"],
        web_port=web["port"],
        session_hours=web["session_hours"],
        store_url=store["url"].rstrip("/"),
        store_user=store["user"],
        store_prefix=store["prefix"],
        store_host=store["host"],
        store_port=store["port"],
        horizon_days=merged["parts"]["horizon_days"],
        log_level=merged["log"]["level"],
        public_host=store["public_host"],
        public_port=store["public_port"],
        public_url=store["public_url"].rstrip("/"),
        certificate=store["certificate"],
        certificate_key=store["certificate_key"],
        connections=connections,
    )


def _check_ranges(merged: Mapping[str, Any]) -> None:
    for name, value, most in (
        ("parts.horizon_days", merged["parts"]["horizon_days"], _MOST_HORIZON_DAYS),
        ("web.session_hours", merged["web"]["session_hours"], _MOST_SESSION_HOURS),
    ):
        if not 1 <= value <= most:
            raise ConfigurationError(f"{name} must be between 1 and {most}, not {value}.")
    for name, text, longest in (
        ("node.name", merged["node"]["name"], 80),
        ("node.currency", merged["node"]["currency"], 8),
    ):
        if not text.strip() or len(text) > longest or not text.isprintable():
            raise ConfigurationError(f"{name} must be a text of 1 to {longest} visible characters, not {text!r}.")
    _check_user(merged["store"]["user"], "store.user")


def _check_public(store: Mapping[str, Any]) -> None:
    if store["public_host"] and store["url"]:
        raise ConfigurationError(
            "store.public_host is for the embedded store; how the CouchDB of store.url is reached is its own setting."
        )
    if not 0 < store["public_port"] <= 65535:
        raise ConfigurationError(f"store.public_port must be between 1 and 65535, not {store['public_port']}.")
    if store["public_url"]:
        check_address(store["public_url"], "store.public_url")
    if bool(store["certificate"]) != bool(store["certificate_key"]):
        raise ConfigurationError("store.certificate and store.certificate_key go together: set both or none.")


def check_address(url: str, what: str) -> None:
    """Raises ConfigurationError unless `url` is a store's address without credentials in it."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(f"{what} must be an address such as http://127.0.0.1:5984, not {url!r}.")
    if parts.query or parts.fragment or any(character.isspace() for character in url):
        raise ConfigurationError(f"{what} must be an address without ?, # and spaces, not {url!r}.")
    if parts.username or parts.password:
        raise ConfigurationError(f"{what} must not hold a user or password: they belong into secrets.json.")


def check_time_zone(name: str, what: str) -> None:
    """Raises ConfigurationError unless `name` is a time zone such as ``Europe/Berlin``."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(f'{what} must be a name such as "Europe/Berlin", not {name!r}.') from None


def _check_user(name: str, what: str) -> None:
    """Raises ConfigurationError for what HTTP cannot carry as a user's name (RFC 7617: no colon)."""
    if not name or ":" in name or not name.isprintable() or len(name) > _LONGEST_USER:
        raise ConfigurationError(
            f"{what} must be a user's name of {_LONGEST_USER} characters at most, without a colon, not {name!r}."
        )


def _read_connections(tables: Any, where: str) -> tuple[ConnectionSettings, ...]:
    if not isinstance(tables, list):
        raise ConfigurationError(f"{where}: connections are tables headed [[connections]].")
    if not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{where}: connections are tables headed [[connections]].")
    connections = tuple(read_connection(table, f"{where}: connection {n}") for n, table in enumerate(tables, 1))
    names = [connection.name for connection in connections]
    for name in names:
        if names.count(name) > 1:
            raise ConfigurationError(f"{where}: two connections are named {name!r}; each needs its own name.")
    return connections


def read_connection(table: Mapping[str, Any], what: str) -> ConnectionSettings:
    """One connection from a table of settings, as in ``config.toml``.

    Raises ConfigurationError, beginning with `what`, for anything missing, unknown or of the wrong kind.
    """
    known = {"name": str, "url": str, "user": str, "catalog": str, "book": str, "share": str, "every_minutes": int}
    known |= {"at": str, "time_zone": str, "certificate": str}
    for key, value in table.items():
        if key not in known:
            raise ConfigurationError(f"{what} has an unknown setting {key!r}; its settings are {', '.join(known)}.")
        if type(value) is not known[key]:
            kind = "a text" if known[key] is str else "a whole number"
            raise ConfigurationError(f"{what}: {key} must be {kind}, not {value!r}.")
    for key in ("name", "url", "user"):
        if not table.get(key):
            raise ConfigurationError(f"{what} needs a value for {key}.")
    connection = ConnectionSettings(**table)
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,39}", connection.name):
        raise ConfigurationError(
            f"{what}: name must be small letters, digits and dashes, 40 at most, not {connection.name!r}."
        )
    check_address(connection.url, f"{what}: url")
    _check_user(connection.user, f"{what}: user")
    if connection.share not in ("manufacturer", "dealer"):
        raise ConfigurationError(f'{what}: share must be "manufacturer" or "dealer", not {connection.share!r}.')
    for key, database in (("catalog", connection.catalog), ("book", connection.book)):
        if not DATABASE_NAME.fullmatch(database):
            raise ConfigurationError(f"{what}: {key} must be a database's name in small letters, not {database!r}.")
    _check_times(connection, what)
    if connection.certificate:
        _check_certificate(connection, what)
    return connection


def _check_certificate(connection: ConnectionSettings, what: str) -> None:
    if not connection.url.startswith("https://"):
        raise ConfigurationError(f"{what}: an address with a certificate begins with https://, not {connection.url!r}.")
    try:
        ssl.create_default_context(cadata=connection.certificate)
    except ssl.SSLError:
        raise ConfigurationError(f"{what}: certificate must be a certificate in PEM format.") from None


def _check_times(connection: ConnectionSettings, what: str) -> None:
    if not 0 <= connection.every_minutes <= 7 * 24 * 60:
        raise ConfigurationError(f"{what}: every_minutes must be between 0 and 10080, not {connection.every_minutes}.")
    try:
        parse_times(connection.at)
    except ValueError as error:
        raise ConfigurationError(f"{what}: at must be times such as 06:00, 18:30, and {error} is none.") from None
    if connection.time_zone:
        check_time_zone(connection.time_zone, f"{what}: time_zone")
