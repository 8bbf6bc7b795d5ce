"""The query parameters that say which revision of a document is meant and what it is to tell."""

from __future__ import annotations

from typing import Any

from embedded.document_text import Show
from embedded.http import json_text
from embedded.http.errors import bad_request
from embedded.http.request import Request
from embedded.revtree import Revision, parse_revision


def document_id(request: Request) -> str:
    """The id in the path: `{doc}`, or `_design/{design}`, or `_local/{local}`."""
    arguments = request.arguments
    if "doc" in arguments:
        return arguments["doc"]
    return f"_design/{arguments['design']}" if "design" in arguments else f"_local/{arguments['local']}"


def show(request: Request, *, follows: bool = False) -> Show:
    """Raises 400 for a value that is not what the parameter takes."""
    if not request.query:
        return Show()
    meta = request.boolean("meta")
    since = request.query.get("atts_since")
    return Show(
        revs=request.boolean("revs"),
        revs_info=request.boolean("revs_info") or meta,
        conflicts=request.boolean("conflicts") or meta,
        deleted_conflicts=request.boolean("deleted_conflicts") or meta,
        local_seq=request.boolean("local_seq"),
        attachments=request.boolean("attachments") or since is not None or follows,
        encoding_info=request.boolean("att_encoding_info"),
        follows=follows,
        atts_since=None if since is None else tuple(revision_list(json_text.parse(since.encode()))),
    )


def revision_list(value: Any) -> list[Revision]:
    if not isinstance(value, list):
        raise bad_request("Invalid list of revisions")
    return [parse_revision(text) for text in value]


def named_revision(request: Request) -> str | None:
    """The revision of `rev` or If-Match. Raises 400 when they differ."""
    header = request.headers.get("if-match")
    named = request.query.get("rev")
    if header is None:
        return named
    header = header.strip('"')
    if named is not None and header != named:
        raise bad_request("Document rev and etag have different values")
    return header
