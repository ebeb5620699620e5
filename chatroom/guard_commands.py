"""Commands against strangers, up to their acts."""

from __future__ import annotations

from chatroom.command import SlashCommand, acting
from chatroom.desk import Asker, Desk, Prepared
from chatroom.guard import Opening
from chatroom.guard_acts import NEWCOMERS, OFF
from chatroom.limits import MAX_NEWCOMER_LINES
from chatroom.outcomes import Code, Outcome
from chatroom.proposals import Act

_BAD_ARGUMENTS = Outcome(Code.BAD_ARGUMENTS)


def _prepare_guard(desk: Desk, asker: Asker, rest: str) -> Prepared | Outcome:
    """/guard [accounts|invited|newcomers N|off]; without arguments it shows how it is set."""
    match rest.lower().split():
        case []:
            return desk.read(lambda state: Outcome(Code.OK, state.guarded))
        case [(Opening.ACCOUNTS | Opening.INVITED | "off") as word]:
            return _act(asker, word, 0)
        case ["newcomers", number] if _is_number(number):
            return _act(asker, NEWCOMERS, int(number))
    return _BAD_ARGUMENTS


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10 and int(text) <= MAX_NEWCOMER_LINES


def _act(asker: Asker, word: str, number: int) -> Prepared:
    return Prepared(Act("/guard", asker.channel, (word, number)))


GUARD_COMMANDS: tuple[SlashCommand, ...] = (
    acting(
        "/guard",
        f"[{Opening.ACCOUNTS}|{Opening.INVITED}|{NEWCOMERS} N|{OFF}]",
        "against strangers: let only accounts or the invited come in, or newcomers say N lines a minute",
        _prepare_guard,
    ),
)
