"""The history as an SQLite file: one writer, readers that never delay it, maintenance in the background.

With the write-ahead log (WAL) a commit appends to FILE-wal, a read sees the commits before its start, and a
checkpoint copies the WAL into FILE later. Reasons and figures: notes/decisions/0010-history.md.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain, starmap
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import Literal

from chatroom.errors import ConfigError, HistoryError, HistoryFull
from chatroom.events import Event, EventKind
from chatroom.history import Located, Restored
from chatroom.limits import MAX_NUMBER
from chatroom.records import Record
from server.database import connect, limit_wal, transaction, translate_errors
from server.history_files import HistoryFiles
from server.limits import STARTS_NOTED
from server.maintenance import Maintenance
from server.readers import Readers
from server.retention import Retention
from server.schema import SPAN_EVENTS, head_of, migrate, version_of

Durability = Literal["normal", "full"]

_Row = tuple[int, int, int, str, str, str, int, int, int]

_POSITION = "SELECT value FROM state WHERE name = 'position'"

_INSERT = """INSERT INTO events(seq, time, kind, channel, author, text, id, person, place)
    VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ROWS = 100
_INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?, ?, ?, ?)" * (_ROWS - 1)
"""Inserts a hundred rows of a large batch: a quarter cheaper than one by one, and sqlite3 releases the GIL
once per statement, not once per row."""

_INSERT_MORE = "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""Inserts a row with extra or places. Few have them, and binding two NULLs costs 0.9 µs: sqlite3 looks for an
adapter for every value that is no number and no text."""


class SqliteHistory:
    """A history in the file `path`; `chatroom.history.History` says what it promises.

    path:       the file, which is made if it is missing; its folder is made only for the default path
    durability: "normal": survives any end of the process; "full": also a power loss, for an fsync per batch
    retention:  which old events `tend` leaves in the file
    Raises HistoryError when the file cannot be used, is something else, or is in use by another server.
    """

    def __init__(
        self, path: str | Path, durability: Durability = "normal", retention: Retention | None = None
    ) -> None:
        self._path = Path(path).resolve()  # two names of one file have the same lock
        # Guards _writer in append(): only the forwarder calls it. A second caller is refused, it never waits.
        self._appending = Lock()
        # Guards the right to write to the file, for one transaction of append() or of the maintenance.
        # Held during that transaction's I/O on purpose: SQLite's own wait for its write lock is polling. Also
        # guards what the maintenance knows of the file's names (`Maintenance.trouble`).
        self._write_lock = Lock()
        self._position = b""  # of the last append: an append with the same one need not write it
        self._stored = False  # whether append() was successful once: else a new file is removed at the end
        with ExitStack() as opened:
            self._open(durability, retention or Retention(), opened)
            self._opened = opened.pop_all()

    def __repr__(self) -> str:
        return f"<SqliteHistory {self._path}>"

    def restore(self) -> Restored:
        with translate_errors(self._path, "read"):
            state = dict(self._writer.execute("SELECT name, value FROM state"))
            latest = self._writer.execute("SELECT time FROM events ORDER BY seq DESC LIMIT 1").fetchone()
            records = self._writer.execute(
                "SELECT kind, key, value FROM records ORDER BY kind, key"
            ).fetchall()
            head = head_of(self._writer)
        time = latest[0] if latest else 0
        return Restored(state["identity"], state["position"], head, time, list(starmap(Record, records)))

    def append(self, events: Sequence[Event], records: Sequence[Record], position: bytes = b"") -> None:
        if not self._appending.acquire(blocking=False):
            raise RuntimeError("only the forwarder may call append(), one batch after the other")
        try:
            rows, more = _divide(events)
            spans = {(row[0] // SPAN_EVENTS, row[8]) for row in rows}
            for event in more:
                spans.update((event.seq // SPAN_EVENTS, place) for place in event.places or (event.place,))
            latest = {(kind, key): value for kind, key, value in records}
            kept = [(*name, value) for name, value in latest.items() if value is not None]
            gone = [name for name, value in latest.items() if value is None]
            with self._writing():
                write = self._writer.executemany
                many = len(rows) - len(rows) % _ROWS
                write(_INSERT_MANY, [tuple(chain(*rows[i : i + _ROWS])) for i in range(0, many, _ROWS)])
                write(_INSERT, rows[many:])
                if more:
                    write(_INSERT_MORE, map(_full_row, more))
                write("INSERT OR IGNORE INTO spans VALUES(?, ?)", spans)
                write("INSERT OR REPLACE INTO records VALUES(?, ?, ?)", kept)
                write("DELETE FROM records WHERE kind = ? AND key = ?", gone)
                if position != self._position:
                    self._writer.execute("UPDATE state SET value = ? WHERE name = 'position'", (position,))
                if not self._stored:  # the first batch of a server has its RESTARTED
                    self._note_starts(events)
            self._position, self._stored = position, True
        finally:
            self._appending.release()

    def read(self, after: int, limit: int, places: Collection[int], size: int = MAX_NUMBER) -> list[Event]:
        return self._readers.read(after, limit, places, size)

    def last_seqs(self, limit: int, places: Collection[int], until: int = MAX_NUMBER) -> list[int]:
        return self._readers.last_seqs(limit, places, until)

    def locate(self, seq: int) -> Located:
        return self._readers.locate(seq)

    def parted(self, seq: int, time: int) -> int:
        return self._readers.parted(seq, time)

    def tend(self, stopping: Flag) -> None:
        self._maintenance.tend(stopping)

    def close(self) -> None:
        """Close the file. SQLite copies the rest of the WAL when it closes the last connection.

        A server that has stored nothing did not start: it leaves no file behind that was not there before.
        """
        with translate_errors(self._path, "close"):
            self._opened.close()

    def _note_starts(self, events: Sequence[Event]) -> None:
        """Note each RESTARTED apart from the events, which retention removes. Requires the transaction."""
        starts = [(event.seq, event.time) for event in events if event.kind is EventKind.RESTARTED]
        if starts:
            row = self._writer.execute("SELECT value FROM state WHERE name = 'starts'").fetchone()
            noted = [*(json.loads(row[0]) if row else ()), *starts][-STARTS_NOTED:]
            self._writer.execute("INSERT OR REPLACE INTO state VALUES('starts', ?)", (json.dumps(noted),))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction of the forwarder. Raises HistoryFull while the file is not where it should be."""
        with self._write_lock, translate_errors(self._path, "write"):
            if self._maintenance.trouble:
                raise HistoryFull(self._maintenance.trouble)
            with transaction(self._writer):
                yield

    def _open(self, durability: Durability, retention: Retention, opened: ExitStack) -> None:
        """Opens files, connections and maintenance; `opened` closes them in reverse order."""
        files = HistoryFiles(self._path, folders=_is_default(self._path))
        opened.callback(lambda: files.close(discard=not self._stored))
        with translate_errors(self._path, "open"):
            self._writer = connect(self._path)
            opened.callback(self._writer.close)
            version = version_of(self._writer, self._path)  # before the first write: the file may be foreign
            if self._writer.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise HistoryError(f"cannot open the history {self._path}: no write-ahead log on this disk")
            self._writer.execute(f"PRAGMA synchronous = {durability.upper()}")
            limit_wal(self._writer)
            migrate(self._writer, version, self._path)
            with transaction(self._writer):  # so that a read-only file is reported now, not at the first line
                self._writer.execute("UPDATE state SET value = value")
            (self._position,) = self._writer.execute(_POSITION).fetchone()
            files.watch()
            self._maintenance = Maintenance(self._path, self._write_lock, retention, files)
            opened.callback(self._maintenance.close)
        self._readers = Readers(self._path)
        opened.callback(self._readers.close)


