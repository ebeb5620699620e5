"""`--export`: a history as JSON lines, or as a table for queries, also while a server runs on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import Final, TextIO

from chatroom.blocks import Block, events_of
from chatroom.errors import HistoryError, ProtocolError
from chatroom.events import Event, EventKind
from chatroom.history import slice_of
from chatroom.limits import CATCH_UP_BYTES
from chatroom.printable import json_line
from server.database import connect, pragma, transaction, translate_errors
from server.rows import blocks_between, head_of, number, with_amendments
from server.schema import SCHEMA, open_read_only

_COLUMNS: Final = ("seq", "time", "kind", "channel", "author", "text")


def export(path: str | Path, out: TextIO, with_direct: bool = False) -> int:
    """Writes every event as a line of JSON, the oldest first; returns their number.

    with_direct: whether also those of direct conversations
    Reads and writes in chunks: memory is bounded, and no read is so long that it blocks the checkpoints of a
    running server.
    """
    path = Path(path)
    count = 0
    for events in _chunks(path, with_direct):
        for event in events:
            out.write(json_line(event.as_json()) + "\n")
        count += len(events)
    out.flush()
    return count


def export_sqlite(path: str | Path, target: str | Path, with_direct: bool = False) -> int:
    """Writes every event as a row of an SQLite file that anybody can query; returns their number.

    with_direct: whether also those of direct conversations
    Raises HistoryError when the file `target` is there already, or cannot be written.
    """
    path, target = Path(path), Path(target)
    chunks = _chunks(path, with_direct)
    first = next(chunks, [])  # before anything is made: `path` may be no history
    if target.exists():
        raise HistoryError(f"cannot export to {target}: there is such a file already")
    count = 0
    try:
        with translate_errors(target, "write"), closing(connect(target)) as table, transaction(table):
            table.execute(
                """CREATE TABLE events(seq INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL,
                    channel TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL)"""
            )
            for events in chain([first], chunks):
                rows = [tuple(event.as_json()[name] for name in _COLUMNS) for event in events]
                table.executemany("INSERT INTO events VALUES(?, ?, ?, ?, ?, ?)", rows)
                count += len(rows)
    except BaseException:
        target.unlink(missing_ok=True)  # half of a history would be taken for all of it
        raise
    return count


def _chunks(path: Path, with_direct: bool) -> Iterator[list[Event]]:
    """The events in order, in lists of bounded size. Raises HistoryError at the first one that is damaged."""
    with closing(open_read_only(path)) as database, translate_errors(path, "read"):
        is_old = pragma(database, "user_version") < SCHEMA
        for events in (_old_chunks if is_old else _new_chunks)(database):
            yield [event for event in events if is_public(event, with_direct)]


def is_public(event: Event, with_direct: bool) -> bool:
    """The audit trail tells from where somebody came: whoever runs the server asks for it by /log."""
    return event.kind is not EventKind.AUDITED and (with_direct or not is_direct(event))


def is_direct(event: Event) -> bool:
    """Whether it is of a direct conversation: the name of a channel begins with another character."""
    return event.channel.startswith("@")


def _new_chunks(database: sqlite3.Connection) -> Iterator[list[Event]]:
    """Slices of all places. Each is one short read, which finds all, whatever was merged meanwhile."""
    done, head = number(database, "removed"), head_of(database)
    while done < head:
        database.execute("BEGIN")
        try:
            with closing(blocks_between(database, done + 1, head)) as stored:  # ROLLBACK ends no read
                blocks = (with_amendments(database, one) for one in stored)
                found, until, _ = slice_of(blocks, done, CATCH_UP_BYTES)
        finally:
            database.execute("ROLLBACK")
        yield sorted(event for block in found for event in checked_events(block) if event.seq <= until)
        done = until


def _old_chunks(database: sqlite3.Connection) -> Iterator[list[Event]]:
    """The events of a file of an earlier version."""
    done = 0
    while rows := database.execute(f"{OLD_EVENTS} WHERE seq > ? ORDER BY seq LIMIT 256", (done,)).fetchall():
        yield [old_event(row) for row in rows]
        done = rows[-1][0]


OLD_EVENTS: Final = "SELECT seq, time, kind, channel, author, text FROM events"


def old_event(row: tuple[int, int, int, str, str, str]) -> Event:
    """The event of a row, as far as JSON shows it. Raises ProtocolError when no server has written it."""
    seq, at, kind, channel, author, text = row
    try:
        event = Event(seq, at, EventKind(kind), channel, author, text)
        json_line(event.as_json())
        if not all(isinstance(one, str) for one in row[3:]):
            raise TypeError("a text is no text")
    except (TypeError, ValueError, OverflowError):
        raise ProtocolError(f"event {seq} was not written by a server (kind {kind!r}, time {at!r})") from None
    return event


def checked_events(block: Block) -> list[Event]:
    """The events of a block. Raises ProtocolError when no server has written it."""
    try:
        return events_of(block)
    except ProtocolError as cause:
        raise ProtocolError(f"the block of seq {block.first} to {block.last}: {cause}") from None
