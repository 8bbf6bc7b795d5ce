"""What this store has not, answered with a sentence instead of something wrong.

Without these a show would be taken for an attachment and `_db_updates` for a database that does not exist.
"""

from __future__ import annotations

from typing import NoReturn

from embedded.http.errors import HttpError, not_implemented
from embedded.http.request import Request
from embedded.http.response import Response
from embedded.http.routing import Right, Route

_METHODS = ("GET", "PUT", "POST", "DELETE")
_OF_DESIGN_DOCUMENTS = {
    "_show": "show functions",
    "_list": "list functions",
    "_update": "update functions",
    "_rewrite": "rewrites",
    "_search": "text indexes; use a view or _find",
    "_search_info": "text indexes; use a view or _find",
    "_nouveau": "text indexes; use a view or _find",
    "_geo": "geographic indexes; use a view or _find",
}
_OF_SERVERS = {
    "_db_updates": "a feed of all databases; ask _all_dbs and each database's _changes",
    "_cluster_setup": "clusters",
    "_reshard": "shards",
}


async def temporary_view(request: Request) -> Response:
    raise HttpError(410, "gone", "Temporary views are not supported: save a design document, or ask _find.")


async def _not_here(request: Request) -> NoReturn:
    named = next(part for part in reversed(request.segments) if part in _OF_DESIGN_DOCUMENTS or part in _OF_SERVERS)
    raise not_implemented(f"This store has no {_OF_DESIGN_DOCUMENTS.get(named) or _OF_SERVERS[named]}.")


def routes() -> list[Route]:
    found = [Route("POST", "/{db}/_temp_view", temporary_view)]
    for method in _METHODS:
        for name in _OF_DESIGN_DOCUMENTS:
            found.append(Route(method, f"/{{db}}/_design/{{design}}/{name}/{{rest...}}", _not_here))
        for name in _OF_SERVERS:
            found.append(Route(method, f"/{name}", _not_here, Right.SERVER_ADMIN))
    return found
