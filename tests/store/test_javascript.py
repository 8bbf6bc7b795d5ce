"""Scripts of design documents do what CouchDB's do, within limits, and reach nothing outside their context."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded.http.errors import HttpError
from embedded.javascript import CompilationError, DesignFunctions, ViewFunctions, validate
from embedded.javascript.sandbox import Sandbox, ScriptStoppedError

DOCUMENTS = [json.dumps({"_id": f"d{number}", "n": number, "tags": ["a", "b"]}) for number in range(4)]


def rows(source: str, documents: list[str] = DOCUMENTS, library: Any = None) -> list[tuple[int, str, str]]:
    found = ViewFunctions([source], library=library).map(documents)
    return [(row.document, row.key, row.value) for row in found]


def test_a_map_function_emits_rows_in_order() -> None:
    source = "function (doc) { if (doc.n > 1) { emit([doc.n, doc._id], doc.tags); emit(null); } }"
    assert rows(source) == [
        (2, '[2,"d2"]', '["a","b"]'), (2, "null", "null"), (3, '[3,"d3"]', '["a","b"]'), (3, "null", "null"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("emitted", "key"),
    [
        ("undefined", "null"),
        ("0 / 0", "null"),
        ("-0", "0"),
        ("1e300", "1e+300"),
        ("9007199254740993", "9007199254740992"),
        ("new Date(0)", '"1970-01-01T00:00:00.000Z"'),
        ("/x/", "{}"),
        ("function () {}", "null"),
        ("sum([1, 2, 3.5])", "6.5"),
        ("isArray([])", "true"),
        ("toJSON({a: [1]})", r'"{\"a\":[1]}"'),
        (r"'\ud800x'", r'"\ufffdx"'),
        (r"'\ud83d\ude00'", '"\U0001f600"'),
        (r"'\\\\ud800'", r'"\\\\ud800"'),
        (r"'line\nbreak'", r'"line\nbreak"'),
        ("'\\u2028'", '"\u2028"'),
    ],
)
def test_what_is_emitted_becomes_json_as_in_couchdb(emitted: str, key: str) -> None:
    assert rows(f"function (doc) {{ emit({emitted}, null); }}", DOCUMENTS[:1]) == [(0, key, "null")]


def test_documents_that_cannot_be_mapped_are_skipped_and_the_log_says_which(caplog: pytest.LogCaptureFixture) -> None:
    functions = ViewFunctions(["function (doc) { emit(doc.a.b, null); }"], where="_design/d of book")
    documents = [json.dumps({"_id": f"d{number}"} | ({"a": {"b": 1}} if number == 4 else {})) for number in range(9)]
    with caplog.at_level("WARNING"):
        rows = functions.map(documents)

    assert [row.document for row in rows] == [4]
    assert "_design/d of book: map function 0 skipped document d0: TypeError" in caplog.text
    assert "and 5 more like it" in caplog.text
    assert len(caplog.records) == 4


def test_a_library_is_required_from_views_lib_and_from_nowhere_else() -> None:
    library = {"names": {"upper": "exports.of = function (x) { return require('./plain').of(x).toUpperCase(); };",
                         "plain": "exports.of = function (x) { return 'id ' + x; };"}}  # fmt: skip
    source = "function (doc) { emit(require('views/lib/names/upper').of(doc._id), null); }"
    assert rows(source, DOCUMENTS[:1], library) == [(0, '"ID D0"', "null")]
    assert rows("function (doc) { emit(require('filters/x'), null); }", DOCUMENTS[:1], library) == []


def test_one_document_does_not_change_what_another_function_sees() -> None:
    functions = ViewFunctions(
        ["function (doc) { doc.n = 'changed'; emit(1, null); }", "function (doc) { emit(doc.n); }"]
    )
    assert [row.key for row in functions.map(DOCUMENTS[:1]) if row.view == 1] == ["0"]


@pytest.mark.parametrize(
    "source",
    [
        "function (doc) { if (doc.n === 1) { while (true) {} } emit(doc.n, null); }",
        "function (doc) { if (doc.n === 1) { (function f() { f(); })(); } emit(doc.n, null); }",
        "function (doc) { if (doc.n === 1) { var a = []; a[0] = a; emit(a, null); } emit(doc.n, null); }",
        "function (doc) { if (doc.n === 1) { var s = 'x'; while (true) { s += s; } } emit(doc.n, null); }",
        "function (doc) { if (doc.n === 1) { throw {fatal: true}; } emit(doc.n, null); }",
        "function (doc) { if (doc.n === 1) { try { while (true) {} } catch (e) {} } emit(doc.n, null); }",
    ],
    ids=["loops", "recurses", "emits a cycle", "allocates", "throws", "loops and catches"],
)
def test_a_document_whose_script_is_stopped_is_skipped(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.javascript.view_functions.SECONDS_A_DOCUMENT", 0.1)
    monkeypatch.setattr("embedded.javascript.view_functions.SECONDS_A_BATCH", 0.2)
    assert [key for _, key, _ in rows(source)] == ["0", "2", "3"]


def test_a_script_that_never_ends_does_not_hold_up_the_store_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.javascript.view_functions.SECONDS_A_DOCUMENT", 0.05)
    monkeypatch.setattr("embedded.javascript.view_functions.SECONDS_A_BATCH", 0.05)
    with pytest.raises(ScriptStoppedError):
        rows("function (doc) { while (true) {} }", DOCUMENTS * 10)


def test_a_context_that_was_stopped_is_never_used_again() -> None:
    sandbox = Sandbox(["function (doc) { while (true) {} }"], seconds=0.05)
    with pytest.raises(ScriptStoppedError):
        sandbox.call("map", "[{}]")
    with pytest.raises(ScriptStoppedError):
        sandbox.call("takeLog")


@pytest.mark.parametrize(
    "name", ["std", "os", "process", "console", "XMLHttpRequest", "fetch", "load", "Worker", "host"]
)
def test_a_script_finds_no_way_to_the_host(name: str) -> None:
    assert rows(f"function (doc) {{ emit(typeof globalThis[{name!r}]); }}", DOCUMENTS[:1]) == [
        (0, '"undefined"', "null")
    ]


def test_a_script_cannot_load_a_module() -> None:
    source = "function (doc) { import('os').then(function () { emit(1, null); }); emit(2, null); }"
    assert [key for _, key, _ in rows(source, DOCUMENTS[:1])] in ([], ["2"])


def test_what_one_design_document_leaves_behind_another_does_not_see() -> None:
    leaves = ViewFunctions(
        ["function (doc) { globalThis.secret = doc._id; Array.prototype.join = null; emit(1, null); }"]
    )
    leaves.map(DOCUMENTS[:1])
    assert rows("function (doc) { emit(typeof secret, [1, 2].join()); }", DOCUMENTS[:1]) == [
        (0, '"undefined"', '"1,2"'),
    ]


def test_reductions_of_several_groups_come_in_one_call() -> None:
    functions = ViewFunctions(
        [], ["function (k, v, r) { return r ? sum(v) : v.length; }", "function () { throw 'no'; }"]
    )
    calls = ['[0,[["a","d1"],["b","d2"]],[1,1],false]', "[0,null,[2,3],true]", "[1,null,[1],true]"]
    assert functions.reduce(calls) == ["2", "5", "null"]


def test_a_reduction_that_loops_is_stopped_and_the_next_one_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.javascript.view_functions.SECONDS_A_BATCH", 0.05)
    functions = ViewFunctions([], ["function (k, v) { if (v[0] === 1) { while (true) {} } return v[0]; }"])
    with pytest.raises(ScriptStoppedError):
        functions.reduce(["[0,null,[1],true]"])
    assert functions.reduce(["[0,null,[2],true]"]) == ["2"]


@pytest.mark.parametrize("source", ["function (doc) { emit( }", "5", "", "function (doc) {}; function b() {}"])
def test_what_is_no_function_is_told(source: str) -> None:
    with pytest.raises(CompilationError):
        ViewFunctions([source])


@pytest.mark.parametrize(
    "source",
    [
        "function (doc) { emit(1); };",
        "(doc) => emit(1)",
        "function f(doc) { emit(1); } // why",
        "\n function(doc){emit(1)}\n",
    ],
)
def test_a_function_may_be_written_in_any_of_the_usual_ways(source: str) -> None:
    assert [key for _, key, _ in rows(source, DOCUMENTS[:1])] == ["1"]


# --- filters and validation

DESIGN = {
    "filters": {
        "even": "function (doc, req) { return doc.n % 2 === 0; }",
        "asked": "function (doc, req) { return doc.n == req.query.n && req.userCtx.name === 'anna'; }",
        "throws": "function () { throw 'x'; }",
        "loops": "function () { while (true) {} }",
        "broken": "function (",
        "uses": "function (doc) { return require('lib/odd').is(doc.n); }",
    },
    "lib": {"odd": "exports.is = function (n) { return n % 2 === 1; };"},
    "views": {"few": {"map": "function (doc) { if (doc.n < 2) { emit(doc.n, null); } }"}},
    "validate_doc_update": """function (doc, old, user, security) {
        if (doc.secret) { throw {forbidden: 'no secrets'}; }
        if (!user.name) { throw {unauthorized: 'sign in'}; }
        if (old && old.kept && doc._deleted) { throw {forbidden: 'kept'}; }
        if (doc.boom) { doc.a.b.c; }
        if (security.members.names.indexOf(user.name) < 0) { throw {forbidden: 'not a member'}; }
    }""",
}
REQUEST = json.dumps({"query": {"n": "2"}, "userCtx": {"name": "anna", "roles": []}})


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("even", [True, False, True, False]),
        ("asked", [False, False, True, False]),
        ("uses", [False, True, False, True]),
    ],
)
def test_a_filter_says_which_documents_pass(name: str, expected: list[bool]) -> None:
    assert DesignFunctions(DESIGN).filter(name, DOCUMENTS, REQUEST) == expected


def test_a_view_filters_by_whether_it_emits() -> None:
    assert DesignFunctions(DESIGN).emits("few", DOCUMENTS) == [True, True, False, False]


@pytest.mark.parametrize(
    ("name", "status", "error"),
    [("throws", 400, "filter_error"), ("broken", 400, "compilation_error"), ("none", 404, "not_found")],
)
def test_a_filter_that_cannot_answer_is_an_error_and_not_a_silent_no(name: str, status: int, error: str) -> None:
    with pytest.raises(HttpError) as told:
        DesignFunctions(DESIGN).filter(name, DOCUMENTS, REQUEST)
    assert (told.value.status, told.value.error) == (status, error)


@pytest.mark.parametrize(
    ("new", "old", "user", "status", "reason"),
    [
        ({"n": 1}, None, "anna", None, ""),
        ({"secret": 1}, None, "anna", 403, "no secrets"),
        ({"n": 1}, None, None, 401, "sign in"),
        ({"_deleted": True}, {"kept": True}, "anna", 403, "kept"),
        ({"n": 1}, {"kept": True}, "anna", None, ""),
        ({"n": 1}, None, "bert", 403, "not a member"),
        ({"boom": 1}, None, "anna", 403, "TypeError"),
    ],
)
def test_validation_refuses_with_its_own_words(
    new: dict[str, Any], old: dict[str, Any] | None, user: str | None, status: int | None, reason: str
) -> None:
    edit = (json.dumps(new), None if old is None else json.dumps(old))
    context = json.dumps({"name": user, "roles": []})
    [refusal] = validate([json.dumps(DESIGN)], [edit], context, '{"members": {"names": ["anna"]}}')
    assert (refusal.status if refusal else None) == status
    assert reason in (refusal.reason if refusal else "")


@pytest.mark.parametrize("source", ["function (", "function () { while (true) {} }", "5"])
def test_nothing_gets_past_a_validation_that_does_not_work(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.javascript.design_functions.SECONDS", 0.05)
    refusals = DesignFunctions({"validate_doc_update": source}).validate([("{}", None), ("{}", None)], "{}", "{}")
    assert [refusal.status for refusal in refusals if refusal] == [403, 403]


def test_each_edit_of_a_batch_is_judged_by_itself() -> None:
    edits: list[tuple[str, str | None]] = [('{"secret": 1}', None), ('{"n": 1}', None), ('{"boom": 1}', None)]
    refusals = DesignFunctions(DESIGN).validate(edits, '{"name": "anna"}', '{"members": {"names": ["anna"]}}')
    assert [refusal is None for refusal in refusals] == [False, True, False]
