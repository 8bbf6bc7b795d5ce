"""The computers that sync with this node: inviting one, seeing whether it came, shutting it out."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from app.errors import IronbookError
from app.loopback import leads_to_loopback
from app.replication import members
from app.replication.invitations import Invitation, write_invitation
from app.security.access import needs
from app.web import current

pages = Blueprint("members", __name__, url_prefix="/replication/computers")


@pages.route("/invite", methods=["GET", "POST"])
@needs("edit:connections")
def invite() -> ResponseReturnValue:
    """Asks which computer is invited, and tells its invitation, this once. ``dealer`` says whose it is."""
    node = current.node()
    dealer = request.values.get("dealer", "")
    label, address, error = request.form.get("label", ""), request.form.get("url", "").strip(), ""
    if request.method == "POST":
        try:
            return tell_invitation(members.invite(node, label, dealer, url=address), label.strip())
        except IronbookError as problem:
            error = str(problem)
    known = members.public_url(node.settings) or node.store.url
    page = render_template(
        "members/invite.html",
        dealer=dealer,
        label=label,
        url=address or known,
        is_local=leads_to_loopback(known),
        back=_back(dealer),
        error=error,
    )
    return page, 422 if error else 200


@pages.route("/<user>/remove", methods=["GET", "POST"])
@needs("edit:connections")
def remove(user: str) -> ResponseReturnValue:
    """Asks whether a computer is to sync no more, and ends its access; what it sent stays."""
    member = next((one for one in members.members(current.node()) if one.user == user), None)
    if member is None:
        raise NotFound("No computer of that name was invited here.")
    back = _back(member.dealer)
    if member.left_at:
        flash(f"{member.label} may not sync any more already.", "info")
        return redirect(back, 303)
    if request.method == "GET":
        return render_template("members/remove.html", member=member, back=back)
    members.remove_member(current.node(), user)
    flash(f"{member.label} can no longer sync. What it sent is still here; what it has stays there.", "success")
    return redirect(back, 303)


def tell_invitation(invitation: Invitation, label: str) -> ResponseReturnValue:
    """The page with an invitation: an answer to a form, so that it is in no address and not to be had again."""
    page = render_template(
        "members/invited.html",
        invitation=invitation,
        text=write_invitation(invitation),
        label=label,
        is_local=leads_to_loopback(invitation.url),
        back=_back(invitation.dealer),
    )
    return page, 200, {"Cache-Control": "no-store"}


def _back(dealer: str) -> str:
    if not current.node().is_manufacturer:
        return url_for("replication.show")
    if not dealer:
        abort(404, "Say which dealer the computer belongs to: invite it on the dealer's page.")
    return url_for("dealers.show", code=dealer)
