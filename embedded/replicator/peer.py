"""The requests of the CouchDB replication protocol, to one side of a replication.

Each method is one step of the protocol and returns plain data. What may pass by itself (a lost connection, a busy
server) is tried again a few times; everything else ends as a `ReplicationError` with a reason in words.
"""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

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
from embedded.replicator.request import Selection
from embedded.replicator.transport import LostConnection, Reply, Transport

_BUSY = (429, 500, 502, 503, 504)
_WAITS = (0.25, 1.0, 4.0)
"""Seconds before each new try."""
_LONGEST_WAIT = 30.0
"""Seconds. Who asks for more patience than this is left alone: the next replication goes on from here."""
_WRITING_SECONDS = 60.0
"""What a large write may take beyond the usual time."""
_HEARTBEAT_MILLISECONDS = "10000"


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """`revisions`: for each document its changed leaves. `pending`: how many changes remain, where the peer says so."""

    revisions: dict[str, list[str]]
    last_seq: Any
    pending: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Missing:
    """What the target lacks of one document, and which older revisions it has."""

    revisions: list[str]
    ancestors: list[str]


def document_path(id: str) -> str:
    for reserved in ("_design/", "_local/"):
        if id.startswith(reserved):
            return reserved + quote(id.removeprefix(reserved), safe="")
    return quote(id, safe="")


