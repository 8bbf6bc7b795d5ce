"""python-couchdb, without what it loads only to learn its own version.

It asks ``pkg_resources`` (setuptools): a twentieth of a second and five megabytes. Where there is none it does without.
"""

from __future__ import annotations

import sys

_VERSIONS = "pkg_resources"
_is_there = _VERSIONS in sys.modules

if not _is_there:
    sys.modules[_VERSIONS] = None  # type: ignore[assignment]
try:
    import couchdb
    from couchdb import http as couchdb_http
finally:
    if not _is_there:
        del sys.modules[_VERSIONS]

__all__ = ["couchdb", "couchdb_http"]
