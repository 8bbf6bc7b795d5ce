"""The requests of the CouchDB replication protocol, to one side of a replication.

Each method is one step of the protocol and returns plain data. What may pass by itself (a lost connection, a busy
server) is tried again a few times; everything else ends as a `ReplicationError` with a reason in words.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from embedded.http import json_text
from embedded.replicator.asking import BUSY, Asking, error_of
from embedded.replicator.errors import (
    ReplicationError,
    database_not_found,
    not_couchdb,
    wrong_password,
)
from embedded.replicator.request import Selection
from embedded.replicator.transport import LostConnection, Reply

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


class Peer(Asking):
    """The protocol's steps, to one side."""

    _has_bulk_get = True

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
            if download.status in BUSY:
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
        error, reason = error_of(reply)
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


class RefusedAsAWhole(Exception):  # noqa: N818
    """A request with several documents was refused for one of them: they have to be written one by one."""


class MissingStub(Exception):  # noqa: N818
    """The target does not have an attachment that was only named: it must be sent."""