class Peer:
    """One side. `name` is how it is called in messages: a URL without credentials or a database's name."""

    def __init__(
        self, name: str, transport: Transport, has_password: bool, cancelled: threading.Event, retries: int
    ) -> None:
        self.name = name
        self.transport = transport
        self._has_password = has_password
        self._cancelled = cancelled
        self._tries = retries + 1
        self._has_bulk_get = True
        self._is_refused = False

    # --- asking

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
                if reply.status not in _BUSY or last or asked_for > _LONGEST_WAIT:
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
        if reply.status in _BUSY:
            told = _error_of(reply)[1].rstrip(".")
            wait = _retry_after(reply)
            later = f", and wants to be asked again in {wait:.0f} s" if wait else ""
            raise ReplicationError("error", f"{self.name} answered {reply.status} ({told}){later}.", transient=True)
        if reply.status == 401 and not about_a_document:
            if self._has_password:
                self._is_refused = True
                raise wrong_password(self.name)
            raise not_allowed(self.name, "unauthorized", _error_of(reply)[1])
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
            error, reason = _error_of(reply)
            if reply.status == 403:
                raise not_allowed(self.name, "forbidden", reason)
            if reply.status == 404 and "database" in reason.lower():
                raise database_not_found(self.name)
            raise ReplicationError(error or "error", f"{self.name} answered {reply.status}: {reason}")
        return self._json(reply, kind)

    # --- the database

    def open(self) -> dict[str, Any]:
        """Information on the database. Raises at once when it is not there or not ours to see."""
        reply = self.ask("GET", "", tries=1)
        if reply.status == 404:
            self._json(reply, dict)
            raise database_not_found(self.name)
        information: dict[str, Any] = self._succeeded(reply)
        if "db_name" not in information and "update_seq" not in information:
            raise not_couchdb(self.name, "what it says of itself is no database's information.")
        return information

    def create(self, params: Mapping[str, str]) -> None:
        """Create the database; that it exists already is fine."""
        reply = self.ask("PUT", "", params, tries=1)
        if reply.status != 412:
            self._succeeded(reply)

    # --- checkpoints

    def local_document(self, id: str) -> dict[str, Any] | None:
        reply = self.ask("GET", document_path(id))
        if reply.status == 404:
            return None
        document: dict[str, Any] = self._succeeded(reply)
        return document

    def put_local_document(self, id: str, fields: dict[str, Any], rev: str | None) -> str:
        """Save it and return its revision; a writer that was quicker, or an earlier try of ours, is overwritten."""
        for _ in range(3):
            body = {"_id": id, **fields, **({} if rev is None else {"_rev": rev})}
            reply = self.ask("PUT", document_path(id), value=body)
            if reply.status != 409:
                return str(self._succeeded(reply)["rev"])
            rev = (self.local_document(id) or {}).get("_rev")
        raise ReplicationError(
            "checkpoint_commit_failure", f"{self.name} does not take the checkpoint.", transient=True
        )

    # --- what changed

    def filter_code(self, selection: Selection) -> str:
        """The text of the filter function, so that another text is another replication. Raises when it is not there."""
        if selection.filter is None or selection.filter.startswith("_"):
            return ""
        design, _, name = selection.filter.partition("/")
        reply = self.ask("GET", document_path(f"_design/{design}"))
        if reply.status != 404:
            filters = self._succeeded(reply).get("filters")
            code = filters.get(name) if isinstance(filters, dict) else None
            if isinstance(code, str):
                return code
        raise ReplicationError("filter_fetch_error", f"{self.name} has no filter {selection.filter}.", status=404)

    def changes(
        self, since: Any, limit: int, selection: Selection, *, style: str, wait_seconds: float | None = None
    ) -> ChangesPage:
        """The next changes after `since`. `wait_seconds`: wait so long for one when there is none."""
        query = {
            "style": style,
            "since": since if isinstance(since, str) else json_text.text(since),
            "limit": str(limit),
            "seq_interval": str(limit),
        }
        if wait_seconds is None:
            query |= {"feed": "normal", "heartbeat": _HEARTBEAT_MILLISECONDS}
        else:
            query |= {"feed": "longpoll", "timeout": str(int(wait_seconds * 1000))}
        body: dict[str, Any] | None = None
        if selection.doc_ids is not None:
            query["filter"], body = "_doc_ids", {"doc_ids": list(selection.doc_ids)}
        elif selection.selector is not None:
            query["filter"], body = "_selector", {"selector": selection.selector}
        elif selection.filter is not None:
            query["filter"] = selection.filter
            for name, value in selection.query_params.items():
                query[name] = value if isinstance(value, str) else json_text.text(value)
        reply = self.ask("GET" if body is None else "POST", "_changes", query, body, longer=wait_seconds or 0)
        return self._changes_page(self._succeeded(reply), limit)

    def _changes_page(self, told: dict[str, Any], limit: int) -> ChangesPage:
        revisions: dict[str, list[str]] = {}
        try:
            for row in told["results"]:
                leaves = revisions.setdefault(row["id"], [])
                leaves.extend(change["rev"] for change in row["changes"])
            pending = told.get("pending", 0)
            complete = len(told["results"]) < limit
            return ChangesPage(revisions, told["last_seq"], pending if isinstance(pending, int) else 0, complete)
        except (KeyError, TypeError, AttributeError):
            raise not_couchdb(self.name, "its list of changes is not what the protocol says.") from None

    def revs_diff(self, revisions: dict[str, list[str]]) -> dict[str, Missing]:
        """What the database lacks of these."""
        told = self._succeeded(self.ask("POST", "_revs_diff", value=revisions))
        try:
            return {
                id: Missing(list(lack["missing"]), list(lack.get("possible_ancestors", ())))
                for id, lack in told.items()
                if lack.get("missing")
            }
        except (KeyError, TypeError, AttributeError):
            raise not_couchdb(self.name, "its answer to _revs_diff is not what the protocol says.") from None

    # --- documents

    def documents(
        self, missing: Mapping[str, Missing], most_bytes: int | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        """The missing revisions with their histories, attachments as stubs; and how many bytes that were.

        A revision that is gone meanwhile is left out: what replaced it is a change of its own. Raises `AnswerTooLarge`.
        """
        if self._has_bulk_get:
            wanted = [{"id": id, "rev": rev} for id, lack in missing.items() for rev in lack.revisions]
            query = {"revs": "true", "latest": "true"}
            reply = self.ask("POST", "_bulk_get", query, {"docs": wanted}, most_bytes=most_bytes)
            if reply.status not in (404, 405, 501):
                return self._bulk_documents(self._succeeded(reply)), len(reply.body)
            self.open()
            self._has_bulk_get = False
        documents: list[dict[str, Any]] = []
        size = 0
        for id, lack in missing.items():
            query = {"open_revs": json_text.text(lack.revisions), "revs": "true", "latest": "true"}
            reply = self.ask("GET", document_path(id), query)
            size += len(reply.body)
            documents += [entry["ok"] for entry in self._succeeded(reply, list) if "ok" in entry]
        return documents, size

    def _bulk_documents(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        documents: dict[tuple[str, str], dict[str, Any]] = {}
        try:
            for result in told["results"]:
                for entry in result["docs"]:
                    if "ok" in entry:
                        # With `latest` two revisions asked for may be answered with the same one.
                        documents[entry["ok"]["_id"], entry["ok"]["_rev"]] = entry["ok"]
                    elif entry["error"].get("error") != "not_found":
                        reason = entry["error"].get("reason", "no reason given")
                        raise ReplicationError("error", f"{self.name} does not give {result['id']}: {reason}")
        except (KeyError, TypeError, AttributeError):
            raise not_couchdb(self.name, "its answer to _bulk_get is not what the protocol says.") from None
        return list(documents.values())

    def write(self, texts: Sequence[bytes]) -> list[str]:
        """Write replicas, each given as JSON text. Returns a sentence for each that was refused.

        Raises `RefusedAsAWhole` when one of them keeps all the others away.
        """
        body = b'{"new_edits":false,"docs":[' + b",".join(texts) + b"]}"
        reply = self._ask_raw("POST", "_bulk_docs", None, body, longer=_WRITING_SECONDS)
        if reply.status in (400, 412, 413):
            raise RefusedAsAWhole(self._refusal(reply))
        told = self._succeeded(reply, list)
        return [
            f"{entry.get('id')}: {entry.get('reason', entry['error'])}"
            for entry in told
            if isinstance(entry, dict) and "error" in entry
        ]

    def write_one(self, id: str, text: bytes) -> str | None:
        """Write one replica. Returns why it was refused, None when it was not."""
        query = {"new_edits": "false"}
        return self._outcome(self._ask_raw("PUT", document_path(id), query, text, _WRITING_SECONDS, True), id)

    def write_with_attachments(self, id: str, content_type: str, parts: list[bytes | Path]) -> str | None:
        """Write one replica as `multipart/related`. Returns why it was refused; raises `MissingStub`."""
        query = {"new_edits": "false"}
        send = functools.partial(self.transport.upload, document_path(id), query, content_type, parts)
        return self._outcome(self._checked(self._persistently(send, self._tries), about_a_document=True), id)

    @contextlib.contextmanager
    def attachment(self, id: str, name: str, rev: str) -> Iterator[Iterator[bytes]]:
        """The bytes of an attachment, piece by piece. Raises `LostConnection`: what came before is not all of it."""
        with self.transport.download(f"{document_path(id)}/{quote(name, safe='/')}", {"rev": rev}) as download:
            if download.status in _BUSY:
                raise LostConnection(f"it answered {download.status} for the attachment {name} of {id}.")
            if download.status == 401 and self._has_password:
                self._is_refused = True
                raise wrong_password(self.name)
            if download.status != 200:
                # The revision may have been replaced meanwhile: then the next run sees the one that replaced it.
                told = f"{self.name} answered {download.status} for the attachment {name} of {id}."
                raise ReplicationError("error", told, transient=True)
            yield download.pieces

    def _outcome(self, reply: Reply, id: str) -> str | None:
        if reply.status < 300 or reply.status == 409:
            # The sign-in page of a network answers 200 as well, and has kept nothing.
            self._json(reply, dict)
            return None
        error, reason = _error_of(reply)
        if reply.status == 412 and error == "missing_stub":
            raise MissingStub(reason)
        if reply.status in (400, 401, 403, 412, 413):
            return f"{id}: {self._refusal(reply)}"
        self._succeeded(reply)
        return None

    def _refusal(self, reply: Reply) -> str:
        """Why the database refused. Raises when it was something on the way that answered.

        Except for a size: a proxy's limit is as good a reason as the database's own.
        """
        if reply.status == 413:
            return "it is too large for the target."
        told = self._json(reply, dict)
        return str(told.get("reason", told.get("error", "no reason given")))

    def close(self) -> None:
        self.transport.close()


class RefusedAsAWhole(Exception):  # noqa: N818
    """A request with several documents was refused for one of them: they have to be written one by one."""


class MissingStub(Exception):  # noqa: N818
    """The target does not have an attachment that was only named: it must be sent."""


def _error_of(reply: Reply) -> tuple[str, str]:
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
