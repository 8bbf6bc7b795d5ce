"""The birthdays to come, with the flowers, and whose assistant it is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from app.people.birthdays import upcoming
from app.people.calendar_file import calendar_file
from app.security.access import needs
from app.web import current, dispute_marks
from app.web.birthday_list import BirthdayLine, as_yearly_day, assisted, birthday_lines, names_behind
from app.web.readable import readable

if TYPE_CHECKING:
    from app.node import Node

pages = Blueprint("birthdays", __name__)
NODE_ROLE = "dealer"

HORIZONS = (14, 30, 90, 365)


@pages.get("/birthdays")
@needs("read:keepsake")
def show() -> ResponseReturnValue:
    """The birthdays of the next ``days``."""
    text = request.args.get("days", "")
    days = min(max(int(text), 1), 365) if text.isdecimal() and len(text) < 5 else 30
    lines = next_birthdays(current.node(), current.node().today(), days, readable)
    dispute_marks.expect(line.person_id for line in lines)
    return render_template(
        "birthdays/show.html",
        lines=lines,
        days=days,
        horizons=sorted({*HORIZONS, days}),
    )


@pages.get("/birthdays.ics")
@needs("read:keepsake")
def as_calendar() -> ResponseReturnValue:
    """Every birthday, for the calendar of a telephone or a computer."""
    node = current.node()
    days = [as_yearly_day(line) for line in next_birthdays(node, node.today(), 366, readable)]
    answer = Response(calendar_file(days, node.now()), mimetype="text/calendar")
    answer.headers["Content-Disposition"] = "attachment; filename=birthdays.ics"
    return answer


def next_birthdays(
    node: Node, today: date, days: int, seen: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> list[BirthdayLine]:
    """The birthdays from today until `days` from today, the next one first, in three requests.

    `seen` is what may be seen of each document.
    """
    answers = node.book.view_queries("people", "by_birthday", _ranges(today, days))
    kept = [seen(row.doc) for answer in answers for row in answer if row.doc]
    birthdays = upcoming(kept, today, days)
    named = {id: seen(document) for id, document in node.book.get_many(names_behind(birthdays)).items()}
    missing = assisted(named[birthday.person] for birthday in birthdays if birthday.person in named) - named.keys()
    named |= node.book.get_many(missing)
    return birthday_lines(birthdays, named, today)


def _ranges(today: date, days: int) -> list[dict[str, Any]]:
    """The months and days to ask for: to the end of the year and on from its beginning, where the new year is near."""
    # A day more: who was born on 29 February celebrates a day earlier in most years.
    end = today + timedelta(days=days + 1)
    if days >= 364:
        spans = [("", "99")]
    elif end.year == today.year:
        spans = [(f"{today:%m-%d}", f"{end:%m-%d}")]
    else:
        spans = [(f"{today:%m-%d}", "99"), ("", f"{end:%m-%d}")]
    return [{"startkey": start, "endkey": last, "include_docs": True} for start, last in spans]
