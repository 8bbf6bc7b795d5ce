"""Figures that take long to add up, kept as long as the index they were read from stays the same."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from app.node import Node

T = TypeVar("T")

_EXTENSION = "remembered figures"
# So many dealers' and makes' figures; with 1,500 parts one takes some 300 kB.
_MOST = 24
_making = threading.Lock()


class _Remembered:
    """By key and state: a CouchDB of several shards tells one state in several ways, by which answered first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[Hashable, str], Any] = OrderedDict()

    def get(self, key: Hashable, state: str) -> Any:
        with self._lock:
            found = self._known.get((key, state))
            if found is not None:
                self._known.move_to_end((key, state))
            return found

    def put(self, key: Hashable, state: str, value: Any) -> None:
        with self._lock:
            self._known[key, state] = value
            self._known.move_to_end((key, state))
            while len(self._known) > _MOST:
                self._known.popitem(last=False)


def remembered(node: Node, key: Hashable, index_seq: Any, work: Callable[[], T]) -> T:
    """What `work` gave for this key when the index was at the same `index_seq` (opaque, as a view tells it); else
    `work` is done, and its result, which nobody may change, is kept.
    """
    with _making:
        known = node.extensions.setdefault(_EXTENSION, _Remembered())
    assert isinstance(known, _Remembered)
    state = json.dumps(index_seq)
    found: T | None = known.get(key, state)
    if found is None:
        found = work()
        known.put(key, state, found)
    return found
