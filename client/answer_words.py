"""The words of an answer for this screen and clock: tables as wide as the screen, moments in local time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from chatroom import answer_tables
from chatroom.moments import LocalTime, local_time
from chatroom.outcomes import Code
from chatroom.packets import Answer
from chatroom.trace_table import trace
from client.refusals import localized, refusal_words
from client.requests import rows_of

_TABLES: Final[dict[str, Callable[..., str]]] = {
    "/who": answer_tables.who,
    "/channels": answer_tables.channels,
    "/stats": answer_tables.stats,
    "/inspect": answer_tables.inspect,
    "/trace": trace,
}
_TIMED: Final[dict[str, Callable[..., str]]] = {
    "/bans": answer_tables.bans,
    "/sessions": answer_tables.sessions,
    "/log": answer_tables.log,
    "/whois": answer_tables.whois,
}
"""Those with moments."""

_ALIASES: Final = {"/names": "/who", "/w": "/who", "/list": "/channels"}
"""Other names of the commands with tables."""


def answer_words(
    command: str,
    answer: Answer,
    columns: int | None,
    now: int,
    time_of: LocalTime = local_time,
    roles: Callable[[str], Mapping[str, str]] = lambda _: {},
) -> str:
    """What the user reads of an answer; empty if there is nothing to read.

    command: its first word, as it was typed; "" of a line
    columns: for a text on the screen; None: there are no columns, as for somebody who listens
    now:     in milliseconds since 1970
    roles:   gives what the client knows of a channel: the roles by the names of those who have one
    """
    typed, command = command, _ALIASES.get(command.lower(), command.lower())
    if answer.code == Code.OK:
        rows = rows_of(answer.rows)
        if command == "/who" and rows and isinstance(rows[0], str):
            rows = (rows[0], *_with_roles(rows[1:], roles(rows[0])))
        text = _table(command, rows, columns, partial(_moment, time_of)) if rows else ""
        return text or without_name(command, localized(answer.words, rows, time_of))
    return without_name(typed, refusal_words(answer, now, time_of))


def _table(command: str, rows: tuple[Any, ...], columns: int | None, when: Callable[[int], str]) -> str:
    """Empty: it is no table, or its rows are not as this client knows them: then the server's words count."""
    try:
        if command in _TABLES:
            return _TABLES[command](rows, columns)
        return _TIMED[command](rows, when, columns) if command in _TIMED else ""
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError):
        return ""


def _with_roles(rows: Iterable[Any], roles: Mapping[str, str]) -> Iterator[Any]:
    """The rows of /who, with the role behind each name that has one. A newer server may have other rows."""
    for row in rows:
        match row:
            case [str(name), *rest] if name in roles:
                yield [f"{name} ({roles[name]})", *rest]
            case _:
                yield row


def _moment(time_of: LocalTime, milliseconds: int) -> str:
    return f"{time_of(milliseconds):%Y-%m-%d %H:%M}"


def without_name(command: str, words: str) -> str:
    """The words; the command, with which they begin for simple clients, stands beside them already."""
    rest = words.removeprefix(command) if command else words
    return rest.lstrip(":").lstrip(" ") if rest[:1] in (":", " ") else words
