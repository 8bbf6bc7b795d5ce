"""The one error page: whatever goes wrong reaches a person as what happened, what was kept, and what to do."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from flask import Flask, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError

from app.couch import Conflict, Forbidden, NotFound, Refused, StoreError
from app.errors import IronbookError
from app.web import current
from app.web.frame import is_fragment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Explanation:
    """What the error page says."""

    title: str
    sentence: str
    next_step: str


EXPLANATIONS = {
    400: Explanation(
        "This could not be understood", "The request was incomplete or damaged.", "Go back and try again."
    ),
    401: Explanation(
        "Please sign in",
        "You are not signed in any more, so nothing was saved.",
        "Sign in in another tab, then go back here and save again: what you typed is still in the form.",
    ),
    403: Explanation(
        "This is not open to you",
        "Your role does not include this page or this action.",
        "Ask an administrator of this node if you need it.",
    ),
    404: Explanation(
        "There is nothing here",
        "The page or document does not exist, or it is not on this node.",
        "Check the address, or search for what you are looking for.",
    ),
    405: Explanation("This does not work this way", "The page exists, but not for this kind of request.", "Go back."),
    413: Explanation(
        "This is too large", "What was sent is larger than 100 MB, so nothing was read.", "Send it in smaller files."
    ),
    422: Explanation("This could not be saved", "Some of the values do not fit.", "Go back and correct them."),
    429: Explanation("Too many attempts", "Too many wrong passwords were given.", "Wait a moment, then try again."),
    500: Explanation(
        "Something went wrong in Ironbook",
        "This page failed; what had been saved before is kept.",
        "Try again. If it happens again, tell whoever looks after this node: the log says what happened.",
    ),
    503: Explanation(
        "The store does not answer",
        "Ironbook cannot reach its documents at the moment. Nothing was lost, and nothing was changed.",
        "Wait a few seconds and try again. If it stays away, restart Ironbook.",
    ),
}


def install(app: Flask) -> None:
    """Answers every error with the error page, or for htmx with a notice that takes the place of the part."""
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(CSRFError, _token_missing)
    app.register_error_handler(StoreError, _store_error)
    app.register_error_handler(IronbookError, _ironbook_error)
    app.register_error_handler(Exception, _unexpected)


def _http_error(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None or (error.code or 500) < 400:
        return error.get_response()
    code = error.code or 500
    if isinstance(error, SecurityError):
        return _plain(code, "This node is not known by that name. Use the address it printed when it was started.")
    own_words = error.description if error.description != type(error).description else None
    return _answer(code, own_words)


def _token_missing(error: CSRFError) -> ResponseReturnValue:
    return _answer(
        400,
        "The form does not belong to your session any more, so nothing was saved.",
        "Go back, reload the page and send it again.",
    )


def _store_error(error: StoreError) -> ResponseReturnValue:
    if isinstance(error, NotFound):
        return _answer(404)
    if isinstance(error, Conflict):
        return _answer(409, "Somebody else saved this at the same moment, so your change was not made.", "Try again.")
    if isinstance(error, Forbidden | Refused):
        log.warning("the store refused: %s", error)
        return _answer(422, str(error))
    log.error("the store did not do what a page needed: %s", error)
    return _answer(503, str(error))


def _ironbook_error(error: IronbookError) -> ResponseReturnValue:
    return _answer(422, str(error))


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.exception("%s %s failed", request.method, request.path)
    return _answer(500)


def _answer(code: int, sentence: str | None = None, next_step: str | None = None) -> ResponseReturnValue:
    known = EXPLANATIONS.get(code) or EXPLANATIONS[500 if code >= 500 else 400]
    explanation = Explanation(known.title, sentence or known.sentence, next_step or known.next_step)
    if is_fragment():
        return render_template("errors/fragment.html", code=code, explanation=explanation), code
    try:
        signed_in = code not in (401, 503) and current.user().is_authenticated
    except StoreError:
        signed_in = False
    template = "errors/page.html" if signed_in else "errors/page_signed_out.html"
    return make_response(render_template(template, code=code, explanation=explanation), code)


def _plain(code: int, sentence: str) -> ResponseReturnValue:
    return make_response(sentence, code, {"Content-Type": "text/plain; charset=utf-8"})
