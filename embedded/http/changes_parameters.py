"""The parameters of `_changes`: what is wanted, through which filter, and how the feed is held open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from embedded import changes, javascript, mango
from embedded.changes import Filter, Wanted
from embedded.document_text import Show
from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, not_found
from embedded.http.request import Request
from embedded.mango import equalities

FEEDS = ("normal", "longpoll", "continuous", "live", "eventsource")
_LONGEST_WAIT = 60.0
"""Seconds a feed waits for a change when nothing else is said; CouchDB's `changes_timeout`."""


@dataclass(slots=True)
class Feed:
    """`heartbeat`: seconds between signs of life, then the feed never ends by itself; else it ends after `timeout`."""

    kind: str
    wanted: Wanted
    heartbeat: float | None
    timeout: float
    interval: int


async def read(request: Request) -> Feed:
    """Raises 400 for a parameter that cannot be, 404 for a filter that is not there."""
    body: dict[str, Any] = {}
    if request.method == "POST":
        raw = await request.body()
        body = json_text.parse_object(raw) if raw.strip() else {}
    kind = request.query.get("feed", "normal")
    if kind not in FEEDS:
        raise bad_request("Supported `feed` types: normal, continuous, live, longpoll, eventsource")
    wanted = Wanted(
        since=_since(request),
        limit=request.integer("limit"),
        descending=request.query.get("dir") == "rev" or request.boolean("descending"),
        all_leaves=request.query.get("style") == "all_docs",
        include_docs=request.boolean("include_docs"),
        remembered=request.database.cache.setdefault("pending", {}),
        show=Show(
            conflicts=request.boolean("conflicts"),
            attachments=request.boolean("attachments"),
            encoding_info=request.boolean("att_encoding_info"),
        ),
    )
    await _set_filter(request, body, wanted)
    interval = request.integer("seq_interval", 1) or 1
    return Feed(kind, wanted, _heartbeat(request), _timeout(request), interval)


def _since(request: Request) -> int:
    given = request.query.get("since", request.headers.get("last-event-id", "0"))
    database = request.database
    return database.update_seq if given == "now" else database.parse_since(given)


def _heartbeat(request: Request) -> float | None:
    given = request.query.get("heartbeat")
    if given is None or given == "false":
        return None
    if given == "true":
        return _LONGEST_WAIT
    milliseconds = _milliseconds(given, "heartbeat")
    if milliseconds == 0:
        raise bad_request("The heartbeat value should be greater than 0")
    return milliseconds / 1000


def _timeout(request: Request) -> float:
    given = request.query.get("timeout")
    return _LONGEST_WAIT if given is None else min(_milliseconds(given, "timeout") / 1000, _LONGEST_WAIT)


def _milliseconds(given: str, name: str) -> int:
    if not given.isascii() or not given.isdigit() or len(given) > 12:
        raise bad_request(f"The {name} value should be a number of milliseconds")
    return int(given)


async def _set_filter(request: Request, body: dict[str, Any], wanted: Wanted) -> None:
    name = request.query.get("filter")
    if name is None:
        return
    if name == "_doc_ids":
        wanted.ids = _ids(request, body)
    elif name == "_design":
        wanted.prefix = "_design/"
    elif name == "_selector":
        wanted.filter = _selector_filter(body.get("selector"))
        wanted.with_attachments = body["selector"].get("_attachments") == {"$exists": True}
    elif name == "_view":
        wanted.filter = await _view_filter(request, request.query.get("view", ""))
    else:
        wanted.filter = await _function_filter(request, body, name)


def _ids(request: Request, body: dict[str, Any]) -> list[str]:
    ids = body.get("doc_ids", request.json_parameter("doc_ids"))
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise bad_request("`doc_ids` filter parameter is not a list of doc ids.")
    return ids


def _selector_filter(selector: Any) -> Filter:
    if not isinstance(selector, dict):
        raise bad_request("Selector error: expected a JSON object")
    try:
        passes = mango.compile_selector(selector)
    except HttpError as error:
        raise bad_request(error.reason) from None
    says = equalities.said_by(selector)
    if says is not None:
        return changes.filter_by(lambda texts: [equalities.holds(says, text, passes) for text in texts])
    return changes.filter_by(lambda texts: [passes(json_text.stored(text)) for text in texts])


async def _view_filter(request: Request, name: str) -> Filter:
    design, view = _split(name, "`view` must be of the form `designname/viewname`")
    text = await _design(request, design)
    views = json_text.stored(text).get("views")
    if not isinstance(views, dict) or not isinstance(views.get(view), dict) or "map" not in views[view]:
        raise not_found(f"missing json key: {view}")
    return changes.filter_by(lambda texts: list(javascript.filter_by_view(text, view, texts)))


async def _function_filter(request: Request, body: dict[str, Any], name: str) -> Filter:
    design, function = _split(name, "`filter` must be of the form `designname/filtername`")
    text = await _design(request, design)
    filters = json_text.stored(text).get("filters")
    if not isinstance(filters, dict) or function not in filters:
        raise not_found(f"missing json key: {function}")
    described = _described(request, body)
    return changes.filter_by(lambda texts: list(javascript.filter_documents(text, function, texts, described)))


def _split(name: str, reason: str) -> tuple[str, str]:
    design, slash, rest = name.partition("/")
    if not slash or not design or not rest:
        raise bad_request(reason)
    return design, rest


async def _design(request: Request, name: str) -> str:
    text = await request.database.reading(changes.design_document, name)
    if text is None:
        raise not_found()
    return text


def _described(request: Request, body: dict[str, Any]) -> str:
    """The request as a filter function gets it: as much of CouchDB's request object as a filter could use."""
    return json_text.text(
        {
            "method": request.method,
            "path": request.segments,
            "query": request.query,
            "body": json_text.text(body) if body else "undefined",
            "headers": {name: value for name, value in request.headers.items() if name not in _SECRET_HEADERS},
            "userCtx": {"db": request.database.name, "name": request.user.name, "roles": list(request.user.roles)},
            "secObj": request.database.security(),
        }
    )


_SECRET_HEADERS = ("authorization", "cookie")
