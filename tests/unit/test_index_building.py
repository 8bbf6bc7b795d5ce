"""An index that is built for the first time, in several commits, while its database goes on changing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embedded import active_tasks, database_incoming, database_schema
from embedded.database import Database
from embedded.database_writing import write_documents
from embedded.javascript import Emitted
from embedded.mapreduce import building
from embedded.mapreduce.definition import IndexDefinition, read_definition, view_functions
from embedded.mapreduce.indexes import ViewIndex

DEFINITION = read_definition(
    {"_id": "_design/numbers", "views": {"all": {"map": "function (doc) { emit(doc.n, null); }", "reduce": "_count"}}}
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "db-numbers.sqlite"
    database_schema.create(path, {"uuid": "a" * 32})
    loop = asyncio.new_event_loop()
    with ThreadPoolExecutor(2) as pool:
        opened = Database("numbers", path, pool, pool, pool, loop)
        yield opened
        opened.close()
    loop.close()


def save(database: Database, *documents: dict[str, Any]) -> list[str]:
    incoming = [database_incoming.parse(document) for document in documents]
    written = database.write(write_documents, incoming, replicas=False, revs_limit=1000, permission=None)
    return [str(one.rev) for one in written]


class Meanwhile(active_tasks.Task):
    """Does something once, after the first commit."""

    def __init__(self, do: Any) -> None:
        self._left = [do]

    def update(self, **_: Any) -> None:
        while self._left:
            self._left.pop()()


def rows(index: ViewIndex) -> list[tuple[str, str]]:
    with index.file.connection() as connection:
        return sorted(connection.execute("SELECT id, key FROM rows_0").fetchall())


def test_what_changes_during_the_first_build_is_in_the_index_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "DOCUMENTS_A_COMMIT", 2)
    revs = save(database, *({"_id": f"d{n}", "n": n} for n in range(6)))
    index, functions = ViewIndex(database, DEFINITION, "numbers"), view_functions(DEFINITION, "here")

    def change() -> None:
        save(database, {"_id": "d0", "_rev": revs[0], "n": 10}, {"_id": "d5", "_rev": revs[5], "n": 15})

    index.update(functions, Meanwhile(change))
    assert rows(index) == [(f"d{n}", str(n)) for n in range(5)]
    index.update(functions, Meanwhile(lambda: None))
    assert rows(index) == [("d0", "10"), ("d1", "1"), ("d2", "2"), ("d3", "3"), ("d4", "4"), ("d5", "15")]


def test_a_first_build_that_was_cut_off_goes_on_with_what_changed_since(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "DOCUMENTS_A_COMMIT", 2)
    revs = save(database, *({"_id": f"d{n}", "n": n} for n in range(4)))
    index, functions = ViewIndex(database, DEFINITION, "numbers"), view_functions(DEFINITION, "here")

    def cut_off() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index.update(functions, Meanwhile(cut_off))
    assert len(rows(index)) == 2
    save(database, {"_id": "d1", "_rev": revs[1], "n": 11})
    index.update(functions, Meanwhile(lambda: None))
    assert rows(index) == [("d0", "0"), ("d1", "11"), ("d2", "2"), ("d3", "3")]


ABOUT_MACHINES = read_definition(
    {
        "_id": "_design/machines",
        "views": {"all": {"map": "function (doc) { if (doc.type !== 'machine') { return; } emit(doc.n, null); }"}},
    }
)


class Counting:
    """Map functions that count the documents they are handed."""

    def __init__(self, definition: IndexDefinition) -> None:
        self._functions = view_functions(definition, "here")
        self.handed: list[str] = []

    def map(self, documents: Sequence[str]) -> list[Emitted]:
        self.handed += [json.loads(document)["_id"] for document in documents]
        return self._functions.map(documents)


def test_only_documents_that_can_have_rows_are_handed_to_the_map_functions(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "DOCUMENTS_A_COMMIT", 2)
    types = ["machine", "part", "part", "part", "machine", "part", "machine", "part"]
    revs = save(database, *({"_id": f"d{n}", "type": type, "n": n} for n, type in enumerate(types)))
    index, functions = ViewIndex(database, ABOUT_MACHINES, "machines"), Counting(ABOUT_MACHINES)
    index.update(functions, Meanwhile(lambda: None))  # type: ignore[arg-type]
    assert functions.handed == ["d0", "d4", "d6"]
    assert rows(index) == [("d0", "0"), ("d4", "4"), ("d6", "6")]
    assert index.file.state().seq == database.update_seq
    # One that is a machine no more is taken out, one that has become one comes in.
    save(database, {"_id": "d0", "_rev": revs[0], "type": "part"}, {"_id": "d1", "_rev": revs[1], "type": "machine"})
    save(database, {"_id": "d4", "_rev": revs[4], "_deleted": True, "type": "machine"})
    index.update(functions, Meanwhile(lambda: None))  # type: ignore[arg-type]
    assert functions.handed == ["d0", "d4", "d6", "d1"]
    assert rows(index) == [("d1", "null"), ("d6", "6")]
    assert index.file.state().seq == database.update_seq
