"""What the native door says about who is where, which channels there are, and how the server is doing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from chatroom.events import Setting
from chatroom.limits import MAX_TEXT
from server.table import clipped, grid, table

Rows = Sequence[Any]

TOPIC_COLUMNS: Final = 40
"""Columns of a topic in the list of channels: it does not fill a screen. /topic shows all of it."""

_ELSEWHERE: Final = {"lost": "connection lost", "absent": "not here"}
_REST_BYTES: Final = 100  # for the last lines, which tell how many are not named


def who(rows: Rows) -> str:
    """Who is in a channel: those who are here side by side, then the others."""
    channel, *members = rows
    if not members:
        return f"/who {channel}: nobody is in it"
    hidden = members.pop() if isinstance(members[-1], int) else 0  # the number of those that are not listed
    absent = sum(phase == "absent" for _, phase in members)
    counts = [f"{hidden + len(members) - absent:,} here", *([f"{absent:,} not here"] if absent else [])]
    lines = [f"/who {channel}: {', '.join(counts)}"]
    left = MAX_TEXT - len(lines[0].encode()) - _REST_BYTES
    for state in ("here", *_ELSEWHERE):
        names = [name for name, phase in members if (phase if phase in _ELSEWHERE else "here") == state]
        if names and state in _ELSEWHERE:
            lines.append(f"  {_ELSEWHERE[state]}:")
        for line, number in grid(names):
            left -= len(line.encode()) + 1
            if left < 0:
                break
            lines.append(line)
            names = names[number:]
        hidden += len(names)  # those for whom there was no room
    return "\n".join([*lines, *([f"  and {hidden:,} more"] if hidden and members else [])])


def channels(rows: Rows) -> str:
    """The channels, each in a line of a table."""
    if not rows:
        return "/channels: there are none"
    more = rows[-1] if isinstance(rows[-1], int) else 0
    shown = rows[:-1] if more else rows
    number = len(shown) + more
    head = f"/channels: {number:,} channel{'s' * (number != 1)}"
    width = max(len(f"{row[1]:,}") for row in shown)
    cells = [
        (name, f"{count:{width},} here", "you are in" * is_in, _settings(bits), clipped(topic, TOPIC_COLUMNS))
        for name, count, topic, bits, is_in in shown
    ]
    return "\n".join([head, *table(cells), *([f"  and {more:,} more"] if more else [])])


@lru_cache(256)  # a list of channels asks for a thousand
def _settings(bits: int) -> str:
    return ", ".join(word for setting, word in _SETTINGS.items() if setting in Setting(bits))


_SETTINGS = {
    Setting.KEYED: "key",
    Setting.INVITE_ONLY: "invite-only",
    Setting.MODERATED: "moderated",
    Setting.SLOW: "slow",
}


def stats(rows: Rows) -> str:
    """The server's numbers, each with what it means; those of a newer server under their names."""
    cells = [(_STATS.get(name, name), _figure(name, value)) for name, value in rows]
    return "\n".join(["/stats: how this server is doing", *table(cells)])


def _figure(name: str, value: object) -> str:
    if name == "up" and isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,12}) s", value)):
        return duration(int(found[1]))
    return f"{value:,}" if isinstance(value, int) else str(value)


def duration(seconds: int) -> str:
    """A time in the two largest units that it has, such as `3 h 20 min`."""
    for unit, size, smaller, small in _UNITS:
        if seconds >= size:
            rest = seconds % size // small
            return f"{seconds // size:,} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{seconds} s"


_UNITS: Final = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))

_STATS: Final = {
    "up": "running for",
    "members": "people connected",
    "events": "events in the history",
    "batches": "batches since the start",
    "waiting": "lines waiting for their turn",
    "behind": "readers that are slow now",
    "pauses": "pauses for slow readers",
    "threads": "threads",
}

OF_COMMANDS: Final[dict[str, Callable[..., str]]] = {"/who": who, "/channels": channels, "/stats": stats}
"""By their names; each takes the rows of OK."""
