"""Imports that have not ended: told until a file of the same name is imported to its end, or a person forgets them.

A process that is killed can say nothing more, so each import says beforehand what it is about to do: one document
``import:<digest of the file's name>`` in ``local``, written before the first batch and after each, removed in the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.couch import Conflict, Database
from app.documents.common import digest, utc_now
from app.words import counted

_PREFIX = "import:"
# Two imports of one file at once write the same document; each write is simply made again.
_ATTEMPTS = 5


@dataclass(frozen=True)
class Unfinished:
    """An import of `file` that `by` began at `began` and that had written `written` of `total` machines `at`.

    Times are ISO 8601 UTC. It may be running still.
    """

    id: str
    file: str
    by: str
    began: str
    at: str
    written: int
    total: int

    def sentence(self, began: str = "", at: str = "") -> str:
        """What to tell a person; `began` and `at` are the times as the page writes them."""
        return (
            f"The import of {self.file} that {self.by} began on {began or self.began} has not ended: at least "
            f"{self.written:,} of {counted(self.total, 'machine was', 'machines were')} written by {at or self.at}. "
            "If it is not running any more, import the file again: that does the rest and doubles nothing."
        )


class Record:
    """What one import keeps of itself in `local`. Every method may raise StoreError."""

    def __init__(self, local: Database, file: str, by: str, total: int) -> None:
        self._local = local
        self._id = f"{_PREFIX}{digest(file)}"
        self._said = {"type": "import", "file": file, "by": by, "began": utc_now(), "total": total}

    def has_written(self, written: int) -> None:
        """Says that so many machines are done and that more may come."""
        _put(self._local, self._id, {**self._said, "written": written, "at": utc_now()})

    def ended(self) -> None:
        """Says that everything was written: there is nothing to tell any more."""
        forget(self._local, self._id)


def unfinished(local: Database) -> list[Unfinished]:
    """The imports that have not ended, the oldest first."""
    rows = local.all_docs(startkey=_PREFIX, endkey=f"{_PREFIX}\ufff0", include_docs=True).rows
    found = [_read(row.doc) for row in rows if row.doc]
    return sorted(found, key=lambda each: each.began)


def forget(local: Database, id: str) -> None:
    """Tells of an import no more; one that is not there is no error."""
    if id.startswith(_PREFIX):
        _put(local, id, {"_deleted": True})


def _read(document: Mapping[str, Any]) -> Unfinished:
    texts = {name: str(document.get(name) or "") for name in ("file", "by", "began", "at")}
    return Unfinished(str(document["_id"]), **texts, written=int(document["written"]), total=int(document["total"]))


def _put(local: Database, id: str, said: Mapping[str, Any]) -> None:
    for _ in range(_ATTEMPTS):
        before = local.get(id)
        if before is None and said.get("_deleted"):
            return
        try:
            local.put({"_id": id, **({"_rev": before["_rev"]} if before else {}), **said})
        except Conflict:
            continue
        return
    raise Conflict(f"Others keep writing {id} at this moment.")
