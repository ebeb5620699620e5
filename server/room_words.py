"""What the native door says about who is where, channels, how the server is doing, and its threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from chatroom import answer_tables
from chatroom.answer_tables import Rows
from chatroom.trace_table import trace

_TABLES: Final[dict[str, tuple[Callable[[Rows], str], str]]] = {
    "/who": (answer_tables.who, " "),
    "/channels": (answer_tables.channels, ": "),
    "/stats": (answer_tables.stats, ": "),
    "/inspect": (answer_tables.inspect, ": "),
    "/trace": (trace, ": "),
}
"""Each with what stands between the name of the command and its first line."""


def _named(command: str, rows: Rows) -> str:
    table, gap = _TABLES[command]
    return f"{command}{gap}{table(rows)}"


OF_COMMANDS: Final[dict[str, Callable[..., str]]] = {command: partial(_named, command) for command in _TABLES}
"""By their names; each takes the rows of OK. A simple client shows nothing else, so they name the command."""
