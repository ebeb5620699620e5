"""Reading the history from any thread, without ever holding up the writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Final

from chatroom.errors import Closed, HistoryError
from chatroom.events import Event, EventKind
from server.limits import HISTORY_READERS, READER_CACHE
from server.schema import SPAN_EVENTS, connect, explained

_Row = tuple[int, int, int, str, str, str, int]

_KINDS: Final = {int(kind): kind for kind in EventKind}  # a third of the price of EventKind(number)


class Readers:
    """At most HISTORY_READERS connections, each used by one read at a time and then by the next.

    A connection per thread would cost three descriptors and a page cache for each of ten thousand members.
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
        places, names = _places(channels)
        found: list[_Row] = []
        with self._reader() as reader:
            for (span,) in reader.execute(
                f"SELECT DISTINCT span FROM spans WHERE span >= ? AND channel IN ({places}) ORDER BY span",
                ((after + 1) // SPAN_EVENTS, *names),
            ):
                start = max(after + 1, span * SPAN_EVENTS)
                found += reader.execute(
                    "SELECT * FROM events WHERE seq >= ? AND seq < ?"
                    f" AND channel IN ({places}) ORDER BY seq LIMIT ?",
                    (start, (span + 1) * SPAN_EVENTS, *names, limit - len(found)),
                )
                if len(found) >= limit:
                    break
        return self._events(found)

    def last_seqs(self, limit: int, channels: Collection[str]) -> list[int]:
        """See `chatroom.history.History.last_seqs`."""
        places, names = _places(channels)
        found: list[int] = []
        with self._reader() as reader:
            for (span,) in reader.execute(
                f"SELECT DISTINCT span FROM spans WHERE channel IN ({places}) ORDER BY span DESC", names
            ):
                rows = reader.execute(
                    "SELECT seq FROM events WHERE seq >= ? AND seq < ?"
                    f" AND channel IN ({places}) ORDER BY seq DESC LIMIT ?",
                    (span * SPAN_EVENTS, (span + 1) * SPAN_EVENTS, *names, limit - len(found)),
                )
                found += [seq for (seq,) in rows]
                if len(found) >= limit:
                    break
        return found[::-1]

    def close(self) -> None:
        """Close what is idle now, and the others when their read has ended; a later read raises Closed."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.close()

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """A connection for one read: what is read inside is of one moment, whatever is appended meanwhile."""
        with self._free, explained(self._path, "read"):
            reader = self._take()
            try:
                reader.execute("BEGIN")
                yield reader
                reader.execute("ROLLBACK")
            except BaseException:
                reader.close()
                raise
            self._give_back(reader)

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


def _places(channels: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """The question marks for an SQL list of the channels, and the channels."""
    return ", ".join("?" * len(channels)), tuple(channels)
