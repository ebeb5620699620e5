"""Reading the history from any thread. The writer never waits for a read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Final

from chatroom.errors import Closed
from chatroom.events import Event
from chatroom.finding import Gathering, Page, Wanted
from chatroom.history import Located, Slice, slice_of, start_of
from chatroom.limits import MAX_NUMBER
from server.database import connect, translate_errors
from server.limits import HISTORY_READERS, READER_CACHE
from server.rows import blocks_after, event_at, latest_lines, number, time_at
from server.search import find

_PARTED: Final = """
    SELECT coalesce(min(json_extract(start.value, '$[0]')), 0)
    FROM state, json_each(state.value) AS start
    WHERE state.name = 'starts'
        AND json_extract(start.value, '$[0]') <= ? AND json_extract(start.value, '$[1]') > ?"""


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

    def read(self, after: int, places: Collection[int], size: int) -> Slice:
        """See `chatroom.history.History.read`."""
        with self.connection() as reader:
            start = max(after, number(reader, "removed"))
            return slice_of(blocks_after(reader, start, places), start, size)

    def start_of(self, lines: int, place: int, until: int = MAX_NUMBER) -> int:
        """See `chatroom.history.History.start_of`."""
        with self.connection() as reader:
            return start_of(latest_lines(reader, place, until), lines, until)

    def locate(self, seq: int) -> Located:
        """See `chatroom.history.History.locate`."""
        with self.connection() as reader:
            return Located(time_at(reader, seq), number(reader, "removed") + 1)

    def event_at(self, seq: int) -> Event | None:
        """See `chatroom.history.History.event_at`."""
        with self.connection() as reader:
            return event_at(reader, seq)

    def parted(self, seq: int, time: int) -> int:
        """See `chatroom.history.History.parted`."""
        with self.connection() as reader:
            found: tuple[int] = reader.execute(_PARTED, (seq, time)).fetchone()
            return found[0]

    def find(self, wanted: Wanted, most: int, size: int, expired: Callable[[], bool]) -> Page:
        """See `chatroom.history.History.find`."""
        with self.connection() as reader:
            return find(reader, Gathering(wanted, most, size, expired))

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection for one read. All its queries see the same state, whatever is appended.

        Raises HistoryError also when what was read is not what a server writes.
        """
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
