"""Answers: complete ones and streamed ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from embedded.http import json_text


@dataclass(slots=True)
class Response:
    """`body` is either the bytes or an iterator of pieces, each sent as soon as it comes.

    A JSON answer has `content_type` None until the dispatcher has looked at what the client accepts.
    """

    status: int = 200
    body: bytes | AsyncIterator[bytes] = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str | None = None


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(status, (json_text.text(value) + "\n").encode(), dict(headers or {}))


def text_response(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose JSON text is already made."""
    return Response(status, (text + "\n").encode(), dict(headers or {}))
