"""Files of earlier versions, and how they become files of this one.

Versions 1 and 2 had a row for each event. A new file is made beside the old one, in pieces; when it is whole,
it takes the old one's name. Killed at any moment, the old file is whole under its name, or the new one is.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from struct import error as StructError
from typing import Any, Final

from chatroom.blocks import Block, cut, encoded, events_of
from chatroom.errors import HistoryError, ProtocolError
from chatroom.event_log import EventLog
from chatroom.events import Event, EventKind
from chatroom.limits import CHANNEL_FIELD, MAX_TEXT, NAME_BYTES
from chatroom.packets import encode_event
from server.database import checkpoint, connect, limit_wal, pragma, transaction, translate_errors
from server.limits import CHECKPOINT_BYTES, CONVERTED_EVENT, MERGED_BYTES, PROGRESS_SECONDS
from server.rows import INSERT, blocks_between, head_of, number, places_of, row_of, window_end
from server.schema import APPLICATION_ID, make_tables, mark, version_of

_log = EventLog(__name__)

_HEAD: Final = """
    SELECT max(coalesce((SELECT max(seq) FROM events), 0), (SELECT value FROM state WHERE name = 'removed'))
"""
"""The highest seq that was given so far. The second migration uses it."""

_DAMAGE: Final = (AttributeError, ProtocolError, StructError, TypeError, ValueError)
"""What is raised when a row is not that of an event, by making, encoding or decoding it."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # The columns are in the order of Event's fields.
        """CREATE TABLE events(
            seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, kind INTEGER NOT NULL,
            channel TEXT NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, id INTEGER NOT NULL)""",
        # The channel index: which channels have events in which span of SPAN_EVENTS seqs. An index on the
        # events themselves would double the cost of appending (notes/decisions/0010-history.md).
        "CREATE TABLE spans(span INTEGER, channel TEXT, PRIMARY KEY(span, channel)) WITHOUT ROWID",
        "CREATE UNIQUE INDEX spans_of_channel ON spans(channel, span)",
        # The columns are in the order of SessionRecord's fields.
        """CREATE TABLE sessions(
            key BLOB PRIMARY KEY, name TEXT NOT NULL, channel TEXT NOT NULL,
            present INTEGER NOT NULL, confirmed INTEGER NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID""",
        # `removed`: the highest seq that retention has deleted, so that no seq is given twice.
        "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO state VALUES('removed', 0)",
    ),
    (
        # Persons, places and records. Old rows of events have NULL in the new columns and are not rewritten:
        # that would copy the whole file. `numbered` reads them with the numbers of two small tables.
        # extra, places: NULL where empty; places is a JSON array.
        "ALTER TABLE events ADD COLUMN person INTEGER",
        "ALTER TABLE events ADD COLUMN place INTEGER",
        "ALTER TABLE events ADD COLUMN extra BLOB",
        "ALTER TABLE events ADD COLUMN places TEXT",
        "CREATE TABLE old_places(name TEXT PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID",
        """INSERT INTO old_places
            SELECT channel, row_number() OVER (ORDER BY min(span), channel)
            FROM (SELECT span, channel FROM spans UNION ALL SELECT 9e18, channel FROM sessions)
            GROUP BY channel""",
        "CREATE TABLE old_persons(name TEXT PRIMARY KEY, person INTEGER NOT NULL) WITHOUT ROWID",
        """INSERT INTO old_persons
            SELECT author, row_number() OVER (ORDER BY author) FROM (SELECT DISTINCT author FROM events)""",
        # The columns are in the order of Event's fields.
        """CREATE VIEW numbered AS SELECT
            seq, time, kind, channel, author, text, id,
            coalesce(person, (SELECT person FROM old_persons WHERE name = author)) AS person,
            coalesce(place, (SELECT place FROM old_places WHERE name = channel)) AS place,
            extra, places FROM events""",
        # The index of places takes over from the index of channels.
        "ALTER TABLE spans RENAME TO old_spans",
        "CREATE TABLE spans(span INTEGER, place INTEGER, PRIMARY KEY(span, place)) WITHOUT ROWID",
        "INSERT INTO spans SELECT span, place FROM old_spans JOIN old_places ON name = channel",
        "CREATE UNIQUE INDEX spans_of_place ON spans(place, span)",
        """CREATE TABLE records(
            kind TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY(kind, key)) WITHOUT ROWID""",
        """INSERT INTO records SELECT 'channel', place, json_object(
            'name', name,
            'founded', coalesce(
                (SELECT time FROM old_spans CROSS JOIN events
                    ON seq >= 256 * span AND seq < 256 * (span + 1) AND events.channel = name
                    WHERE old_spans.channel = name ORDER BY span, seq LIMIT 1), 0),
            'by', 0) FROM old_places""",
        # Each session gets a person of its own: nobody knows which of the old names its user had.
        """CREATE TEMP TABLE old_sessions AS
            SELECT lower(hex(key)) AS key, sessions.name, place, present, confirmed, seen,
                (SELECT count(*) FROM old_persons) + row_number() OVER (ORDER BY key) AS person
            FROM sessions JOIN old_places ON old_places.name = channel""",
        """INSERT INTO records SELECT 'session', key, json_object(
            'person', person, 'name', name, 'address', '',
            'phase', CASE WHEN present THEN 'here' ELSE 'absent' END, 'epoch', 0, 'origin', 0,
            'until', CASE WHEN present THEN 0 ELSE seen + 7 * 24 * 3600 * 1000 END,
            'confirmed', confirmed, 'seen', seen, 'channels', json_array(place)) FROM old_sessions""",
        """INSERT INTO records SELECT 'member', person, json_object('name', name)
            FROM old_sessions WHERE present""",
        f"""INSERT INTO records SELECT 'membership', person || ' ' || place,
            json_object('intervals', json_array(json_array(({_HEAD}), NULL)))
            FROM old_sessions WHERE present""",
        """INSERT INTO records SELECT 'history', '', json_object(
            'persons', (SELECT count(*) FROM old_persons) + (SELECT count(*) FROM sessions),
            'places', (SELECT count(*) FROM old_places), 'epoch', 0)
            WHERE EXISTS (SELECT 1 FROM old_places)""",
        "DROP TABLE old_sessions",
        "DROP TABLE sessions",
        "DROP TABLE old_spans",
        # Two more values of `state`, both bytes (a type in SQLite is only a preference). `identity`: of this
        # history, never changed. `position`: of the last append.
        "INSERT INTO state VALUES('identity', randomblob(16)), ('position', x'')",
    ),
)
"""The statements that made versions 1 and 2, the latter from the former. Never edited.

One more value of `state` in version 2: `starts`, missing before the first RESTARTED.
"""


