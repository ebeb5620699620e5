"""The history as an SQLite file: one writer, readers that never delay it, maintenance in the background.

With the write-ahead log (WAL) a commit appends to FILE-wal, a read sees the commits before its start, and a
checkpoint copies the WAL into FILE later. Reasons and figures: notes/decisions/0010-history.md.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import starmap
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import Literal

from chatroom.blanking import NOTHING_ERASED, Erased
from chatroom.blocks import Block, events_of
from chatroom.errors import ConfigError, HistoryDamaged, HistoryError, HistoryFull
from chatroom.events import Event, EventKind
from chatroom.finding import Page, Wanted
from chatroom.history import NOTHING_AMENDED, Located, Restored, Slice, talkers_of
from chatroom.limits import MAX_NUMBER
from chatroom.places import WHOLE_CHATROOM
from chatroom.records import Record
from server.conversion import convert
from server.database import (
    connect,
    limit_wal,
    overwrite_deleted,
    roll_back,
    transaction,
    translate_errors,
    translated,
)
from server.history_files import HistoryFiles, refuse_foreign_log
from server.limits import STARTS_NOTED
from server.maintenance import Maintenance
from server.readers import Readers
from server.retention import Retention
from server.rows import (
    INSERT,
    Job,
    Row,
    head_of,
    jobs_in,
    row_of,
    store_jobs,
    talking_since,
    time_at,
)
from server.schema import SCHEMA, bad_state, make_tables, version_of

Durability = Literal["normal", "full"]

_AMEND = """INSERT OR REPLACE INTO amended
    SELECT ?1, ?2 WHERE ?1 > (SELECT value FROM state WHERE name = 'removed')"""
_SET = "UPDATE state SET value = ? WHERE name = ?"


class SqliteHistory:
    """A history in the file `path`; `chatroom.history.History` says what it promises.

    path:       the file, which is made if it is missing; its folder is made only for the default path
    durability: "normal": survives any end of the process; "full": also a power loss, for an fsync per batch
    retention:  which old events `tend` leaves in the file
    search:     whether `tend` keeps an index of the lines for find(), which else scans them
    Raises HistoryError when the file cannot be used, is something else, or is in use by another server.
    """

    def __init__(
        self,
        path: str | Path,
        durability: Durability = "normal",
        retention: Retention | None = None,
        search: bool = False,
    ) -> None:
        self._path = Path(path).resolve()  # two names of one file have the same lock
        # Guards _writer in append(): only the forwarder calls it. A second caller is refused, it never waits.
        self._appending = Lock()
        # Guards the right to write to the file, for one transaction of append() or of the maintenance.
        # Held during that transaction's I/O on purpose: SQLite's own wait for its write lock is polling. Also
        # guards what the maintenance knows of the file's names (`Maintenance.trouble`).
        self._write_lock = Lock()
        # What `state` has: an append that changes nothing of it is one statement.
        self._position, self._noted, self._reach = b"", 0, 0
        self._stored = False  # whether append() was successful once: else a new file is removed at the end
        with ExitStack() as opened:
            self._open(durability, retention or Retention(), search, opened)
            self._opened = opened.pop_all()

    def __repr__(self) -> str:
        return f"<SqliteHistory {self._path}>"

    def restore(self) -> Restored:
        with translate_errors(self._path, "read"):
            state = dict(self._writer.execute("SELECT name, value FROM state"))
            head = head_of(self._writer)
            time = time_at(self._writer, head)
            records = self._writer.execute(
                "SELECT kind, key, value FROM records ORDER BY kind, key"
            ).fetchall()
            talkers = talkers_of(talking_since(self._writer, state["noted"]))
        return Restored(
            state["identity"], state["position"], head, time, list(starmap(Record, records)), talkers
        )

    def append(
        self,
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes = b"",
        noted: int = 0,
        amended: Mapping[int, bytes] = NOTHING_AMENDED,
        erased: Erased = NOTHING_ERASED,
    ) -> None:
        if not self._appending.acquire(blocking=False):
            raise RuntimeError("only the forwarder may call append(), one batch after the other")
        try:
            rows = [row_of(block) for block in blocks]
            with self._write_lock:
                if self._maintenance.trouble:  # the file is not where it should be
                    raise HistoryFull(self._maintenance.trouble)
                try:
                    self._store(rows, blocks, records, position, noted, amended, erased)
                except sqlite3.Error as error:
                    raise translated(error, self._path, "write") from error
        finally:
            self._appending.release()

    def _store(
        self,
        rows: list[Row],
        blocks: Sequence[Block],
        records: Sequence[Record],
        position: bytes,
        noted: int,
        amended: Mapping[int, bytes],
        erased: Erased,
    ) -> None:
        """One INSERT where that is all, else a transaction. Requires holding the write lock."""
        reach = max([row[1] - row[0] for row in rows]) + 1 if rows else 0
        unchanged = position == self._position and noted <= self._noted and reach <= self._reach
        if len(rows) == 1 and unchanged and not (records or amended or erased) and self._stored:
            roll_back(self._writer)  # a transaction is open only if its own rollback failed
            self._writer.execute(INSERT, rows[0])
            return
        with transaction(self._writer):
            self._write(rows, records, position, noted, reach)
            if amended:
                self._writer.executemany(_AMEND, amended.items())
            if erased:
                jobs = {person: Job(until) for person, until in erased.items()}
                store_jobs(self._writer, jobs_in(self._writer) | jobs)
            if not self._stored:  # the first batch of a server has its RESTARTED
                self._note_starts(blocks)
        self._position, self._noted = position, max(noted, self._noted)
        self._reach, self._stored = max(_power_of_two(reach), self._reach), True

    def _write(
        self, rows: list[Row], records: Sequence[Record], position: bytes, noted: int, reach: int
    ) -> None:
        """Write a batch, and what changes with it. Requires the transaction."""
        write, write_many = self._writer.execute, self._writer.executemany
        if rows:
            write_many(INSERT, rows)
        if records:
            latest = {(kind, key): value for kind, key, value in records}
            kept = [(*name, value) for name, value in latest.items() if value is not None]
            gone = [name for name, value in latest.items() if value is None]
            write_many("INSERT OR REPLACE INTO records VALUES(?, ?, ?)", kept)
            write_many("DELETE FROM records WHERE kind = ? AND key = ?", gone)
        if position != self._position:
            write(_SET, (position, "position"))
        if noted > self._noted:
            write(_SET, (noted, "noted"))
        if reach > self._reach:
            write(_SET, (_power_of_two(reach), "reach"))

    def read(self, after: int, places: Collection[int], size: int) -> Slice:
        return self._readers.read(after, places, size)

    def start_of(self, lines: int, place: int, until: int = MAX_NUMBER) -> int:
        return self._readers.start_of(lines, place, until)

    def locate(self, seq: int) -> Located:
        return self._readers.locate(seq)

    def event_at(self, seq: int) -> Event | None:
        return self._readers.event_at(seq)

    def parted(self, seq: int, time: int) -> int:
        return self._readers.parted(seq, time)

    def find(self, wanted: Wanted, most: int, size: int, expired: Callable[[], bool]) -> Page:
        return self._readers.find(wanted, most, size, expired)

    def tend(self, stopping: Flag) -> None:
        self._maintenance.tend(stopping)

    def close(self) -> None:
        """Close the file. SQLite copies the rest of the WAL when it closes the last connection.

        A server that has stored nothing did not start: it leaves no file behind that was not there before.
        """
        with translate_errors(self._path, "close"):
            self._opened.close()

    def _note_starts(self, blocks: Iterable[Block]) -> None:
        """Note each RESTARTED apart from the blocks, which retention removes. Requires the transaction."""
        starts = [
            (event.seq, event.time)
            for block in blocks
            if block.scope == (WHOLE_CHATROOM,)
            for event in events_of(block)
            if event.kind is EventKind.RESTARTED
        ]
        if starts:
            row = self._writer.execute("SELECT value FROM state WHERE name = 'starts'").fetchone()
            noted = [*(json.loads(row[0]) if row else ()), *starts][-STARTS_NOTED:]
            self._writer.execute("INSERT OR REPLACE INTO state VALUES('starts', ?)", (json.dumps(noted),))

    def _open(self, durability: Durability, retention: Retention, search: bool, opened: ExitStack) -> None:
        """Opens files, connections and maintenance; `opened` closes them in reverse order."""
        files = HistoryFiles(self._path, folders=_is_default(self._path))
        opened.callback(lambda: files.close(discard=not self._stored))
        refuse_foreign_log(self._path)
        with translate_errors(self._path, "open"):
            self._writer = connect(self._path)
            opened.callback(lambda: self._writer.close())
            version = version_of(self._writer, self._path)  # before the first write: the file may be foreign
            if 0 < version < SCHEMA:
                self._writer.close()
                convert(self._path)
                self._writer = connect(self._path)
            if self._writer.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise HistoryError(f"cannot open the history {self._path}: no write-ahead log on this disk")
            self._writer.execute(f"PRAGMA synchronous = {durability.upper()}")
            limit_wal(self._writer)
            overwrite_deleted(self._writer)
            if version == 0:
                make_tables(self._writer)
            with transaction(self._writer):  # so that a read-only file is reported now, not at the first line
                self._writer.execute("UPDATE state SET value = value")
            state = dict(self._writer.execute("SELECT name, value FROM state"))
            if bad := bad_state(state):
                raise HistoryDamaged(f"{self._path} is damaged: its state lacks {', '.join(bad)}")
            self._position, self._noted, self._reach = state["position"], state["noted"], state["reach"]
            files.watch()
            self._maintenance = Maintenance(self._path, self._write_lock, retention, files, search)
            opened.callback(self._maintenance.close)
        self._readers = Readers(self._path)
        opened.callback(self._readers.close)


def _power_of_two(number: int) -> int:
    """The least power of two that is not below the number."""
    return 1 << max(0, number - 1).bit_length()


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
