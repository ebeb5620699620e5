"""What the native door says about speaking: who may not, until when, and what those with a role did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from chatroom.answer_tables import log
from chatroom.outcomes import Code, Outcome
from chatroom.speech_commands import SPEECH_COMMANDS
from server.moderation_words import because, lasting, muted, of_code, place
from server.moments import when

Rows = Sequence[Any]

_OURS = frozenset(command.name for command in SPEECH_COMMANDS)
_PAIR = 2  # rows of SLOW_DOWN of who speaks too fast


def of_silence(outcome: Outcome) -> str | None:
    """Why somebody may not speak now; None: that is not why.

    rows: of MUTED the place's name, until when, the reason; of SLOW_DOWN when again, and in how many
    milliseconds that is
    """
    code, rows = outcome.code, cast(Rows, outcome.rows)
    if code is Code.MUTED and len(rows) > _PAIR:
        name, until, reason = rows
        return f"you are muted in {place(name)}{lasting(until)}{because(reason)}"
    if code is Code.SLOW_DOWN and len(rows) == _PAIR:
        return f"one at a time: again in {max(1, -(-rows[1] // 1000))} s"
    return None


def quiet(channel: str) -> str:
    """Why somebody may not speak in a moderated channel, and what to do about it."""
    return f"{channel} is quiet now: only operators and who has the word may speak; /hand asks for it"


def of_speech_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    if command not in _OURS:
        return None
    code, rows = outcome
    if command == "/log" and code is Code.OK:
        return log(rows, when)
    words = _OF.get((command, code))
    if words is None:
        return of_code(outcome) if command in ("/mute", "/unmute") else None
    return words if isinstance(words, str) else words(rows) if rows else None


def _slow(rows: Rows) -> str:
    name, seconds = rows
    return f"in {name} each member says one line in {seconds} s" if seconds else f"{name} is not slow"


def _hush(rows: Rows) -> str:
    if rows[1] == "on":
        return "only operators and who has the word may speak now; /next gives it, /hush off ends this"
    return "everybody may speak again"


_OF: dict[tuple[str, Code], str | Callable[[Rows], str]] = {
    ("/mute", Code.OK): muted,
    ("/mute", Code.ALREADY): lambda rows: f"{rows[0]} is muted in {place(rows[1])} already",
    ("/unmute", Code.OK): lambda rows: f"{rows[0]} is not muted in {place(rows[1])} any more",
    ("/unmute", Code.ALREADY): lambda rows: f"{rows[0]} is not muted in {place(rows[1])}",
    ("/slow", Code.OK): _slow,
    ("/slow", Code.ALREADY): lambda rows: f"{_slow(rows)} already" if rows[1] else _slow(rows),
    ("/hush", Code.OK): _hush,
    ("/hush", Code.ALREADY): lambda rows: f"it is so already: {_hush(rows)}",
    ("/announce", Code.OK): "everybody is told",
    ("/announce", Code.TOO_LONG): lambda rows: f"too long: {rows[0]} bytes at most",
}
"""By command and code; a function gets the rows, of which there is at least one."""
