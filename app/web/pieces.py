"""Long answers are sent a piece at a time: neither whole from memory nor word by word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_CHARACTERS = 32_768


def in_pieces(texts: Iterable[str]) -> Iterator[str]:
    """The texts joined to pieces worth sending, of about 32,000 characters."""
    piece: list[str] = []
    size = 0
    for text in texts:
        piece.append(text)
        size += len(text)
        if size >= _CHARACTERS:
            yield "".join(piece)
            piece, size = [], 0
    yield "".join(piece)