def _divide(events: Sequence[Event]) -> tuple[list[_Row], list[Event]]:
    """The rows of the events with neither extra nor places, and the other events."""
    # +: sqlite3 binds a plain int faster than an enum (0.9 µs per row)
    rows = [
        (seq, at, +kind, channel, author, text, id, person, place)
        for seq, at, kind, channel, author, text, id, person, place, extra, places in events
        if not (extra or places)
    ]
    if len(rows) == len(events):
        return rows, []
    return rows, [event for event in events if event.extra or event.places]


def _full_row(event: Event) -> tuple[object, ...]:
    """The row of an event with extra or places; an empty one of them is NULL."""
    places = json.dumps(event.places) if event.places else None
    return *event[:2], int(event.kind), *event[3:9], event.extra or None, places


def default_path() -> Path:
    """The history's path without `--data`: in the user's data folder (XDG Base Directory 0.8).

    Raises ConfigError when the user has no home folder.
    """
    folder = os.environ.get("XDG_DATA_HOME", "")
    try:
        base = Path(folder) if os.path.isabs(folder) else Path.home() / ".local" / "share"
    except RuntimeError:
        raise ConfigError("you have no home folder for the history: say where with --data FILE") from None
    return base / "chatroom" / "history.db"


def _is_default(path: Path) -> bool:
    try:
        return path == default_path().resolve()
    except ConfigError:
        return False
