"""Errors as CouchDB tells them: a status and `{"error": …, "reason": …}`.

Any code below the HTTP layer may raise `HttpError`; the dispatcher turns it into the answer. Nothing else is an answer:
an exception of another kind is a defect, answered with 500 and logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class HttpError(Exception):
    """An answer that is not a success; `error` is CouchDB's code, `reason` a sentence for a person (whatever JSON a
    validation rule threw, when it is a rule's)."""

    def __init__(self, status: int, error: str, reason: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{status} {error}: {reason}")
        self.status = status
        self.error = error
        self.reason = reason
        self.headers = dict(headers or {})


def bad_request(reason: str, error: str = "bad_request") -> HttpError:
    return HttpError(400, error, reason)


def query_parse_error(reason: str) -> HttpError:
    return HttpError(400, "query_parse_error", reason)


def unauthorized(reason: Any) -> HttpError:
    return HttpError(401, "unauthorized", reason)


def forbidden(reason: Any) -> HttpError:
    return HttpError(403, "forbidden", reason)


def not_found(reason: str = "missing") -> HttpError:
    return HttpError(404, "not_found", reason)


def no_database() -> HttpError:
    return HttpError(404, "not_found", "Database does not exist.")


def method_not_allowed(allowed: str) -> HttpError:
    return HttpError(405, "method_not_allowed", f"Only {allowed} allowed", {"Allow": allowed})


def conflict() -> HttpError:
    return HttpError(409, "conflict", "Document update conflict.")


def too_large(reason: str) -> HttpError:
    return HttpError(413, "too_large", reason)


def not_implemented(reason: str) -> HttpError:
    return HttpError(501, "not_implemented", reason)
