"""Asks a server what was asked of CouchDB, and says where its answers differ."""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

_PLACEHOLDER = re.compile(r"\$(\d+|seq|any|host|admin)\b")
_INDEX_NAME = re.compile(r"[0-9a-f]{40}")
"""The digest that names an index which was given no name: each server has its own."""
_PROSE = {"reason", "warning"}
_SERVER_MADE = {"ref", "_local_id", "git_sha", "uuid", "vendor", "signature", "collator_versions", "waiting_commit"}
_RAW_SEQUENCE = re.compile(r"^\d+-g[\w-]{20,}$")


class Answer(Protocol):
    status: int
    headers: Any
    data: bytes

    def json(self) -> Any: ...


class Server(Protocol):
    """The server that is asked; `auth` None is nobody."""

    url: str
    admin: tuple[str, str]

    def request(
        self, method: str, path: str, *, raw: bytes | None, headers: dict[str, str], auth: tuple[str, str] | None
    ) -> Answer: ...


@dataclass
class Bindings:
    """What the placeholders of a scenario stand for on this server. `sequences`: of the last _changes answer's rows."""

    url: str
    admin: tuple[str, str]
    digests: dict[str, str] = field(default_factory=dict)
    sequences: list[str] = field(default_factory=list)

    def fill(self, text: str) -> str:
        """The text of a request, its placeholders replaced; an unknown digest stays as it is and will not match."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name == "host":
                return self.url.partition("://")[2]
            if name == "admin":
                return ":".join(urllib.parse.quote(part, safe="") for part in self.admin)
            if name == "seq":
                # The one request with a sequence is "since the second row".
                return urllib.parse.quote(self.sequences[1], safe="")
            return self.digests.get(name, found[0])

        return _PLACEHOLDER.sub(value, text)

    def matches(self, expected: str, actual: str) -> bool:
        """Whether the text is the expected one, learning new digests: a new one must differ from all known."""
        pattern, names = "", []
        at = 0
        for found in _PLACEHOLDER.finditer(expected):
            pattern += re.escape(expected[at : found.start()])
            at = found.end()
            if found[1].isdigit() and found[1] not in self.digests:
                pattern += r"([0-9a-f]{32})"
                names.append(found[1])
            elif found[1] in ("seq", "any"):
                pattern += ".*"
            else:
                pattern += re.escape(self.fill(found[0]))
        whole = re.fullmatch(pattern + re.escape(expected[at:]), actual, re.DOTALL)
        if whole is None:
            return False
        for name, digest in zip(names, whole.groups(), strict=True):
            if digest in self.digests.values() and self.digests.get(name) != digest:
                return False
            self.digests[name] = digest
        return True


def differences(expected: Any, actual: Any, bindings: Bindings, where: str = "") -> Iterator[str]:
    """Where two JSON values differ, a sentence each; words meant for people may differ."""
    if isinstance(expected, str) and isinstance(actual, str) and _INDEX_NAME.search(expected):
        expected, actual = _INDEX_NAME.sub("a digest", expected), _INDEX_NAME.sub("a digest", actual)
    if expected in ("$any", "$seq") or (isinstance(expected, str) and _RAW_SEQUENCE.match(expected)):
        return
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from _object_differences(expected, actual, bindings, where)
    elif isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            yield f"{where or 'body'} has {len(actual)} items, not {len(expected)}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, bindings, f"{where}[{index}]")
    elif isinstance(expected, str) and isinstance(actual, str):
        if not bindings.matches(expected, actual):
            yield f"{where} is {actual!r}, not {expected!r}"
    elif type(expected) is bool or type(actual) is bool:
        if expected is not actual:
            yield f"{where} is {actual!r}, not {expected!r}"
    elif expected != actual:
        yield f"{where} is {actual!r}, not {expected!r}"


def _object_differences(
    expected: dict[str, Any], actual: dict[str, Any], bindings: Bindings, where: str
) -> Iterator[str]:
    for name in expected.keys() - actual.keys() - {"ref"}:
        yield f"{where}.{name} is missing ({expected[name]!r})"
    for name in actual.keys() - expected.keys():
        yield f"{where}.{name} is too much ({actual[name]!r})"
    for name in [name for name in expected if name in actual]:
        if name in _PROSE and isinstance(expected[name], str):
            if not (isinstance(actual[name], str) and actual[name]):
                yield f"{where}.{name} is {actual[name]!r}, not words"
        elif name not in _SERVER_MADE:
            yield from differences(expected[name], actual[name], bindings, f"{where}.{name}")


def answer_differences(expected: dict[str, Any], answer: Answer, bindings: Bindings, method: str) -> Iterator[str]:
    """Where an answer differs from the recorded one."""
    if _is_fitting_refusal(expected, answer):
        return
    if answer.status != expected["status"]:
        yield f"status {answer.status}, not {expected['status']}: {answer.data[:300]!r}"
        return
    if method != "HEAD":
        yield from _body_differences(expected, answer, bindings)
    for header in ("etag", "location"):
        if header in expected:
            told = answer.headers.get(header, "").removeprefix(bindings.url)
            if not bindings.matches(expected[header], told):
                yield f"{header} is {told!r}, not {expected[header]!r}"
    if "content-type" in expected:
        kind = answer.headers.get("content-type", "").split(";")[0]
        if kind != expected["content-type"]:
            yield f"content-type is {kind!r}, not {expected['content-type']!r}"


def _is_fitting_refusal(expected: dict[str, Any], answer: Answer) -> bool:
    if expected["status"] != 500 or not 400 <= answer.status < 500:
        return False
    told = answer.json()
    return isinstance(told, dict) and bool(told.get("error")) and bool(told.get("reason"))


def _body_differences(expected: dict[str, Any], answer: Answer, bindings: Bindings) -> Iterator[str]:
    try:
        if "json" in expected:
            yield from differences(expected["json"], answer.json(), bindings)
        elif "lines" in expected:
            lines = [json.loads(line) for line in answer.data.splitlines() if line.strip()]
            yield from differences(expected["lines"], lines, bindings)
        elif expected.get("content-type") == "text/event-stream":
            yield from differences(_events(expected["text"]), _events(answer.data.decode()), bindings)
        elif "text" in expected:
            yield from differences(expected["text"], answer.data.decode(), bindings, "text")
    except ValueError as error:
        yield f"body cannot be read ({error}): {answer.data[:300]!r}"


def _events(text: str) -> list[dict[str, Any]]:
    """The events of an event stream, each field's value read as JSON where it is JSON."""
    events: list[dict[str, Any]] = []
    for block in text.strip().split("\n\n"):
        event: dict[str, Any] = {}
        for line in block.splitlines():
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else "$any"
        events.append(event)
    return events


def send(server: Server, step: dict[str, Any], bindings: Bindings) -> Answer:
    """Sends the request of one recorded step."""
    request = step["request"]
    body: bytes | None = None
    headers = {name: bindings.fill(value) for name, value in request.get("headers", {}).items()}
    if "json" in request:
        body = bindings.fill(json.dumps(request["json"])).encode()
        headers.setdefault("Content-Type", "application/json")
    elif "text" in request:
        body = bindings.fill(request["text"]).encode()
    elif request["method"] == "POST" and step.get("note") != "no content type":
        # A POST without a body was recorded with this header, but for the one step that is about its absence.
        headers.setdefault("Content-Type", "application/json")
    headers.setdefault("Accept", "application/json")
    auth = request.get("auth", server.admin)
    answer = server.request(
        request["method"],
        bindings.fill(request["path"]),
        raw=body,
        headers=headers,
        auth=None if auth is None else (auth[0], auth[1]),
    )
    if "_changes" in request["path"] and answer.status == 200 and answer.data.startswith(b'{"results"'):
        rows = answer.json()["results"]
        if len(rows) > 1:
            bindings.sequences = [row["seq"] if isinstance(row["seq"], str) else str(row["seq"]) for row in rows]
    return answer
