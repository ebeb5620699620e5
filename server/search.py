"""Full-text search in the lines: an index that the maintenance builds from the stored blocks.

`chatroom.search_words` decides what a word is, for the index and for every comparison; SQLite only keeps, for
each word, the lines that have it. Author and place of a line are words, too, beginning with a character that
no text has. The index has no copy of the texts, and SQLite cannot delete from such an index without the text
(before 3.43). So there is one index for each SEGMENT_EVENTS seqs, dropped when retention has removed all of
them. What a hit says now is read from its block and compared anew: what was amended or removed is not found.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from heapq import merge
from itertools import groupby
from threading import Lock
from typing import Final

from chatroom.blocks import Block
from chatroom.events import EventKind, Extra, extra_number
from chatroom.finding import Gathering, Line, Page, Wanted, lines_in
from chatroom.history import slice_of
from chatroom.limits import MAX_NUMBER
from chatroom.names import name_key
from chatroom.places import WHOLE_CHATROOM
from chatroom.search_words import words_of
from server.database import transaction
from server.dropping import clear, is_clear, retire
from server.limits import (
    BLOCKS_AT_HAND,
    INDEX_BYTES,
    INDEX_LINES,
    INDEX_PAGES,
    INDEX_PARTS,
    RECENT_AMENDMENTS,
    SEGMENT_EVENTS,
)
from server.rows import (
    COLUMNS,
    Phase,
    block_of,
    blocks_between,
    head_of,
    jobs_in,
    latest_lines,
    number,
    with_amendments,
)

_FTS: Final = "USING fts5(text, content = '', tokenize = 'ascii', detail = none, columnsize = 0)"
"""Its tokenizer parts at spaces, and at ASCII characters that our words do not have. Positions are not kept:
a line has its words, in whatever order."""

_PERSON, _PLACE, _AUTHOR = "\ue000", "\ue001", "\ue002"
"""The first characters of the words for the author's number, the place's number, and the key of the name."""

_NO_WORD: Final = re.compile("[\x00-\x2f\x3a-\x60\x7b-\x7f]")
"""Characters at which the tokenizer parts."""

_MOST_PLACES: Final = 64
"""A search in more places does not name them to the index."""


class Search:
    """Builds the index, a few lines at a time. `state.indexed` says how far it is; missing at first.

    connection: of the maintenance, which uses it in one thread only
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    growing:    whether something was stored between the latest two steps
    """

    def __init__(self, connection: sqlite3.Connection, write_lock: Lock) -> None:
        self.growing = False
        self._head = 0
        self._connection = connection
        self._write_lock = write_lock
        self._possible = can_search(connection)
        self._waiting: list[tuple[int, int, str]] = []  # for each event: its seq, the line's, its words
        self._read = 0  # up to this seq

    def step(self) -> bool:
        """One short transaction; False when there is nothing to do."""
        if not self._possible:
            return False
        connection = self._connection
        if any(job.phase <= Phase.WORDS for job in jobs_in(connection).values()):
            return False  # what it read now would be dropped
        if self.clear():
            return True
        removed, head = number(connection, "removed"), head_of(connection)
        self.growing, self._head = head > self._head, head
        if self._drop(removed):
            return True
        done = max(_indexed(connection), removed)
        if not self._waiting and done >= self._read:
            if done >= head:
                return False
            self._read_on(done, head)
        entries, later = self._waiting[:INDEX_LINES], self._waiting[INDEX_LINES:]
        until = entries[-1][0] if later else self._read
        rows: dict[int, list[int | str]] = {}  # by segment: seqs and words
        for _, seq, words in entries:
            rows.setdefault(seq // SEGMENT_EVENTS, []).extend((seq, words))
        fresh = [segment for segment in rows if segment not in _segments(connection)]
        with self._write_lock, transaction(connection):
            for segment in fresh:
                self._make(segment)
            for segment, values in rows.items():
                # Few statements: between two of them this thread may wait for the interpreter, with the lock.
                name, pairs = f"search_{segment}", ", ".join(["(?, ?)"] * (len(values) // 2))
                connection.execute(f"INSERT INTO {name}(rowid, text) VALUES {pairs}", values)
                connection.execute(f"INSERT INTO {name}({name}, rank) VALUES('merge', ?)", (INDEX_PAGES,))
            connection.execute("INSERT OR REPLACE INTO state VALUES('indexed', ?)", (until,))
        self._waiting = later  # not before: a transaction that failed is tried again
        return True

    def indexed(self) -> int:
        """Up to this seq it is complete; MAX_NUMBER where there cannot be one."""
        return _indexed(self._connection) if self._possible else MAX_NUMBER

    def start_over(self) -> None:
        """Forget what was read for the next steps: somebody was erased meanwhile."""
        self._waiting, self._read = [], 0

    def first_segment_of(self, persons: Iterable[int]) -> int:
        """The number of the first index that has lines of one of these persons; -1: none has."""
        query = " OR ".join([f'"{_PERSON}{person}"' for person in sorted(persons)])
        for segment in _segments(self._connection) if self._possible else ():
            name = f"search_{segment}"
            found = self._connection.execute(
                f"SELECT 1 FROM {name} WHERE {name} MATCH ? LIMIT 1", (query,)
            ).fetchone()
            if found:
                return segment
        return -1

    def clear(self) -> bool:
        """Overwrite some of what is left of indexes that were dropped; False: nothing is left."""
        if is_clear(self._connection):
            return False
        with self._write_lock, transaction(self._connection):
            clear(self._connection)
        return True

    def drop_last(self, first: int) -> bool:
        """Drop the last index, but none before `first`; False: there is none. Requires the transaction.

        What it had is to be read again. Requires that nothing is left of earlier ones, see `clear`.
        """
        segments = _segments(self._connection)
        if not segments or segments[-1] < first:
            return False
        last, indexed = segments[-1], _indexed(self._connection)
        retire(self._connection, f"search_{last}")
        until = min(indexed, last * SEGMENT_EVENTS - 1) if last else 0
        self._connection.execute("INSERT OR REPLACE INTO state VALUES('indexed', ?)", (until,))
        return True

    def _make(self, segment: int) -> None:
        """Make the index of a segment. Requires the transaction.

        FTS5 would merge what it has in its own time, sometimes for 30 ms: it is told to, a little each time.
        """
        name = f"search_{segment}"
        self._connection.execute(f"CREATE VIRTUAL TABLE {name} {_FTS}")
        for option, value in (("automerge", 0), ("crisismerge", INDEX_PARTS)):
            self._connection.execute(f"INSERT INTO {name}({name}, rank) VALUES(?, ?)", (option, value))

    def _read_on(self, done: int, head: int) -> None:
        """Read the lines of some blocks after `done`, and those that were edited by events there."""
        with closing(blocks_between(self._connection, done + 1, head)) as stored:
            blocks = (with_amendments(self._connection, one) for one in stored)
            found, until, _ = slice_of(blocks, done, INDEX_BYTES)
        self._read = min(until, head)
        waiting = [
            (line.seq, line.seq, _document(line))
            for block in found
            for line in lines_in(block, [(done, self._read)])
        ]
        lines = Lines(self._connection, None)
        for block in found:
            for edit in lines_in(block, [(done, self._read)], EventKind.EDITED):
                message = extra_number(edit.extra, Extra.MESSAGE)
                line = lines.at(message) if message <= done else None  # else its latest text is there already
                if line is not None:
                    waiting.append((edit.seq, message, _document(line)))
        self._waiting = sorted(waiting)

    def _drop(self, removed: int) -> bool:
        """Drop an index of lines that retention has removed."""
        for segment in _segments(self._connection):
            if (segment + 1) * SEGMENT_EVENTS - 1 <= removed:
                with self._write_lock, transaction(self._connection):
                    retire(self._connection, f"search_{segment}")
                return True
        return False


def _document(line: Line) -> str:
    """What the index gets of a line."""
    author = _author_word(name_key(line.author.decode(errors="replace")))
    about = (f"{_PERSON}{line.person}", f"{_PLACE}{line.place}", author)
    return " ".join((*about, *words_of(line.text.decode(errors="replace"))))


def _author_word(key: str) -> str:
    return _AUTHOR + _NO_WORD.sub(_AUTHOR, key)


class Lines:
    """Reads lines by their seqs, those of the same block one after the other.

    places: where they are looked for, None: everywhere
    """

    def __init__(self, connection: sqlite3.Connection, places: frozenset[int] | None) -> None:
        self._connection = connection
        self._places = places
        self._removed = number(connection, "removed")
        self._blocks: dict[int, Block] = {}  # by first seq, the one that was read last comes last

    def at(self, seq: int) -> Line | None:
        """The line as it is now; None: there is none in these places."""
        if seq <= self._removed:
            return None
        for block in self._around(seq):
            for line in lines_in(block, [(seq - 1, seq)]):
                return line
        return None

    def _around(self, seq: int) -> Iterator[Block]:
        """The blocks that may have the line; those that were read already come first."""
        known = [block for block in self._blocks.values() if block.first <= seq <= block.last]
        yield from known
        rows = self._connection.execute(
            """SELECT first, place FROM blocks
                WHERE first > ?1 - (SELECT value FROM state WHERE name = 'reach') AND first <= ?1
                    AND last >= ?1 AND lines > 0
                ORDER BY first DESC""",
            (seq,),
        )
        with closing(rows):
            for first, place in rows:
                if first in self._blocks or (self._places is not None and place not in self._places):
                    continue
                query = f"SELECT {COLUMNS} FROM blocks WHERE first = ?"
                block = block_of(self._connection.execute(query, (first,)).fetchone())
                block = with_amendments(self._connection, block)
                self._blocks[first] = block
                if len(self._blocks) > BLOCKS_AT_HAND:
                    del self._blocks[next(iter(self._blocks))]
                yield block


def find(connection: sqlite3.Connection, gathering: Gathering) -> Page:
    """See `chatroom.history.History.find`. gathering: a new one"""
    wanted = gathering.wanted
    places = frozenset(wanted.reach.places) - {WHOLE_CHATROOM}
    removed = number(connection, "removed")
    if not places:
        return gathering.page()
    if len(places) == 1 and not wanted.is_sifted:  # the index of places is better
        blocks = latest_lines(connection, next(iter(places)), wanted.until)
        gathering.scan((with_amendments(connection, block) for block in blocks), None, removed)
        return gathering.page()
    indexed = _indexed(connection) if wanted.is_sifted and can_search(connection) else 0
    floor = max(indexed, removed, wanted.after)
    span = number(connection, "reach")
    with closing(_latest(connection, places, floor, wanted.until, span)) as latest:
        gathering.scan(latest, span, floor)
    if indexed and not gathering.done:
        _find_indexed(connection, replace(wanted, until=min(indexed, wanted.until)), gathering, places)
    return gathering.page(indexed)


def _latest(
    connection: sqlite3.Connection, places: frozenset[int], after: int, until: int, span: int
) -> Generator[Block, None, None]:
    """The blocks of some places that have lines in (after, until], the latest first."""
    numbers = ", ".join(map(str, sorted(places)))
    rows = connection.execute(
        f"""SELECT {COLUMNS} FROM blocks
            WHERE first > ? AND first <= ? AND last > ? AND lines > 0 AND place IN ({numbers})
            ORDER BY first DESC""",
        (after - span, until, after),
    )
    with closing(rows):
        for row in rows:
            yield with_amendments(connection, block_of(row))


def _find_indexed(
    connection: sqlite3.Connection, wanted: Wanted, gathering: Gathering, places: frozenset[int]
) -> None:
    """Give the lines that the index has to the gathering."""
    lines = Lines(connection, places)
    hits = _hits(connection, _query(wanted, places), wanted.after, wanted.until)
    amended = _amended(connection, wanted.after, wanted.until, _indexed(connection))
    for seq, _ in groupby(merge(hits, amended, reverse=True)):
        if gathering.done or gathering.stop_in_time(seq + 1):
            return
        line = lines.at(seq)
        if line is None or not wanted.reach.within((line.place,), seq - 1, seq):
            continue
        if wanted.matches(line):
            gathering.add(line)


def _hits(connection: sqlite3.Connection, query: str, after: int, until: int) -> Iterator[int]:
    """Seqs of lines in (after, until] that had all words of the query once, the latest first."""
    for segment in reversed(_segments(connection)):
        low = max(after + 1, segment * SEGMENT_EVENTS)
        high = min(until, (segment + 1) * SEGMENT_EVENTS - 1)
        if low > high:
            continue
        rows = connection.execute(
            f"""SELECT rowid FROM search_{segment} WHERE search_{segment} MATCH ? AND rowid BETWEEN ? AND ?
                ORDER BY rowid DESC""",
            (query, low, high),
        )
        with closing(rows):
            for (seq,) in rows:
                yield seq


def _query(wanted: Wanted, places: frozenset[int]) -> str:
    """An FTS5 query for all that is wanted. No word has a quotation mark."""
    words = [f'"{word}"' for word in sorted(wanted.words)]
    if wanted.person:
        words.append(f'"{_PERSON}{wanted.person}"')
    if wanted.author:
        words.append(f'"{_author_word(wanted.author)}"')
    if len(places) <= _MOST_PLACES:
        alternatives = " OR ".join([f'"{_PLACE}{place}"' for place in sorted(places)])
        words.append(f"({alternatives})")
    return " AND ".join(words)


def _amended(connection: sqlite3.Connection, after: int, until: int, indexed: int) -> list[int]:
    """Seqs of lines whose latest text is not in the index yet, the latest first."""
    found = connection.execute(
        "SELECT seq, packets FROM amended WHERE seq > ? AND seq <= ? ORDER BY seq DESC LIMIT ?",
        (after, until, RECENT_AMENDMENTS),
    ).fetchall()
    lines = (
        line
        for seq, packets in found
        for line in lines_in(Block(seq, seq, 0, 1, 0, (), packets), [(seq - 1, seq)])
    )
    return [line.seq for line in lines if extra_number(line.extra, Extra.EDITED) > indexed]


def can_search(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has FTS5; a Python may have been built without."""
    found: tuple[int] = connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')").fetchone()
    return found[0] == 1


def _indexed(connection: sqlite3.Connection) -> int:
    found: tuple[int] | None = connection.execute("SELECT value FROM state WHERE name = 'indexed'").fetchone()
    return found[0] if found else 0


def _segments(connection: sqlite3.Connection) -> list[int]:
    """The numbers of the indexes that are there, in order."""
    names = connection.execute(
        "SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
    ).fetchall()
    return sorted(int(name.removeprefix("search_")) for (name,) in names)
