"""Slash commands: the table, and the answers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chatroom.commands import COMMANDS, answer
from chatroom.member import Member, Session
from tests.chatroom.fakes import FakeConnection


@dataclass
class Room:
    members: dict[str, Member] = field(default_factory=dict)

    def numbers(self) -> dict[str, object]:
        return {"members": len(self.members), "events": 7}

    def add(self, name: str, channel: str = "#general") -> Member:
        session = Session(b"", name, channel, 0, 0)
        self.members[name] = Member(name, frozenset({channel}), session, FakeConnection())
        return self.members[name]


@pytest.fixture
def room() -> Room:
    return Room()


def test_help_lists_every_command(room: Room) -> None:
    """/help has one line for each command of the table, with its arguments and its purpose."""
    lines = answer(room, room.add("ann"), "/help").splitlines()
    assert len(lines) == len(COMMANDS)
    for line, command in zip(lines, COMMANDS.values(), strict=True):
        assert line.startswith(command.usage) and line.endswith(command.help)


@pytest.mark.parametrize("text", ["/help who", "/help /who", "/HELP WHO"])
def test_help_for_one_command(room: Room, text: str) -> None:
    """/help with a command describes that command only, with or without its slash."""
    (line,) = answer(room, room.add("ann"), text).splitlines()
    assert line.startswith("/who [#CHANNEL]")


def test_who_lists_the_own_channel(room: Room) -> None:
    """/who lists the members of the asker's channel, sorted without regard to case."""
    ann = room.add("ann")
    room.add("Zoe"), room.add("Bob"), room.add("eve", "#quiet")
    assert answer(room, ann, "/who") == "3 in #general: ann, Bob, Zoe"
    assert answer(room, ann, "/who #Quiet") == "1 in #quiet: eve"
    assert answer(room, ann, "/who #nowhere") == "nobody is in #nowhere"


def test_stats_are_the_rooms_numbers(room: Room) -> None:
    """/stats shows every number of the room with its name."""
    assert answer(room, room.add("ann"), "/stats") == "members 1, events 7"


@pytest.mark.parametrize("text", ["/nothing", "/", "", "no slash", "/who2 x"])
def test_what_is_no_command(room: Room, text: str) -> None:
    """The answer to an unknown command points to /help."""
    assert "/help" in answer(room, room.add("ann"), text)
