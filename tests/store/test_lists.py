"""Lists on a store: sorted, categorised, totalled, paged by key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.couch import Database, NotFound, Store
from app.design.compiling import compile_view
from app.design.installing import install_design
from app.design.listing import ListPage, page
from app.design.project import view_tables
from app.design.views import View, read_view

COLUMNS = [
    {"field": "name"},
    {"field": "city", "sortable": True},
    {"field": "stage", "order": ["lead", "won"]},
    {"field": "value", "sortable": True, "type": "money"},
    {"field": "due", "sortable": True, "empty_last": True},
]


def view(**changes: Any) -> View:
    return read_view({"name": "test", "type": "customer", "sort": ["name"], "columns": COLUMNS, **changes})


def installed(database: Database, made: View) -> View:
    install_design(database, {made.design: compile_view(made.in_database(database.name))})
    return made


def all_pages(database: Database, made: View, limit: int, **options: Any) -> list[ListPage]:
    pages = [page(database, made, limit=limit, **options)]
    while pages[-1].next:
        pages.append(page(database, made, start=pages[-1].next, limit=limit, **options))
        assert len(pages) < 1000
    return pages


def names(*pages: ListPage) -> list[Any]:
    return [row.cells["name"] for each in pages for row in each.rows]


@pytest.fixture
def book(store: Store) -> Database:
    database = store.create("book")
    people = [
        ("bert", "Ulm", "lead", 5),
        ("Anna", "ulm", "won", 1.5),
        ("Ärzte", None, "lost", None),
        ("carl", "Bonn", "lead", 2),
    ]
    database.bulk(
        {"_id": f"c{n}", "type": "customer", "name": name, "city": city, "stage": stage, "value": value}
        for n, (name, city, stage, value) in enumerate(people)
    )
    database.put({"_id": "m", "type": "machine", "name": "other"})
    return database


def test_a_list_is_sorted_without_regard_to_case_and_accents(book: Database) -> None:
    listed = page(book, installed(book, view()))

    assert names(listed) == ["Anna", "Ärzte", "bert", "carl"]
    assert (listed.total_rows, listed.next, listed.previous) == (4, None, None)
    assert listed.rows[0].cells == {"name": "Anna", "city": "ulm", "stage": "won", "value": 1.5, "due": None}


def test_a_click_sorts_by_a_column_either_way(book: Database) -> None:
    made = installed(book, view())

    assert names(page(book, made, sort="value")) == ["Anna", "carl", "bert", "Ärzte"]
    assert names(page(book, made, sort="value", descending=True)) == ["Ärzte", "bert", "carl", "Anna"]
    assert names(page(book, made, sort="name"))[0] == "Anna", (
        "a column that is not sortable leaves the view's own order"
    )


def test_a_categorised_list_counts_and_adds_up_each_category(book: Database) -> None:
    made = installed(book, view(category=["stage"], totals=["value"]))

    listed = page(book, made)

    assert [(c.value, c.count, c.totals) for c in listed.categories] == [
        (("lead",), 2, {"value": 7}),
        (("won",), 1, {"value": 1.5}),
        (("lost",), 1, {"value": 0}),
    ]
    assert names(listed) == ["bert", "carl", "Anna", "Ärzte"]
    assert [row.category for row in listed.rows] == [("lead",), ("lead",), ("won",), ("lost",)]
    assert listed.totals == {"value": 8.5}
    won = page(book, made, category=("won",))
    assert names(won) == ["Anna"] and won.total_rows == 1 and won.totals == {"value": 1.5}


def test_two_levels_of_categories_open_one_after_the_other(book: Database) -> None:
    made = installed(book, view(category=["stage", "city"]))

    assert names(page(book, made, category=("lead",))) == ["carl", "bert"]
    assert names(page(book, made, category=("lead", "Ulm"))) == ["bert"]
    assert names(page(book, made, category=("nothing",))) == []


def test_what_has_no_value_comes_first_or_last_as_the_column_says(book: Database) -> None:
    book.put({"_id": "c9", "type": "customer", "name": "dora", "due": "2026-01-01"})
    made = installed(book, view())

    assert names(page(book, made, sort="due"))[0] == "dora"
    assert names(page(book, made, sort="city"))[0] in ("Ärzte", "dora")


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"field": "city", "is": "Ulm"}, {"bert"}),
        ({"field": "city", "is": ["Ulm", "Bonn"]}, {"bert", "carl"}),
        ({"field": "city", "is_not": "Ulm"}, {"Anna", "Ärzte", "carl"}),
        ({"field": "city", "has": True}, {"Anna", "bert", "carl"}),
        ({"field": "city", "has": False}, {"Ärzte"}),
        ({"field": "value", "at_least": 2}, {"bert", "carl"}),
        ({"field": "value", "at_most": 2}, {"Anna", "carl"}),
        ({"field": "done", "is_not": True}, {"Anna", "Ärzte", "bert", "carl"}),
        ({"field": "done", "is": False}, {"Anna", "Ärzte", "bert", "carl"}),
        ({"field": "done", "is": True}, set()),
    ],
)
def test_conditions_select(book: Database, condition: dict[str, Any], expected: set[str]) -> None:
    assert set(names(page(book, installed(book, view(where=[condition]))))) == expected


def test_a_consultants_formula_selects_and_makes_columns(book: Database) -> None:
    columns = [{"field": "name"}, {"field": "double", "formula": "doc.value * 2", "type": "number", "sortable": True}]
    made = installed(book, view(columns=columns, formula="doc.value > 1.5 || doc.city === null"))

    rows = page(book, made, sort="double").rows

    assert [(row.cells["name"], row.cells["double"]) for row in rows] == [("Ärzte", 0), ("carl", 4), ("bert", 10)]


def test_disputes_are_counted_in_every_list(book: Database) -> None:
    document = book.get("c0")
    assert document is not None
    book.put({**document, "disputes": [{"id": "a"}, {"id": "b"}]})

    assert [row.disputes for row in page(book, installed(book, view())).rows] == [0, 0, 2, 0]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
def test_pages_forward_and_back_show_every_row_once(store: Store, limit: int, descending: bool) -> None:
    database = store.create("book")
    # Many rows share a key, so that only the document's id tells them apart.
    database.bulk({"_id": f"c{n:02d}", "type": "customer", "name": f"n{n % 3}", "city": "Ulm"} for n in range(20))
    made = installed(database, view())

    pages = all_pages(database, made, limit, descending=descending)
    seen = [row.id for each in pages for row in each.rows]

    assert len(seen) == 20 and len(set(seen)) == 20
    assert names(*pages) == sorted(names(*pages), reverse=descending)
    back = pages[-1]
    for expected in reversed(pages[:-1]):
        assert back.previous
        back = page(database, made, start=back.previous, direction="previous", limit=limit, descending=descending)
        assert [row.id for row in back.rows] == [row.id for row in expected.rows]
        assert back.next
    assert (
        back.previous is None
        or not page(
            database, made, start=back.previous, direction="previous", limit=limit, descending=descending
        ).previous
    )


def test_a_row_that_is_gone_does_not_break_the_page_that_began_with_it(book: Database) -> None:
    made = installed(book, view())
    following = page(book, made, limit=2).next
    document = book.get("c0")
    assert document is not None
    book.put({**document, "_deleted": True})

    assert names(page(book, made, start=following, limit=2)) == ["carl"]


def test_rows_that_come_meanwhile_move_nothing(book: Database) -> None:
    made = installed(book, view())
    first = page(book, made, limit=2)
    book.put({"_id": "new", "type": "customer", "name": "Aaron"})

    assert names(page(book, made, start=first.next, limit=2)) == ["bert", "carl"]


@pytest.mark.parametrize("start", ["x", "!!!", "bnVsbA", "W10", "WzEsMiwzXQ", "é"])
def test_a_start_that_is_none_is_the_beginning(book: Database, start: str) -> None:
    assert names(page(book, installed(book, view()), start=start, limit=1)) == ["Anna"]


def test_a_list_that_is_not_installed_is_not_found(book: Database) -> None:
    with pytest.raises(NotFound):
        page(book, view())


def test_a_page_takes_two_requests_however_long_the_list(book: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.couch.asking import Asking

    book.bulk({"_id": f"x{n}", "type": "customer", "name": f"{n:04d}", "city": "Ulm"} for n in range(500))
    made = installed(book, view(category=["city"]))
    asked: list[Any] = []
    ask = Asking.json
    monkeypatch.setattr(
        Asking, "json", lambda self, *args, **kwargs: (asked.append(args), ask(self, *args, **kwargs))[1]
    )

    page(book, made, start=page(book, made).next)

    assert len(asked) == 4


def test_every_shipped_list_opens_on_odd_documents(store: Store) -> None:
    for name in ("book", "catalog", "market"):
        database = store.create(name)
        odd = [5, "x", None, True, [], {}, [{"id": "a"}], ["t"], -1e300, "y" * 5000]
        types = {table.get("type") or "customer" for table in view_tables().values()}
        fields = {column["field"] for table in view_tables().values() for column in table["columns"]} - {"type"}
        database.bulk(
            {
                "_id": f"D001:{kind}:{n}",
                "type": kind,
                "disputes": [{"id": "x", "field": "f"}],
                **dict.fromkeys(fields, value),
            }
            for kind in types
            for n, value in enumerate(odd)
        )
        for table in view_tables().values():
            made = read_view(table)
            if name in made.databases:
                listed = page(database, installed(database, made))
                assert listed.total_rows >= len(listed.rows)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.one_of(st.text(max_size=8), st.integers(-3, 3), st.none()), max_size=12), limit=st.integers(1, 4)
)
def test_paging_is_complete_for_any_values(store: Store, values: list[Any], limit: int) -> None:
    database = store.create("book")
    documents = [
        {"_id": f"c{n}", "type": "customer", "name": value, "city": value}
        for n, value in enumerate(values)
        if not isinstance(value, str) or value.encode("utf-8", "ignore").decode() == value
    ]
    database.bulk(documents)
    made = installed(database, view(category=["city"]))
    try:
        pages = all_pages(database, made, limit)
        assert sorted(row.id for each in pages for row in each.rows) == sorted(each["_id"] for each in documents)
        assert sum(category.count for category in pages[0].categories) == len(documents) == pages[0].total_rows
    finally:
        store.delete("book")
