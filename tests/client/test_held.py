"""client/held.py"""

from __future__ import annotations

import pytest

from chatroom.packets import Answer, Info, Resumed
from client.held import Held
from client.limits import HELD_BYTES
from client.updates import CaughtUp, Connected, Disconnected, Ended, Interrupted, Unanswered, Update
from tests.support.events import said

ASKED = 70
CONNECTED = Connected("ann", "#general", False)
UP = CaughtUp(1, False)
ANSWER = Answer(ASKED, 0, "", "[]")
LOST = Disconnected("lost")


def shown(held: Held, *updates: Update) -> list[Update]:
    return [shown for update in updates for shown in held.take(update)]


@pytest.fixture
def held() -> Held:
    """Of a terminal whose command is sent."""
    return Held(lambda: ASKED)


def test_all_from_the_first_event_on_is_held(held: Held) -> None:
    """In order, the answer first; later ones pass, also after a reconnect."""
    assert shown(held, CONNECTED, Info("hello")) == [CONNECTED, Info("hello")]
    held_back: list[Update] = [said(1), Info("later"), UP, said(2), Answer(71, 0, "", "")]
    assert shown(held, *held_back) == []
    assert shown(held, ANSWER) == [ANSWER, *held_back]
    later: list[Update] = [said(3), LOST, CONNECTED, said(4), UP, said(5), ANSWER]
    assert shown(held, *later) == later


@pytest.mark.parametrize("end", [LOST, Ended("closed", None)])
def test_the_connection_ends_before_the_answer(held: Held, end: Update) -> None:
    """What was held is shown before that; the next connection holds again."""
    assert shown(held, CONNECTED, said(1), UP, end) == [CONNECTED, said(1), UP, end]
    assert shown(held, CONNECTED, said(2), UP) == [CONNECTED]
    assert shown(held, ANSWER) == [ANSWER, said(2), UP]


def test_nobody_will_answer(held: Held) -> None:
    """Then nothing more is held on this connection."""
    unanswered = Unanswered(ASKED, "/ignored", "not known")
    assert shown(held, UP, said(2), unanswered, said(3)) == [unanswered, UP, said(2), said(3)]


def test_a_command_that_cannot_be_sent() -> None:
    """No answer to it can come. Id 0 is not one."""
    held = Held(lambda: 0)
    assert shown(held, said(1), Answer(0, 0, "", ""), UP, said(2)) == [
        said(1),
        Answer(0, 0, "", ""),
        UP,
        said(2),
    ]


def test_another_history(held: Held) -> None:
    """Its persons have other numbers: whose lines are hidden is asked anew."""
    shown(held, UP, ANSWER)
    gap, other = (Interrupted(how, "") for how in (Resumed.GAP, Resumed.OTHER_HISTORY))
    assert shown(held, CONNECTED, gap, said(1)) == [CONNECTED, gap, said(1)]
    assert shown(held, CONNECTED, other, said(1), UP) == [CONNECTED, other]
    assert shown(held, ANSWER) == [ANSWER, said(1), UP]


def test_a_server_that_talks_and_does_not_answer(held: Held) -> None:
    """No more than HELD_BYTES are held; then all is shown."""
    long = said(1, "x" * (HELD_BYTES // 4))
    assert shown(held, UP, long, long, long) == []
    assert shown(held, long, said(2)) == [UP, long, long, long, long, said(2)]
