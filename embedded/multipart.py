"""Multipart bodies as the replication protocol uses them: a document with its attachments after it (multipart/related),
several documents (multipart/mixed). Pure.

Source: RFC 2046 for the form; for what is in it CouchDB's API reference, "Creating Multiple Attachments".
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from embedded.http.errors import HttpError, bad_request
from embedded.large_contents import FilePart

_MOST_PARTS = 10_000
_LINE_END = re.compile(r"[\r\n]")


@dataclass(frozen=True, slots=True)
class Part:
    """`headers` by their names in small letters. `body`: its bytes, or where they are."""

    headers: dict[str, str]
    body: bytes | FilePart

    @property
    def length(self) -> int:
        return len(self.body) if isinstance(self.body, bytes) else self.body.length

    def file_names(self) -> list[str]:
        """What the name in Content-Disposition may mean: CouchDB writes quotation marks and backslashes as they are."""
        header = self.headers.get("content-disposition", "")
        _, mark, rest = header.partition('filename="')
        found = [rest.rpartition('"')[0]] if mark else []
        name = parameters(header).get("filename")
        return found if name is None else [*found, name]


def parameters(header: str) -> dict[str, str]:
    """The parameters after the first `;` of a header: `multipart/related; boundary="x"` gives `{"boundary": "x"}`."""
    found = {}
    rest = header.partition(";")[2]
    while rest:
        name, _, rest = rest.strip().partition("=")
        rest = rest.lstrip()
        if rest.startswith('"'):
            value, rest = _quoted(rest)
            rest = rest.partition(";")[2]
        else:
            value, _, rest = rest.partition(";")
        found[name.strip().lower()] = value.strip()
    return found


def _quoted(text: str) -> tuple[str, str]:
    """A quoted string at the start of a text, unquoted, and what comes after it."""
    value = []
    at = 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        value.append(text[at])
        at += 1
    return "".join(value), text[at + 1 :]


def boundary_of(content_type: str) -> str:
    """Raises 400 when a multipart type does not say its boundary."""
    boundary = parameters(content_type).get("boundary")
    if not boundary:
        raise bad_request("The multipart Content-Type does not say its boundary.")
    return boundary


def parse(body: bytes, boundary: str) -> list[Part]:
    """The parts of a multipart body. Raises 400 for one that does not end as it should."""
    delimiter = b"\r\n--" + boundary.encode("utf-8")
    pieces = (b"\r\n" + body).split(delimiter)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise not_complete()
    check_number(len(pieces))
    return [_part(piece) for piece in pieces[1:-1]]


def not_complete() -> HttpError:
    return bad_request("The multipart body is not complete.")


def check_number(parts: int) -> None:
    """Raises 413 for more parts than are allowed."""
    if parts > _MOST_PARTS:
        raise HttpError(413, "too_large", f"The multipart body has more than {_MOST_PARTS} parts.")


def _part(piece: bytes) -> Part:
    # After the boundary comes white space and a line end; a part without headers has an empty line right away.
    headers, start = read_head(piece)
    return Part(headers, piece[start:])


def read_head(piece: bytes) -> tuple[dict[str, str], int]:
    """The headers at the beginning of a part, by their names in small letters, and where its body begins."""
    space = len(piece) - len(piece.lstrip(b" \t"))
    end = piece.find(b"\r\n\r\n", space)
    if end < 0:
        raise bad_request("A part of the multipart body has no end of its headers.")
    headers = {}
    for line in piece[space:end].split(b"\r\n"):
        name, colon, value = line.decode("utf-8", "replace").partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers, end + 4


def new_boundary() -> str:
    return secrets.token_hex(16)


def head(boundary: str, headers: Mapping[str, str]) -> bytes:
    """What stands before the body of a part."""
    lines = "".join(f"\r\n{name}: {_LINE_END.sub(' ', value)}" for name, value in headers.items())
    return f"\r\n--{boundary}{lines}\r\n\r\n".encode()


def end(boundary: str) -> bytes:
    return f"\r\n--{boundary}--".encode()


def attachment_headers(name: str, content_type: str, length: int, encoding: str | None) -> dict[str, str]:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    headers = {
        "Content-Disposition": f'attachment; filename="{quoted}"',
        "Content-Type": content_type,
        "Content-Length": str(length),
    }
    return headers | ({"Content-Encoding": encoding} if encoding else {})


def join(boundary: str, parts: Iterable[tuple[Mapping[str, str], Iterable[bytes]]]) -> Iterator[bytes]:
    """A whole multipart body, in pieces."""
    for headers, pieces in parts:
        yield head(boundary, headers)
        yield from pieces
    yield end(boundary)
