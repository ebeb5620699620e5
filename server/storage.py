"""The history as an SQLite file: one writer, readers that never hold it up, tidying in the background.

Write-ahead log (WAL): a commit appends to FILE-wal, readers see the state at which they began, and a
checkpoint moves what was appended into FILE later. Reasons and figures: notes/decisions/0010-history.md.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import Literal

from chatroom.errors import HistoryError
from chatroom.events import Event
from chatroom.history import Restored, SessionRecord
from server.keep import Keep
from server.readers import Readers
from server.schema import (
    SPAN_EVENTS,
    FileLock,
    connect,
    default_path,
    explained,
    migrate,
    set_log_limits,
    transaction,
    version_of,
)
from server.tidier import Tidier

__all__ = ["Durability", "Keep", "SqliteHistory", "default_path"]

Durability = Literal["normal", "full"]

_HEAD = """
    SELECT max(coalesce((SELECT max(seq) FROM events), 0), (SELECT value FROM state WHERE name = 'removed'))
"""


_INSERT = "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?, ?)"
_ROWS = 100
_INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?, ?)" * (_ROWS - 1)
"""A large batch goes in by a hundred rows a statement: a quarter cheaper, and sqlite3 gives the interpreter
away once a statement, not once a row."""


class SqliteHistory:
    """A history in the file `path`; see `chatroom.history.History` for what it promises.

    path:       the file; it is made when it is missing, its folder only for the default path
    durability: "normal": survives any end of the process; "full": also a power loss, for an fsync per batch
    keep:       what `tend` leaves of old events
    Raises HistoryError when the file cannot be used, is something else, or is in use by another server.
    """

    def __init__(self, path: str | Path, durability: Durability = "normal", keep: Keep | None = None) -> None:
        self._path = Path(path).resolve()  # so that two names of one file share its lock
        # Held while append() runs: the writer connection is the forwarder's alone.
        self._appending = Lock()
        # Whose turn it is to write: the forwarder's batch, or one small step of the tidying. It is held over
        # the I/O of that one transaction on purpose: SQLite's own way to wait for it would be to poll.
        self._turn = Lock()
        with ExitStack() as opened:
            self._open(durability, keep or Keep(), opened)
            self._opened = opened.pop_all()

    def __repr__(self) -> str:
        return f"<SqliteHistory {self._path}>"

    def restore(self) -> Restored:
        with explained(self._path, "read"):
            (head,) = self._writer.execute(_HEAD).fetchone()
            rows = self._writer.execute("SELECT * FROM sessions").fetchall()
            latest = self._writer.execute("SELECT time FROM events ORDER BY seq DESC LIMIT 1").fetchone()
        sessions = [SessionRecord(key, name, at, bool(here), *rest) for key, name, at, here, *rest in rows]
        return Restored(head, sessions, latest[0] if latest else 0)

    def append(
        self, events: Sequence[Event], sessions: Sequence[SessionRecord], forgotten: Collection[bytes]
    ) -> None:
        if not self._appending.acquire(blocking=False):
            raise RuntimeError("append() is called by the forwarder only, one batch after the other")
        try:
            # int(): sqlite3 takes a fast path for plain numbers that an enum does not get (0.9 µs per row)
            rows = [
                (seq, at, int(kind), channel, author, text, id)
                for seq, at, kind, channel, author, text, id in events
            ]
            spans = {(row[0] // SPAN_EVENTS, row[3]) for row in rows}
            with self._turn, explained(self._path, "write"), transaction(self._writer):
                write = self._writer.executemany
                many = len(rows) - len(rows) % _ROWS
                write(_INSERT_MANY, [tuple(chain(*rows[i : i + _ROWS])) for i in range(0, many, _ROWS)])
                write(_INSERT, rows[many:])
                write("INSERT OR IGNORE INTO spans VALUES(?, ?)", spans)
                write("DELETE FROM sessions WHERE key = ?", [(key,) for key in forgotten])
                write("INSERT OR REPLACE INTO sessions VALUES(?, ?, ?, ?, ?, ?)", sessions)
        finally:
            self._appending.release()

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        return self._readers.read(after, limit, channels)

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        return self._readers.last_seqs(limit, channels)

    def tend(self, stopping: Flag) -> None:
        self._tidier.tend(stopping)

    def close(self) -> None:
        """Close the file; the last connection moves what is still in the write-ahead log."""
        with explained(self._path, "close"):
            self._opened.close()

    def _open(self, durability: Durability, keep: Keep, opened: ExitStack) -> None:
        """Takes one thing after the other; `opened` gives them back in reverse."""
        _check_place(self._path)
        opened.callback(FileLock(self._path).release)
        with explained(self._path, "open"):
            self._writer = connect(self._path)
            opened.callback(self._writer.close)
            version = version_of(
                self._writer, self._path
            )  # before anything is written to what may not be ours
            if self._writer.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
                raise HistoryError(f"cannot open the history {self._path}: no write-ahead log on this disk")
            self._writer.execute(f"PRAGMA synchronous = {durability.upper()}")
            set_log_limits(self._writer)
            migrate(self._writer, version)
            with transaction(
                self._writer
            ):  # a file that cannot be written is told now, not at the first line
                self._writer.execute("UPDATE state SET value = value")
            self._tidier = Tidier(self._path, self._turn, keep)
            opened.callback(self._tidier.close)
        self._readers = Readers(self._path)
        opened.callback(self._readers.close)


def _check_place(path: Path) -> None:
    """Says what is wrong with a path in better words than SQLite's."""
    if path.is_dir():
        raise HistoryError(f"cannot open the history {path}: it is a folder")
    if path == default_path().resolve():
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise HistoryError(f"cannot make the folder of the history {path}: {error.strerror}") from error
    if not path.parent.is_dir():
        raise HistoryError(f"cannot open the history {path}: there is no folder {path.parent}")
