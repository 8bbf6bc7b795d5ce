"""Conflicts: nothing is ever lost, and everybody ends with the same document."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replicas import ID, Replica, settle

from app.documents.common import body, digest, same
from app.documents.merging import fork_point, merge
from app.documents.revising import resolution


def pair(**fields: Any) -> tuple[Replica, Replica]:
    here, there = Replica(), Replica()
    here.create("anna", "2026-01-01T00:00:00Z", **fields)
    there.pull(here)
    return here, there


def met(here: Replica, there: Replica) -> dict[str, Any]:
    settle(here, there)
    assert here.content() == there.content()
    content = here.content()
    assert content is not None
    return content


def test_different_fields_changed_on_two_sides_are_both_kept() -> None:
    here, there = pair(name="Kies AG", city="Ulm")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", city="Wien")

    merged = met(here, there)

    assert (merged["name"], merged["city"]) == ("Kies GmbH", "Wien")
    assert "disputes" not in merged
    assert (merged["updated_at"], merged["updated_by"]) == ("2026-01-03T00:00:00Z", "bert")


def test_the_same_change_on_two_sides_is_no_dispute() -> None:
    here, there = pair(name="Kies AG")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies GmbH")

    merged = met(here, there)

    assert merged["name"] == "Kies GmbH" and "disputes" not in merged


def test_one_field_changed_differently_keeps_the_other_value_as_a_dispute() -> None:
    here, there = pair(name="Kies AG")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")

    merged = met(here, there)

    [dispute] = merged["disputes"]
    assert {merged["name"], dispute["value"]} == {"Kies GmbH", "Kies KG"}
    said = {"Kies GmbH": ("anna", "2026-01-02T00:00:00Z"), "Kies KG": ("bert", "2026-01-03T00:00:00Z")}
    assert dispute["field"] == "name" and (dispute["by"], dispute["at"]) == said[dispute["value"]]


def test_an_edit_that_had_seen_the_other_replaces_it_without_a_dispute() -> None:
    here, there = pair(name="Kies AG")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.pull(here)
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")
    here.edit("anna", "2026-01-04T00:00:00Z", city="Ulm")

    merged = met(here, there)

    assert (merged["name"], merged["city"]) == ("Kies KG", "Ulm") and "disputes" not in merged


def test_a_removed_field_against_a_changed_one_is_a_dispute() -> None:
    here, there = pair(name="Kies AG", phone="1")
    here.edit("anna", "2026-01-02T00:00:00Z", phone=None)
    there.edit("bert", "2026-01-03T00:00:00Z", phone="2")

    merged = met(here, there)

    assert {merged.get("phone"), merged["disputes"][0]["value"]} == {None, "2"}


def test_rows_merge_row_by_row() -> None:
    rows = [{"id": "a", "number": "1"}, {"id": "b", "number": "2"}, {"id": "c", "number": "3"}]
    here, there = pair(name="Kies AG", phones=rows)
    here.edit("anna", "2026-01-02T00:00:00Z", phones=[{"id": "a", "number": "11"}, rows[1], {"id": "d", "number": "4"}])
    there.edit("bert", "2026-01-03T00:00:00Z", phones=[*rows[:1], {"id": "b", "number": "22"}, rows[2], {"id": "e"}])

    merged = met(here, there)

    numbers = {row["id"]: row.get("number") for row in merged["phones"]}
    assert numbers == {"a": "11", "b": "22", "d": "4", "e": None}
    assert "disputes" not in merged


def test_a_row_changed_differently_is_a_dispute_about_that_row() -> None:
    here, there = pair(name="Kies AG", phones=[{"id": "a", "number": "1"}, {"id": "b", "number": "2"}])
    here.edit("anna", "2026-01-02T00:00:00Z", phones=[{"id": "a", "number": "x"}, {"id": "b", "number": "2"}])
    there.edit("bert", "2026-01-03T00:00:00Z", phones=[{"id": "a", "number": "y"}, {"id": "b", "number": "2"}])

    merged = met(here, there)

    [dispute] = merged["disputes"]
    assert (dispute["field"], dispute["row"]) == ("phones", "a")
    assert {merged["phones"][0]["number"], dispute["value"]["number"]} == {"x", "y"}


def test_a_field_that_was_filled_and_emptied_again_is_an_edit_that_a_merge_passes_on() -> None:
    here, there = pair(name="Kies AG")
    third = Replica()
    third.pull(here)
    third.edit("carl", "2026-01-02T00:00:00Z", phone="3")
    there.edit("bert", "2026-01-03T00:00:00Z", phone="2")
    there.edit("bert", "2026-01-04T00:00:00Z", phone=None)
    for name in ("Kies SE", "Kies KG", "Kies GmbH"):
        here.edit("anna", "2026-01-05T00:00:00Z", name=name)
    here.pull(there)
    here.merge()

    merged = met(here, third)

    assert {merged.get("phone"), *(each["value"] for each in merged["disputes"])} == {None, "3"}


def test_rows_that_took_the_place_of_a_text_are_not_lost_to_who_emptied_it() -> None:
    here, there = pair(name="Kies AG", phones=[{"id": "a", "number": "1"}])
    here.edit("anna", "2026-01-02T00:00:00Z", phones=None)
    # A node with an older form has one text where the newer one has rows.
    there.edit("bert", "2026-01-03T00:00:00Z", phones="1 and 2")
    there.edit("bert", "2026-01-04T00:00:00Z", phones=[{"id": "a", "number": "2"}])

    merged = met(here, there)

    said = [*(merged.get("phones") or ()), *(each["value"] for each in merged["disputes"])]
    assert {"id": "a", "number": "2"} in said


def test_a_new_order_of_rows_is_kept_when_only_one_side_made_it() -> None:
    rows = [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    here, there = pair(name="Kies AG", plan=rows)
    here.edit("anna", "2026-01-02T00:00:00Z", plan=rows[::-1])
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")
    there.edit("bert", "2026-01-03T00:00:00Z", city="Ulm")

    merged = met(here, there)

    assert [row["id"] for row in merged["plan"]] == ["c", "b", "a"]


def test_a_deletion_against_an_edit_leaves_the_document_and_says_who_deleted_it() -> None:
    here, there = pair(name="Kies AG")
    here.delete("anna", "2026-01-02T00:00:00Z")
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")

    merged = met(here, there)

    assert merged["name"] == "Kies KG"
    assert merged["disputes"] == [
        {**merged["disputes"][0], "field": "_deleted", "value": True, "by": "anna", "at": "2026-01-02T00:00:00Z"}
    ]


def test_a_deletion_of_what_nobody_edited_stays_a_deletion() -> None:
    here, there = pair(name="Kies AG")
    here.delete("anna", "2026-01-02T00:00:00Z")

    settle(here, there)

    assert here.content() is None and there.content() is None


def test_the_tombstone_of_a_losing_leaf_passes_a_selector_and_is_the_same_everywhere() -> None:
    here, there = pair(name="Kies AG")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")
    here.pull(there)

    [tombstone] = merge(here.leaves()).tombstones

    assert tombstone["_deleted"] and tombstone["share"] == "manufacturer"
    assert (tombstone["type"], tombstone["dealer"]) == ("customer", "D001")
    assert tombstone["deleted_by"] and "deleted_at" in tombstone
    assert merge([*reversed(here.leaves())]).tombstones == [tombstone]


def test_leaves_with_the_same_content_are_one() -> None:
    here, there = Replica("couchdb"), Replica("embedded")
    third = Replica()
    third.create("anna", "2026-01-01T00:00:00Z", name="Kies AG", city="Ulm")
    here.pull(third)
    there.pull(third)
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    third.edit("bert", "2026-01-03T00:00:00Z", city="Wien")
    for node in (here, there):
        node.pull(third)
    there.pull(here)
    here.merge()
    there.merge()
    here.pull(there)

    merged = merge(here.leaves())

    assert len(merged.losers) == 1 and not merged.changed and merged.needed
    assert met(here, there)["city"] == "Wien"


def test_a_revision_of_a_program_that_keeps_no_field_revs_is_taken_as_changed_where_it_differs() -> None:
    here, there = pair(name="Kies AG", city="Ulm", phone="1")
    current = there.current()
    assert current is not None
    there.write({**current, "name": "Kies SE", "city": "Linz"})
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")

    merged = met(here, there)

    assert merged["city"] == "Linz" and merged["phone"] == "1"
    assert {merged["name"], merged["disputes"][0]["value"]} == {"Kies SE", "Kies GmbH"}


def test_what_a_foreign_program_changed_still_counts_as_changed_after_ironbook_saves_again() -> None:
    here, there = pair(name="Kies AG", city="Ulm")
    current = there.current()
    assert current is not None
    there.write({**current, "name": "Kies SE"})
    there.edit("bert", "2026-01-03T00:00:00Z", city="Linz")

    merged = met(here, there)

    assert (merged["name"], merged["city"]) == ("Kies SE", "Linz")


@pytest.mark.parametrize("names", [("Kies GmbH", "Kies KG"), ("Kies KG", "Kies GmbH")])
@pytest.mark.parametrize("take", [False, True])
def test_a_resolved_dispute_stays_resolved_when_the_losing_branch_goes_on_elsewhere(
    names: tuple[str, str], take: bool
) -> None:
    here, there = pair(name="Kies AG", city="Ulm")
    here.edit("anna", "2026-01-02T00:00:00Z", name=names[0])
    there.edit("bert", "2026-01-03T00:00:00Z", name=names[1])
    lefts = [Replica(), Replica()]
    lefts[0].pull(here)
    lefts[1].pull(there)
    here.pull(there)
    here.merge()
    current = here.current()
    assert current is not None
    [dispute] = current["disputes"]
    loser = lefts[names.index(dispute["value"])]
    chosen = dispute["value"] if take else current["name"]
    here.write(resolution(current, {dispute["id"]}, {"name": chosen}, "anna", "2026-01-05T00:00:00Z").document)
    for city in ("Linz", "Wien", "Graz"):
        loser.edit("bert", "2026-01-06T00:00:00Z", city=city)
    here.pull(loser)
    assert not merge(here.leaves()).disputes_added

    merged = met(here, loser)

    assert (merged["name"], merged["city"]) == (chosen, "Graz")
    assert "disputes" not in merged and merged["resolved"] == [dispute["id"]]


def test_what_a_foreign_program_changed_still_counts_as_changed_after_a_merge() -> None:
    here, there = pair(name="Kies AG", city="Ulm")
    third = Replica()
    third.pull(here)
    for name in ("Kies SE", "Kies Inc"):
        current = there.current()
        assert current is not None
        there.write({**current, "name": name})
    here.edit("anna", "2026-01-02T00:00:00Z", city="Wien")
    there.pull(here)
    there.merge()
    third.edit("carl", "2026-01-03T00:00:00Z", name="Kies KG")

    merged = met(there, third)

    said = {each["value"] for each in merged["disputes"] if each["field"] == "name"}
    assert {merged["name"], *said} == {"Kies Inc", "Kies KG"}


def test_a_row_taken_from_a_loser_stays_when_the_winners_branch_goes_on_elsewhere() -> None:
    here, there = pair(name="Kies AG", phones=[{"id": "a", "n": "1"}, {"id": "b", "n": "2"}])
    here.edit("anna", "2026-01-02T00:00:00Z", city="Ulm")
    here.edit("anna", "2026-01-02T00:00:00Z", city="Wien")
    there.edit("bert", "2026-01-03T00:00:00Z", phones=[{"id": "a", "n": "11"}, {"id": "b", "n": "2"}])
    third = Replica()
    third.pull(here)
    here.pull(there)
    here.merge()
    for name in ("Kies KG", "Kies SE"):
        third.edit("carl", "2026-01-04T00:00:00Z", name=name)

    merged = met(here, third)

    assert merged["phones"] == [{"id": "a", "n": "11"}, {"id": "b", "n": "2"}]
    assert merged["name"] == "Kies SE" and "disputes" not in merged


def test_a_branch_that_goes_on_after_it_was_merged_is_merged_again() -> None:
    here, there = pair(name="Kies AG", city="Ulm", phone="1")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", city="Wien")
    third = Replica()
    third.pull(there)
    here.pull(there)
    here.merge()
    third.edit("carl", "2026-01-04T00:00:00Z", phone="2")

    merged = met(here, third)

    assert (merged["name"], merged["city"], merged["phone"]) == ("Kies GmbH", "Wien", "2")
    assert "disputes" not in merged


def test_merging_is_the_same_in_any_order_and_for_doubles() -> None:
    base = Replica()
    base.create("anna", "2026-01-01T00:00:00Z", name="0", city="0", phones=[{"id": "a", "n": "0"}])
    for who in "bcde":
        other = Replica()
        other.pull(base)
        other.bodies = {rev: b for rev, b in other.bodies.items() if rev.startswith("1-")}
        other.parents = {rev: p for rev, p in other.parents.items() if rev.startswith("1-")}
        other.edit(who, f"2026-01-0{ord(who) - 96}T00:00:00Z", name=who, phones=[{"id": "a", "n": who}, {"id": who}])
        base.pull(other)
    leaves = base.leaves()
    assert len(leaves) == 4
    first = merge(leaves)

    for order in itertools.permutations(leaves):
        assert merge([*order, order[0]]) == first
    assert {first.document["name"], *(d["value"] for d in first.document["disputes"] if d["field"] == "name")} == set(
        "bcde"
    )
    assert {row["id"] for row in first.document["phones"]} == {"a", "b", "c", "d", "e"}


def test_merging_what_is_merged_changes_nothing() -> None:
    here, there = pair(name="Kies AG")
    here.edit("anna", "2026-01-02T00:00:00Z", name="Kies GmbH")
    there.edit("bert", "2026-01-03T00:00:00Z", name="Kies KG")
    here.pull(there)
    here.merge()

    again = merge(here.leaves())

    assert not again.needed and not again.disputes_added


def test_an_attachment_only_a_loser_has_is_named() -> None:
    stub = {"digest": "md5-x", "stub": True}
    one = {"_id": ID, "_rev": "2-b", "_revisions": {"start": 2, "ids": ["b", "a"]}, "n": 1}
    two = {**one, "_rev": "2-a", "_revisions": {"start": 2, "ids": ["aa", "a"]}, "_attachments": {"photo": stub}}

    assert merge([one, two]).attachments == (("2-a", "photo"),)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((3, "cba"), (3, "xba"), 2),
        ((3, "cba"), (5, "zyxba"), 2),
        ((2, "ba"), (2, "yx"), 0),
        ((9, "cb"), (3, "zyx"), 0),
        ((9, "cb"), (8, "bx"), 8),
    ],
)
def test_the_fork_is_the_highest_generation_at_which_histories_agree(
    one: tuple[int, str], other: tuple[int, str], expected: int
) -> None:
    left = {"_revisions": {"start": one[0], "ids": list(one[1])}}
    right = {"_revisions": {"start": other[0], "ids": list(other[1])}}
    assert fork_point(left, right) == fork_point(right, left) == expected


def test_numbers_that_are_equal_have_one_digest_and_truth_is_no_number() -> None:
    assert same(1, 1.0) and digest([1]) == digest([1.0])
    assert not same(1, True) and not same({"a": 1}, {"a": True})
    assert same([{"a": None}], [{"a": None}]) and not same([1], [1, 2])


# A history: at each step one of the nodes edits, deletes, merges, or pulls from another.
FIELDS = ("name", "city", "phone")
ROWS = ("r1", "r2")
_step = st.one_of(
    st.tuples(st.just("edit"), st.integers(0, 2), st.sampled_from(FIELDS), st.integers(0, 3)),
    st.tuples(st.just("row"), st.integers(0, 2), st.sampled_from(ROWS), st.integers(0, 3)),
    st.tuples(st.just("pull"), st.integers(0, 2), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("merge"), st.integers(0, 2), st.just(0), st.just(0)),
    st.tuples(st.just("sync"), st.integers(0, 2), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("delete"), st.integers(0, 2), st.just(0), st.just(0)),
    st.tuples(st.just("settle"), st.integers(0, 2), st.just(0), st.integers(0, 1)),
)


def test_a_list_that_was_chosen_over_one_text_does_not_lose_a_row_to_an_edit_made_meanwhile() -> None:
    upgraded, settler = pair(contacts=[{"id": "a", "v": "first"}])
    old_form = Replica()
    old_form.pull(upgraded)
    upgraded.edit("anna", "2026-01-02T00:00:00Z", contacts=[{"id": "a", "v": "chosen"}])
    settler.pull(upgraded)
    old_form.edit("bert", "2026-01-03T00:00:00Z", contacts="one text")
    settler.pull(old_form)
    settler.merge()
    current = settler.current()
    assert current is not None
    [dispute] = current["disputes"]
    rows = {"contacts": [{"id": "a", "v": "chosen"}]}
    settler.write(resolution(current, {dispute["id"]}, rows, "cleo", "2026-01-04T00:00:00Z").document)
    upgraded.edit("anna", "2026-01-05T00:00:00Z", contacts=[{"id": "a", "v": "later"}])

    merged = met(upgraded, settler)

    said = [*merged["contacts"], *(each["value"] for each in merged["disputes"])]
    assert sorted(each["v"] for each in said) == ["chosen", "later"]


class History:
    """Three nodes and every edit made on them: which were seen by which later ones."""

    def __init__(self, salts: tuple[str, str, str]) -> None:
        self.nodes = [Replica(salt) for salt in salts]
        self.nodes[0].create("n0", "2026-01-01T00:00:00Z", name="0", city="0", phone="0")
        for node in self.nodes[1:]:
            node.pull(self.nodes[0])
        self.edits: list[tuple[str, Any]] = []
        self.seen: set[tuple[str, str]] = set()
        self.clock = 0

    def standing(self, node: Replica, entry: str) -> set[str]:
        """The values of an entry that whoever looks at this node sees: the field's and the disputed ones."""
        current = node.current() or {}
        field, _, row = entry.partition(".")
        values = [each["value"] for each in current.get("disputes", ()) if each["field"] == field]
        values.append(current.get(field))
        if not row:
            return {value for value in values if isinstance(value, str)}
        rows = [each for value in values for each in (value if isinstance(value, list) else [value])]
        return {each["v"] for each in rows if isinstance(each, dict) and each["id"] == row}

    def do(self, step: tuple[str, int, Any, int]) -> None:
        kind, n, what, value = step
        node = self.nodes[n]
        self.clock += 1
        at = f"2026-02-01T00:00:{self.clock:02d}Z"
        if node.current() is None and kind in ("edit", "row", "delete", "settle"):
            return
        if kind == "delete":
            # Whoever deletes has seen the winner; a branch that is not merged yet, saving.delete does not end.
            if sum(not leaf.get("_deleted") for leaf in node.leaves()) == 1:
                for entry in {entry for entry, _ in self.edits}:
                    self.seen |= {(entry, old) for old in self.standing(node, entry)}
                node.delete(f"n{n}", at)
        elif kind == "settle":
            self.settle(node, value == 1, at)
        elif kind == "edit":
            # Few different values, so that two sides often agree; a new value must be told from its twin by the test.
            text = f"v{value}" if value < 2 else f"n{n}-{self.clock}"
            current = node.current()
            assert current is not None
            if current.get(what) == text:
                return
            self.seen |= {(what, old) for old in self.standing(node, what)}
            self.edits.append((what, text))
            self.seen.discard((what, text))
            node.edit(f"n{n}", at, **{what: text})
        elif kind == "row":
            entry, text = f"rows.{what}", f"n{n}-{self.clock}"
            current = node.current()
            assert current is not None
            self.seen |= {(entry, old) for old in self.standing(node, entry)}
            self.edits.append((entry, text))
            rows = {row["id"]: row for row in current.get("rows", ())} | {what: {"id": what, "v": text}}
            node.edit(f"n{n}", at, rows=list(rows.values()))
        elif kind == "pull":
            node.pull(self.nodes[what])
        elif kind == "merge":
            node.merge()
        else:
            node.pull(self.nodes[what])
            node.merge()
            self.nodes[what].pull(node)

    def settle(self, node: Replica, take: bool, at: str) -> None:
        """Somebody settles the first dispute, with the value in it or the one in the field."""
        current = node.current()
        assert current is not None
        for each in current.get("disputes", ())[:1]:
            content = {name: value for name, value in current.items() if name != "_revisions"}
            entry = each["field"] + (f".{each['row']}" if "row" in each else "")
            self.seen |= {(entry, old) for old in self.standing(node, entry)}
            change: dict[str, Any] = {}
            if take and "row" not in each and each["field"] != "_deleted":
                change = {each["field"]: each["value"]}
                self.edits.append((entry, each["value"]))
                self.seen.discard((entry, each["value"]))
            node.write(resolution(content, {each["id"]}, change, "settler", at).document)


