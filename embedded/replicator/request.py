"""What a client asks of `POST /_replicate`, checked and understood. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
import urllib.parse
from dataclasses import dataclass, field, replace
from typing import Any

from embedded.http import json_text
from embedded.http.errors import bad_request

DEFAULT_BATCH = 500
DEFAULT_CHECKPOINT_SECONDS = 5.0
DEFAULT_TIMEOUT_SECONDS = 30.0
DEFAULT_RETRIES = 3


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a replication: a URL of another server, or the name of a database of this store.

    `address` is without credentials; for a URL it ends in a slash, as CouchDB writes it. `database`: the name when it
    is one of this store's, also when a URL leads there. A plain name is used with the rights of whoever asks.
    `certificate`: PEM text of the only certificate that its server may have; empty for one of a known authority.
    """

    address: str
    database: str | None = None
    as_caller: bool = False
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    certificate: str = ""

    def basic_header(self) -> str:
        """The Authorization header for `user`."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password or ''}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which documents replicate: all, or those that one of these admits. `filter_code` is read from the source."""

    doc_ids: tuple[str, ...] | None = None
    selector: dict[str, Any] | None = None
    filter: str | None = None
    query_params: dict[str, Any] = field(default_factory=dict)
    filter_code: str = ""


@dataclass(frozen=True, slots=True)
class Replication:
    """A replication as it was asked for. Times in seconds, `batch` in documents."""

    source: Side
    target: Side
    selection: Selection = Selection()
    continuous: bool = False
    create_target: bool = False
    create_target_params: tuple[tuple[str, str], ...] = ()
    since_seq: Any = None
    use_checkpoints: bool = True
    winning_revs_only: bool = False
    batch: int = DEFAULT_BATCH
    checkpoint_seconds: float = DEFAULT_CHECKPOINT_SECONDS
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    retries: int = DEFAULT_RETRIES

    def with_filter_code(self, code: str) -> Replication:
        return replace(self, selection=replace(self.selection, filter_code=code))

    def checkpoint_id(self, server: str) -> str:
        """The name of its checkpoints. The same replication has the same whoever asks; another filter another."""
        chosen = self.selection
        parts: list[Any] = [server, _identity(self.source), _identity(self.target)]
        parts.append(sorted(set(chosen.doc_ids)) if chosen.doc_ids is not None else None)
        parts.append([chosen.selector, chosen.filter, chosen.filter_code, chosen.query_params])
        if self.winning_revs_only:
            parts.append("winning_revs_only")
        return hashlib.md5(json_text.canonical(parts).encode(), usedforsecurity=False).hexdigest()

    def job_id(self, server: str) -> str:
        """What the client calls the running replication: CouchDB's `_local_id`."""
        return (
            self.checkpoint_id(server)
            + ("+continuous" if self.continuous else "")
            + ("+create_target" if self.create_target else "")
        )


def _identity(side: Side) -> list[Any]:
    place = ["url", side.address] if side.database is None else ["database", side.database]
    secrets = ("authorization", "cookie")
    return [*place, sorted([name, value] for name, value in side.headers if name.lower() not in secrets)]


def parse_replication(body: dict[str, Any], own_url: str) -> Replication:
    """`own_url`: of this store. Raises 400 with a reason for anything that cannot be meant."""
    return Replication(
        source=_localised(_side(body, "source"), own_url),
        target=_localised(_side(body, "target"), own_url),
        selection=_selection(body),
        continuous=_flag(body, "continuous"),
        create_target=_flag(body, "create_target"),
        create_target_params=_create_params(body),
        since_seq=_since(body),
        use_checkpoints=_flag(body, "use_checkpoints", True),
        winning_revs_only=_flag(body, "winning_revs_only"),
        batch=int(_number(body, "worker_batch_size", DEFAULT_BATCH, 1, 10_000)),
        checkpoint_seconds=_number(body, "checkpoint_interval", DEFAULT_CHECKPOINT_SECONDS * 1000, 0, 86_400_000)
        / 1000,
        timeout_seconds=_number(body, "connection_timeout", DEFAULT_TIMEOUT_SECONDS * 1000, 100, 3_600_000) / 1000,
        retries=int(_number(body, "retries_per_request", DEFAULT_RETRIES, 0, 100)),
    )


def _side(body: dict[str, Any], name: str) -> Side:
    given = body.get(name)
    if given is None:
        raise bad_request(f"Missing replicator database: `{name}` must say which database to use.")
    if isinstance(given, str):
        return _place(given, name, {}, None)
    if not isinstance(given, dict) or not isinstance(given.get("url"), str):
        raise bad_request(f"`{name}` must be the name or URL of a database, or an object with a `url`.")
    headers = given.get("headers", {})
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        raise bad_request(f"`headers` of `{name}` must be an object of texts.")
    return replace(_place(given["url"], name, headers, _basic(given, name)), certificate=_certificate(given, name))


def _certificate(given: dict[str, Any], name: str) -> str:
    """`tls.certificate` of a side: what CouchDB has no word for, a certificate that is trusted and no other."""
    tls = given.get("tls")
    if tls is None:
        return ""
    certificate = tls.get("certificate") if isinstance(tls, dict) else None
    if not isinstance(certificate, str):
        raise bad_request(f"`tls` of `{name}` must hold `certificate`, a certificate in PEM format.")
    try:
        ssl.PEM_cert_to_DER_cert(certificate)
        ssl.create_default_context(cadata=certificate)
    except (ValueError, ssl.SSLError):
        raise bad_request(f"`tls.certificate` of `{name}` is not a certificate in PEM format.") from None
    return certificate


