"""The routes of Mango: `_find`, `_explain`, `_index`."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from embedded import database_incoming, database_reading
from embedded.database import Database
from embedded.http import json_text
from embedded.http.all_documents_routes import partition_of
from embedded.http.document_writing import store_one
from embedded.http.errors import HttpError, bad_request, not_found
from embedded.http.request import Request
from embedded.http.response import Response, json_response, text_response
from embedded.http.routing import Route
from embedded.mango import finding, index_documents
from embedded.mango.planning import ALL_DOCUMENTS, MangoIndex, Plan, choose, plan_with, within_partition
from embedded.mango.question import Question, read_question
from embedded.mapreduce import indexes as view_indexes
from embedded.mapreduce.definition import View
from embedded.mapreduce.indexes import Indexes, ViewIndex
from embedded.mapreduce.routes import find_index

_MISSING_INDEX = "No index exists for this sort, try indexing by the sort fields."


def routes() -> list[Route]:
    one = "/{db}/_index/{design}/json/{name}"
    return [
        Route("POST", "/{db}/_find", find),
        Route("POST", "/{db}/_explain", explain),
        Route("POST", "/{db}/_partition/{partition}/_find", find),
        Route("POST", "/{db}/_partition/{partition}/_explain", explain),
        Route("GET", "/{db}/_index", list_indexes),
        Route("POST", "/{db}/_index", create_index),
        Route("POST", "/{db}/_index/_bulk_delete", delete_indexes),
        Route("DELETE", one, delete_index),
        Route("DELETE", "/{db}/_index/_design/{design}/json/{name}", delete_index),
    ]


async def find(request: Request) -> Response:
    started = time.perf_counter()
    question = read_question(await request.json_object())
    plan, warnings = await _plan(request, question)
    shared = request.store.shared
    if plan.index.design is None:
        found = await request.database.reading(_find_by_id, plan, question)
    else:
        index, view = await find_index(shared, request.database, _design_name(plan.index), plan.index.name)
        indexes = view_indexes.of_store(shared)
        if question.update:
            await indexes.bring_up_to_date(index)
        found = await request.database.reading_index(_find_by_index, indexes, index, view, plan, question)
    return text_response(finding.answer_text(found, plan, question, warnings, started))


def _design_name(index: MangoIndex) -> str:
    assert index.design is not None
    return index.design.removeprefix("_design/")


def _find_by_id(connection: sqlite3.Connection, plan: Plan, question: Question) -> finding.Found:
    return finding.find(plan, question, connection, connection, 0)


def _find_by_index(indexes: Indexes, index: ViewIndex, view: View, plan: Plan, question: Question) -> finding.Found:
    with index.reading(indexes.functions(index), view, with_documents=True) as found:
        assert found.documents is not None
        return finding.find(plan, question, found.connection, found.documents, found.number)


async def _plan(request: Request, question: Question) -> tuple[Plan, list[str]]:
    """How to answer, and what to warn of. Raises 400 `no_usable_index`."""
    if "partition" not in request.arguments:
        return await _plan_within(request.database, question, partitioned=False)
    partition = partition_of(request)
    plan, warnings = await _plan_within(request.database, question, partitioned=True)
    return within_partition(plan, partition), warnings


async def _plan_within(database: Database, question: Question, partitioned: bool) -> tuple[Plan, list[str]]:
    """`partitioned`: by indexes of that kind; those of the other have the rows in another order."""
    found = await database.reading(_indexes, database.partitioned)
    known = [index for index in found if index.partitioned is partitioned]
    warnings: list[str] = []
    if question.use_index is not None:
        plans = [
            plan
            for index in index_documents.named(known, question.use_index)
            if (plan := plan_with(index, question.selector, question.sort, question.descending)) is not None
        ]
        if plans:
            return max(plans, key=lambda plan: plan.columns), warnings
        if not question.allow_fallback:
            raise bad_request(_MISSING_INDEX, error="no_usable_index")
        warnings.append(_not_used(question.use_index))
    general = [index for index in known if not index.is_partial]
    plan = choose(general, question.selector, question.sort, question.descending)
    if plan is None:
        raise bad_request(_MISSING_INDEX, error="no_usable_index")
    return plan, warnings


def _not_used(use_index: Any) -> str:
    parts = [use_index] if isinstance(use_index, str) else list(use_index)
    name = ", ".join(["_design/" + str(parts[0]).removeprefix("_design/"), *map(str, parts[1:])])
    return f"{name} was not used because it does not contain a valid index for this query."


def _indexes(connection: sqlite3.Connection, partitioned: bool) -> list[MangoIndex]:
    found: list[MangoIndex] = []
    for design in database_reading.design_documents(connection):
        if '"query"' in design.text:
            found += index_documents.indexes_of(json_text.stored(design.text), partitioned)
    return found


async def explain(request: Request) -> Response:
    question = read_question(await request.json_object())
    plan, _ = await _plan(request, question)
    return json_response(
        {
            "dbname": request.database.name,
            "index": index_documents.described(plan.index),
            "partitioned": "partition" in request.arguments,
            "selector": question.selector,
            "opts": {
                "use_index": question.use_index or [],
                "bookmark": question.bookmark,
                "limit": question.limit,
                "skip": question.skip,
                "sort": dict.fromkeys(question.sort, "desc" if question.descending else "asc"),
                "fields": [".".join(path) for path in question.fields] if question.fields else [],
                "partition": request.arguments.get("partition", ""),
                "r": 1,
                "conflicts": question.conflicts,
                "stale": "",
                "update": question.update,
                "stable": False,
                "execution_stats": question.execution_stats,
                "allow_fallback": question.allow_fallback,
            },
            "limit": question.limit,
            "skip": question.skip,
            "fields": [".".join(path) for path in question.fields] if question.fields else "all_fields",
            "mrargs": {
                "include_docs": True,
                "view_type": "map",
                "reduce": False,
                "direction": "rev" if plan.descending else "fwd",
                "update": question.update,
                "stable": False,
                "conflicts": question.conflicts,
            },
            "covering": False,
        }
    )


async def list_indexes(request: Request) -> Response:
    known = [ALL_DOCUMENTS, *await request.database.reading(_indexes, request.database.partitioned)]
    skip, limit = request.integer("skip", 0) or 0, request.integer("limit")
    shown = known[skip:] if limit is None else known[skip : skip + limit]
    described = [index_documents.described(index) for index in shown]
    return json_response({"total_rows": len(known), "indexes": described})


async def create_index(request: Request) -> Response:
    wanted = index_documents.read_wanted(await request.json_object())
    design = await request.database.reading(_design, wanted.design)
    document = index_documents.with_index(design, wanted, request.database.partitioned)
    if document is not None:
        await store_one(request, database_incoming.parse(document))
    result = "exists" if document is None else "created"
    return json_response({"result": result, "id": wanted.design, "name": wanted.name})


def _design(connection: sqlite3.Connection, id: str) -> dict[str, Any] | None:
    found = database_reading.documents_with_ids(connection, [id]).get(id)
    if found is None:
        return None
    document: dict[str, Any] = json_text.stored(found.text)
    return {name: value for name, value in document.items() if name not in ("_conflicts", "_deleted_conflicts")}


async def delete_index(request: Request) -> Response:
    design = "_design/" + request.arguments["design"].removeprefix("_design/")
    document = await request.database.reading(_design, design)
    if document is None:
        raise not_found("missing")
    left = index_documents.without_index(document, request.arguments["name"])
    if left is None:
        raise not_found("missing")
    await store_one(request, database_incoming.parse(left))
    return json_response({"ok": True})


async def delete_indexes(request: Request) -> Response:
    """`_index/_bulk_delete`: whole design documents of indexes."""
    ids = (await request.json_object()).get("docids")
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        raise bad_request("`docids` must be an array of strings.")
    success, fail = [], []
    for id in ids:
        design = "_design/" + id.removeprefix("_design/")
        try:
            document = await request.database.reading(_design, design)
            if document is None or document.get("language") != "query":
                raise not_found("missing")
            gone = {"_id": design, "_rev": document["_rev"], "_deleted": True}
            await store_one(request, database_incoming.parse(gone))
            success.append({"id": id, "ok": True})
        except HttpError as error:
            fail.append({"id": id, "error": error.error, "reason": error.reason})
    return json_response({"success": success, "fail": fail})
