"""What the tests of replication share: two servers, databases on them, and asking one to replicate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass
class Place:
    """A database on a server, and how a replicator reaches it. `couch`: the server's client."""

    couch: Any
    name: str

    @property
    def path(self) -> str:
        return f"/{self.name}"

    def endpoint(self, auth: tuple[str, str] | None = None) -> dict[str, Any]:
        user, password = auth or self.couch.admin
        return {
            "url": f"{self.couch.url}/{self.name}",
            "auth": {"basic": {"username": user, "password": password}},
        }

    def save(self, *documents: dict[str, Any]) -> list[str]:
        """Write documents in one request; returns their revisions."""
        answer = self.couch.post(f"{self.path}/_bulk_docs", {"docs": list(documents)})
        assert answer.status in (201, 202), answer.data
        return [row["rev"] for row in answer.json()]

    def save_replicas(self, *documents: dict[str, Any]) -> None:
        """Write documents with the revision ids they have."""
        answer = self.couch.post(f"{self.path}/_bulk_docs", {"docs": list(documents), "new_edits": False})
        assert answer.status in (201, 202), answer.data
        assert answer.json() == []

    def get(self, id: str, query: str = "") -> Any:
        """The document, None when it is not there."""
        answer = self.couch.get(f"{self.path}/{id}{query}")
        return None if answer.status == 404 else answer.json()

    def ids(self) -> list[str]:
        return [row["id"] for row in self.couch.get(f"{self.path}/_all_docs").json()["rows"]]

    def leaves(self) -> dict[str, list[str]]:
        """All leaf revisions of all documents, deleted ones too."""
        rows = self.couch.get(f"{self.path}/_changes?style=all_docs").json()["results"]
        return {row["id"]: sorted(change["rev"] for change in row["changes"]) for row in rows}


def replicate(couch: Any, source: Any, target: Any, **options: Any) -> dict[str, Any]:
    """Ask a server to replicate; returns its answer, which must be a success."""
    body = {"source": source, "target": target, **options}
    answer = couch.post("/_replicate", body, timeout=110)
    assert answer.status in (200, 202), answer.data
    told: dict[str, Any] = answer.json()
    assert told["ok"] is True
    return told


def counts(told: dict[str, Any]) -> tuple[int, int, int]:
    """Documents read, written and refused, over all sessions of the replication."""
    last = told["history"][0]
    return last["docs_read"], last["docs_written"], last["doc_write_failures"]
