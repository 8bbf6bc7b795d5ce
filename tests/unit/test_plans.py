"""What a service plan means, row by row."""

from hypothesis import given
from hypothesis import strategies as st

from app.parts.plans import lines_for, plan_of


def line(**row):
    (found,) = plan_of({"plan": [{"id": "a", "title": "Engine oil filter", "part": "part:F-1", "quantity": 1, **row}]})
    return found


def test_hours_and_months_are_both_kept():
    found = line(every_hours=500, every_months=12)
    assert (found.every_hours, found.every_months, found.once) == (500.0, 12, False)
    assert found.words() == "every 500 h or 12 months"


def test_a_line_may_start_earlier_than_its_interval():
    assert line(first_hours=50, every_hours=500).words() == "first at 50 h, then every 500 h"


def test_hours_without_an_interval_come_once():
    found = line(first_hours=50)
    assert found.once
    assert found.words() == "once at 50 h"


def test_once_every_50_hours_is_once_at_50_hours():
    found = line(every_hours=50, once=True)
    assert (found.once, found.first_hours, found.every_hours) == (True, 50.0, None)


def test_once_after_months_waits_for_the_calendar():
    assert line(every_months=24, once=True).words() == "once after 24 months"


def test_a_row_that_says_nothing_of_when_is_left_out():
    assert plan_of({"plan": [{"title": "Grease"}, {"title": "Oil", "every_hours": 0}, "words", None]}) == []


def test_a_model_without_a_plan_has_no_lines():
    assert plan_of(None) == plan_of({}) == plan_of({"plan": "soon"}) == []


def test_a_quantity_that_is_none_counts_as_one():
    assert [line(quantity=value, every_hours=50).quantity for value in (None, 0, -2, "two", True, 2.5)] == [
        *[1.0] * 5,
        2.5,
    ]


def test_a_row_without_an_id_gets_the_same_one_at_every_reading():
    plan = {"plan": [{"title": "Oil", "part": "O-1", "every_hours": 250}, {"title": "Air", "every_hours": 250}]}
    first, second = plan_of(plan), plan_of(plan)
    assert [found.id for found in first] == [found.id for found in second]
    assert len({found.id for found in first}) == 2


def test_a_part_is_named_by_its_id_whether_the_row_has_that_or_the_number():
    assert line(every_hours=50).part == line(every_hours=50, part=" f-1").part == "part:F-1"
    assert line(every_hours=50, part=None).part == ""


def test_an_option_line_is_for_machines_with_the_option_only():
    plan = [line(every_hours=500), line(every_hours=1000, option="Limited slip")]
    assert lines_for(plan, []) == plan[:1]
    assert lines_for(plan, ["limited SLIP "]) == plan


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=12), values, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(["id", "title", "part", "quantity", "every_hours", "every_months", "first_hours", "once"])


@given(st.lists(st.dictionaries(names, anything, max_size=8) | anything, max_size=5))
def test_whatever_stands_in_a_plan_its_lines_can_be_used(rows):
    for found in plan_of({"plan": rows}):
        assert found.id
        assert found.quantity > 0
        assert found.once or found.every_hours or found.every_months
        assert found.words()
