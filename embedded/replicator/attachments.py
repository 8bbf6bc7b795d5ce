"""Attachments on their way: which must be sent, and the `multipart/related` body they are sent in.

A revision names its attachments; the target has those already that came with a revision it knows. Only the others
travel: a photo is not sent again because somebody corrected the note beside it.
"""

from __future__ import annotations

import base64
import itertools
import json
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded.http import json_text
from embedded.replicator.peer import MissingStub, Peer
from embedded.replicator.transport import LostConnection

INLINE_BYTES = 16 * 1024
"""Attachments of a revision that are no larger than this together travel inside the document, with many others."""


def has_attachments(document: Mapping[str, Any]) -> bool:
    attachments = document.get("_attachments")
    return isinstance(attachments, dict) and bool(attachments)


def unknown_attachments(document: Mapping[str, Any], ancestors: Iterable[str]) -> set[str]:
    """The names of the attachments that a database with these older revisions cannot have. Pure.

    `revpos` is the generation in which an attachment came: what came no later than the newest shared ancestor is there.
    """
    revisions = document.get("_revisions") or {}
    start, ids = revisions.get("start", 0), revisions.get("ids", [])
    mine = {f"{start - index}-{digest}": start - index for index, digest in enumerate(ids)}
    shared = max((mine[ancestor] for ancestor in ancestors if ancestor in mine), default=0)
    attachments: dict[str, Any] = document["_attachments"]
    return {name for name, about in attachments.items() if not 0 < about.get("revpos", shared + 1) <= shared}


def length_of(document: Mapping[str, Any], names: Iterable[str]) -> int:
    """Bytes of these attachments together."""
    return sum(int(document["_attachments"][name].get("length", INLINE_BYTES + 1)) for name in names)


def inline(source: Peer, document: dict[str, Any]) -> dict[str, Any]:
    """The document with all its attachments in it."""
    attachments = {}
    for name, about in document["_attachments"].items():
        content = _fetch_bytes(source, document, name)
        kept = {key: about[key] for key in ("content_type", "revpos") if key in about}
        attachments[name] = {**kept, "data": base64.b64encode(content).decode()}
    return {**document, "_attachments": attachments}


def _fetch_bytes(source: Peer, document: dict[str, Any], name: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="replication-") as directory:
        return _fetch(source, document, name, Path(directory) / "attachment").read_bytes()


def _fetch(source: Peer, document: dict[str, Any], name: str, path: Path) -> Path:
    """Download an attachment into a file. A download that broke off starts again."""
    expected = document["_attachments"][name].get("length")
    for attempt in itertools.count():
        try:
            with source.attachment(document["_id"], name, document["_rev"]) as pieces, path.open("wb") as file:
                for piece in pieces:
                    file.write(piece)
            if expected is None or path.stat().st_size == expected:
                return path
            raise LostConnection(f"the attachment {name} of {document['_id']} did not arrive whole.")
        except LostConnection as loss:
            source.pause(attempt, loss)
    raise AssertionError("the last pause raises")


@dataclass(frozen=True, slots=True)
class Multipart:
    content_type: str
    parts: list[bytes | Path]


def multipart(document: dict[str, Any], contents: Mapping[str, Path]) -> Multipart:
    """The body of a PUT with the document first and then each content in the order the document names them.

    Source: CouchDB's API reference, "Creating Multiple Attachments".
    """
    boundary = secrets.token_hex(16)
    attachments: dict[str, Any] = {}
    for name, about in document["_attachments"].items():
        kept = {key: about[key] for key in ("content_type", "revpos", "digest") if key in about}
        if name in contents:
            kept.pop("digest", None)
            attachments[name] = {**kept, "follows": True, "length": contents[name].stat().st_size}
        else:
            attachments[name] = {**kept, "length": about.get("length", 0), "stub": True}
    text = json_text.text({**document, "_attachments": attachments})
    parts: list[bytes | Path] = [f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{text}".encode()]
    for name, about in attachments.items():
        if name not in contents:
            continue
        disposition = json.dumps(name, ensure_ascii=False)
        kind = str(about.get("content_type", "application/octet-stream")).replace("\r", "").replace("\n", "")
        head = (
            f"\r\n--{boundary}\r\nContent-Disposition: attachment; filename={disposition}\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {about['length']}\r\n\r\n"
        )
        parts += [head.encode(), contents[name]]
    parts.append(f"\r\n--{boundary}--".encode())
    return Multipart(f'multipart/related; boundary="{boundary}"', parts)


def send(source: Peer, target: Peer, document: dict[str, Any], needed: set[str]) -> str | None:
    """Move one revision with large attachments. Returns why it was refused, None when it was not."""
    directory = Path(tempfile.mkdtemp(prefix="replication-"))
    try:
        try:
            return _send(source, target, document, needed, directory)
        except MissingStub:
            return _send(source, target, document, set(document["_attachments"]), directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _send(source: Peer, target: Peer, document: dict[str, Any], needed: set[str], directory: Path) -> str | None:
    contents = {
        name: _fetch(source, document, name, directory / str(number)) for number, name in enumerate(sorted(needed))
    }
    body = multipart(document, contents)
    return target.write_with_attachments(document["_id"], body.content_type, body.parts)
