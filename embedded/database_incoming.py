"""Documents as clients send them, taken apart and checked. Pure.

Source: CouchDB's `couch_doc.erl`, `from_json_obj`: which members with an underscore exist and what they may hold.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request
from embedded.revtree import Revision, parse_revision

_IGNORED_MEMBERS = frozenset(
    ("_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq", "_access", "_replication_id", "_replication_state",
     "_replication_state_time", "_replication_state_reason", "_replication_stats")
)  # fmt: skip
MAXIMUM_DOCUMENT = 8_000_000
"""Bytes of one document's body without attachments; CouchDB's default `max_document_size`."""


@dataclass(slots=True)
class Incoming:
    """`path`: the revision the client names and its ancestors, newest first; empty when it names none.

    With new edits that is the parent, in a replica the revision itself. `text` is the body without members that begin
    with an underscore. `attachments` is the `_attachments` member as sent.
    """

    id: str
    path: list[Revision]
    deleted: bool
    body: dict[str, Any]
    text: str
    attachments: dict[str, Any] = field(default_factory=dict)


def check_id(id: object) -> str:
    """Raises 400 `illegal_docid` for what cannot be a document's id."""
    if not isinstance(id, str):
        raise bad_request("Document id must be a string", "illegal_docid")
    if not id:
        raise bad_request("Document id must not be empty", "illegal_docid")
    if id.startswith("_") and not id.startswith(("_design/", "_local/")):
        raise bad_request("Only reserved document ids may start with underscore.", "illegal_docid")
    if id in ("_design/", "_local/"):
        raise bad_request(f"Illegal document id `{id}`", "illegal_docid")
    return id


def check_partition(id: str) -> None:
    """In a partitioned database every id but a design document's has a partition. Raises 400 `illegal_docid`."""
    if id.startswith(("_design/", "_local/")):
        return
    partition, colon, key = id.partition(":")
    if not colon:
        raise bad_request("Doc id must be of form partition:id", "illegal_docid")
    if not partition:
        raise bad_request("Partition must not be empty", "illegal_docid")
    if partition.startswith("_"):
        raise bad_request("Partition must not start with an underscore", "illegal_docid")
    if not key:
        raise bad_request("Document id must not be empty", "illegal_docid")


def parse(document: object, *, id: str | None = None, replica: bool = False) -> Incoming:
    """Take a document apart. `id` is the one in the URL, which goes before the document's own.

    Raises 400 for what CouchDB refuses, 413 for a body that is too large.
    """
    if not isinstance(document, dict):
        raise bad_request("Document must be a JSON object")
    special = [name for name in document if name.startswith("_")]
    body = {name: value for name, value in document.items() if name not in special} if special else document
    for name in special:
        if name not in ("_id", "_rev", "_deleted", "_revisions", "_attachments") and name not in _IGNORED_MEMBERS:
            raise HttpError(400, "doc_validation", f"Bad special document member: {name}")
    text = json_text.text(body)
    if len(text) > MAXIMUM_DOCUMENT:
        raise HttpError(413, "document_too_large", check_id(id if id is not None else document.get("_id", "")))
    deleted = document.get("_deleted", False)
    if not isinstance(deleted, bool):
        raise HttpError(400, "doc_validation", "`_deleted` must be a boolean")
    attachments = document.get("_attachments", {})
    if not isinstance(attachments, dict):
        raise HttpError(400, "bad_request", "`_attachments` must be an object")
    return Incoming(
        check_id(document.get("_id", "") if id is None else id),
        _path(document, replica),
        deleted,
        body,
        text,
        attachments,
    )


def _path(document: dict[str, Any], replica: bool) -> list[Revision]:
    named = document.get("_rev")
    revisions = document.get("_revisions")
    if revisions is None or not replica:
        return [] if named is None else [parse_revision(named)]
    if not isinstance(revisions, dict):
        raise HttpError(400, "doc_validation", "`_revisions` must be an object")
    start, ids = revisions.get("start"), revisions.get("ids")
    if not isinstance(start, int) or isinstance(start, bool):
        raise HttpError(400, "doc_validation", "_revisions.start isn't an integer.")
    if not isinstance(ids, list):
        raise HttpError(400, "doc_validation", "_revisions.ids isn't a array.")
    if not ids:
        return [] if named is None else [parse_revision(named)]
    if not all(isinstance(digest, str) and digest for digest in ids):
        raise HttpError(400, "doc_validation", "RevId isn't a string")
    if start < len(ids) or start > 10**15:
        raise HttpError(400, "doc_validation", "_revisions.start is smaller than the number of ids.")
    path = [parse_revision(f"{start - index}-{digest}") for index, digest in enumerate(ids)]
    if named is not None and parse_revision(named) != path[0]:
        raise HttpError(400, "doc_validation", "_rev does not match the newest of _revisions.")
    return path


def new_revision(incoming: Incoming, parent: Revision | None, attachments: list[list[str]]) -> Revision:
    """The revision an edit makes: a digest of all that makes it what it is, so the same edit is the same revision.

    `attachments`: name, content type and digest of each, sorted by name.
    """
    identity = json_text.text([incoming.deleted, None if parent is None else str(parent), attachments])
    digest = hashlib.md5(f"{identity}{json_text.canonical(incoming.body)}".encode(), usedforsecurity=False)
    return Revision(1 if parent is None else parent.position + 1, digest.hexdigest())
