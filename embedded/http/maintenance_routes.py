"""`_purge`, `_compact` and what else looks after a database."""

from __future__ import annotations

import asyncio
import logging

from embedded import database_maintenance as maintenance
from embedded.database import Database
from embedded.http import document_parameters
from embedded.http.errors import HttpError
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route

log = logging.getLogger("embedded")


async def purge(request: Request) -> Response:
    asked = {id: document_parameters.revision_list(revs) for id, revs in (await request.json_object()).items()}
    number, purged = await request.database.writing(maintenance.purge, asked)
    return json_response({"purge_seq": request.database.sequence(number), "purged": purged}, 201)


async def compact(request: Request) -> Response:
    request.require_json_type()
    database = request.database
    if not database.compacting:
        database.compacting = True
        task = asyncio.ensure_future(_compact(database))
        running: set[asyncio.Task[None]] = request.store.shared.setdefault("compactions", set())
        running.add(task)
        task.add_done_callback(running.discard)
    return json_response({"ok": True}, 202)


async def _compact(database: Database) -> None:
    try:
        after: int | None = 0
        while after is not None:
            after = await database.writing(maintenance.drop_old_bodies, after)
        await database.writing(maintenance.drop_unused_contents)
        while await database.writing(maintenance.give_back_space):
            pass
    except HttpError as error:
        log.warning("Compaction of %s ended early: %s", database.name, error)
    finally:
        database.compacting = False


async def compact_index(request: Request) -> Response:
    """Indexes are kept compact by SQLite; there is nothing to do."""
    return json_response({"ok": True}, 202)


async def get_purged_limit(request: Request) -> Response:
    return json_response(int(request.database.properties.get("purged_infos_limit", "1000")))


def routes() -> list[Route]:
    return [
        Route("POST", "/{db}/_purge", purge, Right.SERVER_ADMIN),
        Route("POST", "/{db}/_compact", compact, Right.DATABASE_ADMIN),
        Route("POST", "/{db}/_compact/{design}", compact_index, Right.DATABASE_ADMIN),
        Route("GET", "/{db}/_purged_infos_limit", get_purged_limit),
    ]
