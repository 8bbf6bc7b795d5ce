"""Keeps a process of many threads small.

The C library of most Linux systems gives every few threads a heap of their own and seldom gives any back; a page that
needs thirty megabytes for a moment would need them for ever, once a thread. Other systems have no such setting.
"""

from __future__ import annotations

import contextlib
import ctypes
import platform

# From glibc's malloc.h.
_M_TRIM_THRESHOLD = -1
_M_ARENA_MAX = -8
_TRIM_BYTES = 128 * 1024


def share_one_heap() -> None:
    """Before any thread is started: one heap for all of them, whose free end goes back to the system.

    Costs nothing that can be measured, as Python's threads take turns anyway. Does nothing where there is no glibc.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_ARENA_MAX, 1)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
