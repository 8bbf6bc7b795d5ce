"""One request to a store through python-couchdb: threads, timeouts, and every error as one of ours."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from app.couch.certificates import trusting_only
from app.couch.errors import StoreError, answered, no_store, unreachable
from app.couch.python_couchdb import couchdb, couchdb_http

# Seconds without a byte from the store before a request is given up. Reading a view may have to build its index first.
USUAL = 60.0
BUILDING = 900.0
REPLICATING = 6 * 3600.0

_STATUS = {
    couchdb_http.Unauthorized: 401,
    couchdb_http.Forbidden: 403,
    couchdb_http.ResourceNotFound: 404,
    couchdb_http.ResourceConflict: 409,
    couchdb_http.PreconditionFailed: 412,
}
# What a gateway in front of a store says in its own words means what it means in the store's.
_SAID_WITHOUT_JSON = (401, 413, 429, 502, 503, 504)
_NO_REDIRECTS = -1
_Answer = TypeVar("_Answer")


class _Forgetful(dict[str, Any]):
    """A cache that keeps nothing: python-couchdb's own would hold pages of views for as long as a thread lives."""

    def __setitem__(self, key: str, value: Any) -> None:
        return


class _PinnedPool(couchdb_http.ConnectionPool):  # type: ignore[misc]
    """python-couchdb's connections, to a server that may have this one certificate and no other."""

    def __init__(self, timeout: float, certificate: str) -> None:
        super().__init__(timeout)
        self._context = trusting_only(certificate)

    def get(self, url: str) -> http.client.HTTPConnection:
        parts = urlsplit(url)
        with self.lock:
            waiting = self.conns.setdefault((parts.scheme, parts.netloc), [])
            if waiting:
                connection: http.client.HTTPConnection = waiting.pop()
                return connection
        if parts.scheme != "https":
            raise ValueError("an address with a certificate of its own begins with https://")
        connection = couchdb_http.HTTPSConnection(parts.netloc, timeout=self.timeout, context=self._context)
        connection.connect()
        return connection


class Asking:
    """Requests to one store as one user. Each thread has its own python-couchdb sessions, one for each timeout."""

    def __init__(self, url: str, user: str, password: str, certificate: str = "") -> None:
        self.url = url.rstrip("/")
        self.user = user
        self._password = password
        self._certificate = certificate
        self._local = threading.local()

    def server(self, timeout: float = USUAL) -> couchdb.Server:
        """This thread's server with that timeout, in seconds."""
        servers: dict[float, couchdb.Server] | None = getattr(self._local, "servers", None)
        if servers is None:
            servers = self._local.servers = {}
        server = servers.get(timeout)
        if server is None:
            session = couchdb_http.Session(cache=_Forgetful(), timeout=timeout, max_redirects=_NO_REDIRECTS)
            if self._certificate:
                session.connection_pool = _PinnedPool(timeout, self._certificate)
            resource = couchdb_http.Resource(self.url, session)
            # Set here and not in the address, which error messages and logs may show.
            resource.credentials = (self.user, self._password) if self.user else None
            server = servers[timeout] = couchdb.Server(resource)
        return server

    def json(
        self,
        method: str,
        path: Iterable[str],
        body: Any = None,
        parameters: Mapping[str, Any] | None = None,
        timeout: float = USUAL,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON answer to one request. Raises StoreError or one of its kinds."""
        # A POST without a body needs it too, or CouchDB answers 415.
        sent = {"Content-Type": "application/json"} if method == "POST" else {}
        sent.update(headers or {})

        def ask() -> Any:
            resource = self.server(timeout).resource(*path)
            call = getattr(resource, f"{method.lower()}_json")
            arguments = {} if body is None else {"body": body}
            _, _, answer = call(headers=sent, **arguments, **(parameters or {}))
            if answer is None or isinstance(answer, dict | list | str | int):
                return answer
            raise no_store(self.url, "its answer is not JSON")

        return self.guarded(ask)

    def content(self, path: Iterable[str]) -> tuple[bytes, str]:
        """The bytes and the content type at `path`."""

        def ask() -> tuple[bytes, str]:
            _, headers, data = self.server().resource(*path).get(headers={"Accept": "*/*"})
            return (data.read() if data is not None else b""), headers.get("content-type", "application/octet-stream")

        return self.guarded(ask)

    def guarded(self, ask: Callable[[], _Answer]) -> _Answer:
        """What `ask` returns; python-couchdb's and the network's errors become StoreErrors."""
        try:
            return ask()
        except couchdb_http.HTTPError as problem:
            raise self._answered(problem) from None
        except couchdb_http.RedirectLimit:
            raise no_store(self.url, "it sends its callers elsewhere, as the sign-in page of a network does") from None
        except json.JSONDecodeError:
            raise no_store(self.url, "its answer is not JSON") from None
        except (OSError, http.client.HTTPException) as problem:
            raise unreachable(self.url, problem) from problem
        except UnicodeEncodeError as problem:
            raise StoreError(f"A text holds a character that cannot be stored: {problem.reason}.", 400) from None
        except ValueError as problem:
            raise StoreError(f"A value cannot be stored: {problem}.", 400) from None
        except (AttributeError, TypeError) as problem:
            # python-couchdb takes for granted that an error comes with a content type and a short body.
            if _raised_in_python_couchdb(problem):
                raise no_store(self.url, "its error has no content type or no JSON") from problem
            raise

    def _answered(self, problem: couchdb_http.HTTPError) -> StoreError:
        status = _STATUS.get(type(problem), 0)
        details = problem.args[0] if problem.args else ""
        if not status and isinstance(details, tuple) and len(details) == 2:
            status, details = details
        if not isinstance(details, tuple):
            if status not in _SAID_WITHOUT_JSON:
                return no_store(self.url, f"it answers {status or 'an error'} without JSON")
            details = "", ""
        error, reason = details
        return answered(self.url, self.user, status or 500, str(error or ""), str(reason or ""))


def _raised_in_python_couchdb(problem: BaseException) -> bool:
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and str(trace.tb_frame.f_globals.get("__name__", "")).startswith("couchdb.")
