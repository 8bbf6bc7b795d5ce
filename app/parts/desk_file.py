"""The file of the parts desk: what it knows, in SQLite, beside the node's other data.

Everything in it is derived from the book and the catalog: it may be deleted at any time and is then made anew.
"""

from __future__ import annotations

from pathlib import Path

from app.kept_file import KeptFile

# Another number where the tables, or what is put into them, change: an older file is then made anew.
FORMAT = 1

_TABLES = """
CREATE TABLE catalog (id TEXT PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX catalog_kinds ON catalog (kind);
CREATE TABLE customers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, sorting TEXT NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE machines (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, make TEXT NOT NULL, customer TEXT NOT NULL,
    model TEXT NOT NULL, fitted REAL, stale INTEGER NOT NULL, body TEXT NOT NULL, usage TEXT
);
CREATE INDEX machines_of_customer ON machines (customer);
CREATE INDEX machines_of_model ON machines (model, fitted);
CREATE INDEX stale_machines ON machines (number) WHERE stale;
CREATE TABLE readings (machine TEXT, day TEXT, at TEXT, hours REAL, PRIMARY KEY (machine, day)) WITHOUT ROWID;
CREATE TABLE services (id TEXT PRIMARY KEY, machine TEXT NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX services_of_machine ON services (machine);
CREATE TABLE averages (model TEXT PRIMARY KEY, hours_per_day REAL, stale INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE parts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sold_id TEXT NOT NULL, sold TEXT NOT NULL, name TEXT NOT NULL,
    unit TEXT NOT NULL, price REAL, instead_of TEXT NOT NULL
);
CREATE TABLE lines (
    machine INTEGER, line INTEGER, line_id TEXT NOT NULL, title TEXT NOT NULL, part TEXT NOT NULL,
    overdue INTEGER NOT NULL, reason TEXT NOT NULL, visits TEXT NOT NULL, PRIMARY KEY (machine, line)
) WITHOUT ROWID;
CREATE TABLE visits (
    machine INTEGER, line INTEGER, day INTEGER, part INTEGER NOT NULL, quantity REAL NOT NULL, first INTEGER NOT NULL,
    overdue INTEGER NOT NULL, PRIMARY KEY (machine, line, day)
) WITHOUT ROWID;
"""
"""`lines`: the lines of a machine's plan that are due, with every time they are; `visits`: the same narrow and with
numbers for what has a part, for the totals. Days are ordinals. `parts`: those that plans name, as they are sold now."""


def desk_file(path: Path) -> KeptFile:
    """The desk's file at `path`; made where it is missing, or of another format."""
    return KeptFile(path, FORMAT, _TABLES)
