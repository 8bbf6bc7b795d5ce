"""How a replication ends badly."""

from __future__ import annotations

from embedded.http.errors import HttpError


class ReplicationError(HttpError):
    """A replication that cannot start or go on; `error` is CouchDB's code for it.

    The status is 500, as CouchDB answers, unless the request itself was wrong: the fault is a peer's, and a 401 or 404
    would be read as this server's own. `transient`: trying again later may help.
    """

    def __init__(self, error: str, reason: str, status: int = 500, transient: bool = False) -> None:
        super().__init__(status, error, reason)
        self.transient = transient


class Cancelled(Exception):  # noqa: N818 - somebody asked for it, so it is no error
    """The replication was cancelled."""


def database_not_found(name: str) -> ReplicationError:
    return ReplicationError("db_not_found", f"could not open {name}: there is no such database.", status=404)


def wrong_password(name: str) -> ReplicationError:
    return ReplicationError("replication_auth_error", f"{name} does not accept this name and password.")


def not_allowed(name: str, error: str, reason: str) -> ReplicationError:
    """`error`: `unauthorized` or `forbidden`, as the peer said."""
    return ReplicationError(error, f"{error} to access or create database {name}: {reason}")


def unreachable(name: str, why: str) -> ReplicationError:
    return ReplicationError("error", f"{name} could not be reached: {why}", transient=True)


def not_couchdb(name: str, why: str) -> ReplicationError:
    return ReplicationError("error", f"{name} does not answer like a CouchDB: {why}", transient=True)
