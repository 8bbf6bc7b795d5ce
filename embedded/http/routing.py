"""Which function answers which request, and what right it needs.

A module with routes has a function `routes() -> list[Route]`. A pattern is a path: `{name}` stands for one part,
`{name...}` at the end for all that is left (at least one part). A literal part goes before `{name}`. A pattern that
begins with `/{db}` is within a database: the dispatcher opens it and asks its `_security` before the function runs.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from embedded.http.errors import method_not_allowed, not_found
from embedded.http.request import Request
from embedded.http.response import Response

Answer = Callable[[Request], Awaitable[Response]]


class Right(enum.Enum):
    """What the dispatcher asks of the user before a route's function runs."""

    ANYONE = "anyone"
    USER = "anyone who has signed in"
    MEMBER = "member of the database"
    DATABASE_ADMIN = "admin of the database"
    SERVER_ADMIN = "server admin"


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: str
    answer: Answer
    right: Right = Right.MEMBER


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    rest: dict[str, Route] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)


class Router:
    """Finds the route of a path in time that depends on the path's length only."""

    def __init__(self, routes: list[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node = self._root
        names: list[str] = []
        for part in [part for part in route.pattern.split("/") if part]:
            if part.endswith("...}"):
                node.rest[route.method] = route
                node.names["rest " + route.method] = [*names, part[1:-4]]
                return
            if part.startswith("{"):
                names.append(part[1:-1])
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(part, _Node())
        node.routes[route.method] = route
        node.names[route.method] = names

    def find(self, method: str, segments: list[str]) -> tuple[Route, dict[str, str]]:
        """The route and its arguments. HEAD falls back to GET. Raises 404, or 405 naming the methods there are."""
        allowed: set[str] = set()
        found = self._search(self._root, method, segments, 0, [], allowed)
        if found is None and method == "HEAD":
            found = self._search(self._root, "GET", segments, 0, [], allowed)
        if found is not None:
            return found
        if allowed:
            raise method_not_allowed(",".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))))
        raise not_found()

    def _search(
        self, node: _Node, method: str, segments: list[str], at: int, values: list[str], allowed: set[str]
    ) -> tuple[Route, dict[str, str]] | None:
        if at == len(segments):
            allowed.update(node.routes)
            route = node.routes.get(method)
            return None if route is None else (route, dict(zip(node.names[method], values, strict=True)))
        literal = node.literals.get(segments[at])
        if literal is not None:
            # A literal that matches hides the parameter beside it: `/db/_changes` is never a document.
            found = self._search(literal, method, segments, at + 1, values, allowed)
            if found is not None or at + 1 < len(segments) or literal.routes:
                return found
        if node.parameter is not None:
            found = self._search(node.parameter, method, segments, at + 1, [*values, segments[at]], allowed)
            if found is not None:
                return found
        if node.rest:
            allowed.update(node.rest)
            route = node.rest.get(method)
            if route is not None:
                names = node.names["rest " + method]
                return route, dict(zip(names, [*values, "/".join(segments[at:])], strict=True))
        return None
