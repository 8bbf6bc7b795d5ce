"""What a document must say to have rows in an index, as far as its map functions begin by asking for it.

Most map functions are about one type of document and begin with `if (doc.type !== "machine") { return; }`. A document
whose JSON text has no `"type":"machine"` in it need not be parsed and handed to such a function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = r"[A-Za-z][A-Za-z0-9_]*"
# No character that JSON or JavaScript would write in another way.
_TEXT: Final = r"'[A-Za-z0-9_ .:-]*'|\"[A-Za-z0-9_ .:-]*\""
_BEGINS: Final = re.compile(
    r"(?:\s|//[^\n\r\u2028\u2029]*[\n\r])*"
    rf"function\s*(?:{_NAME}\s*)?\(\s*(?P<doc>{_NAME})\s*\)\s*\{{\s*"
    r"if\s*\((?P<asks>[^(){}]*)\)\s*(?:return\s*;|\{\s*return\s*;?\s*\})"
)
# What every object has without saying it.
_INHERITED: Final = frozenset(
    ["constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"]
)
_MOST: Final = 50
"""With more than so many texts to look for, looking costs as much as parsing."""


def marks(sources: Iterable[str]) -> tuple[str, ...] | None:
    """Texts one of which is in the JSON text of every document that has rows; None when any document may have some."""
    found: set[str] = set()
    for source in sources:
        of_source = _marks_of(source)
        if of_source is None:
            return None
        found |= of_source
    return tuple(sorted(found)) if len(found) <= _MOST else None


def _marks_of(source: str) -> set[str] | None:
    """Of `if (doc.a !== "x" && doc.a !== "y")` and of `if (!doc.a)`, which leave at once what is not meant."""
    begin = _BEGINS.match(source)
    if begin is None:
        return None
    doc = re.escape(begin["doc"])
    missing = re.fullmatch(rf"\s*!{doc}\.({_NAME})\s*", begin["asks"])
    if missing:
        return None if missing[1] in _INHERITED else {f'"{missing[1]}":'}
    different = re.compile(rf"\s*{doc}\.({_NAME})\s*!==\s*({_TEXT})\s*")
    asked = [different.fullmatch(part) for part in begin["asks"].split("&&")]
    # What is asked of several members in turn leaves only what has none of the values, so one of them is in the text.
    return {f'"{one[1]}":"{one[2][1:-1]}"' for one in asked if one} if all(asked) else None
