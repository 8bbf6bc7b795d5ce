"""One QuickJS context with limits. Scripts in it share it with nobody and reach nothing outside it.

A context that was stopped (time, memory, stack) is in no known state and is never used again.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from importlib import resources
from typing import Any, Final

import quickjs

log = logging.getLogger("embedded.javascript")

SECONDS: Final = 3.0
"""Processor time one call from the host may take, unless the caller says otherwise."""
MEMORY: Final = 128 * 1024 * 1024
"""Bytes a context may hold."""
STACK: Final = 256 * 1024
"""Bytes of stack; threads of macOS have 512 KB in all."""

_PRELUDE: Final = resources.files("embedded.javascript").joinpath("prelude.js").read_text(encoding="utf-8")


_HALF_PAIR: Final = re.compile(r"(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}")


class CompilationError(Exception):
    """A function of a design document is not JavaScript, or not a function. `at`: the which of those given."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


class ScriptError(Exception):
    """A script threw where nothing handles it, or gave an answer that is none."""


class ScriptStoppedError(Exception):
    """A script took too long or too much memory and was stopped; its context is gone."""


class Sandbox:
    """A context with the given functions compiled, numbered in order. Calls from several threads wait for each other.

    `root` is what `require` reads: the design document, or the part of it that views may see.
    Raises CompilationError.
    """

    def __init__(self, sources: list[str], root: Any = None, seconds: float = SECONDS) -> None:
        self._lock = threading.Lock()
        self._context = quickjs.Context()
        self._context.set_memory_limit(MEMORY)
        self._context.set_max_stack_size(STACK)
        self._context.set_time_limit(seconds)
        self._host = self._context.eval(_PRELUDE)
        self.alive = True
        if root:
            self.call("setRoot", json.dumps(root))
        for at, source in enumerate(sources):
            problem = self.call("compile", source.rstrip().rstrip(";"))
            if problem:
                raise CompilationError(f"{problem} ({source[:200]})", at)

    def call(self, door: str, *arguments: str | int) -> str:
        """Run one of the prelude's functions. Raises ScriptError, or ScriptStoppedError and is dead from then on."""
        with self._lock:
            if not self.alive:
                raise ScriptStoppedError("The script was stopped earlier.")
            try:
                answer = self._host(door, *arguments)
            except (quickjs.JSException, MemoryError) as error:
                raise self._failure(error) from None
        if not isinstance(answer, str):
            return ""
        # JSON.stringify escapes half a surrogate pair and nothing else of that range; no text can hold one.
        return _HALF_PAIR.sub(r"\1\\ufffd", answer) if "\\ud" in answer else answer

    def _failure(self, error: BaseException) -> Exception:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        # Without memory for an error QuickJS throws null.
        is_out_of_memory = isinstance(error, MemoryError) or reason == "null"
        if is_out_of_memory or "InternalError" in reason or isinstance(error, quickjs.StackOverflow):
            self.alive = False
            return ScriptStoppedError("out of memory" if is_out_of_memory else reason)
        return ScriptError(reason)

    def write_log(self, where: str) -> None:
        """Pass on what scripts logged, and warn of what failed: the first by name, the rest by number."""
        logged, failures, failed = json.loads(self.call("takeLog"))
        for line in logged:
            log.info("%s: %s", where, line)
        for line in failures:
            log.warning("%s: %s", where, line)
        if failed > len(failures):
            log.warning("%s: and %d more like it", where, failed - len(failures))
