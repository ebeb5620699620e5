"""Nothing that an erased person has said stays in the file: neither in rows, nor in what SQLite has freed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from threading import Lock
from typing import Final

from chatroom.blanking import Erased
from chatroom.blocks import Block, blanked
from server.database import checkpoint, empty_wal, pragma, transaction
from server.limits import AMENDED_BYTES, AMENDED_STEP, ERASED_BLOCKS, ERASED_BYTES, SCRUB_PAGES
from server.rows import COLUMNS, Job, Phase, blanked_in, block_of, jobs_in, replace_block, store_jobs
from server.search import Search

_LEAST_LOCAL: Final = 23  # https://sqlite.org/fileformat2.html, section 1.6


class Erasing:
    """Erases what persons have said, in transactions of a few milliseconds.

    append() notes a job together with the event ERASED. From then on readers blank what they read, see
    `server.rows.with_amendments`; here the stored bytes follow. `state.erasing` has the jobs, and how far
    each is, so they go on after a kill -9. A later job begins at the beginning, and joins the others.

    connection: of the maintenance, which uses it in one thread only
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    search:     its index forgets the words
    """

    def __init__(self, connection: sqlite3.Connection, write_lock: Lock, search: Search) -> None:
        self._connection = connection
        self._write_lock = write_lock
        self._search = search
        self._steps: Mapping[int, Callable[[Erased, int], bool]] = {
            Phase.AMENDED: self._blank_amended,
            Phase.BLOCKS: self._blank_blocks,
            Phase.WORDS: self._forget_words,
            Phase.FREE: self._take_free_pages,
            Phase.EMPTY: self._give_pages_back,
            Phase.LOG: self._empty_log,
        }

    def step(self) -> bool:
        """One short transaction; False when there is nothing to do now."""
        jobs = jobs_in(self._connection)
        if not jobs:
            return False
        least = min((job.phase, job.position) for job in jobs.values())
        erased = {person: job.until for person, job in jobs.items() if (job.phase, job.position) == least}
        return self._steps[least[0]](erased, least[1])

    def _go_on(self, erased: Erased, phase: Phase, position: int = 0) -> None:
        """Note how far these jobs are. Requires the transaction: append() may have noted another one."""
        jobs = jobs_in(self._connection)
        for person, until in erased.items():
            jobs[person] = Job(until, phase, position)
            if phase is Phase.DONE:
                del jobs[person]
        store_jobs(self._connection, jobs)

    def _blank_amended(self, erased: Erased, position: int) -> bool:
        """First, because from here packets come into blocks. What comes later has nothing of the persons."""
        connection = self._connection
        with self._write_lock, transaction(connection):
            rows = connection.execute(
                "SELECT seq, packets FROM amended WHERE seq > ? ORDER BY seq LIMIT ?",
                (position, AMENDED_STEP),
            ).fetchall()
            for seq, packets in rows:
                changed = blanked(Block(seq, seq, 0, 0, 0, (), packets), erased).packets
                if changed != packets:
                    connection.execute("UPDATE amended SET packets = ? WHERE seq = ?", (changed, seq))
            if rows:
                self._go_on(erased, Phase.AMENDED, rows[-1][0])
            else:
                self._go_on(erased, Phase.BLOCKS)
        return True

    def _blank_blocks(self, erased: Erased, position: int) -> bool:
        """Some blocks, and the next ones as far as nothing is to be changed in them.

        What is split goes on behind the block. `Merging` blanks what it puts before it.
        """
        connection, changes, size, read = self._connection, list[tuple[Block, Block]](), 0, 0
        rows = connection.execute(
            f"SELECT {COLUMNS} FROM blocks WHERE first > ? AND first <= ? ORDER BY first",
            (position, max(erased.values())),
        )
        phase, done = Phase.WORDS, 0
        with closing(rows):
            for block in map(block_of, rows):
                changed = blanked_in(connection, block, erased)
                read += len(block.packets)
                if changed is not block:
                    changes.append((block, changed))
                    size += len(block.packets)
                if size > AMENDED_BYTES or read > ERASED_BYTES or len(changes) == ERASED_BLOCKS:
                    phase, done = Phase.BLOCKS, block.first
                    break
        with self._write_lock, transaction(connection):
            for change in changes:
                replace_block(connection, *change)
            self._go_on(erased, phase, done)
        return True

    def _forget_words(self, erased: Erased, position: int) -> bool:
        """An index gives no words back (see `server.search`): it is dropped, and made anew."""
        self._search.start_over()
        if self._search.clear():
            return True
        first = position - 1 if position else self._search.first_segment_of(erased)
        with self._write_lock, transaction(self._connection):
            if first < 0 or not self._search.drop_last(first):
                self._go_on(erased, Phase.FREE)
            else:
                self._go_on(erased, Phase.WORDS, first + 1)
        return True

    def _take_free_pages(self, erased: Erased, _position: int) -> bool:
        """They may hold what an earlier version has merged, removed or dropped."""
        connection = self._connection
        with self._write_lock, transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS scrub(zeros BLOB NOT NULL)")
            free = min(pragma(connection, "freelist_count"), SCRUB_PAGES)
            if free:
                size = zeros_for(free, pragma(connection, "page_size"))
                connection.execute("INSERT INTO scrub VALUES(zeroblob(?))", (size,))
            else:
                self._go_on(erased, Phase.EMPTY)
        return True

    def _give_pages_back(self, erased: Erased, _position: int) -> bool:
        connection = self._connection
        with self._write_lock, transaction(connection):
            connection.execute("CREATE TABLE IF NOT EXISTS scrub(zeros BLOB NOT NULL)")
            gone = connection.execute("DELETE FROM scrub WHERE rowid = (SELECT max(rowid) FROM scrub)")
            if not gone.rowcount:
                connection.execute("DROP TABLE scrub")
                self._go_on(erased, Phase.LOG)
        return True

    def _empty_log(self, erased: Erased, _position: int) -> bool:
        """While somebody reads what was before, this waits for the next round."""
        checkpoint(self._connection)  # most of it without the lock
        with self._write_lock:
            if not empty_wal(self._connection):
                return False
        with self._write_lock, transaction(self._connection):
            self._go_on(erased, Phase.DONE)
        return True


def zeros_for(pages: int, page_size: int) -> int:
    """Bytes of a BLOB that needs so many overflow pages, and fills the last one, too: what SQLite leaves of a
    page is not overwritten. https://sqlite.org/fileformat2.html, sections 1.6 and 2.1"""
    local = (page_size - 12) * 32 // 255 - _LEAST_LOCAL
    total = local + pages * (page_size - 4)
    for width in range(1, 6):  # bytes of the type in the header of the record
        size = total - 1 - width
        if (2 * size + 12).bit_length() <= 7 * width:
            return size
    raise ValueError(f"{pages} pages are too many for one row")
