"""What can be set about a store; the defaults are CouchDB 3.5's."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.attachments import MAXIMUM_ATTACHMENT


@dataclass(frozen=True, slots=True)
class Settings:
    """`cors_origins`: web sites whose pages may ask this store from a browser, `"*"` for all; none by default.

    `require_valid_user`: nobody gets anything but `_up` and `_session` without signing in.

    `maximum_attachment`: bytes of the largest attachment that is taken by itself.

    `request_timeout`: seconds in which the head of a request has to be complete, and in which some more of its body has
    to come; after that the client is given up. One that does not read its answer is after fifteen times as long.
    """

    cors_origins: tuple[str, ...] = ()
    require_valid_user: bool = False
    maximum_attachment: int = MAXIMUM_ATTACHMENT
    request_timeout: float = 60.0
