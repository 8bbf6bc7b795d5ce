"""Every page says what it needs, and nothing is shown that does not say so.

``@needs("read:book")`` or ``@public`` stands under a page's route; the guard refuses a page that has neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Flask, abort, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import Unauthorized

from app.security import rights, sessions

View = TypeVar("View", bound=Callable[..., Any])


def needs(*any_of: str) -> Callable[[View], View]:
    """Marks a page as open to users who have one of the rights, each written ``action:area``, or ``signed in``."""
    unknown = set(any_of) - rights.RIGHTS - {"signed in"}
    if unknown or not any_of:
        raise ValueError(f"no such right: {', '.join(sorted(unknown)) or 'none given'}")

    def mark(view: View) -> View:
        view.needs = any_of  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Marks a page as open to anybody, signed in or not."""
    view.needs = ()  # type: ignore[attr-defined]
    return view


def polled(view: View) -> View:
    """Marks a page that an open page asks for by itself: it does not count as using the session."""
    view.polled = True  # type: ignore[attr-defined]
    return view


def require(action: str, subject: str | Mapping[str, Any]) -> None:
    """Answers 403 unless the signed-in user may do `action` with `subject`; for rights that depend on a document."""
    if not rights.may(current_user, action, subject):
        abort(403)


def guard(app: Flask) -> None:
    """Has every request checked before its view runs."""
    app.before_request(_check)


def needs_of(view: Callable[..., Any]) -> tuple[str, ...] | None:
    """What a view was marked with; None when it was not marked at all."""
    found: tuple[str, ...] | None = getattr(view, "needs", None)
    return found


def _check() -> ResponseReturnValue | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions[request.endpoint]
    any_of = needs_of(view)
    if any_of == ():
        return None
    expired = sessions.end_if_unused()
    if not current_user.is_authenticated:
        return _send_to_sign_in(expired)
    if not getattr(view, "polled", False):
        sessions.mark_used()
    if any_of is None or not any(_allowed(right) for right in any_of):
        abort(403)
    return None


def _allowed(right: str) -> bool:
    if right == "signed in":
        return True
    action, _, area = right.partition(":")
    return rights.may(current_user, action, area)


def _send_to_sign_in(expired: bool) -> ResponseReturnValue:
    if request.method not in ("GET", "HEAD"):
        raise Unauthorized
    if expired:
        flash("You were signed out because Ironbook was not used for a while.", "info")
    if "HX-Request" in request.headers:
        # A redirect would be followed inside the fragment; this makes htmx load the whole page instead.
        return "", 401, {"HX-Redirect": url_for("sign_in.show")}
    return redirect(url_for("sign_in.show", next=request.full_path.rstrip("?")))
