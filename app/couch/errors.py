"""What can go wrong between Ironbook and a store, as sentences a person can act on."""

from __future__ import annotations

import errno
import socket
import ssl

from app.errors import IronbookError


class StoreError(IronbookError):
    """The store did not do what was asked.

    `status` is its HTTP status (0 when it never answered), `error` and `reason` are its own words for the log.
    """

    def __init__(self, sentence: str, status: int = 0, error: str = "", reason: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.error = error
        self.reason = reason


class Unreachable(StoreError):  # noqa: N818
    """Nobody answers at the store's address, or what answers is no store."""


class WrongPassword(StoreError):  # noqa: N818
    """The store does not accept the user or the password. Do not try again by yourself: CouchDB locks accounts."""


class Forbidden(StoreError):  # noqa: N818
    """The user may not do this, or a rule of the database forbids this document."""


class NotFound(StoreError):  # noqa: N818
    """There is no such database, document, view or attachment."""


class Conflict(StoreError):  # noqa: N818
    """The document was changed by somebody else meanwhile."""


class Refused(StoreError):  # noqa: N818
    """The store calls the request itself wrong: trying it again unchanged cannot work."""


def answered(url: str, user: str, status: int, error: str, reason: str) -> StoreError:
    """The error for an answer with an HTTP `status` of 400 or more; `url` is without credentials."""
    # The sentence these words end has its own full stop.
    words = f"{error}: {reason}".strip(": ").rstrip(". ") or f"status {status}"
    kind, sentence = _kind_and_sentence(url, user, status, error, reason.rstrip(". "), words)
    return kind(sentence, status, error, reason)


def _kind_and_sentence(
    url: str, user: str, status: int, error: str, reason: str, words: str
) -> tuple[type[StoreError], str]:
    lowered = words.lower()
    # CouchDB answers 401 also where the user is known and lacks a right; trying again as the same user is as vain.
    if status == 401 and not any(each in lowered for each in ("not authorized", "server admin", "not allowed")):
        return WrongPassword, f"The store at {url} does not accept the user {user or '(none)'} with this password."
    if status == 403 and "locked" in lowered:
        return WrongPassword, (
            f"The store at {url} has locked the user {user} for some minutes after wrong passwords: {reason}."
        )
    if status in (401, 403):
        return Forbidden, f"The store at {url} does not allow this: {reason or error or 'no reason was given'}."
    if status == 404:
        return NotFound, f"The store at {url} does not have what was asked for: {words}."
    if status == 409:
        return Conflict, "The document was changed by somebody else meanwhile; read it again and repeat the change."
    if status in (400, 405, 406, 412, 413, 414, 415, 416, 417):
        return Refused, f"The store at {url} refused the request: {words}."
    return StoreError, f"The store at {url} could not do it: {words}."


def unreachable(url: str, problem: BaseException) -> Unreachable:
    """The error for a request that was never answered."""
    sentence = f"The store at {url} does not answer: {_network_words(problem)}. Check that it is running and try again."
    return Unreachable(sentence, 0, type(problem).__name__, str(problem))


def no_store(url: str, what: str) -> Unreachable:
    """The error for an answer that is not a store's: a sign-in page of a network, a web server."""
    return Unreachable(f"What answers at {url} is not a store: {what}. Check the address and the network.", 0, what)


def _network_words(problem: BaseException) -> str:
    if isinstance(problem, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({problem.verify_message})"
    if isinstance(problem, TimeoutError):
        return "it took too long (timed out)"
    if isinstance(problem, socket.gaierror):
        return "its name is not known here (no network?)"
    if isinstance(problem, ConnectionRefusedError):
        return "connection refused"
    number = getattr(problem, "errno", None) or (problem.args[0] if problem.args else None)
    if number in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN):
        return "there is no network that leads there (unreachable)"
    if isinstance(problem, ConnectionError) or number in (errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED):
        return "the connection was closed (reset by peer)"
    return str(problem) or type(problem).__name__
