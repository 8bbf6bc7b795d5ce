"""Asking one side of a replication: what may pass by itself is tried again, what is no answer is an error."""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from embedded.http import json_text
from embedded.replicator.errors import (
    Cancelled,
    ReplicationError,
    database_not_found,
    not_allowed,
    not_couchdb,
    unreachable,
    wrong_password,
)
from embedded.replicator.transport import LostConnection, Reply, Transport

BUSY = (429, 500, 502, 503, 504)
_WAITS = (0.25, 1.0, 4.0)
"""Seconds before each new try."""
_LONGEST_WAIT = 30.0
"""Seconds. Who asks for more patience than this is left alone: the next replication goes on from here."""


class Asking:
    """One side. `name` is how it is called in messages: a URL without credentials or a database's name."""

    def __init__(
        self, name: str, transport: Transport, has_password: bool, cancelled: threading.Event, retries: int
    ) -> None:
        self.name = name
        self.transport = transport
        self._has_password = has_password
        self._cancelled = cancelled
        self._tries = retries + 1
        self._is_refused = False

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        value: Any = None,
        *,
        tries: int | None = None,
        longer: float = 0,
        most_bytes: int | None = None,
    ) -> Reply:
        """One request, tried again while that may help. The reply has any status but those that say "later"."""
        body = None if value is None else json_text.text(value).encode()
        send = functools.partial(self.transport.ask, method, path, query, body, longer, most_bytes)
        return self._checked(self._persistently(send, tries or self._tries))

    def _ask_raw(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        body: bytes,
        longer: float,
        about_a_document: bool = False,
    ) -> Reply:
        send = functools.partial(self.transport.ask, method, path, query, body, longer)
        return self._checked(self._persistently(send, self._tries), about_a_document)

    def pause(self, attempt: int, loss: LostConnection) -> None:
        """Wait before a new try of a download that broke off. Raises when `attempt` (from 0) was the last one."""
        if attempt + 1 >= self._tries:
            raise unreachable(self.name, loss.why) from loss
        if self._cancelled.wait(_WAITS[min(attempt, len(_WAITS) - 1)]):
            raise Cancelled

    def _persistently(self, send: Callable[[], Reply], tries: int) -> Reply:
        if self._is_refused:
            # Not even to record how far it came: a few refusals lock the account.
            raise wrong_password(self.name)
        for attempt in range(tries):
            last = attempt + 1 == tries
            wait = _WAITS[min(attempt, len(_WAITS) - 1)]
            try:
                reply = send()
            except LostConnection as loss:
                if last:
                    raise unreachable(self.name, loss.why) from loss
            else:
                asked_for = _retry_after(reply)
                if reply.status not in BUSY or last or asked_for > _LONGEST_WAIT:
                    return reply
                wait = max(wait, asked_for)
            if self._cancelled.wait(wait):
                raise Cancelled
        raise AssertionError("the last try returns or raises")

    def _checked(self, reply: Reply, about_a_document: bool = False) -> Reply:
        """Refuses what no request of ours may be answered with. A 401 may be meant for the one document alone."""
        if 300 <= reply.status < 400 and reply.status != 304:
            place = reply.headers.get("location", "elsewhere")
            raise not_couchdb(self.name, f"it redirects to {_without_secrets(place)}.")
        if reply.status in BUSY:
            told = error_of(reply)[1].rstrip(".")
            wait = _retry_after(reply)
            later = f", and wants to be asked again in {wait:.0f} s" if wait else ""
            raise ReplicationError("error", f"{self.name} answered {reply.status} ({told}){later}.", transient=True)
        if reply.status == 401 and not about_a_document:
            if self._has_password:
                self._is_refused = True
                raise wrong_password(self.name)
            raise not_allowed(self.name, "unauthorized", error_of(reply)[1])
        if reply.status == 401 and self._has_password:
            # Were it the password, every document to come would be one more attempt with it.
            self.ask("GET", "", tries=1)
        return reply

    def _json(self, reply: Reply, kind: type[Any]) -> Any:
        try:
            value = json.loads(reply.body)
        except (ValueError, RecursionError):
            told = reply.headers.get("content-type", "nothing readable").split(";")[0]
            raise not_couchdb(
                self.name,
                f"the answer with status {reply.status} is {told}, not JSON; something between may have answered.",
            ) from None
        if not isinstance(value, kind):
            raise not_couchdb(self.name, f"the answer with status {reply.status} is not what the protocol says.")
        return value

    def _succeeded(self, reply: Reply, kind: type[Any] = dict) -> Any:
        if reply.status >= 400:
            # An error page of something on the way says nothing about this user or this database.
            self._json(reply, dict)
            error, reason = error_of(reply)
            if reply.status == 403:
                raise not_allowed(self.name, "forbidden", reason)
            if reply.status == 404 and "database" in reason.lower():
                raise database_not_found(self.name)
            raise ReplicationError(error or "error", f"{self.name} answered {reply.status}: {reason}")
        return self._json(reply, kind)

    def close(self) -> None:
        self.transport.close()


def error_of(reply: Reply) -> tuple[str, str]:
    """The error code and the reason of a refusal, from whatever was answered."""
    try:
        told = json.loads(reply.body)
        return str(told.get("error", "error")), str(told.get("reason", "no reason given"))
    except (ValueError, RecursionError, AttributeError):
        return "error", "no reason given"


def _retry_after(reply: Reply) -> float:
    told = reply.headers.get("retry-after", "")
    # A date is not used: the two clocks may be years apart.
    return float(told[:9]) if told.isascii() and told.isdigit() else 0.0


def _without_secrets(url: str) -> str:
    return url.split("?")[0].rpartition("@")[2]
