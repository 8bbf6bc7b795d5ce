"""A store: its databases, users and replications."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from app.couch.asking import REPLICATING, USUAL, Asking
from app.couch.database import Database
from app.couch.errors import NotFound, Refused, StoreError

Side = str | dict[str, Any]
_USERS = "_users"
# As many databases as CouchDB tells of in one request.
_INFOS = 100


# DESIGN section 7: what CouchDB 3 does is what is relied on.
_OLDEST_VERSION = 3


def is_too_old(welcome: Mapping[str, Any]) -> bool:
    """Whether a store that says this about itself is older than CouchDB 3, or does not say a version."""
    major = str(welcome.get("version", "")).split(".")[0]
    return not major.isdigit() or int(major) < _OLDEST_VERSION


class Store:
    """One CouchDB or embedded store, as one user.

    `url` is without credentials. Database names here are without `prefix`, which is put before each on the store
    itself, so that several nodes can share one CouchDB. `certificate` is the PEM text of the only certificate that its
    server may have; empty for one that a known authority signed. Safe to use from several threads.
    """

    def __init__(self, url: str, user: str, password: str, prefix: str = "", certificate: str = "") -> None:
        self._asking = Asking(url, user, password, certificate)
        self._password = password
        self._certificate = certificate
        self.url = self._asking.url
        self.user = user
        self.prefix = prefix

    @property
    def password(self) -> str:
        """The password of `user`."""
        return self._password

    def __repr__(self) -> str:
        return f"Store({self.url!r}, {self.user!r}, prefix={self.prefix!r})"

    def version(self) -> dict[str, Any]:
        """What the store says about itself, with ``version``. Raises WrongPassword as any other request does."""
        answer = self.welcome()
        # The welcome is for everybody; this is for those whose password is right, administrators or not.
        self._asking.json("GET", ["_session"])
        return answer

    def welcome(self) -> dict[str, Any]:
        """What the store says about itself to anybody, without asking for any right."""
        answer = self._asking.json("GET", [])
        if not isinstance(answer, dict) or "couchdb" not in answer:
            raise Refused(f"What answers at {self.url} is not a store. Check the address.")
        return answer

    def up(self) -> bool:
        """Whether the store answers and is ready. Never raises a StoreError."""
        try:
            self._asking.json("GET", ["_up"])
        except StoreError:
            return False
        return True

    def names(self) -> list[str]:
        """The databases with our prefix, sorted, without it; the store's own (``_users``) are left out."""
        every: list[str] = self._asking.json("GET", ["_all_dbs"])
        return [name[len(self.prefix) :] for name in every if name.startswith(self.prefix) and not name.startswith("_")]

    def infos(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """What :meth:`Database.info` says of each of these databases, in a few requests; missing ones are left out."""
        found: dict[str, dict[str, Any]] = {}
        for start in range(0, len(names), _INFOS):
            asked = names[start : start + _INFOS]
            lines = self._asking.json("POST", ["_dbs_info"], {"keys": [self.prefix + name for name in asked]})
            found |= {name: line["info"] for name, line in zip(asked, lines, strict=True) if line.get("info")}
        return found

    def database(self, name: str) -> Database:
        """The database called `name`. Asks nothing: whether it exists shows at the first request."""
        return Database(self._asking, name, self.prefix + name, self)

    def create(self, name: str, partitioned: bool = False) -> Database:
        """Makes a database; one that exists already is fine and stays as it is."""
        parameters = {"partitioned": True} if partitioned else {}
        try:
            self._asking.json("PUT", [self.prefix + name], parameters=parameters)
        except Refused as problem:
            if problem.status != 412:
                raise
        return self.database(name)

    def exists(self, name: str) -> bool:
        """Whether there is a database called `name`."""
        try:
            self._asking.json("GET", [self.prefix + name])
        except NotFound:
            return False
        return True

    def delete(self, name: str) -> None:
        """Deletes a database and everything in it. Raises NotFound when there is none."""
        self._asking.json("DELETE", [self.prefix + name])

    def set_security(self, name: str, members: Iterable[str] = (), roles: Iterable[str] = ()) -> None:
        """Lets these users, and users with these roles, read and write the database; administrators always may."""
        # An empty list of members would let everybody in.
        rules = {
            "admins": {"names": [], "roles": ["_admin"]},
            "members": {"names": sorted(members), "roles": sorted({*roles, "_admin"})},
        }
        self._asking.json("PUT", [self.prefix + name, "_security"], rules)

    def admit(self, name: str, user: str) -> None:
        """Lets one more user read and write the database."""
        self._set_member_names(name, lambda names: names | {user})

    def expel(self, name: str, user: str) -> None:
        """Takes what :meth:`admit` gave; a database that is gone admits nobody already."""
        with contextlib.suppress(NotFound):
            self._set_member_names(name, lambda names: names - {user})

    def _set_member_names(self, name: str, change: Callable[[set[str]], set[str]]) -> None:
        rules = self._asking.json("GET", [self.prefix + name, "_security"]) or {}
        members = rules.get("members") or {}
        self.set_security(name, change(set(members.get("names") or ())), members.get("roles") or ())

    def put_user(self, name: str, password: str, roles: Iterable[str] = ()) -> None:
        """Makes the store's user `name`, or gives it this password and these roles."""
        self.put_user_record(name, {"password": password}, roles)

    def put_user_record(self, name: str, record: Mapping[str, Any], roles: Iterable[str] = ()) -> None:
        """Makes the store's user `name`, or gives it these roles and what `record` says of its password.

        `record` is the password, or what ``_users`` keeps of one: scheme, salt, iterations and derived key.
        """
        user: dict[str, Any] = {
            "_id": f"org.couchdb.user:{name}",
            "name": name,
            **record,
            "roles": sorted(roles),
            "type": "user",
        }
        users = Database(self._asking, _USERS, _USERS, self)
        try:
            existing = users.get(user["_id"])
        except NotFound:
            self._asking.json("PUT", [_USERS])
            existing = None
        if existing:
            user["_rev"] = existing["_rev"]
        users.put(user)

    def delete_user(self, name: str) -> None:
        """Removes the store's user `name`; there being none is fine."""
        users = Database(self._asking, _USERS, _USERS, self)
        existing = users.get(f"org.couchdb.user:{name}")
        if existing:
            users.put({"_id": existing["_id"], "_rev": existing["_rev"], "_deleted": True})

    def endpoint(self, name: str) -> dict[str, Any]:
        """The database as one side of a replication, credentials apart from the address."""
        address: dict[str, Any] = {"url": f"{self.url}/{_quoted(self.prefix + name)}"}
        if self.user:
            address["auth"] = {"basic": {"username": self.user, "password": self._password}}
        if self._certificate:
            address["tls"] = {"certificate": self._certificate}
        return address

    def replicate(self, source: Side, target: Side, timeout: float = REPLICATING, **options: Any) -> dict[str, Any]:
        """Replicates once and returns the store's answer when it is done (``POST /_replicate``).

        A side is the name of a database of ours or an :meth:`endpoint`. `timeout` is in seconds; `options` are those
        of the replication protocol: ``selector``, ``doc_ids``, ``continuous``, ``cancel``, ``create_target`` …
        """
        sides = [self.endpoint(side) if isinstance(side, str) else side for side in (source, target)]
        answer: dict[str, Any] = self._asking.guarded(
            lambda: self._asking.server(timeout).replicate(sides[0], sides[1], **options)
        )
        return answer

    def tasks(self) -> list[dict[str, Any]]:
        """What the store is busy with (``_active_tasks``): replications and indexes being built."""
        answer: list[dict[str, Any]] = self._asking.json("GET", ["_active_tasks"], timeout=USUAL)
        return answer


def _quoted(name: str) -> str:
    return name.replace("/", "%2F").replace("+", "%2B")
