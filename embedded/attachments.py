"""Attachments: what a client sends, what is kept, what is told of them.

Content is kept once however many revisions and documents have it. As in CouchDB, types that compress well are kept
gzipped, and the digest told is that of what is kept; so a peer that compares digests sees equal ones.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from embedded import large_contents
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request
from embedded.large_contents import FilePart, LargeContent

_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "application/xml")
_GZIP_LEVEL = 8
MAXIMUM_ATTACHMENT = 256 * 1024 * 1024
"""Bytes of one attachment."""


@dataclass(slots=True)
class Attachment:
    """One attachment of a revision. `content` None: a stub, which stands for what the revision before has.

    `length` is of the content as the client knows it, `encoded_length` of what is kept when `encoding` is `"gzip"`.
    `number` is where the content is kept, once it is.
    """

    name: str
    content_type: str = "application/octet-stream"
    revpos: int | None = None
    digest: str | None = None
    length: int = 0
    encoding: str | None = None
    encoded_length: int | None = None
    number: int | None = None
    content: bytes | LargeContent | None = None


def from_content(
    name: str, content: bytes, content_type: str, *, encoding: str | None = None, length: int | None = None
) -> Attachment:
    """An attachment with this content, compressed when its type asks for it.

    `encoding` `"gzip"`: the content is compressed already and `length` is its length uncompressed (unpacked to find
    out when not given).
    """
    if len(content) > MAXIMUM_ATTACHMENT:
        raise HttpError(413, "attachment_too_large", f"{name} is larger than {MAXIMUM_ATTACHMENT} bytes.")
    if encoding == "gzip":
        plain_length = _plain_length(name, content) if length is None else length
        return Attachment(
            name, content_type, None, _digest(content), plain_length, "gzip", len(content), content=content
        )
    if is_compressible(content_type):
        compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, 31)
        packed = compressor.compress(content) + compressor.flush()
        return Attachment(name, content_type, None, _digest(packed), len(content), "gzip", len(packed), content=packed)
    return Attachment(name, content_type, None, _digest(content), len(content), content=content)


def _from_part(name: str, part: FilePart, content_type: str, *, is_packed: bool) -> Attachment:
    compress = not is_packed and is_compressible(content_type)
    content = LargeContent(part.directory, compress=compress, packed=is_packed)
    try:
        for piece in part.pieces():
            content.feed(piece)
        content.finish()
    except BaseException:
        content.close()
        raise
    return from_large_content(name, content, content_type, is_packed=is_packed or compress)


def let_go(attachments: Iterable[Attachment]) -> None:
    """Close the files of contents that were received; after they are stored, or will not be."""
    for one in attachments:
        if isinstance(one.content, LargeContent):
            one.content.close()


def is_compressible(content_type: str) -> bool:
    return content_type.lower().startswith(_COMPRESSIBLE)


def from_large_content(name: str, content: LargeContent, content_type: str, *, is_packed: bool) -> Attachment:
    """An attachment whose content is all in its file. `is_packed`: what is kept of it is gzip."""
    digest = _digest_text(content.md5)
    encoding, encoded = ("gzip", content.kept_length) if is_packed else (None, None)
    return Attachment(name, content_type, None, digest, content.length, encoding, encoded, content=content)


def _digest(content: bytes) -> str:
    return _digest_text(hashlib.md5(content, usedforsecurity=False).digest())


def _digest_text(md5: bytes) -> str:
    return "md5-" + base64.b64encode(md5).decode()


def _plain_length(name: str, content: bytes) -> int:
    try:
        return len(gzip.decompress(content))
    except (OSError, EOFError, zlib.error):
        raise bad_request(f"Attachment {name} says it is gzip but is not.") from None


def parse(members: Mapping[str, Any], following: Mapping[str, bytes | FilePart] | None = None) -> list[Attachment]:
    """The `_attachments` member of a document. `following`: the contents that came beside it in a multipart body.

    An entry that is not an object is left out, as CouchDB does. Raises 400 for content that is not base64, for content
    that followed and has another digest than the one told, and for names that are not allowed; 412 `missing_stub` when
    a content that should follow did not.
    """
    attachments = []
    for name, told in members.items():
        if name.startswith("_") or not name:
            raise bad_request(f"Attachment name '{name}' starts with prohibited character '_'")
        if isinstance(told, dict):
            attachment = _parse_one(name, told, following or {})
            attachment.revpos = _integer(told.get("revpos"))
            attachments.append(attachment)
    return attachments


def _parse_one(name: str, told: dict[str, Any], following: Mapping[str, bytes | FilePart]) -> Attachment:
    content_type = told.get("content_type", "application/octet-stream")
    if not isinstance(content_type, str):
        raise bad_request(f"The content type of attachment {name} is not a string.")
    if told.get("stub") is True:
        digest = told.get("digest")
        return Attachment(name, content_type, digest=digest if isinstance(digest, str) else None)
    encoding = "gzip" if told.get("encoding") == "gzip" else None
    if told.get("follows") is True:
        if name not in following:
            raise HttpError(412, "missing_stub", f"The content of attachment {name} did not follow.")
        content = following[name]
        _check_digest(told.get("digest"), content)
        if isinstance(content, FilePart):
            return _from_part(name, content, content_type, is_packed=encoding is not None)
        length = _integer(told.get("length")) if encoding else None
        return from_content(name, content, content_type, encoding=encoding, length=length)
    data = told.get("data", "")
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise bad_request(f"Invalid attachment data for {name}") from None
    return from_content(name, content, content_type)


def _check_digest(told: Any, content: bytes | FilePart) -> None:
    """What came has to be what was sent; of other kinds of digests nothing can be said."""
    if not isinstance(told, str) or not told.startswith("md5-"):
        return
    digest = hashlib.md5(usedforsecurity=False)
    for piece in content.pieces() if isinstance(content, FilePart) else (content,):
        digest.update(piece)
    if _digest_text(digest.digest()) != told:
        raise bad_request("Possible message corruption.", "content_md5_mismatch")


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def keep(connection: sqlite3.Connection, attachment: Attachment) -> None:
    """Store the content unless it is there already, and note its number."""
    content = attachment.content
    assert content is not None
    if isinstance(content, LargeContent):
        identity, md5, length, whole = content.sha256, content.md5, content.kept_length, b""
    else:
        identity, length, whole = hashlib.sha256(content).digest(), len(content), content
        md5 = hashlib.md5(content, usedforsecurity=False).digest()
    row = connection.execute("SELECT number FROM contents WHERE sha256=?", (identity,)).fetchone()
    if row is None:
        row = connection.execute(
            "INSERT INTO contents (sha256, md5, length, content) VALUES (?, ?, ?, ?) RETURNING number",
            (identity, md5, length, whole),
        ).fetchone()
        if isinstance(content, LargeContent):
            large_contents.keep_pieces(connection, row[0], content)
    attachment.number = row[0]


def dump(attachments: Iterable[Attachment]) -> str:
    """The attachments of one revision as they are stored beside its body."""
    return json_text.text(
        {
            one.name: [
                one.content_type,
                one.revpos,
                one.digest,
                one.length,
                one.encoding,
                one.encoded_length,
                one.number,
            ]
            for one in attachments
        }
    )


def load(text: str) -> dict[str, Attachment]:
    return {name: Attachment(name, *kept) for name, kept in json_text.stored(text).items()}


def stub(attachment: Attachment, *, encoding_info: bool = False) -> dict[str, Any]:
    """What a document tells of an attachment whose content is not sent along."""
    return {**_told(attachment), "length": attachment.length, "stub": True, **_encoding(attachment, encoding_info)}


def follows(attachment: Attachment) -> dict[str, Any]:
    """What a document tells of an attachment whose content follows in the multipart body, as it is kept."""
    return {**_told(attachment), "length": attachment.length, "follows": True, **_encoding(attachment, True)}


def inline(connection: sqlite3.Connection, attachment: Attachment, *, encoding_info: bool = False) -> dict[str, Any]:
    """What a document tells of an attachment with its content, unpacked, in base64."""
    data = base64.b64encode(plain_content(connection, attachment)).decode()
    return {**_told(attachment), "data": data, **_encoding(attachment, encoding_info)}


def _told(attachment: Attachment) -> dict[str, Any]:
    return {"content_type": attachment.content_type, "revpos": attachment.revpos, "digest": attachment.digest}


def _encoding(attachment: Attachment, wanted: bool) -> dict[str, Any]:
    if not wanted or attachment.encoding is None:
        return {}
    return {"encoding": attachment.encoding, "encoded_length": attachment.encoded_length}


def kept_length(attachment: Attachment) -> int:
    """Bytes that are kept of it."""
    return attachment.length if attachment.encoded_length is None else attachment.encoded_length


def is_large(attachment: Attachment) -> bool:
    """Whether it should not be taken into memory as a whole."""
    return max(attachment.length, kept_length(attachment)) > large_contents.LARGE


def kept_pieces(connection: sqlite3.Connection, attachment: Attachment) -> Iterator[bytes]:
    """The content as it is kept, gzipped when `encoding` says so, in pieces."""
    assert attachment.number is not None
    (content,) = connection.execute("SELECT content FROM contents WHERE number=?", (attachment.number,)).fetchone()
    if content:
        yield content
    yield from large_contents.kept_pieces(connection, attachment.number)


def plain_pieces(connection: sqlite3.Connection, attachment: Attachment) -> Iterator[bytes]:
    pieces = kept_pieces(connection, attachment)
    return large_contents.unpacked(pieces) if attachment.encoding == "gzip" else pieces


def part_of(connection: sqlite3.Connection, attachment: Attachment, first: int, length: int) -> Iterator[bytes]:
    """Some bytes of a content that is kept as it came."""
    return large_contents.part(kept_pieces(connection, attachment), first, length)


def plain_content(connection: sqlite3.Connection, attachment: Attachment) -> bytes:
    return b"".join(plain_pieces(connection, attachment))
