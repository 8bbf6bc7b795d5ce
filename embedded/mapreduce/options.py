"""What a view query asks for, read from its query string or body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from embedded import collation, partitions
from embedded.http import json_text
from embedded.http.errors import bad_request, query_parse_error

UNLIMITED: Final = 2**62
_MISSING: Final = object()
_ALL_ROWS: Final = 2**31
"""`group_level` for `group=true`."""


@dataclass(slots=True)
class Options:
    """`low` and `high` bound the places of the rows: from `low`, without `high`. `prefix`: of the partition."""

    reduce: bool
    group_level: int = 0
    keys: list[Any] | None = None
    low: bytes = b""
    high: bytes | None = None
    descending: bool = False
    limit: int = UNLIMITED
    skip: int = 0
    include_docs: bool = False
    conflicts: bool = False
    attachments: bool = False
    update: str = "true"
    update_seq: bool = False
    prefix: bytes = b""

    def confine(self, prefix: bytes) -> None:
        """Ask only for the rows whose places begin so, as if there were no others."""
        self.prefix = prefix
        self.low = prefix + self.low
        self.high = partitions.after(prefix) if self.high is None else prefix + self.high

    @property
    def whole(self) -> tuple[bytes, bytes | None]:
        """Between which places all rows are that could be asked for."""
        return self.prefix, partitions.after(self.prefix) if self.prefix else None

    @property
    def group(self) -> bool:
        return self.group_level > 0

    @property
    def is_exact(self) -> bool:
        """`group=true`: a group is a key."""
        return self.group_level >= _ALL_ROWS


class _Given:
    """Parameters of one query. In a query string everything is text; a body has JSON values, and goes before it."""

    def __init__(self, query: Mapping[str, str], body: Mapping[str, Any]) -> None:
        self._query = query
        self._body = body

    def boolean(self, name: str, default: bool) -> bool:
        given = self._value(name)
        if given is _MISSING:
            return default
        if isinstance(given, bool):
            return given
        if given in ("true", "false"):
            return bool(given == "true")
        raise query_parse_error(f"Invalid boolean parameter: {json_text.text(given)}")

    def whole_number(self, name: str, default: int) -> int:
        given = self._value(name)
        if given is _MISSING:
            return default
        number = given
        if isinstance(given, str):
            try:
                number = int(given) if len(given) < 19 and given.isascii() else None
            except ValueError:
                number = None
        if not isinstance(number, int) or isinstance(number, bool):
            raise query_parse_error(f"Invalid value for integer: {json_text.text(given)}")
        if number < 0:
            raise query_parse_error(f"Invalid value for positive integer: {json_text.text(str(given))}")
        return min(number, UNLIMITED)

    def text(self, name: str, default: str) -> str:
        given = self._value(name)
        if isinstance(given, bool):
            return "true" if given else "false"
        return default if given is _MISSING else str(given)

    def json(self, *names: str) -> Any:
        for name in names:
            if name in self._body:
                return self._body[name]
            if name in self._query:
                return json_text.parse(self._query[name].encode("utf-8", "surrogatepass"))
        return _MISSING

    def document_id(self, *names: str) -> str | None:
        for name in names:
            given = self._value(name)
            if given is not _MISSING:
                # CouchDB takes the id as it is; clients that quote it like a key are understood as well.
                text = str(given)
                return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text
        return None

    def _value(self, name: str) -> Any:
        return self._body.get(name, self._query.get(name, _MISSING))


def read_options(query: Mapping[str, str], body: Mapping[str, Any], has_reduce: bool) -> Options:
    """The options of one query. Raises 400 `query_parse_error` as CouchDB does."""
    given = _Given(query, body)
    reduce = given.boolean("reduce", has_reduce)
    if reduce and not has_reduce:
        raise query_parse_error("Reduce is invalid for map-only views.")
    options = Options(reduce)
    options.group_level = _group_level(given, has_reduce)
    options.descending = given.boolean("descending", False)
    options.limit = given.whole_number("limit", UNLIMITED)
    options.skip = given.whole_number("skip", 0)
    options.include_docs = given.boolean("include_docs", False)
    options.conflicts = given.boolean("conflicts", False)
    options.attachments = given.boolean("attachments", False)
    options.update = _update(given)
    options.update_seq = given.boolean("update_seq", False)
    given.boolean("stable", False)
    given.boolean("sorted", True)
    if options.include_docs and reduce:
        raise query_parse_error("`include_docs` is invalid for reduce")
    _read_range(given, options)
    return options


def _group_level(given: _Given, has_reduce: bool) -> int:
    level = given.whole_number("group_level", 0)
    if given.boolean("group", False):
        level = _ALL_ROWS
    if level and not has_reduce:
        raise query_parse_error("Invalid use of grouping on a map view.")
    if level and not given.boolean("reduce", True):
        raise query_parse_error("Invalid use of grouping on a map view.")
    return level


def _update(given: _Given) -> str:
    stale = given.text("stale", "")
    if stale:
        if stale not in ("ok", "update_after"):
            raise query_parse_error("Invalid value for `stale`.")
        return "false" if stale == "ok" else "lazy"
    update = given.text("update", "true")
    if update not in ("true", "false", "lazy"):
        raise query_parse_error("Invalid value for `update`.")
    return update


def _read_range(given: _Given, options: Options) -> None:
    keys = given.json("keys")
    key = given.json("key")
    start = given.json("startkey", "start_key")
    end = given.json("endkey", "end_key")
    if keys is not _MISSING:
        if not isinstance(keys, list):
            raise query_parse_error("`keys` must be an array of strings.")
        if key is not _MISSING or start is not _MISSING or end is not _MISSING:
            raise query_parse_error("`keys` is incompatible with `key`, `start_key` and `end_key`")
        if options.reduce and len(keys) > 1 and not options.is_exact:
            raise query_parse_error("Multi-key fetches for reduce views must use `group=true`")
        options.keys = keys[::-1] if options.descending else keys
        return
    if key is not _MISSING:
        start = end = key
    start_id = given.document_id("startkey_docid", "start_key_doc_id")
    end_id = given.document_id("endkey_docid", "end_key_doc_id")
    inclusive = given.boolean("inclusive_end", True)
    first = None if start is _MISSING else _edge(start, start_id, before=not options.descending)
    before_last = options.descending if inclusive else not options.descending
    last = None if end is _MISSING else _edge(end, end_id, before=before_last)
    low, high = (last, first) if options.descending else (first, last)
    if low is not None and high is not None and low > high:
        other = "false" if options.descending else "true"
        raise query_parse_error(
            "No rows can match your key range, reverse your start_key and end_key or set descending=" + other
        )
    options.low, options.high = low or b"", high


def _edge(key: Any, id: str | None, before: bool) -> bytes:
    """The place just before, or just after, the rows of a key, or of a key and a document."""
    place = collation.encode(key)
    if id is not None:
        return place + id.encode("utf-8", "surrogatepass") + (b"" if before else b"\x01")
    return place if before else place + b"\xff"


def range_of_key(key: Any, prefix: bytes) -> tuple[bytes, bytes]:
    """The places of all rows of one key. `prefix`: of the partition."""
    encoded = prefix + collation.encode(key)
    return encoded, encoded + b"\xff"


def read_body(body: Any) -> Mapping[str, Any]:
    """The body of a view query."""
    if not isinstance(body, dict):
        raise bad_request("Request body must be a JSON object")
    if "keys" in body and not isinstance(body["keys"], list):
        raise bad_request("`keys` member must be an array.")
    return body
