"""Keys are ordered as CouchDB orders them: by type, numbers exactly, strings by ICU's root collation."""

from __future__ import annotations

import itertools
import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.collation import compare, encode, group_prefix, sort_key
from embedded.collation.table import Elements, RootTable

ICU_ORDER: list[list[str]] = json.loads(Path(__file__).with_name("collation_order.json").read_text("utf-8"))
"""1,600 strings as ICU 78 orders them; those in one list are equal to it."""

numbers = st.one_of(
    st.integers(),
    st.integers(min_value=-(10**400), max_value=10**400),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(min_value=2**53 - 4, max_value=2**53 + 4),
)
scalars = st.one_of(st.none(), st.booleans(), numbers, st.text(max_size=4))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=2), inner, max_size=3)),
    max_leaves=6,
)


def rank(value: Any) -> int:
    kinds: list[type] = [type(None), bool, int, str, list, dict]
    return kinds.index(int if isinstance(value, float) else type(value))


def expected(first: Any, second: Any) -> int:
    """The order written down plainly, to compare the encoding with."""
    if rank(first) != rank(second):
        return -1 if rank(first) < rank(second) else 1
    if isinstance(first, (bool, int, float)):
        one, other = Fraction(first), Fraction(second)
        return (one > other) - (one < other)
    if isinstance(first, str):
        one_key, other_key = sort_key(first), sort_key(second)
        return (one_key > other_key) - (one_key < other_key)
    if first is None:
        return 0
    one_items = list(first) if isinstance(first, list) else list(itertools.chain(*first.items()))
    other_items = list(second) if isinstance(first, list) else list(itertools.chain(*second.items()))
    for one_item, other_item in zip(one_items, other_items, strict=False):
        order = expected(one_item, other_item)
        if order:
            return order
    return (len(one_items) > len(other_items)) - (len(one_items) < len(other_items))


def test_strings_come_in_the_order_icu_gave_them() -> None:
    keys = [[sort_key(text) for text in group] for group in ICU_ORDER]
    for group, texts in zip(keys, ICU_ORDER, strict=True):
        assert len(set(group)) == 1, texts
    firsts = [group[0] for group in keys]
    for (one, one_texts), (other, other_texts) in itertools.pairwise(zip(firsts, ICU_ORDER, strict=True)):
        assert one < other, (one_texts, other_texts)


def test_generated_strings_come_in_icus_order() -> None:
    icu = pytest.importorskip("icu", reason="icukit-pyicu is not installed; the recorded order is tested instead")
    collator = icu.Collator.createInstance(icu.Locale(""))
    pieces = [text for group in ICU_ORDER for text in group]
    source = random.Random(20261125)
    for _ in range(20_000):
        first = "".join(source.choices(pieces, k=source.randrange(1, 3)))
        second = first + source.choice(pieces) if source.random() < 0.3 else source.choice(pieces)
        one, other = sort_key(first), sort_key(second)
        assert (one > other) - (one < other) == collator.compare(first, second), (first, second)


@given(values, values)
def test_encoded_values_compare_as_the_values_do(first: Any, second: Any) -> None:
    one, other = encode(first), encode(second)
    assert (one > other) - (one < other) == expected(first, second)
    assert compare(first, second) == expected(first, second)


@given(values, values)
def test_no_encoded_value_begins_with_another(first: Any, second: Any) -> None:
    one, other = encode(first), encode(second)
    assert one == other or not other.startswith(one)


@given(st.lists(scalars, max_size=4), st.lists(scalars, max_size=4), st.integers(min_value=1, max_value=4))
def test_keys_of_one_group_begin_alike_and_no_others_do(first: list[Any], second: list[Any], level: int) -> None:
    is_same_group = expected(first[:level], second[:level]) == 0
    assert encode(second).startswith(group_prefix(first, level)) == is_same_group


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        (-1e308, -(2**60)),
        (-1, -0.5),
        (0, 5e-324),
        (2**53, 2**53 + 1),
        (2**53 + 1, 2**53 + 2),
        (9007199254740993, 9007199254740994.0),
        (1e300, 10**301),
        (10**308, 10**309),
        (10**309, 10**310),
        (-(10**310), -(10**309)),
    ],
)
def test_numbers_keep_their_order_beyond_what_doubles_hold(lower: float, higher: float) -> None:
    assert encode(lower) < encode(higher)


def test_zero_has_no_sign_and_one_is_not_true() -> None:
    assert encode(-0.0) == encode(0) == encode(0.0)
    assert encode(1) == encode(1.0) != encode(True)


def test_a_script_s_broken_character_still_has_a_place() -> None:
    assert sort_key("a") < sort_key("a\ud800")


def test_objects_compare_member_by_member_in_their_own_order() -> None:
    in_order = [{}, {"a": 1}, {"a": 2}, {"A": 1}, {"b": 1}, {"b": 2}, {"b": 2, "a": 1}, {"b": 2, "c": 2}, {"c": None}]
    encoded = [encode(value) for value in in_order]
    assert encoded == sorted(encoded)


def test_threads_that_read_the_table_at_the_same_time_read_the_same() -> None:
    """Two indexes are built at once right after a start: a weight read wrong would stay in their files."""
    alone = RootTable()
    numbers = [0, 1, 3, 0x11]
    expected = {number: alone.block(number) for number in numbers}
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in range(3):
                table = RootTable()
                asked = [numbers[turn:] + numbers[:turn] for turn in range(8)]
                answers = pool.map(lambda order: {number: table.block(number) for number in order}, asked)  # noqa: B023
                assert all(answer == expected for answer in answers)
    finally:
        sys.setswitchinterval(interval)


def test_the_letters_of_hangul_are_read_once_for_all_syllables() -> None:
    """Read for each syllable anew, the first Korean name that a store meets would take a third of a second."""
    read = []

    class Counting(RootTable):
        def _read_block(self, number: int) -> dict[str, Elements]:
            read.append(number)
            return super()._read_block(number)

    table = Counting()
    table.block(0xAC)
    table.block(0xD7)
    assert read.count(0x11) == 1
