"""Helpers for the tests of the history: many events at once, and access to the file and its writer."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from chatroom.blocks import Block, encoded
from chatroom.events import Event, EventKind
from chatroom.history import History
from chatroom.limits import MAX_NUMBER
from chatroom.packets import encode_event
from server.database import connect
from server.maintenance import Maintenance
from server.retention import PROOF, Retention
from server.storage import Durability, SqliteHistory
from tests.support.blocks import flat

NOW = 1_800_000_000_000
VERSION_1 = Path(__file__).parent / "files" / "version-1.db"
VERSION_2 = Path(__file__).parent / "files" / "version-2.db"
"""Histories that servers of these versions have written; files/make_… beside them tell the story."""

GENERAL = 1
QUIET = 2
EVERYWHERE = (0, GENERAL, QUIET)
CHANNELS = {GENERAL: "#general", QUIET: "#quiet"}


def said(seq: int, text: str = "", place: int = GENERAL, at: int = NOW) -> Event:
    """A line whose default text contains its seq."""
    person, text = seq % 3 + 1, text or f"line {seq}"
    return Event(seq, at, EventKind.SAID, CHANNELS[place], f"talker-{person}", text, seq, person, place)


def lines(first: int, last: int, place: int = GENERAL, at: int = NOW) -> list[Event]:
    """The lines with the seqs from `first` to `last`, both included."""
    return [said(seq, place=place, at=at) for seq in range(first, last + 1)]


@contextmanager
def opened(
    path: Path, durability: Durability = "normal", retention: Retention | None = None
) -> Iterator[SqliteHistory]:
    """A history that is closed at the end of the block."""
    history = SqliteHistory(path, durability, retention)
    try:
        yield history
    finally:
        history.close()


def recording(made: list[sqlite3.Connection]) -> Callable[..., sqlite3.Connection]:
    """A `connect` that adds each connection to `made`."""

    def connect_and_record(path: Path, parameters: str = "mode=rwc") -> sqlite3.Connection:
        made.append(connect(path, parameters))
        return made[-1]

    return connect_and_record


@contextmanager
def opened_with_writer(
    path: Path, durability: Durability = "normal"
) -> Iterator[tuple[SqliteHistory, sqlite3.Connection]]:
    """A history and the connection by which it writes."""
    made: list[sqlite3.Connection] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("server.storage.connect", recording(made))
        history = SqliteHistory(path, durability)
    with closing(history):
        yield history, made[0]


def execute(path: Path, statement: str) -> None:
    """Changes a history file without the program's knowledge."""
    with closing(connect(path)) as shell:
        shell.execute(statement)


def blocks_of(events: Iterable[Event]) -> list[Block]:
    """The blocks of a batch: one for each scope."""
    of_scope: dict[tuple[int, ...], list[Event]] = {}
    for event in events:
        of_scope.setdefault(event.places or (event.place,), []).append(event)
    return [encoded(group) for group in of_scope.values()]


def store(history: History, events: Iterable[Event], noted: int = 0) -> None:
    """Append a batch."""
    history.append(blocks_of(events), [], noted=noted)


def read(history: History, after: int = 0, places: Collection[int] = EVERYWHERE) -> list[Event]:
    """Every event of the places after `after`, in slices of some kilobytes."""
    found: list[Event] = []
    while after < MAX_NUMBER:
        blocks, until, _ = history.read(after, places, 10_000)
        assert until > after
        found += [event for event in flat(blocks) if after < event.seq <= until]
        after = until
    return found


def amend(path: Path, *events: Event) -> None:
    """Put packets into a history file that are read instead of those of the same seqs."""
    with closing(connect(path)) as shell:
        for event in events:
            shell.execute("INSERT INTO amended VALUES(?, ?)", (event.seq, encode_event(event)))


def seqs(events: Iterable[Event]) -> list[int]:
    """The seqs alone: they make readable failure messages."""
    return [event.seq for event in events]


def all_in(path: Path) -> list[Event]:
    """Every event of a history file."""
    with opened(path) as history:
        return read(history)


class Wall:
    """A wall clock that the test moves; times are in milliseconds since 1970."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now / 1000


@contextmanager
def maintained(
    path: Path,
    retention: Retention | None = None,
    write_lock: threading.Lock | None = None,
    wall: Wall | None = None,
) -> Iterator[tuple[SqliteHistory, Maintenance]]:
    """A history that retains everything, and a Maintenance for its file that is run by hand.

    Without `wall`, the clock has proven itself.
    """
    clock, lock = wall or Wall(), write_lock or threading.Lock()
    with (
        opened(path) as history,
        closing(Maintenance(path, lock, retention or Retention(), search=True, wall=clock)) as upkeep,
    ):
        if wall is None:
            clock.now -= PROOF
            run(upkeep)
            clock.now += PROOF
        yield history, upkeep


def run(upkeep: Maintenance) -> None:
    """One complete round."""
    upkeep.run(threading.Event())


def stored(history: SqliteHistory) -> list[int]:
    """The seqs of all events in the history."""
    return seqs(read(history))
