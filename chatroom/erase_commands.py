"""The command that erases a person, up to its act."""

from __future__ import annotations

from chatroom.command import acting
from chatroom.desk import Asker, Desk, Prepared
from chatroom.errors import NameRefused
from chatroom.names import check_name, name_key
from chatroom.outcomes import Code, Outcome
from chatroom.preparing import BAD_ARGUMENTS
from chatroom.proposals import Act


def erase(_desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/erase NAME: of an account, or of a member."""
    try:
        return Prepared(Act("/erase", asker.channel, (name_key(check_name(rest)),)))
    except NameRefused:
        return Outcome(Code.BAD_NAME) if rest else BAD_ARGUMENTS


ERASE_COMMANDS = (acting("/erase", "NAME", "erase a person and all that it has said, for ever", erase),)
