"""CouchDB's order of JSON values: null, false, true, numbers, strings, arrays, objects.

`compare` answers for two values, `encode` gives bytes that SQLite orders the same way, `sort_key` does so for a string.
"""

from embedded.collation.json_order import compare, encode, group_prefix
from embedded.collation.strings import sort_key

COLLATOR_VERSION = "17.0"
"""The version of Unicode's collation algorithm whose weights are in `root.bin`."""

__all__ = ["COLLATOR_VERSION", "compare", "encode", "group_prefix", "sort_key"]
