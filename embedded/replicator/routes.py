"""`_replicate` and `_active_tasks`."""

from __future__ import annotations

from embedded import active_tasks
from embedded.http.errors import HttpError, unauthorized
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route


async def replicate(request: Request) -> Response:
    # Imported here, because what reaches other stores takes a sixth of a store's start, and many never do.
    from embedded.replicator import jobs
    from embedded.replicator.request import cancelled_job, parse_replication

    if request.user.name is None:
        raise unauthorized("You are not an authenticated user")
    body = await request.json_object()
    replications = jobs.of_store(request.store)
    if body.get("cancel") in (True, "true"):
        id = cancelled_job(body) or parse_replication(body, request.store.url).job_id(replications.server)
        replications.cancel(id, request.user)
        return json_response({"ok": True, "_local_id": id})
    job = replications.start(parse_replication(body, request.store.url), request.user)
    if job.replication.continuous:
        return json_response({"ok": True, "_local_id": job.id}, 202)
    return json_response(await replications.outcome(job))


async def tasks(request: Request) -> Response:
    return json_response(active_tasks.of_store(request.store.shared).all())


async def no_scheduler(request: Request) -> Response:
    reason = "This store keeps no replications in a database: start them with POST /_replicate, see _active_tasks."
    raise HttpError(501, "not_implemented", reason)


def routes() -> list[Route]:
    replicator_database = [
        Route(method, pattern, no_scheduler, Right.SERVER_ADMIN)
        for method in ("GET", "PUT", "POST", "DELETE")
        for pattern in ("/_replicator", "/_replicator/{path...}")
    ]
    return [
        *replicator_database,
        Route("POST", "/_replicate", replicate, Right.ANYONE),
        Route("GET", "/_active_tasks", tasks, Right.SERVER_ADMIN),
        Route("GET", "/_scheduler/jobs", no_scheduler, Right.SERVER_ADMIN),
        Route("GET", "/_scheduler/docs", no_scheduler, Right.SERVER_ADMIN),
        Route("GET", "/_scheduler/docs/{path...}", no_scheduler, Right.SERVER_ADMIN),
    ]
