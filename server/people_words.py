"""What the native door says about people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from chatroom.outcomes import Code, Outcome
from chatroom.people_acts import AWAY

Rows = Sequence[Any]


def of_people_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    code, rows = outcome
    if command == "/ignored" and code is Code.OK:
        return _ignored(rows)
    words = _OF.get((command, code))
    if words is None and command in _COMMANDS:
        words = _OF_CODES.get(code)
    if words is None or isinstance(words, str):
        return words
    return words(rows) if rows else None


def no_such_command(rows: Rows) -> str:
    """rows: what was typed, the nearest command or "" """
    typed, nearest = (*rows, "")[:2]
    guess = f"; did you mean {nearest}?" if nearest else ";"
    return f"{typed} is no command{guess} /help lists the commands"


def _ignored(rows: Rows) -> str:
    return f"you ignore {', '.join(name for _, name in rows)}" if rows else "you ignore nobody"


def _query(rows: Rows) -> str:
    _, name, place = rows
    return f"{name}: you have a direct conversation" if place else f"{name}: you can write to them"


def _seen(rows: Rows) -> str:
    name, milliseconds, phase = rows
    when = _when(milliseconds)
    if phase == "here":
        return f"{name} is here since {when}"
    if phase == "lost":
        return f"{name} is here, but has lost the connection at {when}"
    return f"{name} was here last at {when}"


def _when(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _why(text: str) -> str:
    """Behind words that tell that somebody is away."""
    return "" if text == AWAY else f": {text}"


def _time(rows: Rows) -> str:
    return datetime.fromtimestamp(rows[0] // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _held(rows: Rows) -> str:
    return f"{rows[0]} has lost the connection; the name is kept for another {rows[1]} s"


_DIRECT = {
    "all": "everybody may begin a direct conversation with you",
    "shared": "who is in a channel with you may begin a direct conversation with you",
    "nobody": "nobody may begin a direct conversation with you",
}

_COMMANDS = frozenset({"/nick", "/ignore", "/unignore", "/query", "/seen"})
"""Those that name somebody."""

_OF_CODES: dict[Code, str | Callable[[Rows], str]] = {
    Code.NO_SUCH_NAME: lambda rows: f"nobody is called {rows[0]}",
}

_OF: dict[tuple[str, Code], str | Callable[[Rows], str]] = {
    ("/nick", Code.OK): lambda rows: f"you are {rows[0]} now",
    ("/nick", Code.ALREADY): lambda rows: f"you are {rows[0]} already",
    ("/nick", Code.BAD_NAME): lambda rows: str(rows[0]),
    ("/nick", Code.NAME_TAKEN): lambda rows: f"{rows[0]} has this name, or one that looks like it",
    ("/nick", Code.NAME_HELD): _held,
    ("/nick", Code.NEED_LOGIN): lambda rows: f"{rows[0]} belongs to an account: /login {rows[0]}",
    ("/away", Code.OK): lambda rows: f"the others see that you are away{_why(rows[0])}",
    ("/away", Code.ALREADY): lambda rows: f"you are away already{_why(rows[0])}",
    ("/away", Code.TOO_LONG): lambda rows: f"the text of /away has {rows[0]} bytes at most",
    ("/back", Code.OK): "you are back",
    ("/back", Code.ALREADY): "you are not away",
    ("/ignore", Code.OK): lambda rows: f"you ignore {rows[0]} now; /unignore {rows[0]} ends it",
    ("/ignore", Code.ALREADY): lambda rows: f"you ignore {rows[0]} already",
    ("/ignore", Code.BAD_ARGUMENTS): lambda rows: f"{rows[0]}: you cannot ignore yourself",
    ("/ignore", Code.TOO_MANY): "you ignore as many as can be: /ignored lists them",
    ("/ignore", Code.FULL): "from your address, or in all, as many are ignored as can be",
    ("/unignore", Code.OK): lambda rows: f"you read {rows[0]} again",
    ("/unignore", Code.ALREADY): lambda rows: f"you do not ignore {rows[0]}",
    ("/direct", Code.OK): lambda rows: _DIRECT[rows[0]],
    ("/direct", Code.ALREADY): lambda rows: f"it is so already: {_DIRECT[rows[0]]}",
    ("/query", Code.OK): _query,
    ("/query", Code.MUTED): lambda rows: f"{rows[0]} takes no private lines from you",
    ("/seen", Code.OK): _seen,
    ("/time", Code.OK): _time,
}
"""By command and code; a function gets the rows, of which there is at least one."""
