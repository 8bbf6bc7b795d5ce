"""Partitions: in a partitioned database the part of an id before its first colon says which partition it is in. Pure.

An index of such a database is partitioned too unless its design document says `options.partitioned: false`: the place
of each row then begins with the partition, so one partition's rows lie together and are found as quickly as a key's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from embedded.http.errors import bad_request


def check_name(partition: str) -> str:
    """Raises 400 `illegal_partition` for what no document's id can begin with."""
    if not partition or ":" in partition:
        raise bad_request("Partition must not be empty and holds no colon", "illegal_partition")
    if partition.startswith("_"):
        raise bad_request("Partition must not start with an underscore", "illegal_partition")
    return partition


def prefix(partition: str) -> bytes:
    """What a partition's ids, and the places of its rows, begin with. None begins another: a colon ends each."""
    return f"{partition}:".encode("utf-8", "surrogatepass")


def prefix_of_id(id: str) -> bytes:
    return prefix(id.partition(":")[0])


def after(prefix: bytes) -> bytes:
    """The first place behind all that begin with a prefix."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def is_partitioned(database_is_partitioned: bool, options: Any) -> bool:
    """Whether an index is, from the `options` of its design document."""
    chosen = options.get("partitioned", True) if isinstance(options, Mapping) else True
    return database_is_partitioned and chosen is not False


def check_option(database_is_partitioned: bool, options: Any) -> None:
    """Raises 400 for a design document whose option its database cannot follow."""
    chosen = options.get("partitioned") if isinstance(options, Mapping) else None
    if chosen is not None and not isinstance(chosen, bool):
        raise bad_request("`partitioned` option must be boolean")
    if chosen and not database_is_partitioned:
        raise bad_request("partitioned option cannot be true in a non-partitioned database.")
