"""Home: what a salesperson wants to know at seven in the morning."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from app.couch import Rows
from app.documents import saving
from app.replication.status import status
from app.security.access import needs, require
from app.web import current, dispute_marks, unread
from app.web import needs as needed
from app.web.birthdays import next_birthdays
from app.web.disputes import count_disputes
from app.web.frame import is_fragment
from app.web.home_page import (
    DiaryLine,
    DueMachine,
    diary_lines,
    greeting,
    ids_named,
    long_date,
    unvisited,
    unvisited_lines,
)
from app.web.lookup import title_of
from app.web.readable import readable, readable_documents

pages = Blueprint("home", __name__)
NODE_ROLE = "dealer"

BIRTHDAY_DAYS = 14
FOLLOW_UP_DAYS = 7
OPPORTUNITY_DAYS = 30
MACHINE_DAYS = 14
UNVISITED_DAYS = 90
_SHOWN = 25
_ALL = 500
_UNVISITED_SHOWN = 8
_MACHINES_SHOWN = 10
# Of a book in which nobody was visited for long, those longest ago are enough to begin with.
_MOST_UNVISITED = 2000
# Which field of a type says that it is done.
_DONE_FIELD = {"activity": "follow_up_done", "task": "done"}


@dataclass(frozen=True)
class MachinesDue:
    """The machines whose service is due, the first few of `total`."""

    lines: list[DueMachine]
    total: int


@dataclass(frozen=True)
class Diary:
    """What is coming up for somebody; `more_follow_ups` when not all are in it."""

    follow_ups: list[DiaryLine]
    tasks: list[DiaryLine]
    opportunities: list[DiaryLine]
    more_follow_ups: bool


@pages.get("/")
@needs("read:book")
def show() -> ResponseReturnValue:
    """Follow-ups, birthdays, machines due, tasks, opportunities, sync. ``whose`` is ``mine`` or ``all``."""
    node, user = current.node(), current.user()
    whose = _whose()
    now = node.now()
    all_follow_ups = request.args.get("follow_ups") == "all"
    diary = _diary(whose, now.date(), _ALL if all_follow_ups else _SHOWN)
    in_diary = [line.id for line in (*diary.follow_ups, *diary.tasks, *diary.opportunities)]
    birthdays = next_birthdays(node, now.date(), BIRTHDAY_DAYS, readable) if current.may("read", "keepsake") else []
    dispute_marks.expect([*in_diary, *(line.person_id for line in birthdays)])
    return render_template(
        "home/show.html",
        greeting=greeting(now.hour, user.display_name),
        today_words=long_date(now.date()),
        whose=whose,
        follow_ups=diary.follow_ups,
        more_follow_ups=diary.more_follow_ups,
        tasks=diary.tasks,
        opportunities=diary.opportunities,
        birthdays=birthdays,
        machines_due=_machines_due(),
        days_unvisited=UNVISITED_DAYS,
        disputes=count_disputes(),
        sync=status(node),
        is_empty=_is_empty(),
        unread=unread.among(in_diary),
        unread_card=unread.card(url_for("home.show", whose=whose)),
    )


@pages.get("/home/machines-due")
@needs("read:book")
def machines_due() -> ResponseReturnValue:
    """The card with the machines due, asked for until it is known."""
    return render_template("home/machines.html", machines_due=_machines_due(), whose=_whose())


@pages.get("/home/not-visited")
@needs("read:book")
def not_visited() -> ResponseReturnValue:
    """The customers nobody has visited for long; the page asks for it after it is shown."""
    node, whose = current.node(), _whose()
    today = node.today()
    rows = node.book.view("diary", "last_visits", group=True).rows
    late = unvisited([(str(row.key), row.value["max"]) for row in rows], today, UNVISITED_DAYS)
    customers = readable_documents(node.book.get_many(customer for customer, _ in late[:_MOST_UNVISITED]))
    lines = unvisited_lines(late, customers, today)
    if whose == "mine":
        mine = _own_names()
        lines = [line for line in lines if line.salesperson in mine]
    shown = lines if request.args.get("all") else lines[:_UNVISITED_SHOWN]
    dispute_marks.expect(line.customer_id for line in shown)
    template = "home/unvisited.html" if is_fragment() else "home/unvisited_page.html"
    return render_template(template, lines=shown, total=len(lines), days=UNVISITED_DAYS, whose=whose)


@pages.post("/home/done")
@needs("edit:book")
def done() -> ResponseReturnValue:
    """Marks a follow-up or a task as done."""
    return _mark(True)


@pages.post("/home/not-done")
@needs("edit:book")
def not_done() -> ResponseReturnValue:
    """Takes that back."""
    return _mark(False)


def _mark(is_done: bool) -> ResponseReturnValue:
    node, document_id = current.node(), request.form.get("id", "")
    document = node.book.get(document_id)
    if document is None:
        raise NotFound("This is not on this node any more; somebody may have deleted it.")
    field = _DONE_FIELD.get(str(document.get("type")))
    if field is None:
        raise BadRequest("Only a follow-up or a task can be marked as done.")
    require("edit", document)
    saved = saving.save(node.book, {**document, field: is_done}, by=current.user().name)
    if not is_fragment():
        return redirect(url_for("home.show", whose=_whose()), 303)
    if is_done:
        return render_template(
            "home/done.html", id=document_id, title=title_of(saved.document, current.forms()), whose=_whose()
        )
    return _line_again(saved.document)


def _line_again(document: dict[str, Any]) -> ResponseReturnValue:
    """The line of a follow-up or task that is not done after all."""
    task = document["type"] == "task"
    value = {
        "customer": document.get("customer") or "",
        "person": document.get("person") or "",
        "title": document.get("title" if task else "subject") or "",
        "kind": document.get("kind") or "",
        "at": document.get("at") or "",
        "who": document.get("assigned_to" if task else "salesperson") or "",
    }
    named = readable_documents(current.node().book.get_many(ids_named([value])))
    day = str(document.get("due_on" if task else "follow_up") or "")
    (line,) = diary_lines([(document["_id"], value, day)], named, current.node().today())
    return render_template("home/task.html" if task else "home/follow_up.html", line=line, whose=_whose())


def _whose() -> str:
    """Whose work is shown: one's own to those who sell, everybody's to the others, unless asked otherwise."""
    asked = request.values.get("whose", "")
    if asked in ("mine", "all"):
        return asked
    return "mine" if "sales" in current.user().roles else "all"


def _own_names() -> set[str]:
    """What the signed-in user is called in documents."""
    return {current.user().name, current.user().display_name}


def _diary(whose: str, today: date, follow_ups_shown: int) -> Diary:
    ends = {
        "follow_up": (today + timedelta(days=FOLLOW_UP_DAYS), follow_ups_shown + 1),
        "task": (date(9999, 12, 31), _SHOWN),
        "opportunity": (today + timedelta(days=OPPORTUNITY_DAYS), _SHOWN),
    }
    names = sorted(_own_names()) if whose == "mine" else ["*"]
    asked = [(kind, who) for kind in ends for who in names]
    queries = [
        {"startkey": [kind, who], "endkey": [kind, who, ends[kind][0].isoformat()], "limit": ends[kind][1]}
        for kind, who in asked
    ]
    answers = current.node().book.view_queries("diary", "upcoming", queries)
    rows: dict[str, list[tuple[str, dict[str, Any], str]]] = {kind: [] for kind in ends}
    for (kind, _), answer in zip(asked, answers, strict=True):
        rows[kind] += _rows(answer)
    ids = ids_named(value for found in rows.values() for _, value, _ in found)
    named = readable_documents(current.node().book.get_many(ids))
    lines = {kind: diary_lines(sorted(found, key=lambda row: row[2]), named, today) for kind, found in rows.items()}
    return Diary(
        lines["follow_up"][:follow_ups_shown],
        lines["task"],
        lines["opportunity"],
        len(lines["follow_up"]) > follow_ups_shown,
    )


def _rows(answer: Rows) -> list[tuple[str, dict[str, Any], str]]:
    return [(str(row.id), row.value, str(row.key[2])) for row in answer]


def _is_empty() -> bool:
    """Whether the book has no customer yet, as on the day of the first start."""
    node = current.node()
    return not node.book.all_docs(startkey=f"{node.dealer}:customer:", endkey=f"{node.dealer}:customer;", limit=1).rows


def _machines_due() -> MachinesDue | None:
    """The machines due; None while the parts desk is still working them out."""
    if needed.desk_progress(current.node(), MACHINE_DAYS) is not None:
        return None
    due = MachinesDue(*needed.machines_due(current.node(), MACHINE_DAYS, _MACHINES_SHOWN))
    dispute_marks.expect(line.machine_id for line in due.lines)
    return due
