"""client/resume.py"""

from __future__ import annotations

import pytest

from chatroom.errors import NameRefused
from chatroom.packets import NO_IDENTITY, NO_TOKEN, Resumed
from client.handshaking import Wish
from client.limits import MOST_LINES
from client.resume import ResumeState
from tests.client.fake_server import IDENTITY, ME, TOKEN, welcome


def seen(seq: int) -> ResumeState:
    """The state of a client that is live and has seen everything up to `seq`."""
    resume = ResumeState("ann", ("#test",), 7)
    resume.welcome(welcome(resumed=Resumed.FRESH))
    resume.move(seq, seq * 1000)
    resume.caught_up()
    return resume


def test_the_first_wish_and_the_next() -> None:
    """First the last lines are wanted; then everything after the last event, or all of another history."""
    resume = ResumeState("ann", ("#Test",), 7)
    assert resume.channel == "#test"  # lines that are said now must name it so
    assert resume.wish() == Wish("ann", NO_TOKEN, ("#test",), 0, 0, NO_IDENTITY, 7)
    resume.welcome(welcome(resumed=Resumed.FRESH))
    assert resume.wish() == Wish("ann", TOKEN, ("#test",), 0, 0, NO_IDENTITY, 7)
    resume.move(5, 5000)
    resume.move(4, 4000)
    resume.caught_up()
    resume.rename("anna")
    assert resume.wish() == Wish("anna", TOKEN, ("#test",), 5, 5000, IDENTITY, MOST_LINES)


def test_a_client_that_saw_an_empty_history_wants_all_that_came_since() -> None:
    """There is no event to name, so it asks for as many lines as it can."""
    assert seen(0).wish() == Wish("ann", TOKEN, ("#test",), 0, 0, NO_IDENTITY, MOST_LINES)


@pytest.mark.parametrize(
    ("resumed", "since"),
    [(Resumed.EXACT, 500), (Resumed.GAP, 500), (Resumed.OTHER_HISTORY, 0), (Resumed.RESTORED, 0)],
)
def test_the_cursor_starts_anew_in_another_history(resumed: Resumed, since: int) -> None:
    """Where the server does not give what comes after the last event seen, its seq means nothing."""
    resume = seen(500)
    resume.welcome(welcome(identity=b"J" * 16, resumed=resumed))
    assert resume.seen == since
    resume.move(501, 501_000)
    assert resume.wish()[3:] == (501, 501_000, b"J" * 16, MOST_LINES)


def test_what_was_left_out_is_remembered_until_the_replay_is_complete() -> None:
    """A replay with a gap that breaks off is not made exact by the next one, which goes on from there."""
    resume = seen(500)
    assert resume.exact
    resume.welcome(welcome(resumed=Resumed.GAP))
    assert not resume.exact
    resume.welcome(welcome(resumed=Resumed.EXACT))
    assert not resume.exact
    resume.caught_up()
    resume.welcome(welcome(resumed=Resumed.EXACT))
    assert resume.exact


def test_a_new_session_is_another_person_whose_old_lines_stay_its_own() -> None:
    """Events of the person before are own ones until the replay is complete, but not in another history."""
    resume = seen(500)
    resume.welcome(welcome(person=ME + 1))
    assert resume.is_own(ME) and resume.is_own(ME + 1) and not resume.is_own(ME + 2)
    resume.caught_up()
    assert not resume.is_own(ME) and resume.is_own(ME + 1)
    resume.welcome(welcome(person=ME, resumed=Resumed.OTHER_HISTORY))
    assert resume.is_own(ME) and not resume.is_own(ME + 1)


def test_the_channel_is_written_as_the_server_writes_it() -> None:
    """CHANNEL gives the way of writing; a channel that was not asked for changes nothing."""
    resume = seen(1)
    for other in ("#other", "@bob", "&news"):
        resume.enter(other)
        assert resume.channel == "#test"
    resume.enter("#Test")
    assert resume.channel == "#Test"


def test_lines_follow_their_channel_and_go_nowhere_else() -> None:
    """Lines go to the channel under its new name; when it has gone, to no other one."""
    resume = seen(1)
    resume.enter("#other")
    resume.moved("#test", "#exam")
    assert resume.channel == "#exam"
    resume.moved("#exam", "")
    assert resume.channel == "#exam" and resume.wish().channels == ("#other",)


@pytest.mark.parametrize(("name", "channel"), [("a b", "#test"), ("ann", "test")])
def test_what_cannot_be_asked_for(name: str, channel: str) -> None:
    """A name or channel that no server gives is refused before anything is sent."""
    with pytest.raises(NameRefused):
        ResumeState(name, (channel,), 7).wish()
