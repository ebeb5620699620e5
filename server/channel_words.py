"""What the native door says about channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatroom.answer_tables import poll_told
from chatroom.channel_commands import CHANNEL_COMMANDS
from chatroom.outcomes import Code, Outcome
from chatroom.places import FOUNDED, POLLED
from server.moments import when

Rows = Sequence[Any]

_OURS = frozenset(command.name for command in CHANNEL_COMMANDS)


def of_channel_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    if command not in _OURS:
        return None
    code, rows = outcome
    words = _OF.get((command, code)) or _OF_CODES.get(code)
    if words is None or isinstance(words, str):
        return words
    return words(rows) if rows else None


def _joined(rows: Rows) -> str:
    if FOUNDED in rows[2:3]:
        return f"{rows[0]} is new; you are its owner"
    told = f"; {poll_told(rows[3])}" if POLLED in rows[2:3] else ""
    return f"you are in {rows[0]}{told}"


def _topic(rows: Rows) -> str:
    if len(rows) == 1:  # it was set now
        return f"the topic is: {rows[0]}" if rows[0] else "the topic is removed"
    topic, by, at = rows
    return f"{topic} (by {by}, {when(at)})" if topic else "there is no topic"


def _set(rows: Rows) -> str:
    pairs = rows if isinstance(rows[0], tuple) else [rows]
    return ", ".join(f"{name} {value}" for name, value in pairs)


_OF_CODES: dict[Code, str | Callable[[Rows], str]] = {
    Code.NOT_IN: lambda rows: f"you are not in {rows[0]}",
    Code.NO_SUCH_NAME: lambda rows: f"nobody is known here as {rows[0]}",
    Code.BAD_NAME: lambda rows: str(rows[0]),
    Code.TOO_LONG: lambda rows: f"too long: {rows[0]} bytes at most",
    Code.TOO_MANY: "there are too many on the lists of this channel",
    Code.FULL: "there are too many on the lists of all channels, or of those from the same address",
    Code.NEED_ENCRYPTION: (
        "keys cross a network only over an encrypted connection: "
        "chatroom-server --tls-cert or --tls-self, chatroom-client --tls"
    ),
}

_OF: dict[tuple[str, Code], str | Callable[[Rows], str]] = {
    ("/join", Code.OK): _joined,
    ("/join", Code.ALREADY): lambda rows: f"you are in {rows[0]} already",
    ("/join", Code.BAD_KEY): lambda rows: f"{rows[0]} has a key: /join {rows[0]} KEY",
    ("/join", Code.INVITE_ONLY): lambda rows: f"{rows[0]} is for those who are invited",
    ("/join", Code.FULL): "there are too many channels already",
    ("/join", Code.TOO_MANY): "too many channels: of yours, or of those that were founded from your address",
    ("/leave", Code.OK): lambda rows: f"you have left {rows[0]}",
    ("/topic", Code.OK): _topic,
    ("/topic", Code.ALREADY): "this is the topic already",
    ("/set", Code.OK): _set,
    ("/set", Code.ALREADY): lambda rows: f"{rows[0]} is {rows[1]} already",
    ("/invite", Code.OK): lambda rows: f"{rows[0]} may join {rows[1]}",
    ("/invite", Code.ALREADY): lambda rows: f"{rows[0]} is in {rows[1]}, or invited already",
    ("/uninvite", Code.OK): lambda rows: f"{rows[0]} is not invited to {rows[1]} any more",
    ("/uninvite", Code.ALREADY): lambda rows: f"{rows[0]} is not invited to {rows[1]}",
    ("/voice", Code.OK): lambda rows: f"{rows[0]} may always speak in {rows[1]}",
    ("/voice", Code.ALREADY): lambda rows: f"{rows[0]} has voice in {rows[1]} already",
    ("/unvoice", Code.OK): lambda rows: f"{rows[0]} has no voice in {rows[1]} any more",
    ("/unvoice", Code.ALREADY): lambda rows: f"{rows[0]} has no voice in {rows[1]}",
    ("/transfer", Code.OK): lambda rows: f"{rows[0]} owns {rows[1]} now",
    ("/transfer", Code.ALREADY): lambda rows: f"{rows[0]} owns {rows[1]} already",
    ("/transfer", Code.NO_SUCH_NAME): lambda rows: f"nobody in this channel is known as {rows[0]}",
    ("/move", Code.OK): lambda rows: f"{rows[0]} is called {rows[1]} now",
    ("/move", Code.ALREADY): lambda rows: f"it is called {rows[0]} already",
    ("/move", Code.NAME_TAKEN): lambda rows: f"there is a channel {rows[0]} already",
    ("/close", Code.OK): lambda rows: f"{rows[0]} is closed",
}
"""By command and code; a function gets the rows, of which there is at least one."""
