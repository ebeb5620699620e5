"""What the native door says about accounts, passwords, codes, programs and roles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chatroom.answer_tables import sessions, whois
from chatroom.outcomes import Code, Outcome
from server.moments import when

Rows = Sequence[Any]


def of_account_command(command: str, outcome: Outcome) -> str | None:
    """The words for one of these commands; None: there are none beside those of the code."""
    code, rows = outcome
    if code is Code.BAD_ARGUMENTS and rows[:1] == ("password",):
        return f"a new password has {rows[1]} to {rows[2]} bytes, and no control characters"
    words = _OF.get((command, code)) or _OF_CODES.get(code)
    if words is None:
        return None
    if isinstance(words, str):
        return words
    return words(rows) if rows else None


def of_slow_down(rows: Rows) -> str:
    """Too many passwords were tried, or are being checked. rows: the seconds until the next try, if known."""
    return f"too many passwords were tried: try again in {rows[0]} s" if rows else "too busy: try again soon"


def _code(rows: Rows) -> str:
    _, name, code, _ = rows[0]
    return f"tell {name}, and nobody else: /recover {name} {code} NEWPASSWORD (valid once, for a week)"


def _whois(rows: Rows) -> str:
    return whois(rows, when)


def _sessions(rows: Rows) -> str:
    return sessions(rows, when)


def _no_session(rows: Rows) -> str:
    return f"you have no other program with the number {rows[0]}; /sessions lists them"


_OF_CODES: dict[Code, str | Callable[[Rows], str]] = {
    Code.NO_SUCH_NAME: lambda rows: f"there is no account {rows[0]}",
    Code.BAD_PASSWORD: "wrong password",
    Code.NEED_ENCRYPTION: (
        "passwords, codes and tokens cross a network only over an encrypted connection: "
        "chatroom-server --tls-cert or --tls-self, chatroom-client --tls"
    ),
}

_OF: dict[tuple[str, Code], str | Callable[[Rows], str]] = {
    ("/register", Code.OK): lambda rows: f"{rows[0]} is your own name now",
    ("/register", Code.ALREADY): lambda rows: f"you have an account already: {rows[0]}",
    ("/register", Code.NAME_TAKEN): lambda rows: f"{rows[0]}, or a name that looks like it, has an owner",
    ("/register", Code.FULL): "there are as many accounts as this server takes",
    ("/register", Code.TOO_MANY): "too many accounts were made from your address",
    ("/passwd", Code.OK): "your password is changed; your other programs have to log in again",
    ("/unregister", Code.OK): lambda rows: f"{rows[0]} is not your own name any more",
    ("/recover", Code.OK): lambda rows: f"{rows[0]} has a new password: log in with it",
    ("/recover", Code.BAD_PASSWORD): "this code is not valid for this name",
    ("/owner", Code.OK): "you own this chatroom now",
    ("/owner", Code.BAD_PASSWORD): "this code is not valid",
    ("/device", Code.OK): "this program is remembered",
    ("/device", Code.ALREADY): "this program is remembered already",
    ("/sessions end", Code.OK): lambda rows: f"program {rows[0]} has ended",
    ("/sessions end", Code.BAD_ARGUMENTS): _no_session,
    ("/whois", Code.OK): _whois,
    ("/whois", Code.NO_SUCH_NAME): lambda rows: f"nobody here is called {rows[0]}",
    ("/sessions", Code.OK): _sessions,
    ("/code", Code.OK): _code,
}
"""By command and code; a function gets the rows, of which there is at least one."""
