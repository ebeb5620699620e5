"""client/successors.py: a name is somebody else's now; what is written to it begins another conversation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chatroom.events import Event, EventKind
from chatroom.outcomes import Code
from tests.client.fake_server import FakeServer, live
from tests.client.script import Absent
from tests.client.test_conversation import DIRECT, EVE, User, conversation
from tests.support.events import GENERAL, NOON

NEW, NEW_PLACE = 55, 31


@pytest.fixture
def user() -> Iterator[User]:
    """Ann, who has a conversation with an eve, too, whose person is gone; another eve is here."""
    with FakeServer() as server:
        user = User(server, conversation(32, "eve", EVE))
        yield user
        server.dismiss(user.client)


def joined(seq: int, person: int) -> Event:
    return Event(seq, NOON, EventKind.JOINED, "#general", "eve", "", 0, person, GENERAL)


def test_a_message_reaches_who_has_the_name(user: User) -> None:
    """/msg to a person who is gone goes to whoever has the name now, and tells so; the next one at once."""
    user.play(
        b"/msg eve back again\r",
        user.refuses("back again", Code.NO_SUCH_NAME, "no such name"),
        user.answers("/query eve", f'[{NEW}, "eve", 0]'),
        user.says("back again", channel="@eve", RECEIVER=NEW),
        "eve has come in anew, perhaps as another person: this line is in a new",
        user.happens(conversation(NEW_PLACE, "eve", NEW)),
        lambda: NEW_PLACE in [room.place for room in user.client.rooms],
        b"/msg eve and\r",
        user.says("and", channel="@eve", RECEIVER=NEW),
        b"/unread\r",
        "@eve gone",
        Absent("no such name"),
    )


def test_nobody_has_the_name(user: User) -> None:
    """The words name who is missing, and keep the line."""
    user.play(
        b"/msg eve back again\r",
        user.refuses("back again", Code.NO_SUCH_NAME, "no such name"),
        user.answers("/query eve", "", Code.NO_SUCH_NAME, "nobody is called eve"),
        "-- eve is not here; not sent: back again (\u2191 brings it back)",
        b"\x1b[A",
        "ann> /msg eve back again",
    )


def test_a_line_in_the_place_of_who_is_gone(user: User) -> None:
    """It is said in the new conversation, which comes on the screen."""
    user.play(
        b"/go @eve\r",
        user.answers("/history 50 in:32", ""),
        "-- @eve",
        b"hello\r",
        user.refuses("hello", Code.NO_SUCH_NAME, "no such name"),
        user.answers("/query eve", f'[{NEW}, "eve", 0]'),
        user.says("hello", channel="@eve", RECEIVER=NEW),
        "eve has come in anew, perhaps as another person: this line is in a new",
        "-- @eve: nothing was said here yet",
        b"again\r",
        user.says("again", channel="@eve", RECEIVER=NEW),
    )


def test_it_is_known_who_has_the_name(user: User) -> None:
    """The place of the one who is gone says so when another one comes, and /query goes to that one."""
    user.play(
        b"/go @eve\r",
        user.answers("/history 50 in:32", ""),
        user.happens(joined(101, NEW)),
        "the eve of this talk has left; what you say here goes to whoever is called",
        b"hello\r",
        user.answers("/query eve", f'[{NEW}, "eve", 0]'),
        user.says("hello", channel="@eve", RECEIVER=NEW),
        b"/go #general\r",
        "-- #general",
        user.answers("/history 50", ""),
        b"/query eve\r",
        user.answers("/query eve", f'[{NEW}, "eve", 0]'),
        "-- @eve: nothing was said here yet",
    )


def test_who_comes_back_is_meant_again(user: User) -> None:
    """The person itself has the name again: the conversation goes on."""
    user.play(
        user.happens(joined(101, NEW), joined(102, EVE)),
        b"/msg eve hello\r",
        user.says("hello", channel="@eve", RECEIVER=EVE),
    )


def test_a_line_that_waited_for_a_connection_reaches_nobody_else(user: User) -> None:
    """It was meant for the person of then."""

    def break_off() -> bool:
        user.peer.close()
        return True

    def come_back() -> bool:
        user.peer, _ = user.server.admit(
            conversation(DIRECT, "bob", 2), conversation(32, "eve", EVE), live(100)
        )
        return True

    user.play(
        b"/go @eve\r",
        user.answers("/history 50 in:32", ""),
        break_off,
        "connection lost",
        b"hello\r",
        come_back,
        user.refuses("hello", Code.NO_SUCH_NAME, "not said: they are not here any more"),
        "not said: they are not here any more: hello",
    )
