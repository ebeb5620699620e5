"""client/logins.py: what client/login.py's tests do not see."""

from __future__ import annotations

import pytest

from chatroom.errors import ConnectionLost
from chatroom.reaper import Reaper
from client.account import Account
from client.inbox import Inbox
from client.link import Link
from client.logins import Logins
from client.opening import Opening
from client.pending_lines import PendingLines
from client.resume import ResumeState
from client.updates import NotLoggedIn


def logins(inbox: Inbox, *links: Link | None) -> Logins:
    """Of a client whose link is one after the other, each time that it is asked for."""
    resume, account, present = ResumeState("ann", ("#a",), 0), Account(), iter(links)
    opening = Opening(("localhost", 1), None, account, resume, lambda: False)
    return Logins(resume, PendingLines(), inbox, account, opening, Reaper("test"), lambda: next(present))


def test_without_a_connection() -> None:
    """There is nothing to change from."""
    made = logins(Inbox(), None)
    with pytest.raises(ConnectionLost):
        made.begin("dora", "secret")
    assert made.take() == (None, None)


def test_a_connection_that_ends_while_a_login_begins() -> None:
    """The login fails at once: the connection thread has looked for it, and would never take it."""
    inbox = Inbox()
    made = logins(inbox, Link.__new__(Link), None)
    done = made.begin("dora", "secret")
    with pytest.raises(ConnectionLost):
        done.result(0)
    assert made.take() == (None, None)
    (told,) = inbox.poll()
    assert isinstance(told, NotLoggedIn)