_salts = st.sampled_from([("", "", ""), ("a", "b", ""), ("", "", "x")])


@settings(max_examples=400, deadline=None)
@given(steps=st.lists(_step, max_size=25), salts=_salts)
def test_all_nodes_end_with_the_same_document_and_no_edit_is_lost(
    steps: list[tuple[str, int, Any, int]], salts: tuple[str, str, str]
) -> None:
    history = History(salts)
    for step in steps:
        history.do(step)

    settle(*history.nodes)

    contents = [node.content() for node in history.nodes]
    assert contents[0] == contents[1] == contents[2]
    for node in history.nodes:
        assert len([leaf for leaf in node.leaves() if not leaf.get("_deleted")]) <= 1
    for entry, value in history.edits:
        standing = history.standing(history.nodes[0], entry)
        assert value in standing or (entry, value) in history.seen, (entry, value, contents[0])


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(_step.filter(lambda step: step[0] in ("edit", "row", "pull")), max_size=15), data=st.data())
def test_grouping_may_not_matter_to_what_is_kept(steps: list[tuple[str, int, Any, int]], data: st.DataObject) -> None:
    history = History(("", "", ""))
    for step in steps:
        history.do(step)
    everything = Replica()
    for node in history.nodes:
        everything.pull(node)
    at_once = merge(everything.leaves())
    leaves = data.draw(st.permutations(everything.leaves()))

    assert merge(leaves) == at_once
    grouped = Replica()
    for node in data.draw(st.permutations(history.nodes)):
        grouped.pull(node)
        grouped.merge()
    final = merge(grouped.leaves())

    def kept(document: dict[str, Any]) -> set[tuple[str, str]]:
        said = [(each["field"], each["value"]) for each in document.get("disputes", ())]
        found = [(name, value) for name, value in body(document).items() if not isinstance(value, list)]
        rows = [("rows", row) for row in document.get("rows", ())]
        return {(name, str(value)) for name, value in (*said, *found, *rows)}

    assert kept(at_once.document) <= kept(final.document)
