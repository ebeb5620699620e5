"""Full-text search in the lines: an index that the maintenance builds from the stored blocks.

It has no copy of the texts, and SQLite cannot delete from such an index without the text (before 3.43). So
there is one index for each SEGMENT_EVENTS seqs, dropped when retention has removed all of them. What a hit
says now is read from its block and compared anew: so nobody finds what was amended or removed.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from contextlib import closing
from threading import Lock
from typing import Final, NamedTuple

from chatroom.blocks import cut, events_of
from chatroom.events import Event, EventKind
from chatroom.history import slice_of
from server.database import transaction
from server.limits import INDEX_BYTES, INDEX_LINES, SEGMENT_EVENTS
from server.rows import blocks_between, head_of, number, with_amendments

_PAIRED: Final = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
                            "\U00020000-\U0003ffff]+")  # fmt: skip
"""Runs of Chinese, Japanese and Korean, which are written without spaces between words."""

_FTS: Final = "USING fts5(text, content = '', tokenize = 'unicode61')"


class Found(NamedTuple):
    """The result of a search.

    seqs:    of the latest lines that match, the latest first
    indexed: lines up to this seq were searched, newer ones not yet; 0: this SQLite cannot search
    """

    seqs: list[int]
    indexed: int


class Search:
    """Builds the index, a few lines at a time. `state.indexed` says how far it is; missing at first.

    connection: of the maintenance, which uses it in one thread only
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    """

    def __init__(self, connection: sqlite3.Connection, write_lock: Lock) -> None:
        self._connection = connection
        self._write_lock = write_lock
        self._possible = can_search(connection)
        self._waiting: list[tuple[int, str]] = []  # lines that were read, with their words separated
        self._read = 0  # up to this seq

    def step(self) -> bool:
        """One transaction of a few milliseconds; False when there is nothing to do."""
        if not self._possible:
            return False
        connection = self._connection
        removed, head = number(connection, "removed"), head_of(connection)
        if self._drop(removed):
            return True
        done = max(_indexed(connection), removed)
        if not self._waiting and done >= self._read:
            if done >= head:
                return False
            self._read_on(done, head)
        lines, later = self._waiting[:INDEX_LINES], self._waiting[INDEX_LINES:]
        until = lines[-1][0] if later else self._read
        with self._write_lock, transaction(connection):
            for segment in {seq // SEGMENT_EVENTS for seq, _ in lines}:
                connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS search_{segment} {_FTS}")
            for line in lines:
                connection.execute(
                    f"INSERT INTO search_{line[0] // SEGMENT_EVENTS}(rowid, text) VALUES(?, ?)", line
                )
            connection.execute("INSERT OR REPLACE INTO state VALUES('indexed', ?)", (until,))
        self._waiting = later  # not before: a transaction that failed is tried again
        return True

    def _read_on(self, done: int, head: int) -> None:
        """Read the lines of some blocks after `done`."""
        with closing(blocks_between(self._connection, done + 1, head)) as stored:
            blocks = (with_amendments(self._connection, one) for one in stored)
            found, until = slice_of(blocks, done, INDEX_BYTES)
        self._read = min(until, head)
        self._waiting = sorted(
            (event.seq, in_words(event.text))
            for block in found
            for event in events_of(block)
            if event.kind is EventKind.SAID and event.seq <= self._read
        )

    def _drop(self, removed: int) -> bool:
        """Drop an index of lines that retention has removed."""
        for segment in _segments(self._connection):
            if (segment + 1) * SEGMENT_EVENTS - 1 <= removed:
                with self._write_lock, transaction(self._connection):
                    self._connection.execute(f"DROP TABLE search_{segment}")
                return True
        return False


def search(connection: sqlite3.Connection, text: str, places: Collection[int], limit: int) -> Found:
    """The latest lines of some places with all words of `text`, at most `limit`."""
    words = _query(text)
    if not can_search(connection):
        return Found([], 0)
    found: list[int] = []
    with closing(sqlite3.connect(":memory:")) as scratch:
        scratch.execute(f"CREATE VIRTUAL TABLE lines {_FTS}")
        for segment in reversed(_segments(connection)) if words else ():
            hits = connection.execute(
                f"SELECT rowid FROM search_{segment} WHERE search_{segment} MATCH ? ORDER BY rowid DESC",
                (words,),
            )
            for (seq,) in hits:
                if len(found) >= limit:
                    break
                event = _line(connection, seq, places)
                if event is not None and _matches(scratch, words, event):
                    found.append(seq)
    return Found(found, _indexed(connection))


def can_search(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has FTS5; a Python may have been built without."""
    found: tuple[int] = connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    return found[0] == 1


def in_words(text: str) -> str:
    """The text with spaces between words: of what is written without them, each pair of characters is one.

    The last character stands alone, so that each one begins a word.
    """
    return _PAIRED.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", text)


def _pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run))]


def _query(text: str) -> str:
    """An FTS5 query for lines with all words of the text."""
    words = []
    for part in _PAIRED.sub(lambda run: f" {' '.join(_pairs(run[0])[:-1] or run[0])} ", text).split():
        quoted = '"' + part.replace('"', '""') + '"'
        words.append(quoted + "*" if len(part) == 1 and _PAIRED.match(part) else quoted)
    return " AND ".join(words)


def _line(connection: sqlite3.Connection, seq: int, places: Collection[int]) -> Event | None:
    """The line as it is now, if it is in one of the places."""
    if seq <= number(connection, "removed"):
        return None
    for block in blocks_between(connection, seq, seq):
        if not set(places).isdisjoint(block.scope):
            packets = cut(with_amendments(connection, block), seq - 1, seq)
            if packets:
                return events_of(block._replace(packets=packets))[0]
    return None


def _matches(scratch: sqlite3.Connection, words: str, line: Event) -> bool:
    """Whether the line matches, by the same rules as the index."""
    scratch.execute("INSERT INTO lines(rowid, text) VALUES(?, ?)", (line.seq, in_words(line.text)))
    hit = scratch.execute("SELECT 1 FROM lines WHERE lines MATCH ? AND rowid = ?", (words, line.seq))
    return hit.fetchone() is not None


def _indexed(connection: sqlite3.Connection) -> int:
    found: tuple[int] | None = connection.execute("SELECT value FROM state WHERE name = 'indexed'").fetchone()
    return found[0] if found else 0


def _segments(connection: sqlite3.Connection) -> list[int]:
    """The numbers of the indexes that are there, in order."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
    ).fetchall()
    return sorted(int(name.removeprefix("search_")) for (name,) in names)
