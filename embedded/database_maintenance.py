"""Looking after a database: purging revisions, dropping bodies nobody can ask for any more, giving space back."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

from embedded import revtree
from embedded.database_writer import Writer
from embedded.database_writing import drop_body, replace_row
from embedded.http import json_text
from embedded.revtree import Revision

_DOCUMENTS_A_STEP = 200
_PAGES_A_STEP = 2000


def purge(writer: Writer, asked: Mapping[str, Sequence[Revision]]) -> tuple[int, dict[str, list[str]]]:
    """Forget leaves as if they had never been; a revision that is no leaf stays.

    Returns the number of the newest purge and what was purged.
    """
    purged: dict[str, list[str]] = {}
    for id, revisions in asked.items():
        row = writer.connection.execute(
            "SELECT seq, rev, deleted, leaves, body, tree FROM documents WHERE id=?", (id,)
        ).fetchone()
        if row is None:
            purged[id] = []
            continue
        tree = revtree.load(row[5])
        removed, bodies = revtree.purge_leaves(tree, revisions)
        purged[id] = [str(revision) for revision in removed]
        if not removed:
            continue
        for number in bodies:
            drop_body(writer, number)
        replace_row(writer, id, row, tree)
        writer.purge_seq += 1
        writer.connection.execute(
            "INSERT INTO purges VALUES (?, ?, ?)", (writer.purge_seq, id, json_text.text(purged[id]))
        )
    return writer.purge_seq, purged


def drop_old_bodies(writer: Writer, after: int) -> int | None:
    """One step of compaction: the bodies of revisions that are no leaves, of some documents after this sequence number.

    Returns where to go on, None at the end. Small steps, so that other writes get their turn.
    """
    rows = writer.connection.execute(
        "SELECT seq, tree FROM documents WHERE seq > ? AND instr(tree, '],[') ORDER BY seq LIMIT ?",
        (after, _DOCUMENTS_A_STEP),
    ).fetchall()
    for seq, tree_text in rows:
        tree = revtree.load(tree_text)
        old = [node for revision, node in tree.nodes.items() if node.body is not None and not tree.is_leaf(revision)]
        for node in old:
            assert node.body is not None
            drop_body(writer, node.body)
            node.body = None
        if old:
            writer.connection.execute("UPDATE documents SET tree=? WHERE seq=?", (revtree.dump(tree), seq))
    return rows[-1][0] if rows else None


def drop_unused_contents(writer: Writer) -> None:
    """Contents of attachments that no body refers to."""
    used: set[int] = set()
    for (text,) in writer.connection.execute("SELECT attachments FROM bodies WHERE attachments IS NOT NULL"):
        used.update(kept[-1] for kept in json_text.stored(text).values())
    numbers = [number for (number,) in writer.connection.execute("SELECT number FROM contents")]
    writer.connection.executemany(
        "DELETE FROM contents WHERE number=?", [(number,) for number in numbers if number not in used]
    )
    writer.connection.execute("DELETE FROM pieces WHERE content NOT IN (SELECT number FROM contents)")


def give_back_space(writer: Writer) -> bool:
    """Return free pages to the file system, some at a time; False when there are none left."""
    writer.connection.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
    (free,) = writer.connection.execute("PRAGMA freelist_count").fetchone()
    return bool(free)


def local_documents(connection: sqlite3.Connection) -> list[tuple[str, int]]:
    return connection.execute("SELECT id, rev FROM local_documents ORDER BY id").fetchall()
