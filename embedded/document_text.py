"""A document as it leaves: JSON text put together from the stored text of its body. Nothing is parsed to be read."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from embedded import attachments, revtree
from embedded.http import json_text
from embedded.revtree import Revision, RevisionTree


@dataclass(frozen=True, slots=True)
class Show:
    """What a document is to tell beside its body; the names are CouchDB's query parameters.

    `attachments`: with their content; those that came with `atts_since` or an ancestor of it as stubs nevertheless.
    """

    revs: bool = False
    revs_info: bool = False
    conflicts: bool = False
    deleted_conflicts: bool = False
    local_seq: bool = False
    attachments: bool = False
    encoding_info: bool = False
    follows: bool = False
    atts_since: tuple[Revision, ...] | None = None

    def needs_tree(self) -> bool:
        return self.revs or self.revs_info or self.conflicts or self.deleted_conflicts or self.atts_since is not None


STUBS = Show()


def document_text(id: str, rev: str, deleted: bool, body_text: str, extra: str = "") -> str:
    """One document. `extra` is `,"_name":…` for each further member."""
    mark = ',"_deleted":true' if deleted else ""
    members = "" if body_text == "{}" else "," + body_text[1:-1]
    return f'{{"_id":{json_text.quoted(id)},"_rev":{json_text.quoted(rev)}{mark}{members}{extra}}}'


def conflicts_text(tree: RevisionTree, *, conflicts: bool = True, deleted_conflicts: bool = True) -> str:
    """`_conflicts` and `_deleted_conflicts` of a tree as `extra` of `document_text`; empty when there are none."""
    others = revtree.leaves(tree)[1:]
    live = [str(leaf) for leaf in others if not tree.nodes[leaf].deleted]
    gone = [str(leaf) for leaf in others if tree.nodes[leaf].deleted]
    extra = f',"_conflicts":{json_text.text(live)}' if conflicts and live else ""
    return extra + (f',"_deleted_conflicts":{json_text.text(gone)}' if deleted_conflicts and gone else "")


def revisions_text(tree: RevisionTree, revision: Revision) -> str:
    ids = [ancestor.digest for ancestor in revtree.history(tree, revision)]
    return f',"_revisions":{{"start":{revision.position},"ids":{json_text.text(ids)}}}'


def _revisions_info_text(connection: sqlite3.Connection, tree: RevisionTree, revision: Revision) -> str:
    info = []
    for ancestor in revtree.history(tree, revision):
        node = tree.nodes[ancestor]
        known = (
            node.body is not None and connection.execute("SELECT 1 FROM bodies WHERE number=?", (node.body,)).fetchone()
        )
        status = ("deleted" if node.deleted else "available") if known else "missing"
        info.append({"rev": str(ancestor), "status": status})
    return f',"_revs_info":{json_text.text(info)}'


def meta_text(connection: sqlite3.Connection, tree: RevisionTree, seq: int, show: Show) -> str:
    """What is told of the winner only: `_revs_info`, `_local_seq`, `_conflicts`, `_deleted_conflicts`."""
    extra = _revisions_info_text(connection, tree, revtree.winner(tree)) if show.revs_info else ""
    extra += f',"_local_seq":{seq}' if show.local_seq else ""
    if show.conflicts or show.deleted_conflicts:
        extra += conflicts_text(tree, conflicts=show.conflicts, deleted_conflicts=show.deleted_conflicts)
    return extra


def shown_attachments(
    connection: sqlite3.Connection, stored: str, show: Show, unchanged_since: int | None = None
) -> str:
    """`_attachments` as `extra` of `document_text`. `unchanged_since`: older than this generation are stubs."""
    told = {}
    for name, attachment in attachments.load(stored).items():
        revpos = attachment.revpos or 0
        if not show.attachments or (unchanged_since is not None and revpos <= unchanged_since):
            told[name] = attachments.stub(attachment, encoding_info=show.encoding_info)
        elif show.follows:
            told[name] = attachments.follows(attachment)
        else:
            told[name] = attachments.inline(connection, attachment, encoding_info=show.encoding_info)
    return f',"_attachments":{json_text.text(told)}'


def newest_shared(tree: RevisionTree, revision: Revision, since: tuple[Revision, ...]) -> int:
    """The generation of the newest ancestor that is one of `since`; what is not newer than that the client has."""
    known = set(since)
    return max((ancestor.position for ancestor in revtree.history(tree, revision) if ancestor in known), default=0)


def revision_text(
    connection: sqlite3.Connection, id: str, tree: RevisionTree, revision: Revision, show: Show = STUBS, meta: str = ""
) -> str | None:
    """One revision; None when its body is not kept."""
    node = tree.nodes.get(revision)
    row = None
    if node is not None and node.body is not None:
        row = connection.execute("SELECT body, attachments FROM bodies WHERE number=?", (node.body,)).fetchone()
    if node is None or row is None:
        return None
    extra = revisions_text(tree, revision) if show.revs else ""
    if row[1] is not None:
        since = None if show.atts_since is None else newest_shared(tree, revision, show.atts_since)
        meta += shown_attachments(connection, row[1], show, since)
    return document_text(id, str(revision), node.deleted, row[0], extra + meta)
