"""Slash commands, as data: the table is what /help prints and what the dispatcher obeys.

A command runs in the forwarder, between two lines, so it sees one consistent state; it only reads. One that
changes something will return events and be checked for the asker's role here, not in its handler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chatroom.member import Member


class Room(Protocol):
    """What commands may see of the chatroom."""

    @property
    def members(self) -> Mapping[str, Member]: ...

    def numbers(self) -> Mapping[str, object]:
        """Counters and gauges of the moment, by name."""


@dataclass(frozen=True)
class SlashCommand:
    """One command: its name with the slash, its arguments, one line of help, and what answers it."""

    name: str
    arguments: str
    help: str
    answer: Callable[[Room, Member, str], str]

    @property
    def usage(self) -> str:
        return f"{self.name} {self.arguments}".rstrip()


def answer(room: Room, member: Member, text: str) -> str:
    """The answer to a command line such as `/who #general`."""
    name, _, rest = text.partition(" ")
    command = COMMANDS.get(name.lower())
    if command is None:
        return f"{name} is no command; /help lists them"
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
        SlashCommand("/help", "[COMMAND]", "what can be typed", _help),
        SlashCommand("/who", "[#CHANNEL]", "who is here", _who),
        SlashCommand("/stats", "", "the server's numbers", _stats),
    )
}
