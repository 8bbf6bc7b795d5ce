"""Which store this is: an id made once with its data folder.

Replications name their checkpoints by it, so that two laptops that push into the same database do not take each
other's checkpoint for their own, and so that a store keeps its own whatever port it listens on today.
"""

from __future__ import annotations

import secrets
from pathlib import Path

FILE_NAME = "store.uuid"


def store_uuid(directory: Path) -> str:
    """The id of the store in this data folder, made now when it has none."""
    path = directory / FILE_NAME
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        known = ""
    if known:
        return known
    made = secrets.token_hex(16)
    unfinished = path.with_name(FILE_NAME + ".new")
    unfinished.write_text(made + "\n", encoding="ascii")
    unfinished.replace(path)
    return made
