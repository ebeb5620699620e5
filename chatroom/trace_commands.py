"""The command that follows a line through the server, up to its line."""

from __future__ import annotations

from chatroom.command import SlashCommand
from chatroom.desk import Asker
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.printable import printable_line


def _line(asker: Asker, rest: str) -> str | Outcome:
    """/trace TEXT: in a channel only, because a trace says who reads and who does not."""
    if asker.channel.startswith("@"):
        return Outcome(Code.NO_SUCH_CHANNEL, (asker.channel,))
    return printable_line(rest).strip() or BAD_ARGUMENTS


TRACE_COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand(
        "/trace",
        "TEXT",
        "say TEXT, and show its way through the threads of the server",
        needs=Role.OPERATOR,
        follow=_line,
    ),
)
