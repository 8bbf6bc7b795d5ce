"""CouchDB 3.5's replicator as its peers meet it: its requests, and no more patience with an answer than it has.

Told after what `couch_replicator` does (`api_wrap`, `worker`, `scheduler_job`, `auth_session`, `httpc`): where it would
give up on an answer, an assertion here fails. It reaches both ends over HTTP, with one connection each.
"""

from __future__ import annotations

import http.client
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

BATCH = 5
"""Rows of `_changes` it works on together; 500 in earnest."""


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Attached:
    """An attachment on its way: what the document tells of it, and the bytes that followed; None for a stub."""

    name: str
    told: dict[str, Any]
    content: bytes | None


@dataclass
class Fetched:
    """A revision read by itself, with its attachments in the document's order."""

    document: dict[str, Any]
    attached: list[Attached]


@dataclass
class Counts:
    read: int = 0
    written: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    """Id and error of what the target did not take."""


def path_of(id: str) -> str:
    """An id in a path: all but letters, digits and a few signs as %XX, the slash of its kind left alone."""
    for kind in ("_design/", "_local/"):
        if id.startswith(kind):
            return kind + quote(id.removeprefix(kind), safe="-_.:")
    return quote(id, safe="-_.:")


class Database:
    """One end. Its session is begun anew when the end no longer takes the cookie."""

    def __init__(self, url: str, name: str, user: tuple[str, str]) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
        self._base = f"/{name}/"
        self._user = user
        self.sign_ins = 0
        self.cookie = ""
        self.sign_in()

    def close(self) -> None:
        self._connection.close()

    def sign_in(self) -> None:
        form = urlencode({"name": self._user[0], "password": self._user[1]})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._send("POST", "/_session", form.encode(), headers)
        assert answer.status == 200, answer.body
        self._take_cookie(answer)
        assert self.cookie
        self.sign_ins += 1

    def _take_cookie(self, answer: Answer) -> None:
        for header in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = header.partition(";")[0].strip().partition("=")
            if name == "AuthSession":
                self.cookie = value

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        self._connection.request(method, path, body=body, headers=headers)
        answer = self._connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def ask(
        self, method: str, path: str = "", query: dict[str, str] | None = None, body: Any = None, **more: str
    ) -> Answer:
        """A request with its headers. An answer that is no success must be JSON."""
        headers = {"Accept": "application/json", "User-Agent": "CouchDB-Replicator/3.5.0"}
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if body is not None and not isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
        text = "&".join(f"{name}={quote_plus(value)}" for name, value in (query or {}).items())
        target = self._base + path + (f"?{text}" if text else "")
        answer = self._send(method, target, raw, headers | {"Cookie": f"AuthSession={self.cookie}"})
        if answer.status in (401, 403) and answer.json()["error"] == "unauthorized":
            self.sign_in()
            answer = self._send(method, target, raw, headers | {"Cookie": f"AuthSession={self.cookie}"})
        assert answer.status < 500, answer.body
        if 200 <= answer.status < 300:
            self._take_cookie(answer)
        if answer.status >= 400:
            answer.json()
        return answer

    def ask_lines(self, path: str, query: dict[str, str]) -> list[bytes]:
        """The lines of an answer that ends by itself."""
        text = urlencode(query)
        answer = self._send("GET", f"{self._base}{path}?{text}", None, {"Cookie": f"AuthSession={self.cookie}"})
        assert answer.status == 200, answer.body
        return answer.body.splitlines()

    # --- what it asks of either end

    def open(self, create: bool = False) -> str:
        """Whether the database is there; its instance_start_time, which has to stay the same."""
        if create:
            assert self.ask("PUT", "", {"q": "1"}).status in (201, 202, 412)
        information = self.ask("GET")
        assert information.status == 200, information.body
        told = information.json()
        assert told["update_seq"] is not None
        return str(told["instance_start_time"])

    def commit(self) -> str:
        answer = self.ask("POST", "_ensure_full_commit", Content_Type="application/json")
        assert answer.status == 201, answer.body
        return str(answer.json()["instance_start_time"])

    def checkpoint(self, id: str) -> dict[str, Any]:
        """The checkpoint; one that only has its id when there is none."""
        answer = self.ask("GET", path_of(id))
        if answer.status != 200:
            assert answer.json()["error"] == "not_found"
            return {"_id": id}
        told: dict[str, Any] = answer.json()
        assert told["_id"] == id
        return told

    def save_checkpoint(self, checkpoint: dict[str, Any]) -> str:
        """Returns its new revision. What it has of a history is sent along as with any document."""
        digests = [checkpoint["_rev"].partition("-")[2]] if "_rev" in checkpoint else []
        body = json.dumps({**checkpoint, "_revisions": {"start": 0, "ids": digests}}).encode()
        answer = self.ask(
            "PUT", path_of(checkpoint["_id"]), body=body, X_Couch_Full_Commit="false", Content_Type="application/json"
        )
        assert answer.status in (200, 201, 202), answer.body
        return str(answer.json()["rev"])

    # --- what it asks of the source

    def changes(self, since: Any, filter: dict[str, str] | None = None, body: Any = None) -> list[dict[str, Any]]:
        """The rows. A sequence goes back as the JSON it was, with its quotation marks."""
        query = {"feed": "normal", "style": "all_docs", "since": json.dumps(since), "timeout": "10000"}
        answer = self.ask("GET" if body is None else "POST", "_changes", {**(filter or {}), **query}, body)
        assert answer.status == 200, answer.body
        told = answer.json()
        assert set(told) == {"results", "last_seq", "pending"}
        rows: list[dict[str, Any]] = told["results"]
        return rows

    def pending(self, since: Any) -> int:
        told = self.ask("GET", "_changes", {"since": json.dumps(since), "limit": "0"}).json()
        assert isinstance(told["pending"], int)
        return told["pending"]  # type: ignore[no-any-return]

    def bulk_get(self, asked: dict[tuple[str, str], list[str]]) -> dict[tuple[str, str], dict[str, Any]]:
        """Those without attachments. Each result has to stand where it was asked for, with one document in it."""
        order = sorted(asked)
        documents = [{"id": id, "rev": rev, "atts_since": asked[id, rev]} for id, rev in order]
        query = {"latest": "true", "revs": "true", "attachments": "false"}
        answer = self.ask("POST", "_bulk_get", query, {"docs": documents})
        assert answer.status == 200, answer.body
        assert list(answer.json()) == ["results"]
        found = {}
        for (id, rev), result in zip(order, answer.json()["results"], strict=True):
            assert result["id"] == id
            [one] = result["docs"]
            assert list(one) in (["ok"], ["error"])
            if "ok" in one and not one["ok"].get("_attachments"):
                found[id, rev] = one["ok"]
        return found

    def open_revision(self, id: str, rev: str, since: list[str]) -> Fetched | None:
        """One revision by itself, with what of its attachments is newer than `since`. None when it is missing."""
        query = {"revs": "true", "open_revs": json.dumps([rev]), "latest": "true"}
        if since:
            query["atts_since"] = json.dumps(since)
        answer = self.ask("GET", path_of(id), query, Accept="multipart/mixed")
        assert answer.status == 200, answer.body
        [(headers, body)] = list(mixed_parts(answer))
        if headers["content-type"] == 'application/json; error="true"':
            assert list(json.loads(body)) == ["missing"]
            return None
        if headers["content-type"] == "application/json":
            return Fetched(json.loads(body), [])
        return fetched(headers["content-type"], body)

    # --- what it asks of the target

    def missing(self, leaves: dict[str, list[str]]) -> dict[tuple[str, str], list[str]]:
        """Id and revision of what is not there, each with the revisions it may come from."""
        answer = self.ask("POST", "_revs_diff", body=leaves)
        assert answer.status == 200, answer.body
        return {
            (id, rev): one.get("possible_ancestors", []) for id, one in answer.json().items() for rev in one["missing"]
        }

    def save_bulk(self, documents: list[dict[str, Any]], counts: Counts) -> None:
        """Writes them; one half after the other where all are too large together."""
        text = b'{"new_edits":false,"docs":[' + b",".join(json.dumps(one).encode() for one in documents) + b"]}"
        kind = {"Content_Type": "application/json", "X_Couch_Full_Commit": "false"}
        answer = self.ask("POST", "_bulk_docs", body=text, **kind)
        if answer.status == 413 and len(documents) > 1:
            half = len(documents) // 2
            self.save_bulk(documents[:half], counts)
            self.save_bulk(documents[half:], counts)
        elif answer.status == 413:
            counts.refused.append((documents[0]["_id"], "too large"))
        else:
            assert answer.status in (201, 417), answer.body
            refused = answer.json()
            assert all({"id", "rev", "error", "reason"} <= set(one) for one in refused)
            counts.refused += [(one["id"], one["error"]) for one in refused]
            counts.written += len(documents) - len(refused)

    def save_one(self, fetched: Fetched, counts: Counts) -> None:
        """Writes a document with its attachments, or a design document."""
        kind, body = related_body(fetched)
        id = fetched.document["_id"]
        answer = self.ask("PUT", path_of(id), {"new_edits": "false"}, body, Content_Type=kind)
        told = answer.json()
        if answer.status in (200, 201, 202):
            assert told["rev"] == fetched.document["_rev"]
            counts.written += 1
            return
        skipped = (answer.status, told["error"]) in ((401, "unauthorized"), (403, "forbidden"))
        named = answer.status == 400 and told["reason"].startswith("Attachment name ")
        assert skipped or named or answer.status in (413, 415), answer.body
        counts.refused.append((id, told["error"]))


