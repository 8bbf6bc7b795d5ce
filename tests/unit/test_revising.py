"""Saving over somebody else's save, as a pure decision: what was typed and what was there are both kept."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.documents.changes import change_document, content_before
from app.documents.common import body
from app.documents.revising import Revision, first_revision, next_revision

_values = st.one_of(st.none(), st.integers(0, 3), st.text("ab", max_size=2), st.lists(st.text("ab"), max_size=2))
_rows = st.lists(st.sampled_from("abc"), unique=True).flatmap(
    lambda ids: st.tuples(*(st.fixed_dictionaries({"id": st.just(id), "v": st.integers(0, 2)}) for id in ids)).map(list)
)
_contents = st.fixed_dictionaries({}, optional={"name": _values, "city": _values, "tags": _values, "phones": _rows})


def written(revision: Revision, number: int) -> dict[str, Any]:
    return {**revision.document, "_rev": f"{number}-{number}"}


def first(content: dict[str, Any]) -> dict[str, Any]:
    document = {"_id": "D001:customer:1", "type": "customer", "dealer": "D001", "share": "dealer", **content}
    return written(first_revision(document, "anna", "2026-01-01T00:00:00Z"), 1)


def as_kept(content: dict[str, Any]) -> dict[str, Any]:
    """As documents hold it: nothing for null and for an empty list."""
    return {name: value for name, value in content.items() if value is not None and value != []}


def edited(document: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in document.items() if name not in body(document)}, **content}


@given(_contents, _contents)
def test_a_save_of_what_is_current_makes_the_document_what_was_typed(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    shown = first(before)

    revision = next_revision(shown, edited(shown, after), shown, "bert", "2026-01-02T00:00:00Z")

    assert as_kept(body(revision.document)) == as_kept(after)
    assert revision.changed is (as_kept(before) != as_kept(after))
    assert not revision.disputes and not revision.kept
    if revision.changed:
        numbers = revision.document["field_revs"]
        assert numbers["*"] == 2
        differing = {n for n in {*before, *after} if as_kept(before).get(n) != as_kept(after).get(n)}
        assert {name for name, number in numbers.items() if number == 2 and "." not in name} == {*differing, "*"}


@given(_contents, _contents, _contents)
def test_a_stale_save_keeps_both_sides(before: dict[str, Any], theirs: dict[str, Any], mine: dict[str, Any]) -> None:
    shown = first(before)
    current = written(next_revision(shown, edited(shown, theirs), shown, "bert", "2026-01-02T00:00:00Z"), 2)

    revision = next_revision(current, edited(shown, mine), shown, "anna", "2026-01-03T00:00:00Z")

    result = as_kept(body(revision.document))
    said = [(each["field"], each["value"]) for each in revision.document.get("disputes", ())]
    was, now, wish = as_kept(before), as_kept(theirs), as_kept(mine)
    for name in ("name", "city", "tags"):
        if wish.get(name) == was.get(name):
            assert result.get(name) == now.get(name), "what I left alone is as they made it"
        elif now.get(name) == was.get(name):
            assert result.get(name) == wish.get(name), "what they left alone is as I typed it"
        else:
            assert result.get(name) == now.get(name)
            assert wish.get(name) == now.get(name) or (name, wish.get(name)) in said
    rows = {row["id"]: row for row in result.get("phones", ())}
    sides = [{row["id"]: row for row in side.get("phones", ())} for side in (was, now, wish)]
    for id in "abc":
        old, new, typed = (side.get(id) for side in sides)
        if typed != old and typed != new:
            assert rows.get(id) == (typed if new == old else new)
            assert new == old or ("phones", typed) in said
        elif new != old:
            assert rows.get(id) == new


@given(_contents, _contents)
def test_a_change_tells_the_way_from_one_to_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    old = first(before)
    new = {**edited(old, after), "updated_by": "x"}

    change = change_document(old, new, "bert", "2026-01-02T00:00:00Z")

    rows = {row["field"]: (row["from"], row["to"]) for row in change["changes"]} if change else {}
    for name in {*body(old), *body(new)}:
        assert rows.get(name, (body(old).get(name), body(old).get(name))) == (body(old).get(name), body(new).get(name))
    gone = change_document(old, None, "bert", "2026-01-02T00:00:00Z")
    assert gone is not None and content_before(gone) == body(old)


def test_a_new_document_is_no_change() -> None:
    assert change_document(None, first({"name": "x"}), "anna", "2026-01-01T00:00:00Z") is None
