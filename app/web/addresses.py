"""Which addresses a page may send a browser to."""

from __future__ import annotations


def local_page(wanted: str, otherwise: str = "/") -> str:
    """`wanted` if it is a page of this node, else `otherwise`: no link that was given to somebody leads them away."""
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    clean = all(character.isprintable() and character != "\\" for character in wanted)
    return wanted if inside and clean else otherwise
