"""client/resume.py"""

from __future__ import annotations

import pytest

from chatroom.errors import NameRefused
from chatroom.packets import NO_TOKEN, Welcome
from client.handshaking import Wish
from client.limits import MOST_LINES
from client.resume import ResumeState

TOKEN = b"T" * 16


def test_the_first_wish_and_the_next() -> None:
    """First the last lines are wanted; once live, everything after the last event that was seen."""
    resume = ResumeState("ann", "#Test", 7)
    assert resume.wish() == Wish("ann", NO_TOKEN, "#test", 0, 7)
    resume.welcome(Welcome("ann", "#test", TOKEN, 0, 10))
    assert resume.wish() == Wish("ann", TOKEN, "#test", 0, 7)
    resume.seen, resume.live = 5, True
    resume.rename("anna")
    assert resume.wish() == Wish("anna", TOKEN, "#test", 5, MOST_LINES)


def test_a_shorter_history_is_another_one() -> None:
    """Where the server's history ends before the last event seen, the client goes on from its end."""
    resume = ResumeState("ann", "#test", 7)
    resume.seen = 500
    resume.welcome(Welcome("ann", "#test", TOKEN, 0, 501))
    assert resume.seen == 500
    resume.welcome(Welcome("ann", "#test", TOKEN, 0, 2))
    assert resume.seen == 2


@pytest.mark.parametrize(("name", "channel"), [("a b", "#test"), ("ann", "test")])
def test_what_cannot_be_asked_for(name: str, channel: str) -> None:
    """A name or channel that no server gives is refused before anything is sent."""
    with pytest.raises(NameRefused):
        ResumeState(name, channel, 7).wish()
