"""What the native door says about the guard against strangers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from chatroom.outcomes import Code, Outcome
from chatroom.places import EVERYWHERE

Rows = Sequence[Any]

GOODBYES: Final = {
    Code.SLOW_DOWN: "newcomers cannot found channels at the moment: come into another one",
    Code.NEED_LOGIN: "at the moment only people with an account can stay: come back later, or log in",
    Code.INVITE_ONLY: "at the moment, this channel or the whole chatroom is for those who are invited",
}
"""Why a connection ends."""


def of_guard_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    code, rows = outcome.code, cast(Rows, outcome.rows)
    if command == "/guard" and code is Code.OK:
        return _shown(rows)
    if command == "/guard" and code is Code.ALREADY:
        return "it is so already"
    if EVERYWHERE in rows[1:2]:
        words = _EVERYWHERE.get((command, code))
        return words(rows) if words is not None else None
    return None


def _shown(rows: Rows) -> str:
    found = dict(rows)
    newcomers = found["newcomers"]
    limit = "say as much as others" if newcomers == "off" else f"say {newcomers} lines a minute each"
    key = "a" if found["key"] == "on" else "no"
    return f"{_OPENINGS[found['opening']]} can come in; newcomers {limit}; the server has {key} password"


_OPENINGS = {
    "all": "everybody",
    "accounts": "only people with an account, and who was here before,",
    "invited": "only people who are invited, and who was here before,",
}

_EVERYWHERE: dict[tuple[str, Code], Callable[[Rows], str]] = {
    ("/invite", Code.OK): lambda rows: f"{rows[0]} may come in, whoever else may not",
    ("/invite", Code.ALREADY): lambda rows: f"{rows[0]} is invited already",
    ("/invite", Code.NO_SUCH_NAME): lambda rows: f"there is no account {rows[0]}",
    ("/uninvite", Code.OK): lambda rows: f"{rows[0]} is not invited any more",
    ("/uninvite", Code.ALREADY): lambda rows: f"{rows[0]} is not invited",
    ("/uninvite", Code.NO_SUCH_NAME): lambda rows: f"there is no account {rows[0]}",
}
"""Of commands with EVERYWHERE; the rows are the name of an account, and EVERYWHERE."""
