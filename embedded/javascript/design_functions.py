"""Filter and validation functions of one design document."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, forbidden, not_found, unauthorized
from embedded.javascript.sandbox import CompilationError, Sandbox, ScriptError, ScriptStoppedError

SECONDS = 3.0
"""Processor time a call for a batch of documents may take."""
_VALIDATION = "validate_doc_update"


def validate(
    designs: Sequence[str], edits: Sequence[tuple[str, str | None]], user: str, security: str
) -> list[HttpError | None]:
    """Ask the validation function of each design document (JSON texts); the first refusal of an edit counts."""
    refusals: list[HttpError | None] = [None] * len(edits)
    for design in designs:
        for at, refusal in enumerate(_functions_of(design).validate(edits, user, security)):
            refusals[at] = refusals[at] or refusal
    return refusals


def filter_documents(design: str, name: str, documents: Sequence[str], request: str) -> list[bool]:
    """`DesignFunctions.filter` of a design document given as JSON text."""
    return _functions_of(design).filter(name, documents, request)


def filter_by_view(design: str, view: str, documents: Sequence[str]) -> list[bool]:
    """`DesignFunctions.emits` of a design document given as JSON text."""
    return _functions_of(design).emits(view, documents)


class DesignFunctions:
    """Keeps a context a function, made when first asked for. `body`: the design document, parsed.

    Documents go in as JSON texts. A function that is stopped or fails raises HttpError; the next call starts afresh.
    """

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._body = dict(body)
        self._sandboxes: dict[str, Sandbox] = {}

    @property
    def validates(self) -> bool:
        return isinstance(self._body.get(_VALIDATION), str)

    def filter(self, name: str, documents: Sequence[str], request: str) -> list[bool]:
        """Which documents the filter lets through. `request`: CouchDB's request object as JSON text.

        Raises 404 for a filter there is not, 400 for one that does not compile, throws, or is stopped.
        """
        filters = self._body.get("filters")
        source = filters.get(name) if isinstance(filters, dict) else None
        if not isinstance(source, str):
            raise not_found(f"missing json key: {name if isinstance(filters, dict) else 'filters'}")
        return self._answers(f"filter {name}", source, "filter", _array(documents), request)

    def emits(self, view: str, documents: Sequence[str]) -> list[bool]:
        """For which documents a view's map function emits (`_changes?filter=_view`). Raises like `filter`."""
        views = self._body.get("views")
        definition = views.get(view) if isinstance(views, dict) else None
        source = definition.get("map") if isinstance(definition, dict) else None
        if not isinstance(source, str):
            raise not_found(f"missing json key: {view if isinstance(views, dict) else 'views'}")
        return self._answers(f"view {view}", source, "emits", _array(documents))

    def validate(self, edits: Sequence[tuple[str, str | None]], user: str, security: str) -> list[HttpError | None]:
        """For each (new document, stored winner or None): None, or the refusal. `user` is CouchDB's `userCtx`,
        `security` the database's `_security`, both JSON texts.

        A function that fails or does not compile refuses everything, as in CouchDB: nothing gets past a validation.
        """
        source = self._body.get(_VALIDATION)
        if not isinstance(source, str):
            return [None] * len(edits)
        pairs = _array(["[" + new + "," + (old or "null") + "]" for new, old in edits])
        try:
            sandbox = self._sandbox(_VALIDATION, source)
            answer = sandbox.call("validate", 0, pairs, user, security)
        except CompilationError as error:
            return [_refusal(["error", f"compilation_error: {error}"])] * len(edits)
        except (ScriptError, ScriptStoppedError) as error:
            if len(edits) > 1:
                return [refusal for edit in edits for refusal in self.validate([edit], user, security)]
            return [_refusal(["error", str(error)])]
        return [None if refusal is None else _refusal(refusal) for refusal in json.loads(answer)]

    def _answers(self, key: str, source: str, door: str, *arguments: str) -> list[bool]:
        try:
            answers: list[bool] = json.loads(self._sandbox(key, source).call(door, 0, *arguments))
        except CompilationError as error:
            raise bad_request(str(error), error="compilation_error") from None
        except (ScriptError, ScriptStoppedError) as error:
            raise HttpError(400, "filter_error", f"The {key} failed: {error}") from None
        return answers

    def _sandbox(self, key: str, source: str) -> Sandbox:
        known = self._sandboxes.get(key)
        if known is None or not known.alive:
            known = self._sandboxes[key] = Sandbox([source], self._body, SECONDS)
        return known


@lru_cache(maxsize=16)
def _functions_of(design: str) -> DesignFunctions:
    return DesignFunctions(json_text.stored(design))


def _array(texts: Sequence[str]) -> str:
    return "[" + ",".join(texts) + "]"


def _refusal(refusal: list[Any]) -> HttpError:
    kind, reason = refusal
    if kind == "forbidden":
        return forbidden(reason)
    if kind == "unauthorized":
        return unauthorized(reason)
    return forbidden(f"The validation function failed, so nothing can be saved past it: {reason}")
