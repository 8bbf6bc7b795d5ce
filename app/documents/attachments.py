"""Files attached to documents: their names, and what is attached after several people attached something (pure).

An attachment of a form's field is called ``<field>/<file name>``. Whatever the order people save in, nobody's file goes
because somebody else attached one.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

Document = Mapping[str, Any]
_LONGEST_NAME = 120


def attached(current: Document, edited: Document, base: Document | None) -> dict[str, Any]:
    """The attachments of the next revision of `current`: what `edited` adds to `base` and removes from it.

    A new file under a name that somebody else has used meanwhile gets a name of its own.
    """
    now: dict[str, Any] = dict(current.get("_attachments") or {})
    mine: Mapping[str, Any] = edited.get("_attachments") or {}
    was: Mapping[str, Any] = (base or {}).get("_attachments") or {}
    kept = {name: stub for name, stub in now.items() if name in mine or name not in was}
    for name, file in mine.items():
        if "data" in file:
            taken = name in kept and name not in was
            kept[other_name(name, file["data"]) if taken else name] = file
    return kept


def other_name(name: str, data: str) -> str:
    """A second name for a file (`data` in base64) whose own is taken, told apart by what is in it."""
    path = PurePosixPath(name)
    digest = hashlib.sha256(base64.b64decode(data)).hexdigest()[:8]
    return str(path.with_name(f"{path.stem}-{digest}{path.suffix}"))


def attachment_name(field: str, file_name: str) -> str:
    """What a file that is uploaded into a field is called: nothing that another system takes for a path or a command.

    >>> attachment_name("photos", "C:\\\\Users\\\\ida\\\\Bagger 12.jpg")
    'photos/Bagger 12.jpg'
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", file_name))[-1]
    plain = "".join(each if each.isprintable() and each not in '<>:"|?*' else "_" for each in last).strip(" .")
    path = PurePosixPath(plain or "file")
    return f"{field}/{path.stem[: _LONGEST_NAME - len(path.suffix[:20])]}{path.suffix[:20]}"


def field_and_file(name: str) -> tuple[str, str]:
    """The field and the file's name of an attachment; no field for one that came from elsewhere."""
    field, slash, file_name = name.partition("/")
    return (field, file_name) if slash else ("", name)
