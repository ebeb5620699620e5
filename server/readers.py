"""Reading the history from any thread. The writer never waits for a read."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Final

from chatroom.errors import Closed, HistoryError
from chatroom.events import Event, EventKind
from server.database import connect, translate_errors
from server.limits import HISTORY_READERS, READER_CACHE
from server.schema import SPAN_EVENTS

_Row = tuple[int, int, int, str, str, str, int]

_KINDS: Final = {int(kind): kind for kind in EventKind}  # three times as fast as EventKind(number)


class Readers:
    """A pool of at most HISTORY_READERS read-only connections.

    With a connection per thread, ten thousand members would cost three descriptors and a page cache each.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._free = BoundedSemaphore(HISTORY_READERS)
        # Guards _idle and _closed.
        self._lock = Lock()
        self._idle: list[sqlite3.Connection] = []
        self._closed = False

    def read(self, after: int, limit: int, channels: Collection[str]) -> list[Event]:
        """See `chatroom.history.History.read`."""
        marks, names = _marks(channels)
        found: list[_Row] = []
        with self.connection() as reader:
            for (span,) in reader.execute(
                f"SELECT DISTINCT span FROM spans WHERE span >= ? AND channel IN ({marks}) ORDER BY span",
                ((after + 1) // SPAN_EVENTS, *names),
            ):
                start = max(after + 1, span * SPAN_EVENTS)
                found += reader.execute(
                    "SELECT * FROM events WHERE seq >= ? AND seq < ?"
                    f" AND channel IN ({marks}) ORDER BY seq LIMIT ?",
                    (start, (span + 1) * SPAN_EVENTS, *names, limit - len(found)),
                )
                if len(found) >= limit:
                    break
        return self._events(found)

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        """See `chatroom.history.History.last_seqs`."""
        marks, names = _marks(channels)
        found: list[int] = []
        with self.connection() as reader:
            for (span,) in reader.execute(
                f"SELECT DISTINCT span FROM spans WHERE channel IN ({marks}) ORDER BY span DESC", names
            ):
                rows = reader.execute(
                    "SELECT seq FROM events WHERE seq >= ? AND seq < ?"
                    f" AND channel IN ({marks}) ORDER BY seq DESC LIMIT ?",
                    (span * SPAN_EVENTS, (span + 1) * SPAN_EVENTS, *names, limit - len(found)),
                )
                found += [seq for (seq,) in rows]
                if len(found) >= limit:
                    break
        return found[::-1]

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection for one read. All its queries see the same state, whatever is appended."""
        with self._free, translate_errors(self._path, "read"):
            reader = self._take()
            try:
                reader.execute("BEGIN")
                yield reader
                reader.execute("ROLLBACK")
            except BaseException:
                reader.close()
                raise
            self._give_back(reader)

    def close(self) -> None:
        """Close the idle connections now, the others after their read. Later reads raise Closed."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise Closed("the history is closed")
            if self._idle:
                return self._idle.pop()
        reader = connect(self._path, "mode=ro")
        reader.execute(f"PRAGMA cache_size = -{READER_CACHE // 1024}")
        return reader

    def _give_back(self, reader: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(reader)
                return
        reader.close()

    def _events(self, rows: Iterable[_Row]) -> list[Event]:
        try:
            return [
                Event(seq, at, _KINDS[kind], channel, author, text, id)
                for seq, at, kind, channel, author, text, id in rows
            ]
        except KeyError as unknown:
            raise HistoryError(f"{self._path} is damaged: there is no event of kind {unknown}") from None


def _marks(channels: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The parameter marks of an SQL list of the channels, and the channels."""
    return ", ".join("?" * len(channels)), tuple(channels)
