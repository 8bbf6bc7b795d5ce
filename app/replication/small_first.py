"""Sparing a thin connection: documents without files go before those with files.

On 2 kB/s one photograph takes half an hour, and what a salesperson needs in the meantime are the documents behind it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from app.couch import Database, StoreError, WrongPassword
from app.replication.results import session_counts

log = logging.getLogger(__name__)

# With so many changed, some of them are new to the other side; looking at all would take its time.
_LOOKED_AT = 25
_WITH = {"_attachments": {"$exists": True}}
_WITHOUT = {"_attachments": {"$exists": False}}


def files_are_waiting(source: Database, target: Database, since: Any, selector: Mapping[str, Any]) -> bool:
    """Whether `target` lacks a document with files that changed since `since`: a request, or two where one changed.

    What was pushed a moment ago is not waiting to be pulled, nor the other way round: where many changed and the target
    has the first of them, the last are looked at as well, for what was added since came after them. A side that does
    not answer this says nothing against the replication: it goes in the order of the changes then. Raises
    WrongPassword: a refused one is not offered again.
    """
    wanted = {**selector, **_WITH}
    try:
        first = source.changes(since=since, selector=wanted, limit=_LOOKED_AT).results
        if _lacks(target, first):
            return True
        if len(first) < _LOOKED_AT:
            return False
        return _lacks(target, source.changes(descending=True, selector=wanted, limit=_LOOKED_AT).results)
    except WrongPassword:
        raise
    except StoreError as error:
        log.info("Whether files wait in %s is not known: %s", source.name, error)
        return False


def _lacks(target: Database, changed: Sequence[Mapping[str, Any]]) -> bool:
    revs = {str(each["id"]): [rev["rev"] for rev in each["changes"]] for each in changed}
    return bool(revs and target.revs_diff(revs))


def without_files(selector: Mapping[str, Any], since: Any) -> dict[str, Any]:
    """The options of a replication of what has no files, from `since` on.

    It keeps no checkpoint, for the replication of everything that follows has the one that counts: cut off here, the
    next sync asks again what the other side has, and sends what it has not.
    """
    return {"selector": {**selector, **_WITHOUT}, "since_seq": since, "use_checkpoints": False}


def with_files(selector: Mapping[str, Any], since: Any) -> dict[str, Any]:
    """The options of a replication of the rest, from `since` on; it keeps no checkpoint either."""
    return {"selector": {**selector, **_WITH}, "since_seq": since, "use_checkpoints": False}


def everything_is_there_to(answer: Mapping[str, Any], since: Any) -> Any:
    """Up to where the source is on the target once what has files followed the replication that gave this `answer`.

    None when that is not known: when only a part was looked at, for then the replication of everything may have been
    cut off before that part; when something was refused, for it must be offered again by the one that counts it; and
    where a store does not say how far a replication without checkpoints came, as CouchDB.
    """
    return None if since or session_counts(answer)[2] else answer.get("source_last_seq")
