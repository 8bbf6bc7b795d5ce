"""What a failed request or replication means to a person: a kind the schedule decides by, and one sentence.

CouchDB answers ``_replicate`` in Erlang's words (``{conn_failed,{error,econnrefused}}``); the words looked for here are
those it was recorded saying, and those of the embedded store and of Python's own network errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.couch import Forbidden, NotFound, StoreError, Unreachable, WrongPassword


@dataclass(frozen=True)
class Failure:
    """Why a sync did not work. `kind` is one of the keys of ``SENTENCES``; `sentence` says it with the names in it.

    `wait_seconds`: how long the upstream asked to be left alone, 0 where it did not.
    """

    kind: str
    sentence: str
    wait_seconds: int = 0

    @property
    def needs_a_person(self) -> bool:
        """Whether trying again by schedule could only do harm: CouchDB locks accounts after a few wrong passwords."""
        return self.kind in NEEDS_A_PERSON


# Statuses that say what is wrong by themselves, whatever the words.
_TELLING = (413, 429, 500, 502, 503, 504, 507)
# Seconds: nobody's word keeps a sync away for longer.
_LONGEST_WAIT = 6 * 3600

NEEDS_A_PERSON = frozenset({"wrong_password", "shut_out", "locked", "forbidden", "beyond_the_dealership"})

SENTENCES = {
    "no_network": "{address} cannot be reached. Everything is kept here and goes over as soon as it answers again.",
    "wrong_password": "{address} does not accept the password of {user}. Nothing is tried again until a new password "
    "is entered on the replication page.",
    "shut_out": "{address} no longer lets this computer in: it was shut out there, or that server was restored from a "
    "backup. Everything here stays and can be worked with. To sync again, ask whoever runs it for a new invitation and "
    "join with that.",
    "locked": "{address} has locked the account {user} for some minutes after too many wrong passwords. Check the "
    "password on the replication page, wait, and then sync by hand.",
    "forbidden": "{user} may not use this database at {address}. Ask whoever runs it to admit this user.",
    "certificate": "The certificate of {address} cannot be trusted, so nothing was sent. Check the address, this "
    "computer's date, and ask whoever runs it whether the certificate was renewed.",
    "certificate_date": "The certificate of {address} has expired, or is not valid yet by this computer's clock, "
    "so nothing was sent. Check this computer's date; if it is right, ask whoever runs it to renew the certificate.",
    "missing": "{address} has no such database. Check the names of catalog and book in the connection, or ask whoever "
    "runs it to add this dealer.",
    "not_couchdb": "What answers at {address} is not a CouchDB: often a login page of the network in between. Open a "
    "web page to log in to the network, or correct the address.",
    "beyond_the_dealership": "{address} is the manufacturer's, and this connection would carry everything, what is "
    'private to the dealership too. Nothing was sent. Set the connection\'s share to "manufacturer".',
    "too_old": "{address} runs a version older than CouchDB 3. Ask whoever runs it to upgrade.",
    "disk_full": "There is no space left at {address}, or its disk cannot be written to. Everything is kept here; tell "
    "whoever runs it. The sync goes on from where it was.",
    "disk_full_here": "There is no space left on this computer, or its disk cannot be written to, so nothing more is "
    "fetched from {address}. Make space; what is saved is safe and the sync goes on from where it was.",
    "too_large": "{address} refused a document for its size. See the refused documents for which one.",
    "busy": "{address} is too busy just now, or not ready. Everything is kept here, and it is tried again soon.",
    "upstream": "{address} has an error of its own ({reason}). Everything is kept here, and it is tried again soon; "
    "if it stays like this, tell whoever runs it.",
    "stopped": "The sync was stopped. It goes on from where it was the next time.",
    "store": "This computer's own store does not answer. What is saved is safe; restart Ironbook.",
    "unknown": "The sync with {address} did not work: {reason}. It is tried again soon.",
}

# Looked for in this order in what the store said: the first that fits decides.
_WORDS: tuple[tuple[str, str], ...] = (
    ("locked", r"temporarily locked|account.{0,20}locked|too_many_failed"),
    (
        "wrong_password",
        r"session_request_unauthorized|replication_auth_error|name or password is incorrect|\b401\b|unauthorized",
    ),
    ("certificate_date", r"certificate.?(?:has.)?expired|not yet valid|bad_cert,cert_expired"),
    ("certificate", r"certificate|tls_alert|\bssl\b|handshake"),
    (
        "disk_full",
        r"enospc|no space left|disk is full|insufficient_storage|\b507\b|database or disk|storage_error|"
        r"could not be written",
    ),
    ("missing", r"db_not_found|could not open|no_db_file|database does not exist|\b404\b"),
    ("too_large", r"too_large|\b413\b|exceeds the maximum"),
    ("busy", r"\b429\b|\b50[234]\b|too_many_requests|service_unavailable|overload"),
    ("upstream", r"answered 5\d\d"),
    ("forbidden", r"forbidden|not allowed|not authorized to access"),
    (
        "not_couchdb",
        r"does not answer like|invalid_json|not json|expecting value|<!doctype|<html|\b30[1278]\b|bad_response",
    ),
    (
        "no_network",
        r"could not be reached|econnrefused|conn_failed|nxdomain|ehostunreach|enetunreach|econnreset|etimedout|timeout|"
        r"timed out|refused|unreachable|reset by peer|getaddrinfo|name or service not known|"
        r"connection (?:closed|aborted|error)|closed_before|connection_closing|broken pipe|remote end closed",
    ),
)


def kind_of(text: str) -> str:
    """The kind of failure that the words of a store or of a network error are about, ``"unknown"`` if none is known."""
    lowered = text.lower()
    for kind, words in _WORDS:
        if re.search(words, lowered):
            return kind
    return "unknown"


def failure(kind: str, address: str, user: str = "", reason: str = "") -> Failure:
    """A failure of this kind at `address` (scheme, host and port, never credentials)."""
    shortened = " ".join(reason.split())[:200].rstrip(". ") or "no reason was given"
    return Failure(kind, SENTENCES[kind].format(address=address, user=user or "the user", reason=shortened))


def failure_of(error: StoreError, address: str, user: str, joined: bool = False) -> Failure:
    """What an error of the upstream's own answer means; `joined`: to a node whose password no person ever entered."""
    return failure(_for_whom(_kind_of_error(error), joined), address, user, error.reason or str(error))


