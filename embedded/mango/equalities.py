"""Selectors that only say what some members are, as ``{"share": "manufacturer"}``: told from the text of a document.

Replications ask this of every document of a database, and parsing takes longer than everything else about it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from embedded.http import json_text

# Nothing that JSON would write in another way, no path, no operator.
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def said_by(selector: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What the text of a document that is meant has in it; None for a selector that says anything else."""
    if not selector or not all(
        isinstance(value, str) and _PLAIN.fullmatch(name) and _PLAIN.fullmatch(value)
        for name, value in selector.items()
    ):
        return None
    return tuple(f'"{name}":"{value}"' for name, value in selector.items())


def holds(says: tuple[str, ...], text: str, passes: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether a document, as this store writes its text, has these members; `passes` is asked where that is not plain.

    What is looked for cannot be inside of a string, where its quotes would be escaped. With one brace before it, it is
    a member of the document itself.
    """
    for one in says:
        at = text.find(one)
        if at < 0:
            return False
        if text.count("{", 0, at) > 1:
            return passes(json_text.stored(text))
    return True
