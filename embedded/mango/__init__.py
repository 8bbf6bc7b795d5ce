"""Mango: selectors, `_find`, `_index`. The selectors are pure and serve `_changes` and replication as well."""

from embedded.mango.selector import check, compile_selector, matches

__all__ = ["check", "compile_selector", "matches"]
