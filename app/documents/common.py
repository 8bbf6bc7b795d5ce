"""What every document has, and how values are compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

# Fixed when the document is created: a selector cannot call back what it has already let through.
FIXED_FIELDS = ("type", "dealer", "share", "created_at", "created_by")
COMMON_FIELDS = (*FIXED_FIELDS, "updated_at", "updated_by", "field_revs", "disputes", "resolved")
# Kept by saving and merging themselves; never disputed, never in the log of changes.
BOOKKEEPING_FIELDS = frozenset(COMMON_FIELDS)

# Stands where a time has to be said and a program that wrote a document said none.
UNKNOWN_TIME = "1970-01-01T00:00:00Z"

MANUFACTURER = "manufacturer"
DEALER = "dealer"


class _Shared(Protocol):
    @property
    def share(self) -> str: ...


def share_of(form: _Shared) -> str:
    """``"manufacturer"`` or ``"dealer"``: who gets the documents of a form."""
    return form.share


def utc_now() -> str:
    """The time now as documents hold it: ``2026-11-25T10:00:00Z``."""
    return utc_text(datetime.now(UTC))


def utc_text(moment: datetime) -> str:
    """A moment (with a time zone) as documents hold it, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def text_in(document: Mapping[str, Any], *names: str) -> str:
    """The first of the fields that holds a text; empty when none does, whatever another program put there."""
    return next((value for name in names if isinstance(value := document.get(name), str) and value), "")


def generation(rev: str | None) -> int:
    """The ``N`` of a revision ``N-digest``; 0 for none."""
    return int(rev.partition("-")[0]) if rev else 0


def body(document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a document that people fill in: neither the store's nor bookkeeping."""
    return {name: value for name, value in document.items() if name[:1] != "_" and name not in BOOKKEEPING_FIELDS}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def digest(value: Any) -> str:
    """A short digest of a JSON value, the same for values that are :func:`same`."""
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:20]


def _canonical(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _canonical(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    return value
