"""What a node remembers about each connection: ``status:<connection>`` in ``local``, one document a connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from app.couch import Conflict

if TYPE_CHECKING:
    from app.node import Node

_UNWRITTEN = "replication.unwritten"
# A pass, a page and the command line write the same document; each change is small and simply made again.
_ATTEMPTS = 20


@dataclass(frozen=True)
class State:
    """A connection's past. Times are ISO 8601 UTC, empty for never; sequences are the store's own and opaque.

    `stopped` means that the schedule leaves it alone until a person acts, because trying again could only do harm.
    `refused` counts the documents listed after the last pass. `wait_seconds` is how long the upstream asked to be left
    alone, 0 where it did not. `secrets_mark` tells whether a password was entered since the last pass began.
    `pushed_seq` and `pulled_seq` are how far the book (here, and over there) has been dealt with, refusals included;
    `push_failures` and `pull_failures` are the replicator's own counts at that moment, which only ever grow; `counted`
    are those of documents written, for each direction, so that the next sync can say what it has done itself.
    """

    paused: bool = False
    stopped: bool = False
    failures: int = 0
    failing_since: str = ""
    failure: str = ""
    wait_seconds: int = 0
    secrets_mark: str = ""
    sentence: str = ""
    last_start: str = ""
    last_end: str = ""
    last_success: str = ""
    last_log: str = ""
    passes: int = 0
    pushed_seq: Any = 0
    pulled_seq: Any = 0
    push_failures: int = 0
    pull_failures: int = 0
    refused: int = 0
    counted: Mapping[str, int] = field(default_factory=dict)


_NAMES = frozenset(each.name for each in fields(State))


def state_of(document: Mapping[str, Any] | None) -> State:
    """The state a document holds; a missing one is a connection that never synced."""
    return State(**{key: value for key, value in (document or {}).items() if key in _NAMES})


def read_state(node: Node, name: str) -> State:
    """What is remembered about the connection `name`."""
    return _with_unwritten(node, name, state_of(node.local.get(status_id(name))))


def _with_unwritten(node: Node, name: str, state: State) -> State:
    unwritten = _unwritten(node).get(name)
    # By the count of passes and no clock: another process may have written down a later one.
    return state_of({**asdict(state), **unwritten}) if unwritten and unwritten["passes"] > state.passes else state


def _unwritten(node: Node) -> dict[str, dict[str, Any]]:
    kept = node.extensions.setdefault(_UNWRITTEN, {})
    assert isinstance(kept, dict)
    return kept


def keep_unwritten(node: Node, name: str, changes: Mapping[str, Any]) -> None:
    """Keeps what a pass changed in this process, because it cannot be written: it is read as if it had been."""
    _unwritten(node)[name] = dict(changes)


def forget_unwritten(node: Node, name: str) -> None:
    """Forgets what was kept: it has been written, or there is nothing left to know it of."""
    _unwritten(node).pop(name, None)


def read_states(node: Node) -> dict[str, State]:
    """What is remembered about every connection, by name, in one request."""
    rows = node.local.all_docs(startkey="status:", endkey="status;", include_docs=True).rows
    states = {str(row.id).split(":", 1)[1]: state_of(row.doc) for row in rows}
    names = {*states, *_unwritten(node)}
    return {name: _with_unwritten(node, name, states.get(name, State())) for name in names}


def status_id(name: str) -> str:
    """The id of the document about the connection `name`."""
    return f"status:{name}"


def changed_document(document: Mapping[str, Any] | None, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document about the connection `name` with some of it changed; `document` is the one there is."""
    document = document or {"_id": status_id(name), "type": "status", "connection": name}
    return {**document, **asdict(state_of({**document, **changes}))}


def change_state(node: Node, name: str, **changes: Any) -> State:
    """Changes some of what is remembered, whoever else is writing, and returns the whole."""
    for _ in range(_ATTEMPTS):
        document = node.local.get(status_id(name))
        unwritten = asdict(_with_unwritten(node, name, state_of(document)))
        changed = changed_document(document, name, {**unwritten, **changes})
        if changed != document:
            try:
                node.local.put(changed)
            except Conflict:
                continue
        forget_unwritten(node, name)
        return state_of(changed)
    raise Conflict(f"The status of the connection {name} is being written by others all the time; try again.")


def forget_state(node: Node, name: str) -> None:
    """Forgets the past of a connection and its refused documents; the sync log stays until it is pruned."""
    forget_unwritten(node, name)
    rows = node.local.all_docs(startkey=f"refused:{name}:", endkey=f"refused:{name};").rows
    gone = [{"_id": row.id, "_rev": row.value["rev"], "_deleted": True} for row in rows]
    document = node.local.get(status_id(name))
    if document:
        gone.append({"_id": document["_id"], "_rev": document["_rev"], "_deleted": True})
    if gone:
        node.local.bulk(gone)
