"""Slash commands, as data: /help prints the table, and the dispatcher looks commands up in it.

A command gives an outcome: a code and rows. Each door finds its own words for them. These commands only read,
so they run between two rounds of the forwarder, where they see one consistent state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from chatroom.errors import NameRefused
from chatroom.limits import CHANNEL_BYTES, MAX_LISTED
from chatroom.names import check_channel
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.places import WHOLE_CHATROOM
from chatroom.state import State


class Asker(NamedTuple):
    """Who gives a command, and in which channel."""

    person: int
    channel: str


class Room(NamedTuple):
    """What commands can read.

    numbers: present values of the counters and gauges, by name
    """

    state: State
    numbers: Mapping[str, object]


@dataclass(frozen=True)
class SlashCommand:
    """One command.

    name:      with its slash
    arguments: as /help shows them
    help:      one line
    run:       takes the room, who asks and the arguments
    needs:     the least role in the whole chatroom
    """

    name: str
    arguments: str
    help: str
    run: Callable[[Room, Asker, str], Outcome]
    needs: Role = Role.MEMBER

    @property
    def usage(self) -> str:
        return f"{self.name} {self.arguments}".rstrip()


def name_of(text: str) -> str:
    """The name of the command in a line such as `/who #general`."""
    return text.partition(" ")[0].lower()


def run(room: Room, asker: Asker, text: str, commands: Mapping[str, SlashCommand] | None = None) -> Outcome:
    """Carry out a command line such as `/who #general`."""
    command = (commands or COMMANDS).get(name_of(text))
    if command is None:
        return Outcome(Code.NO_SUCH_COMMAND, (text.partition(" ")[0],))
    if room.state.role(asker.person, WHOLE_CHATROOM) < command.needs:
        return Outcome(Code.NEED_ROLE, (command.name, command.needs.name.lower()))
    return command.run(room, asker, text.partition(" ")[2].strip())


def _help(_room: Room, _asker: Asker, name: str) -> Outcome:
    wanted = COMMANDS.get("/" + name.lstrip("/").lower())
    chosen = [wanted] if wanted else list(COMMANDS.values())
    return Outcome(Code.OK, tuple((command.usage, command.help) for command in chosen))


def _who(room: Room, asker: Asker, name: str) -> Outcome:
    """Rows: the channel, then name and phase of each member: "here", or "lost" while its connection is.

    Of more than MAX_LISTED members those that came first; then the last row is the number of the others. In a
    counted channel nobody is listed, and that number is of all.
    """
    wanted = _channel(name or asker.channel)
    channel = room.state.channel(wanted)
    if channel is None:
        return Outcome(Code.NO_SUCH_CHANNEL, (wanted,))
    listed = islice(channel.members, 0 if channel.counted else MAX_LISTED)
    members = [room.state.members[person] for person in listed]
    members.sort(key=lambda member: member.session.name_key)
    more = len(channel.members) - len(members)
    rows = ((member.name, str(member.session.phase)) for member in members)
    return Outcome(Code.OK, (wanted, *rows, more) if more else (wanted, *rows))


def _channel(name: str) -> str:
    """The channel as joining writes it; one that cannot be, with the first characters as they were typed."""
    try:
        return check_channel(name)
    except NameRefused:
        return name[:CHANNEL_BYTES]


def _stats(room: Room, _asker: Asker, _rest: str) -> Outcome:
    return Outcome(Code.OK, tuple(room.numbers.items()))


COMMANDS: dict[str, SlashCommand] = {
    command.name: command
    for command in (
        SlashCommand("/help", "[COMMAND]", "list the commands", _help),
        SlashCommand("/who", "[#CHANNEL]", "list the members of a channel", _who),
        SlashCommand("/stats", "", "show the server's numbers", _stats),
    )
}
