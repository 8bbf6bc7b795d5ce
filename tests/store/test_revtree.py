"""Revision trees, as pure data."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedded import revtree
from embedded.http.errors import HttpError
from embedded.revtree import Revision, RevisionTree


def path(*revisions: str) -> list[Revision]:
    return [revtree.parse_revision(text) for text in revisions]


def tree_of(*paths: list[str], deleted: tuple[str, ...] = ()) -> RevisionTree:
    tree = RevisionTree()
    for number, revisions in enumerate(paths, 1):
        revtree.add_path(tree, path(*revisions), number, revisions[0] in deleted)
    return tree


def names(revisions: list[Revision]) -> list[str]:
    return [str(revision) for revision in revisions]


def test_a_live_leaf_wins_over_a_longer_deleted_one() -> None:
    tree = tree_of(["2-a", "1-x"], ["5-z", "4-y", "3-y", "2-y", "1-x"], deleted=("5-z",))

    assert names(revtree.leaves(tree)) == ["2-a", "5-z"]
    assert str(revtree.winner(tree)) == "2-a"


def test_the_longest_branch_wins_and_then_the_highest_digest() -> None:
    assert str(revtree.winner(tree_of(["2-a", "1-x"], ["3-a", "2-b", "1-x"]))) == "3-a"
    assert str(revtree.winner(tree_of(["2-a", "1-x"], ["2-b", "1-x"]))) == "2-b"


def test_digests_of_32_hexadecimal_digits_are_compared_as_bytes_without_regard_to_case() -> None:
    assert revtree.parse_revision("1-" + "AB" * 16) == Revision(1, "ab" * 16)
    assert revtree.parse_revision("1-AB") == Revision(1, "AB")


@pytest.mark.parametrize("text", ["", "x", "1", "-a", "a-1", "1.5-a", "-1-a", "٣-a", 5, None, ["1-a"], "9" * 30 + "-a"])
def test_what_is_no_revision_is_refused(text: object) -> None:
    with pytest.raises(HttpError) as problem:
        revtree.parse_revision(text)
    assert problem.value.status == 400


def test_a_history_that_begins_later_is_joined_when_its_beginning_comes() -> None:
    tree = tree_of(["5-e", "4-d", "3-c"])
    revtree.add_path(tree, path("3-c", "2-b", "1-a"), 2, False)

    assert names(revtree.history(tree, Revision(5, "e"))) == ["5-e", "4-d", "3-c", "2-b", "1-a"]
    assert names(revtree.leaves(tree)) == ["5-e"]


def test_a_known_revision_keeps_its_body_when_it_comes_again() -> None:
    tree = tree_of(["2-b", "1-a"])

    assert not revtree.add_path(tree, path("2-b", "1-a"), 99, True)
    assert tree.nodes[Revision(2, "b")].body == 1
    assert not tree.nodes[Revision(2, "b")].deleted


def test_stemming_keeps_each_leaf_and_its_nearest_ancestors() -> None:
    tree = tree_of(["4-d", "3-c", "2-b", "1-a"], ["2-q", "1-a"])
    revtree.stem(tree, 2)

    assert names(revtree.history(tree, Revision(4, "d"))) == ["4-d", "3-c"]
    assert names(revtree.history(tree, Revision(2, "q"))) == ["2-q", "1-a"]
    assert names(revtree.leaves(tree)) == ["4-d", "2-q"]


def test_purging_a_leaf_takes_its_branch_and_leaves_what_others_share() -> None:
    tree = tree_of(["1-a"], ["3-c", "2-b", "1-a"], ["2-q", "1-a"])
    removed, bodies = revtree.purge_leaves(tree, path("3-c", "1-a"))

    assert names(removed) == ["3-c"]
    assert bodies == [2]
    assert names(list(tree.nodes)) == ["1-a", "2-q"]


def test_latest_means_the_leaves_below_a_revision() -> None:
    tree = tree_of(["3-d", "2-b", "1-a"], ["3-e", "2-c", "1-a"])

    assert names(revtree.descendant_leaves(tree, Revision(2, "b"))) == ["3-d"]
    assert names(revtree.descendant_leaves(tree, Revision(1, "a"))) == ["3-e", "3-d"]


_DIGESTS = st.sampled_from("abcd")


@st.composite
def histories(draw: st.DrawFn) -> list[list[Revision]]:
    """Paths through one true tree: a parent of a revision is the same in every path that knows it."""
    parents: dict[Revision, Revision | None] = {Revision(1, draw(_DIGESTS)): None}
    for _ in range(draw(st.integers(1, 12))):
        parent = draw(st.sampled_from(sorted(parents)))
        parents.setdefault(Revision(parent.position + 1, draw(_DIGESTS) + parent.digest), parent)
    paths = []
    for revision in draw(st.permutations(sorted(parents))):
        whole: list[Revision] = []
        at: Revision | None = revision
        while at is not None:
            whole.append(at)
            at = parents[at]
        paths.append(whole[: draw(st.integers(1, len(whole)))])
    return paths


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_histories_arrive_does_not_matter(paths: list[list[Revision]], order: object) -> None:
    first, second = RevisionTree(), RevisionTree()
    for number, one in enumerate(paths, 1):
        revtree.add_path(first, one, number, False)
    shuffled = list(enumerate(paths, 1))
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    for number, one in shuffled:
        revtree.add_path(second, one, number, False)

    assert revtree.leaves(first) == revtree.leaves(second)
    for leaf in revtree.leaves(first):
        assert revtree.history(first, leaf) == revtree.history(second, leaf)


@settings(max_examples=100, deadline=None)
@given(histories())
def test_a_tree_comes_back_from_its_text_as_it_was(paths: list[list[Revision]]) -> None:
    tree = RevisionTree()
    for number, one in enumerate(paths, 1):
        revtree.add_path(tree, one, number, number % 3 == 0)

    assert revtree.load(revtree.dump(tree)) == tree
