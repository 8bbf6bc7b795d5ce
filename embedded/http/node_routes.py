"""The little of `_node` and `_membership` that clients ask of a single node."""

from __future__ import annotations

from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route

_NAME = "nonode@nohost"


async def membership(request: Request) -> Response:
    return json_response({"all_nodes": [_NAME], "cluster_nodes": [_NAME]})


async def node(request: Request) -> Response:
    return json_response({"name": _NAME})


async def configuration(request: Request) -> Response:
    """What can be set about this store, in CouchDB's words; to be read, not written."""
    settings = request.store.settings
    chttpd = {
        "require_valid_user": _word(settings.require_valid_user),
        "enable_cors": _word(bool(settings.cors_origins)),
    }
    cors = {"origins": ",".join(settings.cors_origins), "credentials": "true"}
    return json_response({"chttpd": chttpd, "cors": cors, "couchdb": {"single_node": "true"}})


def _word(value: bool) -> str:
    return "true" if value else "false"


def routes() -> list[Route]:
    return [
        Route("GET", "/_membership", membership, Right.SERVER_ADMIN),
        Route("GET", "/_node/{node}", node, Right.SERVER_ADMIN),
        Route("GET", "/_node/{node}/_config", configuration, Right.SERVER_ADMIN),
    ]
