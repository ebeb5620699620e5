"""Reading the history from any thread. The writer never waits for a read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from heapq import merge
from itertools import groupby
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Final

from chatroom.errors import Closed, HistoryError
from chatroom.events import Event, EventKind, memory_of
from chatroom.history import Located
from chatroom.limits import MAX_NUMBER
from server.database import connect, translate_errors
from server.limits import HISTORY_READERS, READER_CACHE
from server.schema import SPAN_EVENTS

_Row = tuple[int, int, int, str, str, str, int, int, int, bytes | None, str | None]

_TEXT: Final = Event._fields.index("text")

_KINDS: Final = {int(kind): kind for kind in EventKind}  # three times as fast as EventKind(number)

_LOCATE: Final = """
    SELECT coalesce((SELECT time FROM events WHERE seq = ?), 0),
        coalesce((SELECT min(seq) FROM events), (SELECT value FROM state WHERE name = 'removed') + 1)"""

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

    def read(self, after: int, limit: int, places: Collection[int], size: int = MAX_NUMBER) -> list[Event]:
        """See `chatroom.history.History.read`."""
        select = f"""SELECT * FROM numbered WHERE seq >= ? AND seq < ? AND {_belongs(places)}
            ORDER BY seq LIMIT ?"""
        found: list[_Row] = []
        with self.connection() as reader:
            for span in _spans(reader, places, (after + 1) // SPAN_EVENTS):
                start, end = max(after + 1, span * SPAN_EVENTS), (span + 1) * SPAN_EVENTS
                for row in reader.execute(select, (start, end, limit - len(found))):
                    found.append(row)
                    size -= memory_of(row[_TEXT])
                    if size <= 0:
                        break
                if len(found) >= limit or size <= 0:
                    break
        return self._events(found)

    def last_seqs(self, limit: int, places: Collection[int], until: int = MAX_NUMBER) -> list[int]:
        """See `chatroom.history.History.last_seqs`."""
        select = f"""SELECT seq FROM numbered WHERE seq >= ? AND seq <= ? AND kind = {int(EventKind.SAID)}
            AND {_belongs(places)} ORDER BY seq DESC LIMIT ?"""
        found: list[int] = []
        with self.connection() as reader:
            for span in _spans(reader, places, until // SPAN_EVENTS, backwards=True):
                last = min(until, (span + 1) * SPAN_EVENTS - 1)
                rows = reader.execute(select, (span * SPAN_EVENTS, last, limit - len(found)))
                found += [seq for (seq,) in rows]
                if len(found) >= limit:
                    break
        return found[::-1]

    def locate(self, seq: int) -> Located:
        """See `chatroom.history.History.locate`."""
        with self.connection() as reader:
            return Located(*reader.execute(_LOCATE, (seq,)).fetchone())

    def parted(self, seq: int, time: int) -> int:
        """See `chatroom.history.History.parted`."""
        with self.connection() as reader:
            found: tuple[int] = reader.execute(_PARTED, (seq, time)).fetchone()
            return found[0]

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
                Event(
                    seq,
                    at,
                    _KINDS[kind],
                    channel,
                    author,
                    text,
                    id,
                    person,
                    place,
                    extra or b"",
                    tuple(json.loads(places)) if places else (),
                )
                for seq, at, kind, channel, author, text, id, person, place, extra, places in rows
            ]
        except KeyError as unknown:
            raise HistoryError(f"{self._path} is damaged: there is no event of kind {unknown}") from None


def _belongs(places: Collection[int]) -> str:
    """The SQL condition that an event belongs to one of the places.

    The numbers stand in the text: a parameter for each would be bounded in number, and be needed twice.
    """
    numbers = ", ".join(str(int(place)) for place in places)
    return f"""CASE WHEN places IS NULL THEN place IN ({numbers})
        ELSE EXISTS (SELECT 1 FROM json_each(places) WHERE value IN ({numbers})) END"""


def _spans(
    reader: sqlite3.Connection, places: Collection[int], first: int, backwards: bool = False
) -> Iterator[int]:
    """The spans, from `first` on, in which one of the places has events, each once and in order.

    backwards: from `first` back to the beginning

    They are merged as they are needed. SQLite would sort those of the whole history first.
    """
    later, order = ("<=", "DESC") if backwards else (">=", "ASC")
    select = f"SELECT span FROM spans WHERE place = ? AND span {later} ? ORDER BY span {order}"
    of_each = [reader.execute(select, (place, first)) for place in places]
    for (span,), _ in groupby(merge(*of_each, reverse=backwards)):
        yield span
