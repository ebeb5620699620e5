"""What the tests of the history share: events by the dozen, and a look at what a file holds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatroom.events import Event, EventKind
from server.storage import Durability, Keep, SqliteHistory

NOW = 1_800_000_000_000
EVERYWHERE = ("#general", "#quiet")


def said(seq: int, text: str = "", channel: str = "#general", at: int = NOW) -> Event:
    """A line whose text tells its seq."""
    return Event(seq, at, EventKind.SAID, channel, f"talker-{seq % 3}", text or f"line {seq}", seq)


def lines(first: int, last: int, channel: str = "#general", at: int = NOW) -> list[Event]:
    """The lines with the seqs from `first` to `last`, both included."""
    return [said(seq, channel=channel, at=at) for seq in range(first, last + 1)]


@contextmanager
def opened(
    path: Path, durability: Durability = "normal", keep: Keep | None = None
) -> Iterator[SqliteHistory]:
    """A history that is closed at the end, whatever the test did."""
    history = SqliteHistory(path, durability, keep)
    try:
        yield history
    finally:
        history.close()


def seqs(events: list[Event]) -> list[int]:
    """Only the seqs, for messages that a person can read."""
    return [event.seq for event in events]


def all_in(path: Path) -> list[Event]:
    """Every event of a history file."""
    with opened(path) as history:
        return history.read(0, 10**9, EVERYWHERE)
