"""Lines that call the user, and the bell."""

from __future__ import annotations

from unittest import mock

import pytest

from chatroom.events import Event
from client.calls import BEL, Call, Calls
from client.limits import BELL_SECONDS, KEPT_CALLS
from client.preferences import Bell, Preferences
from tests.client.fake_server import ME
from tests.support.events import BOB, GENERAL, said


def calls(bell: Bell = Bell.MENTION, *keywords: str) -> Calls:
    preferences = Preferences()
    preferences.bell, preferences.keywords = bell, keywords
    client = mock.Mock(person=ME)
    client.name = "ann"
    return Calls(client, preferences)


def line(text: str, seq: int = 1, person: int = BOB, channel: str = "#general") -> Event:
    return said(seq, text, channel=channel)._replace(person=person)


@pytest.mark.parametrize(
    ("text", "is_call"),
    [
        ("ann: hello", True),
        ("I saw Ann's cat", True),
        ("planning", False),
        ("the EXAM is near", True),
        ("examples", False),
        ("试验", True),
        ("an\x1bn", False),
    ],
)
def test_what_calls(text: str, is_call: bool) -> None:
    """The own name and keywords call, as words of their own, however they are written."""
    assert calls(Bell.OFF, "exam", "试验").is_call(line(text)) is is_call


def test_a_direct_line_calls() -> None:
    """What is said to the user alone needs no name."""
    assert calls().is_call(line("psst", channel="@bob"))


def test_what_is_remembered() -> None:
    """The latest calls of others are; old lines, too, but no own ones, and not without bound."""
    one = calls()
    one.take(line("ann?", 1), live=False)
    one.take(line("ann!", 2), live=True)
    one.take(line("I am ann", 3, person=ME), live=True)
    one.take(line("nobody", 4), live=True)
    assert one.latest == [Call(GENERAL, 1), Call(GENERAL, 2)]
    for seq in range(10, 10 + 2 * KEPT_CALLS):
        one.take(line("ann", seq), live=True)
    assert len(one.latest) == KEPT_CALLS
    one.forget()
    assert one.latest == []


def test_unread_calls() -> None:
    """Those behind the read marker count, and never more than there are unread lines."""
    one = calls()
    for seq in (5, 6, 7):
        one.take(line("ann", seq), live=True)
    room = mock.Mock(place=GENERAL, read=5, unread=9)
    assert one.unread(room) == 2
    room.unread = 1
    assert one.unread(room) == 1
    room.unread = 0
    assert one.unread(room) == 0
    assert one.unread(mock.Mock(place=GENERAL + 1, read=0, unread=3)) == 0


@pytest.mark.parametrize(
    ("bell", "text", "live", "rings"),
    [
        (Bell.MENTION, "ann", True, True),
        (Bell.MENTION, "hello", True, False),
        (Bell.MENTION, "ann", False, False),
        (Bell.ALL, "hello", True, True),
        (Bell.ALL, "hello", False, False),
        (Bell.OFF, "ann", True, False),
    ],
)
def test_the_bell(bell: Bell, text: str, live: bool, rings: bool) -> None:
    """It rings for what the user wants to hear, and never for what was said before."""
    one = calls(bell)
    one.take(line(text), live)
    assert (one.due, one.ring(0.0)) == (rings, BEL if rings else "")
    assert not one.due


def test_own_lines_do_not_ring() -> None:
    """Nobody is called by what they say themselves, in whichever program."""
    one = calls(Bell.ALL)
    one.take(line("ann", person=ME), live=True)
    assert one.ring(0.0) == ""


def test_the_bell_is_rare() -> None:
    """Whoever calls again and again rings once in BELL_SECONDS; a call in between is not made up for."""
    one, rung = calls(), 0
    for tick in range(100):
        one.take(line("ann", tick + 1), live=True)
        rung += one.ring(tick * BELL_SECONDS / 10) == BEL
    assert rung == 10
    assert one.ring(1000.0) == ""
