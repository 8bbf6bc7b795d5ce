"""What tests leave behind in a store that outlives them: nothing."""

from __future__ import annotations

from app.couch import NotFound, Store


def leave_nothing(store: Store) -> None:
    """Deletes every database and every user whose name begins with the store's prefix."""
    for name in store.names():
        store.delete(name)
    users = Store(store.url, store.user, store.password).database("_users")
    first = f"org.couchdb.user:{store.prefix}"
    try:
        rows = users.all_docs(startkey=first, endkey=f"{first}\ufff0").rows
    except NotFound:
        return
    for row in rows:
        store.delete_user(str(row.id).removeprefix("org.couchdb.user:"))
