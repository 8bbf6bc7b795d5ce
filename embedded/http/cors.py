"""Requests from pages of other web sites, where the settings allow them (CouchDB's `cors`; off by default). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embedded.http.response import Response

_METHODS = "GET, PUT, POST, HEAD, DELETE, COPY"
_REQUEST_HEADERS = "accept, authorization, content-type, origin, referer, if-match, destination, x-requested-with"
_READABLE_HEADERS = "content-type, cache-control, accept-ranges, etag, server, x-couch-request-id, location"
_SECONDS = "600"


def headers(origins: Sequence[str], request_headers: Mapping[str, str]) -> dict[str, str]:
    """What an answer says to a browser of another site; empty when the site is not allowed or none asks."""
    origin = request_headers.get("origin")
    if origin is None or not ("*" in origins or origin in origins):
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": _READABLE_HEADERS,
        "vary": "Origin",
    }


def preflight(origins: Sequence[str], method: str, request_headers: Mapping[str, str]) -> Response | None:
    """The answer to a browser that asks whether it may send a request; None when this is no such question."""
    if method != "OPTIONS" or "access-control-request-method" not in request_headers:
        return None
    allowed = headers(origins, request_headers)
    if not allowed:
        return None
    return Response(
        204,
        headers={
            **allowed,
            "access-control-allow-methods": _METHODS,
            "access-control-allow-headers": request_headers.get("access-control-request-headers", _REQUEST_HEADERS),
            "access-control-max-age": _SECONDS,
        },
    )
