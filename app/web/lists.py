"""Any list by its view: sorted, grouped, totalled, a page at a time, and as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.couch import Database
from app.design.listing import ListPage
from app.design.listing import page as read_page
from app.security.access import needs, require
from app.web import current, list_page, unread
from app.web.csv_export import csv_answer
from app.web.documents import titles_of
from app.web.list_page import Asked, asked_in
from app.web.readable import readable_columns, readable_rows, tells_too_much

if TYPE_CHECKING:
    from app.design.forms import Form
    from app.design.views import View

pages = Blueprint("lists", __name__, url_prefix="/lists")

ROWS = 50
_CSV_ROWS = 1000


@pages.get("")
@needs("read:book", "read:catalog")
def all_lists() -> ResponseReturnValue:
    """Every list of this node that the user may see."""
    views = [view for view in current.node().views().values() if _database_of(view) and _readable(view)]
    return render_template("lists/all.html", views=sorted(views, key=lambda view: view.label.casefold()))


@pages.get("/<view>")
@needs("read:book", "read:catalog")
def show(view: str) -> ResponseReturnValue:
    """A page of a list. Long lists with categories begin with the categories, each leading to its rows."""
    found, database, form = _found(view)
    asked = _allowed(asked_in(request.args), found, form)
    unread_newest = unread.newest()
    page = _read(database, found, asked)
    folded = _is_folded(page, asked)
    columns = list_page.columns_for(page, form, current.user().roles)
    if folded:
        columns = [column for column in columns if column.field in page.totals]
    titles = titles_of(list_page.ids_in(page, form), around=database)
    groups = (list_page.category_groups if folded else list_page.groups)(page, columns, form, titles, asked)
    return render_template(
        "lists/show.html",
        view=found,
        form=form,
        page=page,
        asked=asked,
        folded=folded,
        category_head=list_page.category_head(page) if folded else "",
        heads=list_page.heads(page, columns, form, asked),
        groups=groups,
        totals=list_page.totals(page, columns, form, page.totals) if page.totals else [],
        category=list_page.category_label(page, page.category, form, titles) if page.category else "",
        first=asked.query() if page.previous else "",
        previous=asked.query(start=page.previous, previous=True) if page.previous else "",
        next=asked.query(start=page.next) if page.next else "",
        csv_url=url_for("lists.as_csv", view=view) + asked.query(),
        addable=form is not None
        and not form.read_only
        and current.may("edit", form.name)
        and database.name != "market",
        unread=unread.among(row.id for row in page.rows) if not folded else frozenset(),
        unread_count=unread.count_of(found.type) if found.type else 0,
        unread_newest=unread_newest,
    )


@pages.get("/<view>.csv")
@needs("read:book", "read:catalog")
def as_csv(view: str) -> ResponseReturnValue:
    """The whole list, or one category of it, as CSV in the order asked for."""
    found, database, form = _found(view)
    asked = _allowed(asked_in(request.args), found, form)
    page = _read(database, found, asked, _CSV_ROWS)
    columns = list_page.columns_for(replace(page, sort="_"), form, current.user().roles)
    return csv_answer(found.name, [column.label for column in columns], _csv_rows(database, form, page, columns, asked))


def url_of(view: str, category: Sequence[Any] = ()) -> str:
    """The address of a list, or of one of its categories: what a number on a dashboard opens into."""
    return url_for("lists.show", view=view) + (Asked(category=tuple(category)).query() if category else "")


def _csv_rows(
    database: Database, form: Form | None, page: ListPage, columns: Sequence[Any], asked: Asked
) -> Iterator[list[Any]]:
    while True:
        titles = titles_of(list_page.ids_in(page, form), around=database)
        for row in page.rows:
            cells = (list_page.cell(column, row.cells.get(column.field), form, titles) for column in columns)
            yield [shown.title or _choice_label(shown) for shown in cells]
        if page.next is None:
            return
        page = _read(database, page.view, replace(asked, start=page.next, previous=False), _CSV_ROWS)


def _choice_label(shown: Any) -> Any:
    return shown.choice_labels.get(shown.value, shown.value) if isinstance(shown.value, str) else shown.value


def _read(database: Database, view: View, asked: Asked, rows: int = ROWS) -> ListPage:
    page = read_page(
        database,
        view,
        start=asked.start or None,
        direction="previous" if asked.previous else "next",
        limit=rows,
        category=asked.category or None,
        sort=asked.sort,
        descending=asked.descending,
    )
    return readable_rows(page, database)


def _allowed(asked: Asked, view: View, form: Form | None) -> Asked:
    """What is asked of a list, but for an order that would tell what the user may not read."""
    column = view.by_field.get(asked.sort)
    hidden = column is not None and not readable_columns([column], form, current.user().roles)
    return replace(asked, sort="", start="") if hidden else asked


def _is_folded(page: ListPage, asked: Asked) -> bool:
    """Whether the categories are shown instead of the rows: there are several, and more rows than fit a page."""
    if asked.all or page.sort or len(asked.category) == len(page.view.category):
        return False
    inside = [each for each in page.categories if each.value[: len(asked.category)] == asked.category]
    return len(inside) > 1 and page.total_rows > ROWS


def _found(name: str) -> tuple[View, Database, Form | None]:
    view = current.node().views().get(name)
    database = _database_of(view) if view else None
    if view is None or database is None:
        abort(404, f"There is no list called “{name}” on this node.")
    require("read", view.type or ("catalog" if database.name == "catalog" else "book"))
    form = current.forms().get(view.type)
    if tells_too_much(view, form, current.user().roles):
        abort(403, "This list is sorted or grouped by a field that your role may not read.")
    return view, database, form


def _database_of(view: View) -> Database | None:
    node = current.node()
    available = {"catalog": node.catalog} | ({"market": node.market} if node.is_manufacturer else {"book": node.book})
    return next((available[name] for name in view.databases if name in available), None)


def _readable(view: View) -> bool:
    return current.may("read", view.type or "book")