def convert(path: Path) -> None:
    """Make the history `path` a file of this version. The caller has its lock, and has not opened it.

    Raises HistoryError: the disk has not enough room, a foreign file is in the way, another program has the
    file open, or it is damaged.
    """
    with translate_errors(path, "convert"):
        with closing(connect(path)) as old:
            _look_at_the_new_name(path)
            _look_at_the_disk(old, path)
            if version_of(old, path) == 1:
                migrate(old, 2)  # one transaction, and no row is rewritten
            with closing(_begun(old, path)) as new:
                old.text_factory = _text
                _copy_events(old, new, path)
                old.text_factory = str
                _copy_the_rest(old, new)
                _leave_no_log(new, path)
            _leave_no_log(old, path)
        _take_its_place(path)


def migrate(old: sqlite3.Connection, version: int) -> None:
    """Make a file of the version before one of `version`, 1 or 2."""
    with transaction(old):
        for statement in MIGRATIONS[version - 1]:
            old.execute(statement)
        mark(old, version)


def new_path(path: Path) -> Path:
    """The name of the new file until it is whole."""
    return path.with_name(path.name + "-new")


def _look_at_the_new_name(path: Path) -> None:
    """Refuse to delete a file that no server has made."""
    new = new_path(path)
    if new.exists() and not _is_a_history(new):
        raise HistoryError(
            f"cannot convert the history {path}, which an older version wrote: the file {new} is in the way"
        )


def _is_a_history(path: Path) -> bool:
    """Whether a file is a chatroom history, perhaps a damaged one, or empty."""
    try:
        with closing(connect(path)) as found:
            return pragma(found, "application_id") == APPLICATION_ID or version_of(found, path) == 0
    except (sqlite3.DatabaseError, HistoryError):
        return False


def _look_at_the_disk(old: sqlite3.Connection, path: Path) -> None:
    """Refuse to begin what could not be ended."""
    (events,) = old.execute("SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM events").fetchone()
    new = new_path(path)
    begun = new.stat().st_size if new.exists() else 0
    needed = path.stat().st_size + CONVERTED_EVENT * events + CHECKPOINT_BYTES - begun
    free = shutil.disk_usage(path.parent).free
    if free < needed:
        raise HistoryError(
            f"cannot convert the history {path}, which an older version wrote: it needs {needed / 1e6:.0f} MB"
            f" more on its disk, and {free / 1e6:.0f} MB are free"
        )


def _begun(old: sqlite3.Connection, path: Path) -> sqlite3.Connection:
    """The new file: as an earlier try has left it, or empty."""
    begun = new_path(path)
    if begun.exists() and not _goes_with(old, begun):
        for name in (begun.name + "-wal", begun.name + "-shm", begun.name):
            begun.with_name(name).unlink(missing_ok=True)
    os.close(os.open(begun, os.O_RDWR | os.O_CREAT, 0o600))
    new = connect(begun)
    try:
        new.execute("PRAGMA journal_mode = WAL")
        new.execute("PRAGMA synchronous = NORMAL")
        limit_wal(new)
        if version_of(new, begun) == 0:
            make_tables(new)
    except BaseException:
        new.close()
        raise
    return new


def _goes_with(old: sqlite3.Connection, begun: Path) -> bool:
    """Whether a new file was begun for this old one: then the last event of the one is in the other, too."""
    try:
        with closing(connect(begun)) as new:
            if version_of(new, begun) == 0:
                return True
            head = head_of(new)
            (wanted,) = _events(old, head, head)
            return encode_event(wanted) in [
                cut(one, head - 1, head) for one in blocks_between(new, head, head)
            ]
    except (sqlite3.DatabaseError, HistoryError, ProtocolError, StructError, ValueError):
        return False  # it is empty, damaged, or something else


