"""Slash commands, as data: /help prints the table, and the dispatcher looks commands up in it.

A command runs in the forwarder's thread, so it sees one consistent state. It only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chatroom.member import Member


class Room(Protocol):
    """The part of the chatroom that commands can read."""

    @property
    def members(self) -> Mapping[str, Member]: ...

    def numbers(self) -> Mapping[str, object]:
        """Present values of the counters and gauges, by name."""


@dataclass(frozen=True)
class SlashCommand:
    """One command.

    name:      with its slash
    arguments: as /help shows them
    help:      one line
    answer:    takes the room, the member who asks and the arguments, and returns the answer
    """

    name: str
    arguments: str
    help: str
    answer: Callable[[Room, Member, str], str]

    @property
    def usage(self) -> str:
        return f"{self.name} {self.arguments}".rstrip()


def answer(room: Room, member: Member, text: str) -> str:
    """Answer a command line such as `/who #general`."""
    name, _, rest = text.partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        return f"{name} is no command; /help lists the commands"
    return command.answer(room, member, rest.strip())


def _help(_room: Room, _member: Member, name: str) -> str:
    wanted = COMMANDS.get("/" + name.lstrip("/").lower())
    chosen = [wanted] if wanted else list(COMMANDS.values())
    width = max(len(command.usage) for command in chosen)
    return "\n".join(f"{command.usage:{width}}  {command.help}" for command in chosen)


def _who(room: Room, member: Member, channel: str) -> str:
    wanted = channel.lower() or next(iter(member.channels))
    names = sorted((m.name for m in room.members.values() if wanted in m.channels), key=str.casefold)
    if not names:
        return f"nobody is in {wanted}"
    return f"{len(names)} in {wanted}: {', '.join(names)}"


def _stats(room: Room, _member: Member, _rest: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in room.numbers().items())


COMMANDS: dict[str, SlashCommand] = {
    command.name: command
    for command in (
        SlashCommand("/help", "[COMMAND]", "list the commands", _help),
        SlashCommand("/who", "[#CHANNEL]", "list the members of a channel", _who),
        SlashCommand("/stats", "", "show the server's numbers", _stats),
    )
}
