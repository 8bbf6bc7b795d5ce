"""The writing side of a database during one transaction: its connection and the numbers it counts."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass


@dataclass(slots=True)
class Writer:
    """The writing side of a database during one transaction. The counters are saved when it commits."""

    connection: sqlite3.Connection
    update_seq: int = 0
    body_number: int = 0
    documents: int = 0
    deleted: int = 0
    purge_seq: int = 0
    body_bytes: int = 0

    def load(self) -> None:
        (
            self.update_seq,
            self.body_number,
            self.documents,
            self.deleted,
            self.purge_seq,
            self.body_bytes,
        ) = self.connection.execute("SELECT * FROM counters").fetchone()

    def counters(self) -> tuple[int, ...]:
        return (
            self.update_seq,
            self.body_number,
            self.documents,
            self.deleted,
            self.purge_seq,
            self.body_bytes,
        )

    def restore(self, counters: tuple[int, ...]) -> None:
        (
            self.update_seq,
            self.body_number,
            self.documents,
            self.deleted,
            self.purge_seq,
            self.body_bytes,
        ) = counters

    def save(self) -> None:
        self.connection.execute(
            "UPDATE counters SET update_seq=?, body_number=?, documents=?, deleted=?, purge_seq=?, body_bytes=?",
            self.counters(),
        )

    def next_seq(self) -> int:
        self.update_seq += 1
        return self.update_seq

    def next_body(self) -> int:
        self.body_number += 1
        return self.body_number
