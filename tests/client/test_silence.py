"""client/silence.py"""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from chatroom.events import EXEMPT_LIST, MUTE_LIST, Event, EventKind, Extra, Setting, extra_row
from chatroom.limits import MAX_TIME
from chatroom.outcomes import Code
from chatroom.packets import Answer, Role
from client.limits import LONGEST_WAIT, MAX_ROOMS
from client.rooms import Room
from client.silence import Silence
from tests.client.fake_server import ME
from tests.support.events import BOB, GENERAL, NOON, said

TEA = 9
MINUTE = 60_000
MUTED = "you are muted"
MODERATED = "the channel is quiet (/hand)"


def utc(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def room(settings: int = 0, role: int = Role.MEMBER, place: int = GENERAL) -> Room:
    return Room(place, "#general", "", settings, role, 2, 0, 0, 0, 0, True)


def listed(
    which: int, until: int = 0, target: int = ME, place: int = GENERAL, removed: bool = False
) -> Event:
    extra = extra_row(Extra.LIST, which, 1) + extra_row(Extra.TARGET, target, 4)
    extra += extra_row(Extra.UNTIL, until) if until else b""
    extra += extra_row(Extra.REMOVED, 1, 1) if removed else b""
    return Event(1, NOON, EventKind.LISTED, "#general", "bob", "", 0, BOB, place, extra)


def called(target: int) -> Event:
    extra = extra_row(Extra.TARGET, target, 4)
    return Event(1, NOON, EventKind.CALLED, "#general", "bob", "", 0, BOB, GENERAL, extra)


def words(silence: Silence, where: Room | None = None, now: int = NOON) -> str:
    return silence.words(where or room(), now, utc)


def refusal(code: Code, *rows: object) -> Answer:
    return Answer(1, code, "", json.dumps(rows))


def test_nothing_is_known() -> None:
    """Who is in no place, or in one where everybody may speak, reads nothing."""
    assert Silence().words(None, NOON) == "" == words(Silence())


def test_muted_for_some_time() -> None:
    """A mute is told until it ends; the wait is as long as it lasts."""
    silence = Silence()
    silence.take(listed(MUTE_LIST, NOON + MINUTE), ME)
    assert words(silence) == f"{MUTED} until 22:14" and silence.wait(NOON) == 60.0
    assert words(silence, room(place=TEA)) == ""
    assert words(silence, now=NOON + MINUTE) == "" and silence.wait(NOON + MINUTE) is None
    silence.take(listed(MUTE_LIST, NOON + 1440 * MINUTE), ME)
    assert words(silence) == f"{MUTED} until 2023-11-15 22:13"


def test_the_wait_is_bounded() -> None:
    """A mute may end in a thousand years: no timer of the system takes that."""
    silence = Silence()
    silence.take(listed(MUTE_LIST, MAX_TIME), ME)
    assert silence.wait(NOON) == LONGEST_WAIT
    silence.refused(refusal(Code.MUTED, "#general", 1 << 2000, ""), GENERAL)
    assert silence.wait(NOON) == LONGEST_WAIT and words(silence).startswith(MUTED)


@pytest.mark.parametrize(
    "end",
    [listed(MUTE_LIST, removed=True), listed(EXEMPT_LIST), said(2, person=ME)],
    ids=["lifted", "exempt", "a line was taken"],
)
def test_a_mute_without_an_end(end: Event) -> None:
    """It counts until it is taken back, or a line shows that it is over."""
    silence = Silence()
    silence.take(listed(MUTE_LIST, target=BOB), ME)
    assert words(silence) == ""
    silence.take(listed(MUTE_LIST), ME)
    assert words(silence) == MUTED and silence.wait(NOON) is None
    silence.take(end, ME)
    assert words(silence) == ""


def test_a_refusal_tells_what_no_event_has_told() -> None:
    """Who was muted before this program came, or by network, learns it by a refused line."""
    silence = Silence()
    silence.refused(refusal(Code.MUTED, "#general", NOON + MINUTE, "spam"), GENERAL)
    assert words(silence) == f"{MUTED} until 22:14"
    assert words(silence, room(place=TEA)) == ""
    silence.refused(refusal(Code.MUTED, "*", 0, ""), GENERAL)
    assert words(silence, room(place=TEA)) == MUTED
    silence.forget()
    silence.refused(refusal(Code.MUTED), GENERAL)  # they take no lines from the user: one person does not
    silence.refused(refusal(Code.TOO_LONG), GENERAL)
    assert words(silence) == ""


def test_moderated() -> None:
    """In a moderated channel only those with voice may speak, or whose turn it is."""
    silence, moderated = Silence(), room(Setting.MODERATED)
    assert words(silence, moderated) == MODERATED
    assert words(silence, room(Setting.MODERATED, Role.VOICE)) == ""
    silence.take(called(ME), ME)
    assert words(silence, moderated) == ""
    silence.take(called(BOB), ME)
    assert words(silence, moderated) == MODERATED


@pytest.mark.parametrize(
    "end", [called(ME), Event(3, NOON, EventKind.SET, "#general", "bob", "", 0, BOB, GENERAL)]
)
def test_a_role_that_is_gone(end: Event) -> None:
    """When the server asks for a role, the role that this client knows is not right any more."""
    silence, voiced = Silence(), room(Setting.MODERATED, Role.VOICE)
    silence.refused(refusal(Code.NEED_ROLE), GENERAL)
    assert words(silence, voiced) == MODERATED
    silence.take(end, ME)
    assert words(silence, voiced) == ""


def test_limit_mutes_are_bounded() -> None:
    """A server may name as many places as it likes: those that it named last are known."""
    silence = Silence()
    for place in range(1, 2 * MAX_ROOMS):
        silence.take(listed(MUTE_LIST, place=place), ME)
        silence.take(called(ME)._replace(place=place), ME)
        silence.refused(Answer(1, Code.NEED_ROLE, ""), place)
    known = (silence._mutes, silence._called, silence._refused)
    assert max(map(len, known)) <= MAX_ROOMS
    assert words(silence, room(place=2 * MAX_ROOMS - 1)) == MUTED and not words(silence, room(place=1))