def _localised(side: Side, own_url: str) -> Side:
    """A URL that leads to this store itself needs no network, and stays the same database on another port."""
    asked, own = urllib.parse.urlsplit(side.address), urllib.parse.urlsplit(own_url)
    parts = [part for part in asked.path.split("/") if part]
    if side.as_caller or asked.scheme != own.scheme or asked.port != own.port or len(parts) != 1:
        return side
    loopback = ("127.0.0.1", "::1", "localhost")
    if asked.hostname != own.hostname and not (asked.hostname in loopback and own.hostname in loopback):
        return side
    # As the server reads paths: a `+` is a space there, as in CouchDB.
    return replace(side, database=urllib.parse.unquote_plus(parts[0]))


def _basic(given: dict[str, Any], name: str) -> tuple[str, str] | None:
    auth = given.get("auth")
    basic = auth.get("basic") if isinstance(auth, dict) else None
    if auth is None:
        return None
    if not isinstance(basic, dict):
        raise bad_request(f"`auth` of `{name}` must hold `basic` with `username` and `password`.")
    user, password = basic.get("username"), basic.get("password")
    if not isinstance(user, str) or not isinstance(password, str):
        raise bad_request(f"`auth.basic` of `{name}` must hold `username` and `password` as texts.")
    return user, password


def _place(text: str, name: str, headers: dict[str, str], basic: tuple[str, str] | None) -> Side:
    if "://" not in text:
        if not text:
            raise bad_request(f"Missing replicator database: `{name}` is empty.")
        name = urllib.parse.unquote(text)
        return Side(name, name, as_caller=True)
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise bad_request(f"`{name}` is not a URL that can be used.") from None
    if parts.scheme.lower() not in ("http", "https") or not host or parts.path.strip("/") == "":
        raise bad_request(f"`{name}` must be a URL like https://host/database.")
    if parts.username is not None and basic is None:
        basic = (urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or ""))
    kept, from_header = _without_basic(headers)
    user, password = basic or from_header or (None, None)
    host = f"[{host}]" if ":" in host else host.lower()
    place = host if port is None else f"{host}:{port}"
    address = f"{parts.scheme.lower()}://{place}{parts.path.rstrip('/')}/"
    return Side(address, None, False, user, password, kept)


def _without_basic(headers: dict[str, str]) -> tuple[tuple[tuple[str, str], ...], tuple[str, str] | None]:
    """The headers without basic authentication, and the name and password it held: they are no part of an identity."""
    basic = None
    kept = []
    for header, value in headers.items():
        kind, _, encoded = value.partition(" ")
        if header.lower() == "authorization" and kind.lower() == "basic":
            try:
                user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                raise bad_request("The Authorization header cannot be read.") from None
            basic = (user, password)
        else:
            kept.append((header, value))
    return tuple(kept), basic


def _selection(body: dict[str, Any]) -> Selection:
    given = [name for name in ("doc_ids", "selector", "filter") if body.get(name) is not None]
    if len(given) > 1:
        raise bad_request(f"`{given[0]}` and `{given[1]}` cannot be used together.")
    if not given:
        return Selection()
    value = body[given[0]]
    if given == ["doc_ids"]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise bad_request("`doc_ids` must be a list of document ids.")
        return Selection(doc_ids=tuple(value))
    if given == ["selector"]:
        if not isinstance(value, dict):
            raise bad_request("`selector` must be a JSON object.")
        return Selection(selector=value)
    params = body.get("query_params", {})
    if not isinstance(value, str) or not isinstance(params, dict):
        raise bad_request("`filter` must be a text like `designname/filtername`, and `query_params` an object.")
    if not value.startswith("_") and value.count("/") != 1:
        raise bad_request("`filter` must be of the form `designname/filtername`.")
    return Selection(filter=value, query_params=params)


def _create_params(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    given = body.get("create_target_params") or {}
    if not isinstance(given, dict):
        raise bad_request("`create_target_params` must be an object.")
    return tuple((name, value if isinstance(value, str) else json_text.text(value)) for name, value in given.items())


def _since(body: dict[str, Any]) -> Any:
    since = body.get("since_seq")
    if since is None or isinstance(since, (str, list)) or (isinstance(since, int) and not isinstance(since, bool)):
        return since
    raise bad_request("`since_seq` must be an update sequence.")


def _flag(body: dict[str, Any], name: str, default: bool = False) -> bool:
    value = body.get(name, default)
    if value in ("true", "false"):
        return bool(value == "true")
    if not isinstance(value, bool):
        raise bad_request(f"`{name}` must be true or false.")
    return value


def _number(body: dict[str, Any], name: str, default: float, least: int, most: int) -> float:
    value = body.get(name, default)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise bad_request(f"`{name}` must be a number from {least} to {most}.")
    return value


def cancelled_job(body: dict[str, Any]) -> str | None:
    """The id of the job a cancellation names, where it names one and does not repeat the request."""
    for name in ("replication_id", "_local_id", "id"):
        value = body.get(name)
        if value is not None:
            if not isinstance(value, str):
                raise bad_request(f"`{name}` must be a text.")
            # A `+` in a query or form turns into a space on the way.
            return value.replace(" ", "+")
    return None