def mixed_parts(answer: Answer) -> Iterator[tuple[dict[str, str], bytes]]:
    """The parts of a multipart/mixed answer to it, which has to end with its last boundary and not a byte later."""
    kind, _, boundary = answer.headers["Content-Type"].partition('; boundary="')
    assert kind == "multipart/mixed"
    yield from parts(answer.body, boundary.removesuffix('"'))


def parts(body: bytes, boundary: str) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers, by their names in small letters, and content of each part."""
    before, *pieces, last = (b"\r\n" + body).split(f"\r\n--{boundary}".encode())
    assert before.strip() == b""
    assert last == b"--", last
    for piece in pieces:
        head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        lines = (line.partition(": ") for line in head.decode().split("\r\n"))
        yield {name.lower(): value for name, _, value in lines}, content


def fetched(kind: str, body: bytes) -> Fetched:
    """A document and its attachments. The contents are told apart by their order and lengths alone."""
    assert kind.startswith("multipart/related; boundary=")
    (headers, text), *contents = parts(body, kind.partition("boundary=")[2].strip('"'))
    assert headers["content-type"] == "application/json"
    document = json.loads(text)
    attached = []
    for name, told in document["_attachments"].items():
        content = None
        if told.get("follows"):
            _, content = contents.pop(0)
            assert len(content) == told.get("encoded_length", told["length"])
        else:
            assert told["stub"] is True
        assert {"content_type", "revpos", "digest", "length"} <= set(told)
        attached.append(Attached(name, told, content))
    assert contents == []
    return Fetched(document, attached)


def related_body(fetched: Fetched) -> tuple[str, bytes]:
    """The content type and body of a document that is put. Names stand in the headers as they are, quoted or not."""
    text = json.dumps(fetched.document).encode()
    following = [one for one in fetched.attached if one.content is not None]
    if not following:
        return "application/json", text
    boundary = uuid.uuid4().hex.encode()
    body = b"--%s\r\nContent-Type: application/json\r\n\r\n%s\r\n--%s" % (boundary, text, boundary)
    for one in following:
        content = one.content or b""
        body += b'\r\nContent-Disposition: attachment; filename="%s"' % one.name.encode()
        body += b"\r\nContent-Type: %s\r\nContent-Length: %d" % (one.told["content_type"].encode(), len(content))
        if "encoding" in one.told:
            body += b"\r\nContent-Encoding: %s" % one.told["encoding"].encode()
        body += b"\r\n\r\n%s\r\n--%s" % (content, boundary)
    return f'multipart/related; boundary="{boundary.decode()}"', body + b"--"


def replicate(
    source: Database,
    target: Database,
    *,
    id: str = "3f2a",
    create: bool = False,
    filter: dict[str, str] | None = None,
    body: Any = None,
    by_bulk: bool = True,
) -> Counts:
    """One pass from the last checkpoint on. `filter`, `body`: as `_changes` takes them. `by_bulk`: use `_bulk_get`."""
    begun = source.open(), target.open(create)
    logs = [end.checkpoint(f"_local/{id}") for end in (source, target)]
    same = "session_id" in logs[0] and logs[0]["session_id"] == logs[1].get("session_id")
    since = logs[0]["source_last_seq"] if same else 0
    counts = Counts()
    rows = source.changes(since, filter, body)
    for at in range(0, len(rows), BATCH):
        batch = rows[at : at + BATCH]
        _take_over(
            source, target, {row["id"]: [one["rev"] for one in row["changes"]] for row in batch}, counts, by_bulk
        )
        since = batch[-1]["seq"]
    if rows:
        assert (source.commit(), target.commit()) == begun
        entry = {"session_id": uuid.uuid4().hex, "recorded_seq": since, "docs_written": counts.written}
        for end, log in zip((source, target), logs, strict=True):
            history = [entry, *log.get("history", [])]
            told = {"session_id": entry["session_id"], "source_last_seq": since, "history": history}
            rev = end.save_checkpoint(log | told | {"replication_id_version": 4})
            assert end.checkpoint(log["_id"]) == log | told | {"replication_id_version": 4, "_rev": rev}
    return counts


def _take_over(source: Database, target: Database, leaves: dict[str, list[str]], counts: Counts, by_bulk: bool) -> None:
    missing = target.missing(leaves)
    plain = {key: since for key, since in missing.items() if not key[0].startswith("_design/")}
    found = source.bulk_get(plain) if by_bulk and plain else {}
    documents = [found[key] for key in sorted(found)]
    counts.read += len(found)
    for (id, rev), since in missing.items():
        if (id, rev) in found:
            continue
        one = source.open_revision(id, rev, since)
        assert one is not None, (id, rev)
        counts.read += 1
        if one.attached or id.startswith("_design/"):
            target.save_one(one, counts)
        else:
            documents.append(one.document)
    if documents:
        target.save_bulk(documents, counts)
