"""Signing in and out, and the first start: the page that makes the first administrator."""

from __future__ import annotations

import logging

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import IronbookError
from app.loopback import is_loopback
from app.replication.connections import connections
from app.security import sessions, users
from app.security.access import needs, public
from app.security.attempts import Attempts
from app.web import current
from app.web.addresses import local_page
from app.web.formatting import format_count

log = logging.getLogger(__name__)
pages = Blueprint("sign_in", __name__)


@pages.get("/sign-in")
@public
def show() -> ResponseReturnValue:
    """The sign-in page; on a node without users, the way to the first-start page."""
    if current.user().is_authenticated:
        return redirect(local_page(request.args.get("next", "")))
    if not users.any_users(current.node().local):
        return redirect(url_for("sign_in.first_start"))
    return render_template("sign_in/sign_in.html", name="", next=request.args.get("next", ""), error="")


@pages.post("/sign-in")
@public
def sign_in() -> ResponseReturnValue:
    """Checks name and password. Whoever guesses has to wait longer and longer."""
    node = current.node()
    name = users.clean_name(request.form.get("name", ""))
    wanted = request.form.get("next", "")
    address = request.remote_addr or ""
    attempts = _attempts()
    wait = attempts.wait(name, address)
    if wait:
        error = f"Too many wrong passwords. Wait {_duration(wait)}, then try again."
        page = render_template("sign_in/sign_in.html", name=name, next=wanted, error=error)
        return page, 429, {"Retry-After": str(wait)}
    user = users.check_password(node.local, name, request.form.get("password", ""), node.role)
    if user is None:
        attempts.failed(name, address)
        log.warning("a wrong user name or password was given from %s", address)
        error = "The user name or the password is wrong."
        return render_template("sign_in/sign_in.html", name=name, next=wanted, error=error), 401
    attempts.succeeded(name, address)
    sessions.begin(user)
    return redirect(local_page(wanted), 303)


@pages.post("/sign-out")
@needs("signed in")
def sign_out() -> ResponseReturnValue:
    """Ends the session of this browser."""
    sessions.end()
    flash("You are signed out.", "success")
    return redirect(url_for("sign_in.show"), 303)


@pages.get("/first-start")
@public
def first_start() -> ResponseReturnValue:
    """Asks for the first administrator, on this computer only and only while there are no users."""
    only_at_first_start()
    return _first_start_page()


@pages.post("/first-start")
@public
def make_first_user() -> ResponseReturnValue:
    """Makes the first administrator and signs them in."""
    only_at_first_start()
    node = current.node()
    name, display_name = request.form.get("name", ""), request.form.get("display_name", "")
    password = request.form.get("password", "")
    try:
        if password != request.form.get("password_again", ""):
            raise users.UserError("The two passwords differ: type the same one twice.")
        roles = ["admin", "principal"] if node.role == "dealer" else ["admin", "analyst"]
        user = users.add_user(node.local, name, display_name, roles, password, node.role)
    except IronbookError as error:
        return _first_start_page(name, display_name, str(error)), 422
    sessions.begin(user)
    flash(f"Welcome, {user.display_name}. Add the others who work here under Users.", "success")
    return redirect("/", 303)


def _first_start_page(name: str = "", display_name: str = "", error: str = "") -> str:
    joined = bool(connections(current.node()))
    template = "sign_in/first_start.html"
    return render_template(template, name=name, display_name=display_name, error=error, joined=joined)


def only_at_first_start() -> None:
    """Answers 404 once there are users, and 403 to other computers."""
    if users.any_users(current.node().local):
        abort(404)
    if not is_loopback(request.remote_addr or ""):
        abort(403, "The first administrator can be made only on the computer Ironbook runs on.")


def _attempts() -> Attempts:
    found = current_app.extensions["ironbook.attempts"]
    assert isinstance(found, Attempts)
    return found


def _duration(seconds: int) -> str:
    return format_count(seconds, "second") if seconds < 90 else format_count(round(seconds / 60), "minute")
