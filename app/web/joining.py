"""Joining an upstream on a page: with an invitation, on the first start or later."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import IronbookError
from app.replication import joining
from app.replication.invitations import read_invitation
from app.security.access import needs, public
from app.web import current
from app.web.sign_in import only_at_first_start

pages = Blueprint("joining", __name__)
NODE_ROLE = "dealer"


@pages.route("/first-start/join", methods=["GET", "POST"])
@public
def first_start() -> ResponseReturnValue:
    """Asks for an invitation before there is anybody who could sign in; on this computer only."""
    only_at_first_start()
    return _join("joining/first_start.html", url_for("sign_in.first_start"))


@pages.route("/replication/join", methods=["GET", "POST"])
@needs("edit:connections")
def show() -> ResponseReturnValue:
    """Asks an administrator for an invitation."""
    return _join("joining/show.html", url_for("replication.show"))


def _join(template: str, then: str) -> ResponseReturnValue:
    if request.method == "GET":
        return render_template(template, error="")
    node = current.node()
    try:
        invitation = read_invitation(request.form.get("invitation", ""))
        joined = joining.join(node, invitation)
    except IronbookError as problem:
        return render_template(template, error=str(problem)), 422
    if invitation.dealer != node.dealer:
        return _start_again(node, f"{invitation.dealer_name} · {invitation.dealer}", then)
    flash(f"Joined {invitation.dealer_name}. The connection {joined.name} syncs within seconds.", "success")
    return redirect(then, 303)


def _start_again(node: Any, joined: str, then: str) -> ResponseReturnValue:
    """The node's settings say another dealer now, so it is opened again: by whoever serves it, where somebody does."""
    restart = node.extensions.get("restart")
    if restart is not None:
        restart.set()
    return render_template("joining/again.html", joined=joined, then=then, restarts=restart is not None)
