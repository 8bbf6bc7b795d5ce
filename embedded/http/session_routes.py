"""`_session`: signing in with a cookie, out, and asking who one is."""

from __future__ import annotations

from urllib.parse import parse_qsl

from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request
from embedded.http.request import Request
from embedded.http.response import Response, json_response
from embedded.http.routing import Right, Route


async def who(request: Request) -> Response:
    user = request.user
    information = {"authentication_handlers": ["cookie", "default"]}
    if user.how is not None:
        information["authenticated"] = user.how  # type: ignore[assignment]
    if user.name is None and request.boolean("basic"):
        raise HttpError(401, "unauthorized", "Please login.")
    context = {"name": user.name, "roles": list(user.roles)}
    return json_response({"ok": True, "userCtx": context, "info": information})


async def sign_in(request: Request) -> Response:
    name, password = await _credentials(request)
    user = await request.store.sessions.sign_in(name, password)
    if user is None:
        raise HttpError(401, "unauthorized", "Name or password is incorrect.", {"Set-Cookie": _ENDED})
    answer = {"ok": True, "name": name, "roles": list(user.roles)}
    return json_response(answer, headers={"Set-Cookie": await request.store.sessions.make_cookie(name)})


_ENDED = "AuthSession=; Version=1; Max-Age=0; Path=/; HttpOnly"


async def sign_out(request: Request) -> Response:
    return json_response({"ok": True}, headers={"Set-Cookie": _ENDED})


async def _credentials(request: Request) -> tuple[str, str]:
    body = await request.body()
    kind = request.headers.get("content-type", "").split(";")[0].strip()
    if kind == "application/json":
        given = json_text.parse_object(body)
    elif kind == "application/x-www-form-urlencoded":
        try:
            given = dict(parse_qsl(body.decode(), keep_blank_values=True))
        except ValueError:
            raise bad_request("The form is not UTF-8.") from None
    else:
        given = {}
    name, password = given.get("name", given.get("username")), given.get("password")
    if not isinstance(name, str):
        raise bad_request("request body must contain a username")
    if not isinstance(password, str):
        raise bad_request("request body must contain a password")
    return name, password


def routes() -> list[Route]:
    return [
        Route("GET", "/_session", who, Right.ANYONE),
        Route("POST", "/_session", sign_in, Right.ANYONE),
        Route("DELETE", "/_session", sign_out, Right.ANYONE),
    ]
