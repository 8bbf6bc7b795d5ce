"""The dealers that sync with head office: how each is doing, adding one, its password, ending its access."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.market import figures
from app.replication import dealers, members
from app.replication.dealers import NotAdmitted
from app.security.access import needs
from app.web import current, dashboard_page
from app.web.dashboard import dealer_figures, dealer_lines
from app.web.market_scope import address, all_dealers, dealer_of
from app.web.members import tell_invitation

pages = Blueprint("dealers", __name__, url_prefix="/dealers")
NODE_ROLE = "manufacturer"


@pages.get("")
@needs("read:market")
def show_all() -> ResponseReturnValue:
    """Every dealer, those that have been silent longest first; or only those that are silent."""
    counted, only_silent = dealer_figures(), bool(request.args.get("silent"))
    lines = [line for line in dealer_lines(counted) if line.silent or not only_silent]
    return render_template("dealers/list.html", dealers=lines, months=counted.months, only_silent=only_silent)


@pages.get("/<code>")
@needs("read:market")
def show(code: str) -> ResponseReturnValue:
    """One dealer: its figures, and its computers that sync."""
    node, dealer = current.node(), dealer_of(code)
    counted = dealer_figures()
    (line,) = (each for each in dealer_lines(counted) if each.code == code)
    installed = figures.installed(node, code, None)
    pipeline = figures.pipeline(node, code)
    demand = figures.demand(node, code, None, node.today())
    return render_template(
        "dealers/show.html",
        dealer=dealer,
        line=line,
        months=counted.months,
        makes=dashboard_page.bars(
            (each.make, each.count, each.url)
            for each in dashboard_page.make_lines(
                installed, lambda make, model=None: address("market.machines", dealer=code, make=make, model=model)
            )
        ),
        open=dashboard_page.open_line(
            pipeline, lambda stage: address("market.opportunities", dealer=code, stage=stage)
        ),
        needed=dashboard_page.total_demand(demand),
        bulletins_open=sum(still_open for still_open, _ in figures.bulletins(node, code).values()),
        members=members.members(node, code),
        nodes=sorted(dealer.nodes, key=lambda report: report.at, reverse=True),
    )


@pages.route("/new", methods=["GET", "POST"])
@needs("edit:connections")
def new() -> ResponseReturnValue:
    """Adds a dealer; the answer is the invitation of its first computer, told this once."""
    code, name = request.form.get("code", "").strip().upper(), request.form.get("name", "").strip()
    known = next((dealer for dealer in all_dealers() if dealer.code == code), None) if code else None
    errors: dict[str, str] = {}
    if request.method == "POST":
        if known and known.left_at:
            # Whoever comes back under a code has all that was sent under it: that is to be meant.
            errors["code"] = f"The code {code} belongs to {known.name}, which was removed and whose documents are here."
        else:
            try:
                dealers.add_dealer(current.node(), code, name)
                return _invite_first(code, name)
            except NotAdmitted as problem:
                errors[problem.field] = str(problem)
    page = render_template("dealers/new.html", code=code, name=name, errors=errors, known=known)
    return page, 422 if errors else 200


@pages.route("/<code>/readmit", methods=["GET", "POST"])
@needs("edit:connections")
def readmit(code: str) -> ResponseReturnValue:
    """Asks whether a dealer that was removed is to sync again, and admits it with all it had."""
    dealer = dealer_of(code)
    if not dealer.left_at:
        flash(f"{dealer.name} is admitted already.", "info")
        return redirect(url_for("dealers.show", code=code), 303)
    if request.method == "GET":
        return render_template("dealers/readmit.html", dealer=dealer)
    dealers.add_dealer(current.node(), code, dealer.name)
    return _invite_first(code, dealer.name)


@pages.post("/<code>/password")
@needs("edit:connections")
def password(code: str) -> ResponseReturnValue:
    """Gives a dealer a new password; the old one is of no use from now on."""
    dealer = dealer_of(code)
    return _tell_once(dealers.new_password(current.node(), code), dealer.name)


@pages.route("/<code>/remove", methods=["GET", "POST"])
@needs("edit:connections")
def remove(code: str) -> ResponseReturnValue:
    """Asks whether a dealer's access is to end, and ends it; what it sent stays."""
    dealer = dealer_of(code)
    if dealer.left_at:
        flash(f"{dealer.name} was removed already.", "info")
        return redirect(url_for("dealers.show", code=code), 303)
    if request.method == "GET":
        return render_template("dealers/remove.html", dealer=dealer)
    dealers.remove_dealer(current.node(), code)
    flash(f"{dealer.name} can no longer sync. What it sent is still here.", "success")
    return redirect(url_for("dealers.show_all"), 303)


def _invite_first(code: str, name: str) -> ResponseReturnValue:
    label = f"{name}’s first computer"
    return tell_invitation(members.invite(current.node(), label, code), label)


def _tell_once(admitted: dealers.Admitted, name: str) -> ResponseReturnValue:
    """The page with the password: an answer to a form, so that it is in no address and not to be had again."""
    return render_template("dealers/password.html", admitted=admitted, name=name), 200, {"Cache-Control": "no-store"}
