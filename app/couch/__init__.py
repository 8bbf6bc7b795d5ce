"""The only door to the store: databases, documents, bulk writes, views, changes, replication.

Nothing above this package knows whether an Apache CouchDB or the embedded store answers, nor that python-couchdb asks.
"""

from app.couch.database import BulkResult, Changes, Database, Row, Rows
from app.couch.errors import Conflict, Forbidden, NotFound, Refused, StoreError, Unreachable, WrongPassword
from app.couch.store import Store, is_too_old

__all__ = [
    "BulkResult",
    "Changes",
    "Conflict",
    "Database",
    "Forbidden",
    "NotFound",
    "Refused",
    "Row",
    "Rows",
    "Store",
    "StoreError",
    "Unreachable",
    "WrongPassword",
    "is_too_old",
]
