"""Regular expressions of selectors, none of which may hold up the store.

Python's `re` is quick but cannot be stopped, and some patterns take years for a short text. Those whose form makes
that possible run in QuickJS, which is stopped after a while; as in CouchDB, whose matcher gives up too, the text then
does not match.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Final

from embedded.javascript.sandbox import CompilationError, Sandbox, ScriptError, ScriptStoppedError

log = logging.getLogger("embedded.mango")

SECONDS: Final = 0.2
"""Processor time one text may take."""
_STOPPED_AT_MOST: Final = 5
_REPEAT: Final = re.compile(r"(?<!\\)(?:\\\\)*(?:[*+]|\{\d*,\})")
_REPEATED_GROUP: Final = re.compile(r"\)(?:[*+?]|\{)")
_FLAGS: Final = re.compile(r"\(\?([ims]+)\)")


class PatternError(Exception):
    """A text that is no regular expression."""


def compile_pattern(source: str) -> Callable[[str], bool]:
    """Whether a text has a part that matches. Raises PatternError."""
    try:
        pattern = re.compile(source)
    except (re.error, RecursionError, OverflowError):
        raise PatternError from None
    if len(_REPEAT.findall(source)) <= 1 and _REPEATED_GROUP.search(source) is None and not pattern.groupindex:
        return lambda text: pattern.search(text) is not None
    return _Stoppable(source).matches


class _Stoppable:
    """After `_STOPPED_AT_MOST` texts that took too long, no other is tried."""

    def __init__(self, source: str) -> None:
        flags = _FLAGS.match(source)
        body = source[flags.end() :] if flags else source
        arguments = f"{json.dumps(body)}, {json.dumps('u' + (flags[1] if flags else ''))}"
        tests = "function (pattern) { return function (text) { return pattern.test(text); }; }"
        self._function = f"({tests})(new RegExp({arguments}))"
        self._stopped = 0
        self._sandbox = self._start()

    def _start(self) -> Sandbox:
        try:
            return Sandbox([self._function], seconds=SECONDS)
        except (CompilationError, ScriptError, ScriptStoppedError):
            raise PatternError from None

    def matches(self, text: str) -> bool:
        if self._stopped >= _STOPPED_AT_MOST:
            return False
        try:
            return self._sandbox.call("test", 0, text) == "true"
        except (ScriptError, ScriptStoppedError):
            self._stopped += 1
            log.warning("A regular expression took too long; the text counts as no match.")
            self._sandbox = self._start()
            return False
