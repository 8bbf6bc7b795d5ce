"""Documents as clients send them, taken apart and checked. Pure.

Source: CouchDB's `couch_doc.erl`, `from_json_obj`: which members with an underscore exist and what they may hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded import attachments
from embedded.attachments import Attachment
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request
from embedded.large_contents import FilePart
from embedded.revtree import Revision, parse_revision

_MEMBERS = frozenset(("_id", "_rev", "_deleted", "_revisions", "_attachments"))
_IGNORED_MEMBERS = frozenset(("_revs_info", "_conflicts", "_deleted_conflicts", "_local_seq", "_access"))
_KEPT_MEMBERS = frozenset(
    ("_replication_id", "_replication_state", "_replication_state_time", "_replication_state_reason",
     "_replication_stats")
)  # fmt: skip
"""What CouchDB's replicator notes in documents; part of the body like any other member."""
MAXIMUM_DOCUMENT = 8_000_000
"""Bytes of one document's body without attachments; CouchDB's default `max_document_size`."""


@dataclass(slots=True)
class Incoming:
    """`path`: the revision the client names and its ancestors, newest first; empty when it names none.

    With new edits that begins with the parent, in a replica with the revision itself. `text` is the body without
    the members that are about the document rather than in it.
    """

    id: str
    path: list[Revision]
    deleted: bool
    body: dict[str, Any]
    text: str
    attachments: list[Attachment] = field(default_factory=list)


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


def parse(
    document: object,
    *,
    id: str | None = None,
    replica: bool = False,
    following: Mapping[str, bytes | FilePart] | None = None,
) -> Incoming:
    """Take a document apart. `id` is the one in the URL, which goes before the document's own; `following` the contents
    of attachments that came beside the document.

    Raises 400 for what CouchDB refuses, 413 for a body that is too large.
    """
    if not isinstance(document, dict):
        raise bad_request("Document must be a JSON object")
    special = [name for name in document if name.startswith("_") and name not in _KEPT_MEMBERS]
    body = document.copy() if special else document
    for name in special:
        del body[name]
        if name not in _MEMBERS and name not in _IGNORED_MEMBERS:
            raise _bad_member(name)
    text = json_text.text(body)
    if len(text) > MAXIMUM_DOCUMENT:
        raise HttpError(413, "document_too_large", check_id(document.get("_id", "") if id is None else id))
    deleted = document.get("_deleted", False)
    if not isinstance(deleted, bool):
        raise _bad_member("_deleted")
    told = document.get("_attachments", {})
    if not isinstance(told, dict):
        raise _bad_member("_attachments")
    checked_id = check_id(document.get("_id", "") if id is None else id)
    path = _path(document, has_history=not checked_id.startswith("_local/"))
    if replica and not path:
        raise bad_request("When `new_edits: false`, the document needs `_rev` or `_revisions` specified")
    return Incoming(
        checked_id,
        path,
        deleted,
        body,
        text,
        attachments.parse(told, following) if told else [],
    )


def _bad_member(name: str) -> HttpError:
    return HttpError(400, "doc_validation", f"Bad special document member: {name}")


def _path(document: dict[str, Any], has_history: bool) -> list[Revision]:
    """Where both are given `_revisions` counts, as in CouchDB. `_local` documents have no history."""
    named = parse_revision(document["_rev"]) if "_rev" in document else None
    if "_revisions" not in document or not has_history:
        return [] if named is None else [named]
    revisions = document["_revisions"]
    if not isinstance(revisions, dict):
        raise _bad_member("_revisions")
    start, ids = revisions.get("start"), revisions.get("ids")
    if not isinstance(start, int) or isinstance(start, bool):
        raise HttpError(400, "doc_validation", "_revisions.start isn't an integer.")
    if not isinstance(ids, list):
        raise HttpError(400, "doc_validation", "_revisions.ids isn't a array.")
    if not all(isinstance(digest, str) for digest in ids):
        raise HttpError(400, "doc_validation", "RevId isn't a string")
    if not ids:
        return [] if named is None else [named]
    if start < len(ids) or start > 10**15:
        raise HttpError(400, "doc_validation", "_revisions.start is smaller than the number of ids.")
    return [parse_revision(f"{start - index}-{digest}") for index, digest in enumerate(ids)]


def new_revision(incoming: Incoming, parent: Revision | None, attached: list[Attachment]) -> Revision:
    """The revision an edit makes: a digest of all that makes it what it is, so the same edit is the same revision."""
    contents = sorted([one.name, one.content_type, one.digest] for one in attached)
    identity = json_text.text([incoming.deleted, None if parent is None else str(parent), contents])
    digest = hashlib.md5(f"{identity}{json_text.canonical(incoming.body)}".encode(), usedforsecurity=False)
    return Revision(1 if parent is None else parent.position + 1, digest.hexdigest())
