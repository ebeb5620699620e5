"""Full-text search in the lines: an index that the maintenance builds from the stored blocks.

`chatroom.search_words` decides what a word is, for the index and for every comparison; SQLite only keeps, for
each word, the lines that have it. Author and place of a line are words, too, beginning with a character that
no text has. The index has no copy of the texts, and SQLite cannot delete from such an index without the text
(before 3.43). So there is one index for each SEGMENT_EVENTS seqs, dropped when retention has removed all of
them. What a hit says now is read from its block and compared anew: what was amended or removed is not found.
"""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from heapq import merge
from itertools import groupby, islice
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
    HITS_AT_ONCE,
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
        edited = {
            extra_number(edit.extra, Extra.MESSAGE): edit.seq
            for block in found
            for edit in lines_in(block, [(done, self._read)], EventKind.EDITED)
        }
        # The latest text of later messages is there already.
        before = [message for message in edited if message <= done]
        lines = Lines(self._connection, None).at(before) if before else {}
        waiting += [(edited[message], message, _document(line)) for message, line in lines.items()]
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
    """Reads lines by their seqs, many with one statement: after each step of one, this thread waits for
    the interpreter, for about a millisecond while a hundred members talk.

    places: where they are looked for, None: everywhere
    """

    def __init__(self, connection: sqlite3.Connection, places: frozenset[int] | None) -> None:
        self._connection = connection
        where = "" if places is None else f"AND place IN ({_numbers(places)})"
        # CROSS JOIN: for each seq SQLite looks at the blocks around it.
        self._query = f"""SELECT {COLUMNS} FROM blocks WHERE first IN (
            SELECT first FROM json_each(:seqs) CROSS JOIN blocks
            WHERE first > value - (SELECT value FROM state WHERE name = 'reach') AND first <= value
                AND last >= value AND lines > 0 {where})"""

    def at(self, seqs: Iterable[int]) -> dict[int, Line]:
        """Those with these seqs as they are now, by seq; without those that are not there any more."""
        connection, wanted = self._connection, sorted(set(seqs))
        given = json.dumps(wanted)
        changed = dict(connection.execute(_AMENDED_OF, (given,)).fetchall())
        is_erasing = bool(jobs_in(connection))
        found: dict[int, Line] = {}
        with closing(connection.execute(self._query, {"seqs": given})) as rows:
            for block in map(block_of, rows):
                if is_erasing:
                    block = with_amendments(connection, block)
                within = wanted[bisect_left(wanted, block.first) : bisect_right(wanted, block.last)]
                for line in lines_in(block, [(seq - 1, seq) for seq in within]):
                    found[line.seq] = line
        if not is_erasing:
            for seq in found.keys() & changed.keys():
                del found[seq]
                for line in lines_in(_block_with(seq, changed[seq]), [(seq - 1, seq)]):
                    found[seq] = line
        removed = number(connection, "removed")
        return {seq: line for seq, line in found.items() if seq > removed}


_AMENDED_OF: Final = "SELECT seq, packets FROM amended WHERE seq IN (SELECT value FROM json_each(?))"


def _numbers(numbers: Iterable[int]) -> str:
    """As they stand in a statement: there may be more than it takes as parameters."""
    return ", ".join(map(str, sorted(numbers)))


def _block_with(seq: int, packets: bytes) -> Block:
    """A block of one event."""
    return Block(seq, seq, 0, 1, 0, (), packets)


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
    rows = connection.execute(
        f"""SELECT {COLUMNS} FROM blocks
            WHERE first > ? AND first <= ? AND last > ? AND lines > 0 AND place IN ({_numbers(places)})
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
    seqs = (seq for seq, _ in groupby(merge(hits, amended, reverse=True)))
    while some := list(islice(seqs, HITS_AT_ONCE)):
        if gathering.stop_in_time(some[0] + 1):
            return
        found = lines.at(some)
        for seq in some:
            if gathering.done or gathering.stop_in_time(seq + 1):
                return
            line = found.get(seq)
            if line and wanted.reach.within((line.place,), seq - 1, seq) and wanted.matches(line):
                gathering.add(line)
        if gathering.done:
            return


def _hits(connection: sqlite3.Connection, query: str, after: int, until: int) -> Iterator[int]:
    """Seqs of lines in (after, until] that had all words of the query once, the latest first."""
    for segment in reversed(_segments(connection)):
        low = max(after + 1, segment * SEGMENT_EVENTS)
        high = min(until, (segment + 1) * SEGMENT_EVENTS - 1)
        while low <= high:
            rows = connection.execute(
                f"""SELECT json_group_array(rowid) FROM (
                    SELECT rowid FROM search_{segment}
                    WHERE search_{segment} MATCH ? AND rowid BETWEEN ? AND ? ORDER BY rowid DESC LIMIT ?)""",
                (query, low, high, HITS_AT_ONCE),
            )
            seqs = sorted(json.loads(rows.fetchone()[0]), reverse=True)
            yield from seqs
            high = seqs[-1] - 1 if len(seqs) == HITS_AT_ONCE else 0


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
    lines = (line for seq, packets in found for line in lines_in(_block_with(seq, packets), [(seq - 1, seq)]))
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
