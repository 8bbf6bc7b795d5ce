"""May this edit be written? Design documents are for admins; every other document asks each `validate_doc_update`.

Called inside the writing queue, so what is asked is what will be stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from embedded import attachments, database_reading, javascript, partitions, revtree, security_users
from embedded.database import Database
from embedded.database_writing import Edit
from embedded.document_text import STUBS, document_text, revisions_text, shown_attachments
from embedded.http import json_text
from embedded.http.errors import HttpError, conflict, forbidden
from embedded.mapreduce.definition import check_design_document
from embedded.revtree import RevisionTree
from embedded.security import User, is_database_admin


def permission_of(
    database: Database, user: User
) -> Callable[[sqlite3.Connection, Sequence[Edit]], list[HttpError | None]]:
    """The check for edits of this user in this database."""
    security = database.security()
    is_admin = is_database_admin(user, security)

    def ask(connection: sqlite3.Connection, edits: Sequence[Edit]) -> list[HttpError | None]:
        answers: list[HttpError | None] = [None] * len(edits)
        asked: list[int] = []
        for index, edit in enumerate(edits):
            if edit.incoming.id.startswith("_design/"):
                if not is_admin:
                    answers[index] = forbidden("You are not a db or server admin.")
                elif not edit.incoming.deleted:
                    answers[index] = _design_refusal(edit, database.partitioned)
            else:
                asked.append(index)
        if database.name == "_users":
            for index in asked:
                old = _old_text(connection, edits[index])
                answers[index] = security_users.refusal(edits[index].incoming, old, user, is_admin)
            asked = [index for index in asked if answers[index] is None]
        validators = _validators(database, connection)
        if validators and asked:
            for index in [index for index in asked if edits[index].is_on_unknown]:
                answers[index] = conflict()
            judged = [index for index in asked if answers[index] is None]
            pairs = [(_new_text(edits[index]), _old_text(connection, edits[index])) for index in judged]
            refusals = javascript.validate(validators, pairs, user.context(database.name), json_text.text(security))
            for index, refusal in zip(judged, refusals, strict=True):
                answers[index] = refusal
        if len(asked) < len(edits):
            database.cache.pop("validators", None)  # a design document is about to be stored
        return answers

    return ask


def _design_refusal(edit: Edit, partitioned: bool) -> HttpError | None:
    """Why a design document cannot be one: functions that do not compile, members of the wrong kind."""
    try:
        check_design_document(json_text.stored(edit.incoming.text))
        partitions.check_option(partitioned, edit.incoming.body.get("options"))
    except HttpError as error:
        return error
    return None


def _validators(database: Database, connection: sqlite3.Connection) -> list[str]:
    """The design documents that have a `validate_doc_update`, by id. Remembered until a design document is written."""
    known: list[str] | None = database.cache.get("validators")
    if known is None:
        texts = [one.text for one in database_reading.design_documents(connection)]
        known = [text for text in texts if "validate_doc_update" in json_text.stored(text)]
        database.cache["validators"] = known
    return known


def _new_text(edit: Edit) -> str:
    """The document as `validate_doc_update` gets it: with its new revision and the history it would have."""
    tree = RevisionTree()
    revtree.add_path(tree, edit.path, None, edit.incoming.deleted)
    extra = revisions_text(tree, edit.path[0])
    if edit.attachments:
        extra += f',"_attachments":{json_text.text({one.name: attachments.stub(one) for one in edit.attachments})}'
    return document_text(edit.incoming.id, str(edit.path[0]), edit.incoming.deleted, edit.incoming.text, extra)


def _old_text(connection: sqlite3.Connection, edit: Edit) -> str | None:
    """The revision the edit goes on; of a replica the nearest ancestor kept here; None when there is none."""
    if edit.row is None or not edit.incoming.path:
        return None  # also where a deleted document is made anew: what was deleted is not its old version
    tree = edit.tree or revtree.load(edit.row[5])
    for ancestor in edit.path[1:]:
        node = tree.nodes.get(ancestor)
        if node is None or node.body is None:
            continue
        row = connection.execute("SELECT body, attachments FROM bodies WHERE number=?", (node.body,)).fetchone()
        if row is None:
            continue
        extra = "" if row[1] is None else shown_attachments(connection, row[1], STUBS)
        return document_text(edit.incoming.id, str(ancestor), node.deleted, row[0], extra)
    return None
