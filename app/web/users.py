"""Users of this node: who they are, what they may do, their passwords."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import IronbookError
from app.security import rights, sessions, users
from app.security.access import needs
from app.security.attempts import Attempts
from app.security.passwords import check_usable
from app.web import current

pages = Blueprint("users", __name__)


@pages.get("/users")
@needs("read:users")
def show_all() -> ResponseReturnValue:
    """Everybody who may sign in, or could."""
    found = users.all_users(current.node().local, current.node().role)
    return render_template("users/list.html", users=found)


@pages.route("/users/new", methods=["GET", "POST"])
@needs("edit:users")
def new() -> ResponseReturnValue:
    """Adds a user."""
    if request.method == "GET":
        return _form(None, {"roles": [], "active": True})
    values = _typed()
    node = current.node()
    try:
        user = users.add_user(
            node.local, values["name"], values["display_name"], values["roles"], values["password"], node.role
        )
    except IronbookError as error:
        return _form(None, values, str(error)), 422
    flash(f"{user.display_name} can now sign in as {user.name}.", "success")
    return redirect(url_for("users.show_all"), 303)


@pages.route("/users/<name>", methods=["GET", "POST"])
@needs("edit:users")
def edit(name: str) -> ResponseReturnValue:
    """Changes what a user is called and may do, and gives a new password when one is typed."""
    node = current.node()
    user = users.find_user(node.local, name, node.role)
    if user is None:
        abort(404, f"There is no user named {name}.")
    if request.method == "GET":
        return _form(
            user, {"display_name": user.display_name, "roles": user.roles, "active": user.active, "name": user.name}
        )
    values = _typed()
    try:
        if values["password"]:
            check_usable(values["password"], name)
        changed = users.change_user(
            node.local, name, values["display_name"], values["roles"], values["active"], node.role
        )
        if values["password"]:
            changed = users.change_password(node.local, name, values["password"], node.role)
    except IronbookError as error:
        return _form(user, {**values, "name": name}, str(error)), 422
    _stay_signed_in(changed)
    flash(f"{changed.display_name} was changed.", "success")
    return redirect(url_for("users.show_all"), 303)


@pages.post("/users/<name>/sign-out")
@needs("edit:users")
def sign_out_everywhere(name: str) -> ResponseReturnValue:
    """Ends every session of a user, for a laptop that was lost."""
    user = users.end_sessions(current.node().local, name, current.node().role)
    _stay_signed_in(user)
    flash(f"{user.display_name} was signed out everywhere.", "success")
    return redirect(url_for("users.edit", name=name), 303)


@pages.route("/account", methods=["GET", "POST"])
@needs("signed in")
def own_account() -> ResponseReturnValue:
    """One's own password. The present one is asked for, so that an unattended screen is not enough."""
    if request.method == "GET":
        return render_template("users/account.html", error="")
    node, user = current.node(), current.user()
    attempts, address = current_app.extensions["ironbook.attempts"], request.remote_addr or ""
    assert isinstance(attempts, Attempts)
    try:
        wait = attempts.wait(user.name, address)
        if wait:
            raise users.UserError(f"Too many wrong passwords. Wait {wait} seconds, then try again.")
        if users.check_password(node.local, user.name, request.form.get("present", ""), node.role) is None:
            attempts.failed(user.name, address)
            raise users.UserError("Your present password is wrong; nothing was changed.")
        if request.form.get("password", "") != request.form.get("password_again", ""):
            raise users.UserError("The two new passwords differ: type the same one twice.")
        changed = users.change_password(node.local, user.name, request.form.get("password", ""), node.role)
    except IronbookError as error:
        return render_template("users/account.html", error=str(error)), 422
    sessions.begin(changed)
    flash("Your password was changed, and you were signed out everywhere else.", "success")
    return redirect("/", 303)


def _stay_signed_in(changed: users.User) -> None:
    # Who changes their own roles here has ended their own session with the others.
    if changed.name == current.user().name and changed.active:
        sessions.begin(changed)


def _typed() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "display_name": form.get("display_name", ""),
        "roles": form.getlist("roles"),
        "active": form.get("active") == "yes",
        "password": form.get("password", ""),
    }


def _form(user: users.User | None, values: dict[str, Any], error: str = "") -> str:
    roles = [(name, rights.ROLES[name], _MEANING[name]) for name in rights.ROLES_OF_NODE[current.node().role]]
    return render_template("users/edit.html", user=user, values=values, roles=roles, error=error)


_MEANING = {
    "sales": "customers, visits, opportunities, what is known about people",
    "parts": "machines, service, parts; on the manufacturer's node the catalog",
    "principal": "everything in the dealership's book",
    "analyst": "reads everything shared, changes nothing",
    "designer": "forms, views and the catalog they belong to",
    "admin": "everything, and users and connections",
}
