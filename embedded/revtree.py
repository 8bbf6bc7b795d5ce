"""Revision trees: what merges into what, which leaf wins. Pure.

A tree holds the revisions of one document that are known, each with its parent while that is known too. Replication may
bring the middle of a history without its beginning, so a tree may have several roots; when a later path overlaps a
root, the root gets its parent and the pieces become one. The rules are those of CouchDB's `couch_key_tree.erl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from embedded.http import json_text
from embedded.http.errors import bad_request

_HEX_DIGEST = re.compile(r"[0-9a-fA-F]{32}")


class Revision(NamedTuple):
    """A revision id: `position` is the generation, the number before the dash."""

    position: int
    digest: str

    def __str__(self) -> str:
        return f"{self.position}-{self.digest}"


@dataclass(slots=True)
class Node:
    """What is known of one revision. `body` is the number under which its body is kept, None when it is not kept."""

    parent: Revision | None
    body: int | None
    deleted: bool


@dataclass(slots=True)
class RevisionTree:
    nodes: dict[Revision, Node] = field(default_factory=dict)
    parents: dict[Revision, int] = field(default_factory=dict)
    """How many children each revision has; one that is not here is a leaf."""

    def is_leaf(self, revision: Revision) -> bool:
        return revision in self.nodes and revision not in self.parents


def parse_revision(text: object) -> Revision:
    """`"3-ab12…"` as a revision. Raises 400. A digest of 32 hexadecimal digits is compared without regard to case."""
    if isinstance(text, str):
        number, dash, digest = text.partition("-")
        if dash and number.isascii() and number.isdigit() and len(number) <= 15:
            return Revision(int(number), digest.lower() if _HEX_DIGEST.fullmatch(digest) else digest)
    raise bad_request("Invalid rev format")


def add_path(tree: RevisionTree, path: Sequence[Revision], body: int | None, deleted: bool) -> bool:
    """Merge a history, newest revision first, into the tree; `body` and `deleted` belong to the newest.

    Returns whether the newest revision was not known before. What is known already stays as it is.
    """
    is_new = path[0] not in tree.nodes
    for index, revision in enumerate(path):
        parent = path[index + 1] if index + 1 < len(path) else None
        known = tree.nodes.get(revision)
        if known is None:
            tree.nodes[revision] = Node(parent, body if index == 0 else None, deleted if index == 0 else False)
        elif known.parent is None and parent is not None:
            known.parent = parent
        elif known.parent == parent:
            # Known up to here; further up the path may still know what the tree does not.
            continue
        else:
            break
        if parent is not None:
            tree.parents[parent] = tree.parents.get(parent, 0) + 1
    return is_new


def leaves(tree: RevisionTree) -> list[Revision]:
    """The leaves, the winner first: those not deleted before the deleted, then the longest, then the highest digest."""
    found = [revision for revision in tree.nodes if revision not in tree.parents]
    found.sort(key=lambda revision: _rank(tree, revision), reverse=True)
    return found


def winner(tree: RevisionTree) -> Revision:
    if len(tree.nodes) - len(tree.parents) == 1:
        return next(revision for revision in reversed(tree.nodes) if revision not in tree.parents)
    return leaves(tree)[0]


def _rank(tree: RevisionTree, revision: Revision) -> tuple[bool, int, bytes]:
    return not tree.nodes[revision].deleted, revision.position, digest_order(revision.digest)


def digest_order(digest: str) -> bytes:
    """CouchDB keeps 32 hexadecimal digits as 16 bytes and any other digest as its text, and compares the bytes."""
    return bytes.fromhex(digest) if _HEX_DIGEST.fullmatch(digest) else digest.encode()


def history(tree: RevisionTree, revision: Revision) -> list[Revision]:
    """The revision and its known ancestors, newest first."""
    path = []
    at: Revision | None = revision
    while at is not None and at in tree.nodes:
        path.append(at)
        at = tree.nodes[at].parent
    return path


def stem(tree: RevisionTree, limit: int) -> list[int]:
    """Forget revisions further than `limit` from every leaf below them. Returns the numbers of bodies to drop."""
    if len(tree.nodes) <= limit:
        return []
    keep: set[Revision] = set()
    for leaf in leaves(tree):
        keep.update(history(tree, leaf)[:limit])
    dropped = [node.body for revision, node in tree.nodes.items() if revision not in keep and node.body is not None]
    _keep_only(tree, keep)
    return dropped


def _keep_only(tree: RevisionTree, keep: set[Revision]) -> None:
    tree.nodes = {revision: node for revision, node in tree.nodes.items() if revision in keep}
    tree.parents = {}
    for node in tree.nodes.values():
        if node.parent is not None and node.parent not in tree.nodes:
            node.parent = None
        if node.parent is not None:
            tree.parents[node.parent] = tree.parents.get(node.parent, 0) + 1


def purge_leaves(tree: RevisionTree, revisions: Iterable[Revision]) -> tuple[list[Revision], list[int]]:
    """Remove leaves and those ancestors that no other leaf shares, as `_purge` does.

    Returns the leaves that were removed and the numbers of the bodies to drop. A revision that is no leaf stays.
    """
    removed = [revision for revision in revisions if tree.is_leaf(revision)]
    keep: set[Revision] = set()
    for leaf in leaves(tree):
        if leaf not in removed:
            keep.update(history(tree, leaf))
    dropped = [node.body for revision, node in tree.nodes.items() if revision not in keep and node.body is not None]
    _keep_only(tree, keep)
    return removed, dropped


def missing(tree: RevisionTree, revisions: Iterable[Revision]) -> list[Revision]:
    return [revision for revision in revisions if revision not in tree.nodes]


def descendant_leaves(tree: RevisionTree, revision: Revision) -> list[Revision]:
    """The leaves that have `revision` in their history, the winner of them first; what `latest=true` asks for."""
    return [leaf for leaf in leaves(tree) if revision in history(tree, leaf)]


def possible_ancestors(tree: RevisionTree, absent: Sequence[Revision]) -> list[Revision]:
    """Leaves older than a missing revision: a peer may send the attachments it shares with them as stubs."""
    newest = max(revision.position for revision in absent)
    return [leaf for leaf in leaves(tree) if leaf.position < newest]


def dump(tree: RevisionTree) -> str:
    """The tree as text: a list of [position, digest, index of the parent or -1, body number or 0, deleted]."""
    index = {revision: at for at, revision in enumerate(tree.nodes)}
    return json_text.text(
        [
            [
                revision.position,
                revision.digest,
                -1 if node.parent is None else index.get(node.parent, -1),
                node.body or 0,
                int(node.deleted),
            ]
            for revision, node in tree.nodes.items()
        ]
    )


def dump_single(revision: Revision, body: int, deleted: bool) -> str:
    """`dump` of a tree of one revision, which most are."""
    return json_text.text([[revision.position, revision.digest, -1, body, int(deleted)]])


def load(text: str) -> RevisionTree:
    rows = json_text.stored(text)
    revisions = [Revision(position, digest) for position, digest, _, _, _ in rows]
    tree = RevisionTree()
    for revision, (_, _, parent, body, deleted) in zip(revisions, rows, strict=True):
        above = None if parent < 0 else revisions[parent]
        tree.nodes[revision] = Node(above, body or None, bool(deleted))
        if above is not None:
            tree.parents[above] = tree.parents.get(above, 0) + 1
    return tree
