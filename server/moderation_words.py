"""What the native door says about moderation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatroom.answer_tables import bans, hint
from chatroom.durations import duration_text
from chatroom.moderation_commands import MODERATION_COMMANDS
from chatroom.moments import seconds_in_words
from chatroom.outcomes import NO_TIME, Code, Outcome
from chatroom.places import EVERYWHERE
from chatroom.whom import DURATION, NOBODY, OWN_NETWORK
from server.moments import when

Rows = Sequence[Any]

_OURS = frozenset(command.name for command in MODERATION_COMMANDS)


def of_moderation_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    if command not in _OURS:
        return None
    code, rows = outcome
    if command == "/bans" and code is Code.OK:
        return bans(rows, when)
    words = _OF.get((command, code))
    return of_code(outcome) if words is None else words(rows) if rows else None


def of_code(outcome: Outcome) -> str | None:
    """The words for a code of any command that puts somebody on a list, or takes them off."""
    words = _OF_CODES.get(outcome.code)
    return words(outcome.rows) if words is not None and outcome.rows else None


def banned(rows: Rows, command: str) -> str:
    """Why somebody does not get into a channel, or does not get a name.

    rows:    of BANNED: the place's name, until when, the reason
    command: its name
    """
    name, until, reason = rows
    who = "this name is" if command == "/nick" else "you are"
    return f"{who} banned from {place(name)}{lasting(until)}{because(reason)}"


def banned_at_the_door(rows: Rows, now: int) -> str:
    """Why somebody does not come in. The client gets no number to make words of, and is in any time zone.

    now: in milliseconds since 1970
    """
    name, until, reason = rows
    left = f" for another {seconds_in_words(max(1, -((now - until) // 1000)))}" if until else ""
    return f"you, this name or your network is banned from {place(name)}{left}{because(reason)}"


def place(name: str) -> str:
    """A place, as a sentence has it."""
    return "this chatroom" if name == EVERYWHERE else name


def lasting(until: int) -> str:
    """Until when something counts, to be put behind it. until: in milliseconds since 1970, 0: for ever"""
    return f" until {when(until)}" if until else ""


def because(reason: str) -> str:
    """A reason, to be put at the end; it may be empty."""
    return f": {reason}" if reason else ""


def _bad_arguments(rows: Rows) -> str | None:
    if rows[0] == DURATION:
        days = rows[2] // (24 * 3600)
        return (
            f"{rows[1]} is no duration: write 30s, 10m, 2h or 7d, at most {days}d; without one it is for ever"
        )
    if rows[0] == NO_TIME:
        everywhere = "* " if rows[3] == EVERYWHERE else ""
        return f"a kick has no time; /ban {everywhere}{rows[1]} {duration_text(rows[2])}"
    if rows[0] == OWN_NETWORK:
        return (
            f"{rows[1]}: your own network is in it; /guard accounts keeps guests out, wherever they come from"
        )
    return None


_Words = Callable[[Rows], str | None]

_OF_CODES: dict[Code, _Words] = {
    Code.BAD_ARGUMENTS: _bad_arguments,
    Code.BAD_NAME: lambda rows: f"{rows[0]} is no name, no +NAME and no network that is narrow enough",
    Code.NO_SUCH_NAME: lambda rows: f"nobody is known here as {rows[0]}",
    Code.TOO_LONG: lambda rows: f"the reason is too long: {rows[0]} bytes at most",
    Code.TOO_MANY: lambda rows: f"there are too many on the lists of {place(rows[1])}",
    Code.FULL: lambda _: "there are too many on the lists of all channels, or of those from the same address",
}


def _kicked(rows: Rows) -> str:
    name, where = rows[:2]
    done = f"all programs of {name} are ended" if where == EVERYWHERE else f"{name} is out of {where}"
    return done + _hint("/kick", rows)


def _listed(rows: Rows, is_so: str) -> str:
    """Somebody is on a list. is_so: what that means, with the place"""
    if NOBODY not in rows[3:]:
        return f"{rows[0]} is {is_so}{lasting(rows[2])}"
    return f"nobody is called {rows[0]} now; who comes with this name is {is_so}{lasting(rows[2])}"


def muted(rows: Rows) -> str:
    """Who is muted; of a word for everybody what mutes them."""
    hush = "; /hush is for all" if str(rows[0]).lower() in _EVERYBODY and NOBODY in rows[3:] else ""
    return _listed(rows, f"muted in {place(rows[1])}") + hush + _hint("/mute", rows)


def _banned(rows: Rows) -> str:
    return _listed(rows, f"banned from {place(rows[1])}") + _hint("/ban", rows)


def _hint(command: str, rows: Rows) -> str:
    found = hint(command, rows)
    return f"; {found}" if found else ""


def _exempt(rows: Rows) -> str:
    if rows[3:] == (NOBODY,):
        return _listed(rows, f"exempt in {place(rows[1])}")
    return f"no ban and no mute means {rows[0]} in {place(rows[1])}{lasting(rows[2])}"


_EVERYBODY = frozenset(("all", "everybody", "everyone", "class"))

_OF: dict[tuple[str, Code], _Words] = {
    ("/kick", Code.OK): _kicked,
    ("/ban", Code.OK): _banned,
    ("/ban", Code.ALREADY): lambda rows: f"{rows[0]} is banned from {place(rows[1])} already",
    ("/unban", Code.OK): lambda rows: f"{rows[0]} is not banned from {place(rows[1])} any more",
    ("/unban", Code.ALREADY): lambda rows: f"{rows[0]} is not banned from {place(rows[1])}",
    ("/exempt", Code.OK): _exempt,
    ("/exempt", Code.ALREADY): lambda rows: f"{rows[0]} is exempt in {place(rows[1])} already",
    ("/unexempt", Code.OK): lambda rows: f"{rows[0]} is not exempt in {place(rows[1])} any more",
    ("/unexempt", Code.ALREADY): lambda rows: f"{rows[0]} is not exempt in {place(rows[1])}",
    ("/op", Code.OK): lambda rows: f"{rows[0]} is an operator of {place(rows[1])} now",
    ("/op", Code.ALREADY): lambda rows: f"{rows[0]} is an operator of {place(rows[1])} already",
    ("/deop", Code.OK): lambda rows: f"{rows[0]} is no operator of {place(rows[1])} any more",
    ("/deop", Code.ALREADY): lambda rows: f"{rows[0]} is no operator of {place(rows[1])}",
}
"""By command and code; a function gets the rows, of which there is at least one."""
