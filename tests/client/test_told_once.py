"""client/told_once.py"""

from __future__ import annotations

import pytest

from chatroom.commands import COMMANDS
from chatroom.events import Event, EventKind, Extra, extra_row
from chatroom.outcomes import Code
from client.told_once import _BY_ANSWER, _BY_EVENT, ToldOnce
from tests.client.fake_server import ME
from tests.support.events import BOB, GENERAL, NOON


def event(kind: EventKind, person: int = ME, target: int = 0) -> Event:
    extra = extra_row(Extra.TARGET, target, 4) if target else b""
    return Event(1, NOON, kind, "#general", "ann", "", 0, person, GENERAL, extra)


def test_an_event_that_was_seen_tells_it() -> None:
    """The answer to a command whose event the user has seen is known; that of the next one is not."""
    once = ToldOnce()
    once.given(1, "/Topic")
    once.given(2, "/topic")
    once.shown(event(EventKind.TOPIC), ME)
    assert once.answered(1, Code.OK)
    assert not once.answered(2, Code.OK)


@pytest.mark.parametrize("kind", [EventKind.TOPIC, EventKind.SAID])
def test_what_tells_nothing(kind: EventKind) -> None:
    """The event of somebody else, one that comes by itself, and one of another kind do not tell it."""
    once = ToldOnce()
    once.shown(event(EventKind.TOPIC), ME)  # before the command: of another program of the user
    once.given(1, "/topic")
    once.shown(event(EventKind.TOPIC, BOB), ME)
    once.shown(event(EventKind.SAID), ME)
    assert not once.answered(1, Code.OK)
    assert not once.answered(1, Code.OK)  # it was answered


@pytest.mark.parametrize("code", [Code.ALREADY, Code.NEED_ROLE, 99])
def test_a_refusal_is_always_told(code: int) -> None:
    """Nothing has changed by this command, whatever was seen."""
    once = ToldOnce()
    once.given(1, "/topic")
    once.shown(event(EventKind.TOPIC), ME)
    assert not once.answered(1, code)


def test_a_command_without_an_answer() -> None:
    """What was not answered waits no more."""
    once = ToldOnce()
    once.given(1, "/topic")
    once.unanswered(1)
    once.shown(event(EventKind.TOPIC), ME)
    once.given(2, "/topic")
    assert not once.answered(2, Code.OK)


def test_an_event_without_its_author() -> None:
    """Who asks without a name sees the question."""
    once = ToldOnce()
    once.given(1, "/ask")
    once.shown(event(EventKind.ASKED, 0), ME)
    assert once.answered(1, Code.OK)


def test_answers_that_tell_more() -> None:
    """While /hand waits, the event is left to its answer; hands of others and the own turn are shown."""
    once = ToldOnce()
    assert not once.hides(event(EventKind.HAND), ME)
    once.given(1, "/hand")
    assert once.hides(event(EventKind.HAND), ME)
    assert not once.hides(event(EventKind.HAND, BOB), ME)
    assert not once.answered(1, Code.OK)
    once.given(2, "/next")
    assert once.hides(event(EventKind.CALLED, target=BOB), ME)
    assert not once.hides(event(EventKind.CALLED, target=ME), ME)
    once.answered(2, Code.OK)
    assert not once.hides(event(EventKind.CALLED, target=BOB), ME)


def test_the_commands_exist() -> None:
    """Each of them is a command of the server."""
    assert {*_BY_EVENT, *_BY_ANSWER} <= set(COMMANDS)


def test_limit_events_are_bounded() -> None:
    """A server that never answers may send them for ever."""
    once = ToldOnce()
    once.given(1, "/topic")
    for _ in range(1000):
        once.shown(event(EventKind.TOPIC), ME)
    assert len(once._seen) == 1 and once.answered(1, Code.OK)
