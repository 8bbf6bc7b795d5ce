"""An invitation is one text that arrives whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.commands.node import say_invitation
from app.replication.invitations import (
    BadInvitation,
    Invitation,
    check_time,
    expiry,
    read_invitation,
    write_invitation,
)

INVITATION = Invitation(
    url="https://crm.bergmann.example:6984",
    user="laptop-d042-1f2e",
    password="only once",
    book="book",
    catalog="catalog",
    share="dealer",
    dealer="D042",
    dealer_name="Bergmann & Söhne",
    expires_at="2026-11-28T10:00:00Z",
    key="proves it",
    fingerprint="ab" * 32,
)


def test_what_was_written_is_read_also_through_an_email():
    text = write_invitation(INVITATION)
    folded = "\n> ".join(text[start : start + 60] for start in range(0, len(text), 60)).replace("> ", "  ")
    assert read_invitation(text) == INVITATION
    assert read_invitation(f' "{folded}"\r\n') == INVITATION


@given(st.data())
def test_a_damaged_invitation_is_never_taken_for_another(data):
    text = write_invitation(INVITATION)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = data.draw(st.sampled_from([text[:at], text[:at] + text[at + 1 :], text[:at] + "A" + text[at + 1 :]]))
    if damaged != text:
        with pytest.raises(BadInvitation):
            read_invitation(damaged)


@pytest.mark.parametrize("text", ["", "hello", "ironbook1-", "ironbook1-xx-yy", "https://crm.example/join"])
def test_another_text_is_no_invitation(text):
    with pytest.raises(BadInvitation):
        read_invitation(text)


def test_an_invitation_that_leads_nowhere_is_refused():
    with pytest.raises(BadInvitation, match="address"):
        read_invitation(write_invitation(replace(INVITATION, url="ftp://x")))


def test_an_invitation_is_good_until_its_time():
    now = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
    assert expiry(now, 72) == INVITATION.expires_at
    check_time(INVITATION, datetime(2026, 11, 28, 9, 59, tzinfo=UTC))
    with pytest.raises(BadInvitation, match="2026-11-28 10:00 UTC"):
        check_time(INVITATION, datetime(2026, 11, 28, 10, 1, tzinfo=UTC))


def test_the_password_of_an_invitation_is_not_shown_by_chance():
    assert "only once" not in repr(INVITATION)


@pytest.mark.parametrize("url", ["http://127.0.0.1:46221", "https://localhost:6984", "http://[::1]:5984"])
def test_an_invitation_to_this_computers_own_address_says_that_nobody_else_can_use_it(url, capsys):
    say_invitation(replace(INVITATION, url=url))
    assert f"{url}, is this computer's own" in capsys.readouterr().err

    say_invitation(INVITATION)
    assert capsys.readouterr().err == ""
