"""What a design document says about its views: which indexes it needs, and whether it may be saved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from embedded.http import json_text
from embedded.http.errors import HttpError, bad_request, not_found
from embedded.javascript import CompilationError, ScriptError, ScriptStoppedError, ViewFunctions
from embedded.javascript.sandbox import Sandbox
from embedded.mango import selector

FORMAT: Final = 3
"""Counts up when an index file or the order of keys changes: indexes of other formats are made again."""
BUILTIN_REDUCES: Final = ("_sum", "_count", "_stats", "_approx_count_distinct")
LANGUAGES: Final = ("javascript", "query")
_OBJECTS: Final = ("views", "filters", "lists", "shows", "updates", "options")
# Digests of functions that compile: the same design documents are written into every replica.
_COMPILED: Final = 4096
_compiled: set[bytes] = set()


@dataclass(frozen=True, slots=True)
class View:
    """`rows` numbers the map function within the index, `reduce` the reduce function of those of that map."""

    rows: int
    reduce: int | None


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """One index: the views of a design document that are built together.

    `maps`: the different map functions; `reduces`: for each, the different reduce functions its views use. The
    signature depends on nothing else, so design documents with the same views share an index, whatever their names.
    """

    language: str
    maps: tuple[str, ...]
    reduces: tuple[tuple[str, ...], ...]
    views: Mapping[str, View]
    lib: Any
    options: Mapping[str, Any]
    signature: str

    def view(self, name: str) -> View:
        """Raises 404 `missing_named_view`."""
        found = self.views.get(name)
        if found is None:
            raise not_found("missing_named_view")
        return found

    def reduce_source(self, view: View) -> str:
        assert view.reduce is not None
        return self.reduces[view.rows][view.reduce]


def read_definition(body: Mapping[str, Any]) -> IndexDefinition:
    """The index of a design document. Raises HttpError when its views cannot be built."""
    language = body.get("language", "javascript")
    if language not in LANGUAGES:
        raise HttpError(400, "unknown_query_language", str(language))
    views = body.get("views", {})
    if not isinstance(views, dict):
        raise bad_request("`views` field must have object type", error="invalid_design_doc")
    named = {name: view for name, view in views.items() if name != "lib" and isinstance(view, dict) and "map" in view}
    if language == "query":
        named = {name: view for name, view in named.items() if is_field_map(view["map"])}
    sources = {name: _map_text(view["map"]) for name, view in named.items()}
    maps = sorted(set(sources.values()))
    reduces: list[tuple[str, ...]] = [
        tuple(
            sorted({str(named[name]["reduce"]) for name in named if sources[name] == source and _reduces(named[name])})
        )
        for source in maps
    ]
    known = {}
    for name, view in named.items():
        rows = maps.index(sources[name])
        known[name] = View(rows, reduces[rows].index(str(view["reduce"])) if _reduces(view) else None)
    lib = views.get("lib")
    options = body.get("options", {})
    options = options if isinstance(options, dict) else {}
    identity = json_text.canonical([FORMAT, language, maps, reduces, lib, options])
    signature = hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return IndexDefinition(language, tuple(maps), tuple(reduces), known, lib, options, signature)


def is_field_map(mapped: Any) -> bool:
    """Whether this is what a Mango index has for a map function."""
    return isinstance(mapped, dict) and isinstance(mapped.get("fields"), dict)


def _map_text(source: Any) -> str:
    """A Mango index has an object for a map function."""
    return source if isinstance(source, str) else json_text.text(source)


def _reduces(view: Mapping[str, Any]) -> bool:
    return isinstance(view.get("reduce"), str) and bool(view["reduce"].strip())


def check_design_document(body: Mapping[str, Any]) -> None:
    """Whether a design document may be saved, as CouchDB asks when it is written by a client.

    Raises 400 `invalid_design_doc` or `compilation_error`.
    """
    for name in _OBJECTS:
        if not isinstance(body.get(name, {}), dict):
            raise bad_request(f"`{name}` field must have object type", error="invalid_design_doc")
    if not isinstance(body.get("language", "javascript"), str):
        raise bad_request("`language` field must have string type", error="invalid_design_doc")
    language = body.get("language", "javascript")
    for name, view in body.get("views", {}).items():
        if not isinstance(view, dict):
            raise bad_request(f"`views.{name}` field must have object type", error="invalid_design_doc")
        if name != "lib":
            _check_view(name, view, language)
    _check_texts(body)


def _check_view(name: str, view: Mapping[str, Any], language: str) -> None:
    if "map" not in view:
        raise bad_request(f"View `{name}` must contain map function", error="invalid_design_doc")
    if language == "javascript" and not isinstance(view["map"], str):
        raise bad_request(f"`views.{name}.map` field must have string type", error="invalid_design_doc")
    if language == "query" and not is_field_map(view["map"]):
        raise bad_request(f"`views.{name}.map` must have an object of fields", error="invalid_design_doc")
    if language == "query" and view["map"].get("partial_filter_selector") is not None:
        selector.check(view["map"]["partial_filter_selector"])
    reduce = view.get("reduce")
    if reduce is not None and not isinstance(reduce, str):
        raise bad_request(f"`views.{name}.reduce` field must have string type", error="invalid_design_doc")
    # CouchDB looks at how it begins only.
    if reduce is not None and reduce.startswith("_") and not reduce.startswith(BUILTIN_REDUCES):
        raise bad_request(f"`{reduce}` is not a supported reduce function.", error="invalid_design_doc")
    if language != "javascript":
        return
    _compile(name, "map", view["map"])
    if reduce and not reduce.startswith("_"):
        _compile(name, "reduce", reduce)


def _compile(view: str, kind: str, source: str) -> None:
    known = hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
    if known in _compiled:
        return
    try:
        Sandbox([source])
    except (CompilationError, ScriptError, ScriptStoppedError) as error:
        raise bad_request(
            f"Compilation of the {kind} function in the '{view}' view failed: {error}", error="compilation_error"
        ) from None
    if len(_compiled) >= _COMPILED:
        _compiled.clear()
    _compiled.add(known)


def _check_texts(body: Mapping[str, Any]) -> None:
    for member, function in body.get("filters", {}).items():
        if not isinstance(function, (str, dict)):
            raise bad_request(f"`filters.{member}` field must have string type", error="invalid_design_doc")
    if not isinstance(body.get("validate_doc_update", ""), str):
        raise bad_request("`validate_doc_update` field must have string type", error="invalid_design_doc")


def view_functions(definition: IndexDefinition, where: str) -> ViewFunctions:
    """The JavaScript of an index, ready to run; reduce functions numbered through all maps.

    Raises 400 `compilation_error`: such a design document came by replication, unchecked.
    """
    try:
        return ViewFunctions(definition.maps, javascript_reduces(definition), definition.lib, where)
    except CompilationError as error:
        raise bad_request(f"A function of {where} does not compile: {error}", error="compilation_error") from None
    except (ScriptError, ScriptStoppedError) as error:
        raise bad_request(f"A function of {where} fails: {error}", error="compilation_error") from None


def javascript_reduces(definition: IndexDefinition) -> list[str]:
    return sorted({source for sources in definition.reduces for source in sources if not source.startswith("_")})