def _copy_events(old: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> None:
    """Copy the events that the new file has not yet. A window of seqs is one transaction."""
    first, last = old.execute("SELECT coalesce(min(seq), 1), coalesce(max(seq), 0) FROM events").fetchone()
    settled = number(new, "settled")
    # An earlier try has not settled its last window: the old file may have more events of it now.
    new.execute("DELETE FROM blocks WHERE first > ?", (settled,))
    done = max(settled, first - 1)
    told = time.monotonic()
    while done < last:
        end = window_end(done + 1)
        rows = list(map(row_of, _blocks(_events(old, done + 1, end))))
        with transaction(new):
            new.executemany(INSERT, rows)
            if end <= last:  # else later events will be in this window
                entries = [(place, *row[:2]) for row in rows for place in places_of(row[4], row[5])]
                new.executemany("INSERT INTO settled VALUES(?, ?, ?)", entries)
                new.execute("UPDATE state SET value = ? WHERE name = 'settled'", (end,))
        checkpoint(new)
        done = min(end, last)
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            _log.warning(
                "converting",
                "converting %(file)s, which an older version wrote: %(percent).0f %%",
                file=path,
                percent=100 * (done - first + 1) / (last - first + 1),
            )


def _copy_the_rest(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Copy records and state, which may have changed since an earlier try."""
    head = max(head_of(new), number(old, "removed"))
    with transaction(new):
        new.execute("DELETE FROM records")
        new.executemany("INSERT INTO records VALUES(?, ?, ?)", old.execute("SELECT * FROM records"))
        new.executemany("INSERT OR REPLACE INTO state VALUES(?, ?)", old.execute("SELECT * FROM state"))
        # The records of these versions had the highest message id of each session with every line.
        new.execute("UPDATE state SET value = ? WHERE name = 'noted'", (head,))


def _leave_no_log(connection: sqlite3.Connection, path: Path) -> None:
    """Bring all into the one file: a log beside it would be taken for that of the other file."""
    if connection.execute("PRAGMA journal_mode = DELETE").fetchone() != ("delete",):
        raise HistoryError(f"cannot convert the history {path}: another program has it open")


def _take_its_place(path: Path) -> None:
    """Give the new file the name and the rights of the old one, which is gone then."""
    new = new_path(path)
    shutil.copymode(path, new)
    for place in (new, path.parent):
        if place is not new:
            os.replace(new, path)
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _blocks(events: Iterable[Event]) -> Iterator[Block]:
    """The events in blocks of about MERGED_BYTES."""
    of_scope: dict[tuple[int, ...], list[Event]] = {}
    sizes: dict[tuple[int, ...], int] = defaultdict(int)
    for event in events:
        scope = event.places or (event.place,)
        size = len(event.text) + CONVERTED_EVENT
        if sizes[scope] + size > MERGED_BYTES:
            yield _block(of_scope.pop(scope))
            sizes[scope] = 0
        of_scope.setdefault(scope, []).append(event)
        sizes[scope] += size
    yield from map(_block, of_scope.values())


def _block(events: list[Event]) -> Block:
    """The block of some events. Raises ProtocolError if readers could not decode it, and says which event."""
    try:
        block = encoded(events)
        events_of(block)
    except _DAMAGE as cause:
        if len(events) == 1:
            raise ProtocolError(f"event {events[0].seq}: {cause}") from None
        for event in events:
            _block([event])
        raise
    return block


def _events(old: sqlite3.Connection, first: int, last: int) -> Iterator[Event]:
    """The events from `first` to `last`, as they are kept now."""
    for row in old.execute("SELECT * FROM numbered WHERE seq BETWEEN ? AND ? ORDER BY seq", (first, last)):
        yield _event(row)


def _event(row: tuple[Any, ...]) -> Event:
    """The event of a row. Its text is made as that of new lines, and what is too long is cut.

    Raises ProtocolError when no server has written it.
    """
    seq, at, kind, channel, author, text, id, person, place, extra, places = row
    try:
        numbers = tuple(json.loads(places)) if places else ()
        if not all(type(number) is int for number in numbers):
            raise TypeError("a place is no number")
        return Event(
            seq,
            at,
            EventKind(kind),
            _at_most(channel, CHANNEL_FIELD),
            _at_most(author, NAME_BYTES),
            _at_most(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " "), MAX_TEXT),
            id,
            person,
            place,
            extra or b"",
            numbers,
        )
    except _DAMAGE as cause:
        raise ProtocolError(f"event {seq}: {cause}") from None


def _text(data: bytes) -> str:
    """A text of the old file. Encoding refuses later what is not UTF-8: then the event's seq is known."""
    return data.decode(errors="surrogateescape")


def _at_most(text: str, size: int) -> str:
    """The beginning of a text that has at most so many bytes of UTF-8."""
    return text if 4 * len(text) <= size else text.encode()[:size].decode(errors="ignore")
