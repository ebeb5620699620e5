"""The command that shows the server's inside. It is made in the handler's thread, and changes nothing."""

from __future__ import annotations

from chatroom.command import SlashCommand
from chatroom.desk import Asker, Desk, Prepared
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from chatroom.preparing import BAD_ARGUMENTS


def _inspect(desk: Desk, _asker: Asker, rest: str) -> Prepared | Outcome:
    """/inspect. The row of OK: see `chatroom.picture.Picture.row`."""
    if rest:
        return BAD_ARGUMENTS
    picture = desk.inspect()
    return Outcome(Code.UNAVAILABLE) if picture is None else Outcome(Code.OK, (picture.row(),))


INSPECT_COMMANDS: tuple[SlashCommand, ...] = (
    SlashCommand(
        "/inspect",
        "",
        "show the server's threads, what each waits for, and what waits for them",
        prepare=_inspect,
        needs=Role.OPERATOR,
    ),
)
