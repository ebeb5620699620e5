"""/inspect: who may give it, and what it answers."""

from __future__ import annotations

from chatroom.commands import COMMANDS
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.picture import Numbers, Picture
from tests.chatroom.test_preparing import FakeDesk, prepare


def test_the_picture_is_the_row() -> None:
    """The answer is the picture of the desk, in one row."""
    desk = FakeDesk()
    desk.picture = Picture(Numbers(up=3.0, members=2))
    assert prepare(desk, "/inspect") == Outcome(Code.OK, (desk.picture.row(),))


def test_a_server_that_cannot_be_inspected() -> None:
    """Where nobody can make a picture, as in a test without a server, the command is not available."""
    desk = FakeDesk()
    desk.picture = None
    assert prepare(desk, "/inspect") == Outcome(Code.UNAVAILABLE)


def test_it_has_no_arguments() -> None:
    assert prepare(FakeDesk(), "/inspect everything") == Outcome(Code.BAD_ARGUMENTS)


def test_it_is_for_operators() -> None:
    assert COMMANDS["/inspect"].needs is Role.OPERATOR
