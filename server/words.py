"""What the native door says to persons: words for codes and for the rows of commands."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from chatroom.limits import MAX_TEXT
from chatroom.outcomes import Code, Outcome

_GOODBYES = {
    Code.EXPIRED: "the reservation has expired",
    Code.FULL: "there are too many channels already",
    Code.STOPPING: "the server is shutting down",
    Code.TAKEN_OVER: "taken over by a new connection",
    Code.TOO_MANY: "too many channels: of yours, or of those that were founded from your address",
}

_REFUSALS = {
    Code.ALREADY: "said before",
    Code.NOT_IN: "not said: you are not in this channel",
    Code.BAD_ARGUMENTS: "not said: this server does not know this form of a line",
}


def goodbye(code: Code, detail: str) -> str:
    """Why a connection ends. detail: what is known beside the code."""
    if code is Code.TOO_SLOW:
        return f"{detail or code.words}: come back and get the rest from history"
    return detail or _GOODBYES.get(code, code.words)


def answer(command: str, outcome: Outcome) -> tuple[str, str]:
    """Words and rows of the answer to a command, or to a line.

    Together they have at most MAX_TEXT bytes: if they do not fit, the words are shortened and no rows come.

    command: its name, "" for a line
    """
    words = _of_command(command, outcome) if command else _REFUSALS.get(outcome.code, outcome.code.words)
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


def _of_command(command: str, outcome: Outcome) -> str:
    code, rows = outcome
    if code is Code.OK and command in _COMMANDS:
        return _COMMANDS[command](rows)
    if code is Code.NO_SUCH_COMMAND:
        return f"{rows[0]} is no command; /help lists the commands"
    if code is Code.NO_SUCH_CHANNEL:
        return f"nobody is in {rows[0]}"
    if code is Code.NEED_ROLE:
        return f"{rows[0]} needs the role {rows[1]}"
    return code.words


def _help(rows: tuple[tuple[str, str], ...]) -> str:
    width = max(len(usage) for usage, _ in rows)
    return "\n".join(f"{usage:{width}}  {help}" for usage, help in rows)


def _who(rows: tuple[Any, ...]) -> str:
    channel, *members = rows
    if not members:
        return f"nobody is in {channel}"
    count = len(members)
    if isinstance(members[-1], int):  # the number of those that are not listed
        count += members.pop() - 1
    if not members:
        return f"{count} in {channel}"
    head = f"{count} in {channel}: "
    names = [name if phase == "here" else f"{name} (connection lost)" for name, phase in members]
    names = _that_fit(names, MAX_TEXT - len(head.encode()) - len(f", and {count} more"))
    more = f", and {count - len(names)} more" if count > len(names) else ""
    return f"{head}{', '.join(names)}{more}"


def _that_fit(names: list[str], size: int) -> list[str]:
    """The first names, as many as have at most `size` bytes with a comma and a space before each."""
    sizes = accumulate(len(name.encode()) + len(", ") for name in names)
    return [name for name, needed in zip(names, sizes, strict=True) if needed <= size]


def _stats(rows: tuple[tuple[str, object], ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in rows)


_COMMANDS: dict[str, Callable[..., str]] = {"/help": _help, "/who": _who, "/stats": _stats}
