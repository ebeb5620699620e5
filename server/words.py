"""What the native door says to persons: words for codes and for the rows of commands."""

from __future__ import annotations

import json
from collections.abc import Callable

from chatroom.commands import COMMANDS
from chatroom.errors import ChatroomError, Refused
from chatroom.help_page import EXAMPLES, HOW_TO_ASK, Entry, about, group_page, page
from chatroom.limits import MAX_TEXT
from chatroom.outcomes import Code, Outcome
from chatroom.packets import Role
from server.account_words import of_account_command, of_slow_down
from server.channel_words import of_channel_command
from server.classroom_words import of_classroom_command
from server.erase_words import of_erase_command
from server.guard_words import GOODBYES, of_guard_command
from server.history_words import of_history_command
from server.moderation_words import banned, banned_at_the_door, of_moderation_command
from server.people_words import no_such_command, of_people_command
from server.room_words import OF_COMMANDS
from server.speech_words import of_silence, of_speech_command, quiet

_GOODBYES = {
    **GOODBYES,
    Code.BANNED: "you are banned",
    Code.KICKED: "an operator has ended your programs",
    Code.BAD_KEY: "this channel has a key: come into another one, then /join it with the key",
    Code.EXPIRED: "the reservation has expired",
    Code.FULL: "there are too many channels already",
    Code.STOPPING: "the server is shutting down",
    Code.TAKEN_OVER: "taken over by a new connection",
    Code.TOO_MANY: "too many channels: of yours, or of those that were founded from your address",
}

_REFUSALS = {
    Code.ALREADY: "said before",
    Code.NOT_IN: "not said: you are not in this channel",
    Code.NO_SUCH_NAME: "not said: they are not here any more",
    Code.NEED_ROLE: "not changed: the line is another's",
    Code.MUTED: "not said: they read no private lines from you; say it in a channel where you both are",
    Code.BAD_ARGUMENTS: "not said: this server does not know this form of a line",
}


def goodbye(code: Code, detail: str) -> str:
    """Why a connection ends. detail: what is known beside the code."""
    if code is Code.TOO_SLOW:
        return f"{detail or code.words}: come back and get the rest from history"
    if code in (Code.KICKED, Code.BANNED) and detail:
        return f"{_GOODBYES[code]}: {detail}"
    return detail or _GOODBYES.get(code, code.words)


def refused(error: ChatroomError, now: int) -> str:
    """Why a newcomer is not admitted. now: in milliseconds since 1970"""
    if isinstance(error, Refused) and error.code == Code.BANNED and error.rows:
        return banned_at_the_door(error.rows, now)
    return str(error)


def answer(command: str, outcome: Outcome) -> tuple[str, str]:
    """Words and rows of the answer to a command, or to a line.

    Together they have at most MAX_TEXT bytes: if they do not fit, the words are shortened and no rows come.

    command: its name, "" for a line
    """
    words = _of_command(command, outcome) if command else _of_line(outcome)
    rows = json.dumps(outcome.rows, ensure_ascii=False, separators=(",", ":")) if outcome.rows else ""
    if len(words.encode()) + len(rows.encode()) > MAX_TEXT:
        return shorten(words, MAX_TEXT), ""
    return words, rows


def shorten(text: str, size: int) -> str:
    """The text; of one with more than `size` bytes in UTF-8 the beginning, and an ellipsis."""
    data, ellipsis = text.encode(), "…"
    if len(data) <= size:
        return text
    return data[: size - len(ellipsis.encode())].decode(errors="ignore") + ellipsis


def _of_line(outcome: Outcome) -> str:
    code, rows = outcome
    if silence := of_silence(outcome):
        return f"not said: {silence}"
    if code is Code.NOT_IN and rows:
        return f"not said: you are not in {rows[0]}"
    if code is Code.NEED_ROLE and rows:
        return f"not said: {quiet(str(rows[0]))}"
    return _REFUSALS.get(code, code.words)


def _of_command(command: str, outcome: Outcome) -> str:
    code, rows = outcome
    if silence := of_silence(outcome):
        return silence
    if code is Code.OK and command in _COMMANDS:
        return _COMMANDS[command](rows)
    if (own := of_classroom_command(command, outcome)) is not None:
        return own
    if code is Code.NO_SUCH_COMMAND and rows:
        return no_such_command(rows)
    if code is Code.NO_SUCH_CHANNEL and rows:
        return _no_channel(command, str(rows[0]))
    if code is Code.NEED_ROLE and len(rows) > 2:
        return f"{rows[2]} has a role as high as yours, or higher"
    if code is Code.BANNED and rows:
        return banned(rows, command)
    if code is Code.NEED_ROLE and len(rows) > 1:
        return _need_role(rows)
    if code is Code.NOT_IN and rows and isinstance(rows[0], str):
        return f"you are not in {rows[0]}"
    if code is Code.NEED_LOGIN and rows[:1] == (command,):
        return f"{rows[0]} is for accounts only: /register makes your name your own"
    if code is Code.SLOW_DOWN:
        return of_slow_down(rows)
    for find in _FINDERS:
        if (words := find(command, outcome)) is not None:
            return words
    return _usage(command, code)


_FINDERS: tuple[Callable[[str, Outcome], str | None], ...] = (
    of_guard_command,
    *(of_moderation_command, of_speech_command, of_channel_command, of_people_command),
    *(of_history_command, of_account_command, of_classroom_command, of_erase_command),
)


def _need_role(rows: tuple[object, ...]) -> str:
    """Of a command; rows: it, and the least role that may."""
    if rows[1:] == (_VOICE,):  # a name, or why somebody is away, is read in each channel
        return f"a channel of yours is quiet now: {rows[0]} has to wait until all may speak there again"
    return f"{rows[0]} needs the role {rows[1]}"


_VOICE = Role.VOICE.name.lower()


def _no_channel(command: str, name: str) -> str:
    """There is no channel of this name; nor is a direct conversation one."""
    if name.startswith("@"):
        return f"you are in your talk with {name[1:]}, and {command} is for a channel: first /go #CHANNEL"
    return f"there is no channel {name}"


def _usage(command: str, code: Code) -> str:
    """Words for a code that has no better ones; how a command is written, when it was written wrongly."""
    known = COMMANDS.get(command)
    if code is not Code.BAD_ARGUMENTS or known is None:
        return code.words
    return f"usage: {known.usage}{_INSTEAD.get(command, '')}"


_INSTEAD: dict[str, str] = {
    "/history": "; /grep WORDS finds lines",
    "/hand": "; /hand raises your hand, /hand down takes it down",
    "/next": "; the word goes to whoever raised a hand first, /voice NAME lets another one speak",
    "/poll": f" (for example {EXAMPLES['/poll']})",
    "/set": " (key WORD, invite-only on, moderated on, kept on, history joined; of *: only key)",
}
"""By command, what stands behind its usage: what to give instead, what its arguments are, or an example."""


def _help(rows: tuple[tuple[str, ...], ...]) -> str:
    """Of one command all that is known; of one group its commands; else all commands by name."""
    entries = [Entry(*row) for row in rows]
    if len(entries) == 1:
        return about(entries[0])
    if len({entry.group for entry in entries}) < 2:
        return group_page(entries) or "there is no such command for you"
    return f"{page(entries)}\n{HOW_TO_ASK}"


_COMMANDS: dict[str, Callable[..., str]] = {"/help": _help, **OF_COMMANDS}
