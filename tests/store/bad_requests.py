"""Makes requests that are wrong in every way there is, from a seed. Some come out right by chance."""

from __future__ import annotations

import gzip
import json
import random
from typing import Any
from urllib.parse import quote

from raw_requests import Sent

from embedded.server import collect_routes

_VALUES: list[Any] = [
    None, True, False, 0, -1, 5, 2**70, 10**400, 1.5, -0.0, 1e300, "", "x", "a", "b", "1-a", "_design/x", "_local/x",
    "\0",
    "ü" * 300, "\ud800", "\U0010ffff", [], [1], ["a"], [[]], {}, {"a": 1}, {"$gt": 1}, {"$and": 5}, {"$regex": "("},
    {"selector": {"x": {"$foo": 1}}}, [None], [{}], [{"id": 5}], [{"id": "a", "rev": 5}], [{"_id": "a", "_rev": "1-"}],
    "function (doc) { emit(doc._id) }", "[", "{", "1-" + "0" * 32, {"start": 1, "ids": ["a"]}, {"f": {"data": "!"}},
    {"f": {"stub": True}}, {"f": {"follows": True, "length": -1}}, "not base64", "all", "_all_docs", "now",
]  # fmt: skip
_NAMES = [
    "docs", "new_edits", "keys", "key", "startkey", "endkey", "selector", "fields", "sort", "limit", "skip", "index",
    "name", "ddoc", "doc_ids", "queries", "source", "target", "views", "filters", "validate_doc_update", "_id", "_rev",
    "_deleted", "_attachments", "_revisions", "members", "admins", "names", "roles", "password", "start", "ids", "stub",
    "data", "type", "use_index", "bookmark", "a", "map", "reduce", "options", "language", "partial_filter_selector",
    "docs_read", "since_seq", "create_target", "cancel", "group_level", "descending", "include_docs", "$or", "$not",
    "$elemMatch", "$in", "$mod", "$size", "$type", "$allMatch", "$keyMapMatch", "_unknown", "__proto__", "",
]  # fmt: skip
_PARAMETERS = [
    "rev", "revs", "open_revs", "latest", "attachments", "atts_since", "conflicts", "since", "limit", "skip", "feed",
    "filter", "view", "timeout", "heartbeat", "style", "include_docs", "startkey", "endkey", "key", "keys",
    "group_level",
    "group", "reduce", "descending", "inclusive_end", "doc_ids", "new_edits", "batch", "count", "update", "stale",
    "seq_interval", "startkey_docid", "endkey_docid", "partitioned", "update_seq", "include_design", "local_seq",
    "revs_info", "meta", "att_encoding_info", "q", "n", "sorted", "x",
]  # fmt: skip
_TEXTS = [
    "true", "false", "5", "-1", "0", "x", "[", '"a"', "null", "{}", '["1-a"]', "all", "now", "9" * 20, "9" * 5000, "ü",
    "1-a", "a/b", "_selector", "_doc_ids", "_view", "_design", "normal", "\0", "1e999", "", "NaN", '"\\ud800"',
    "[" * 3000,
    "0-x", "5-" + "0" * 16, " 1", "1.5", "TRUE", "'", "a%", '[null,{"a":[]}]',
]  # fmt: skip
_RAW = [
    b"", b" ", b"{", b"}", b"\xff\xfe", b"[1", b'"', b"nul", b"NaN", b"-", b"1e400", b'{"a":Infinity}',
    b'{"a":"\\ud800"}',
    b'{"a":1,"a":2}', b'{"_id":"a","_id":5}', b'{"a":\xed\xa0\x80}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\x00"}',
    b"{'a':1}",
    b'{"a":1}x', b'{"a":1,}', b"[1,]", b"\xef\xbb\xbf{}", b'{"docs":[{"a":1},]}', b"1" * 5000, b"0x10", b'{"a":01}',
    b"--x\r\n\r\n{}\r\n--x--",
    b'--x\r\nContent-Type: application/json\r\n\r\n{"_attachments":{"f":{"follows":true}}}\r\n--x--',
    b"\x1f\x8b", b"\x1f\x8b\x08\x00" + b"\0" * 20, gzip.compress(b"{}"), gzip.compress(b"{"), gzip.compress(b"{}")[:-3],
]  # fmt: skip
_DEEP = [
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"docs":[' * 20_000,
    b"[" * 600 + b"]" * 600,
]
_PIECES = [b"{", b"]", b'"', b",", b"\\", b"\0", b"\xff", b"e", b"-", b"\\ud800"]
_HEADERS: list[dict[str, str]] = [
    {"Content-Type": "application/json"}, {"Content-Type": "application/json"}, {"Content-Type": "application/json"},
    {"Content-Type": "text/plain"}, {"Content-Type": "multipart/related"}, {"Content-Type": ""}, {},
    {"Content-Type": 'multipart/related; boundary="x"'}, {"Content-Type": 'multipart/related; boundary="'},
    {"Content-Encoding": "gzip", "Content-Type": "application/json"}, {"Content-Encoding": "br"},
    {"Accept": "multipart/mixed", "Content-Type": "application/json"}, {"Accept": "multipart/related"},
    {"Accept": "\xff"},
    {"If-Match": "junk"}, {"If-Match": '"1-a"'}, {"If-None-Match": "*"}, {"Range": "bytes=5-2"}, {"Range": "bytes=-"},
    {"Range": "bytes=0-99999999999999999999"}, {"Cookie": "AuthSession=!!"}, {"Cookie": "=;;="}, {"Cookie": "x" * 4000},
    {"Destination": "x?rev=junk"}, {"Destination": "%00%ff"}, {"Destination": "http://elsewhere/x"},
    {"Destination": ""},
    {"Authorization": "Basic !!!"}, {"Authorization": "Bearer x"}, {"Referer": "\x01"},
    {"X-Couch-Full-Commit": "maybe"}, {"Origin": "null"}, {"Last-Event-ID": "\0"}, {"Content-MD5": "junk"},
    {"Expect": "100-continue", "Content-Type": "application/json"}, {"X": "y" * 30_000}, {"Upgrade": "websocket"},
]  # fmt: skip
_PATH_NAMES = [
    "a", "b", "x", "_x", "%C3%BC", "a%2Fb", "%00", "_design", "_design%2Fa", "_local", "..", "%2e%2e", "%", "%zz",
    "%ED%A0%80",
    "%F4%90%80%80", "%FF", quote("a" * 500), quote("ü" * 2000), "_all_docs", "1-a", "+", "%2B", "%0D%0A", ";", "a:b",
    "'",
]  # fmt: skip
_METHODS = ["GET", "PUT", "POST", "DELETE", "HEAD", "COPY", "PATCH", "OPTIONS", "TRACE", "BREW"]
# The database itself is not deleted, for what is asked of it next.
_ROUTES = [one for one in collect_routes() if not (one.pattern == "/{db}" and one.method in ("PUT", "DELETE"))]


class BadRequests:
    """Requests to one database, `/name`, the same ones for the same seed."""

    def __init__(self, database: str, seed: int) -> None:
        self._database = database[1:]
        self._chance = random.Random(seed)

    def any_kind(self) -> Sent:
        """A request that is probably wrong."""
        chance = self._chance
        route = chance.choice(_ROUTES)
        method = route.method if chance.random() < 0.9 else chance.choice(_METHODS)
        if method in ("PUT", "DELETE") and route.pattern == "/{db}":
            method = "PATCH"
        sent = Sent(method, self._path(route.pattern), headers=dict(chance.choice(_HEADERS)))
        kind = chance.random()
        if kind < 0.2:
            sent.body = chance.choice(_RAW)
        elif kind < 0.4:
            sent.body = self._broken()
        elif kind < 0.405:
            sent.body = chance.choice(_DEEP)
        elif method not in ("GET", "HEAD"):
            sent.body = self._json()
        return sent

    def surely_bad(self) -> Sent:
        """A write whose body is no JSON at all."""
        path = self._chance.choice(["/{db}/a", "/{db}/new", "/{db}/_local/a", "/{db}/_design/new", "/{db}/_security"])
        bulk = self._chance.choice(["/{db}/_bulk_docs", "/{db}/_purge", "/{db}/_index", "/{db}"])
        method, pattern = self._chance.choice([("PUT", path), ("POST", bulk)])
        body = self._broken()
        while _is_json(body):
            body = self._broken()
        return Sent(method, pattern.replace("{db}", self._database), body, {"Content-Type": "application/json"})

    def _path(self, pattern: str) -> str:
        chance = self._chance
        parts = [chance.choice(_PATH_NAMES) if part.startswith("{") else part for part in pattern.split("/")[1:]]
        if pattern.startswith("/{db}"):
            parts[0] = self._database if chance.random() < 0.97 else chance.choice(_PATH_NAMES)
        chosen = [f"{chance.choice(_PARAMETERS)}={quote(chance.choice(_TEXTS))}" for _ in range(chance.randint(0, 3))]
        return "/" + "/".join(parts) + "?" + "&".join([*chosen, "timeout=20"])

    def _json(self) -> bytes:
        return json.dumps(self._value(0), ensure_ascii=self._chance.random() < 0.5).encode("utf-8", "surrogatepass")

    def _broken(self) -> bytes:
        """A JSON text with some of its bytes wrong."""
        text = bytearray(self._json())
        for _ in range(self._chance.randint(1, 3)):
            at = self._chance.randrange(len(text) + 1)
            kind = self._chance.randrange(4)
            if kind == 0:
                del text[at:]
            elif kind == 1:
                text[at:at] = self._chance.choice(
                    [b"{", b"]", b'"', b",", b"\\", b"\0", b"\xff", b"e", b"-", b"\\ud800"]
                )
            elif kind == 2:
                del text[at : at + 1]
            else:
                text[at : at + 1] = bytes([self._chance.randrange(256)])
        return bytes(text)

    def _value(self, depth: int) -> Any:
        chance = self._chance
        kind = chance.random()
        if (depth == 0 and kind < 0.8) or (depth < 4 and kind < 0.35):
            return {chance.choice(_NAMES): self._value(depth + 1) for _ in range(chance.randint(0, 4))}
        if depth < 4 and kind < 0.5:
            return [self._value(depth + 1) for _ in range(chance.randint(0, 3))]
        return chance.choice(_VALUES)


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
