"""Events as the tests need them."""

from __future__ import annotations

from typing import Final

from chatroom.events import Event, EventKind

NOON: Final = 1_700_000_000_000
"""The time of every event that does not name another one, in milliseconds."""


BOB: Final = 2
"""The person of every event that does not name another one."""

GENERAL: Final = 1
"""The place of every event that does not name another one: #general."""


def said(
    seq: int,
    text: str | None = None,
    author: str = "bob",
    id: int = 0,
    channel: str = "#general",
    person: int = BOB,
    place: int = GENERAL,
) -> Event:
    """A line in the history; without a text of its own it is "line {seq}"."""
    text = f"line {seq}" if text is None else text
    return Event(seq, NOON, EventKind.SAID, channel, author, text, id, person, place)