def failure_of_replication(
    error: StoreError, address: str, user: str, own_address: str, joined: bool = False
) -> Failure:
    """What it means that this node's own store, at `own_address`, could not replicate with the upstream."""
    words = f"{error.error} {error.reason}"
    kind = _for_whom(kind_of(words), joined)
    if kind == "disk_full" and own_address in words:
        kind = "disk_full_here"
    asked_for = re.search(r"asked again in (\d+) s", words)
    found = failure(kind, address, user, error.reason or str(error))
    return replace(found, wait_seconds=min(int(asked_for[1]), _LONGEST_WAIT)) if asked_for else found


def _for_whom(kind: str, joined: bool) -> str:
    # The random password of a node that joined cannot be mistyped, so who refuses it has taken it back.
    return "shut_out" if joined and kind == "wrong_password" else kind


def _kind_of_error(error: StoreError) -> str:
    words = f"{error.error} {error.reason}"
    if isinstance(error, WrongPassword):
        return "locked" if kind_of(words) == "locked" else "wrong_password"
    if isinstance(error, Unreachable):
        if "is not a store" in str(error):
            return "not_couchdb"
        kind = kind_of(f"{words} {error}")
        return kind if kind in ("certificate", "certificate_date") else "no_network"
    if isinstance(error, Forbidden):
        return "forbidden"
    if isinstance(error, NotFound):
        return "missing"
    return kind_of(f"answered {error.status} {words}" if error.status in _TELLING else words)
