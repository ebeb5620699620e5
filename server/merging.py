"""The merging of small blocks, and the index of places that grows with it."""

from __future__ import annotations

import json
import sqlite3
from threading import Lock

from chatroom.blanking import Erased
from chatroom.blocks import joined
from server.database import transaction
from server.limits import INDEX_STEP, MERGED_BYTES
from server.rows import COLUMNS, INSERT, blanked_in, block_of, jobs_in, number, places_of, row_of, window_end

Scope = tuple[int, str | None]
"""Place and places, as in a row."""


class Merging:
    """Merges the small blocks of one scope in one window of MERGE_WINDOW seqs, and settles the window.

    One window after the other. They are aligned, so no merged block reaches from one into the next. After a
    kill -9 the window is looked at anew: what is merged stays so.

    connection: of the maintenance, which uses it in one thread only
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    """

    def __init__(self, connection: sqlite3.Connection, write_lock: Lock) -> None:
        self._connection = connection
        self._write_lock = write_lock
        self._end = 0  # of the window that is being settled
        self._groups: list[list[int]] | None = None  # its blocks that are still to be merged; None: no window
        self._indexed = 0  # the rows up to here are in the index

    def step(self) -> bool:
        """One transaction of a few milliseconds; False when there is nothing to do."""
        if self._groups is None:
            self._groups = self._next_window()
            if self._groups is None:
                return False
        if self._groups:
            self._merge(self._groups.pop())
        else:
            self._index()
        return True

    def _next_window(self) -> list[list[int]] | None:
        """Begin with the next window, if it is complete and not the latest one."""
        settled = number(self._connection, "settled")
        first, latest = self._connection.execute(
            "SELECT (SELECT min(first) FROM blocks WHERE first > ?), (SELECT max(first) FROM blocks)",
            (settled,),
        ).fetchone()
        if first is None:
            return None
        end = window_end(first)
        if latest < window_end(end + 1) or self._is_unknown(settled, end):
            return None
        self._end, self._indexed = end, settled
        return self._groups_between(settled, end)

    def _is_unknown(self, settled: int, end: int) -> bool:
        """Whether the window has lines that the records do not know yet.

        A start looks at the talkers of the blocks behind `noted`: no merged block may reach over that.
        """
        found: tuple[int] = self._connection.execute(
            """SELECT EXISTS(SELECT 1 FROM blocks WHERE first > ? AND first <= ? AND talkers IS NOT NULL
                AND last > (SELECT value FROM state WHERE name = 'noted'))""",
            (settled, end),
        ).fetchone()
        return bool(found[0])

    def _groups_between(self, settled: int, end: int) -> list[list[int]]:
        """The first seqs of those blocks that can be merged with one another."""
        groups: list[list[int]] = []
        latest: dict[Scope, tuple[list[int], int]] = {}  # the last group of each scope, and its bytes
        for first, last, place, places, size in self._connection.execute(
            """SELECT first, last, place, places, length(packets) FROM blocks
                WHERE first > ? AND first <= ? ORDER BY first""",
            (settled, end),
        ):
            group, before = latest.get((place, places), ([], MERGED_BYTES))
            if before + size > MERGED_BYTES or last > end:
                group, before = [], 0
                groups.append(group)
            group.append(first)
            latest[place, places] = group, before + size
        return [group for group in groups if len(group) > 1]

    def _merge(self, group: list[int]) -> None:
        """Put one block in the place of some."""
        keys = json.dumps(group)
        rows = self._connection.execute(
            f"SELECT {COLUMNS} FROM blocks WHERE first IN (SELECT value FROM json_each(?)) ORDER BY first",
            (keys,),
        ).fetchall()
        if len(rows) < len(group):  # retention was faster
            return
        merged = joined([block_of(row) for row in rows])
        merged = blanked_in(self._connection, merged, self._erased())  # see `server.erasing`
        with self._write_lock, transaction(self._connection):
            self._connection.execute(
                "DELETE FROM blocks WHERE first IN (SELECT value FROM json_each(?))", (keys,)
            )
            self._connection.execute(INSERT, row_of(merged))

    def _erased(self) -> Erased:
        return {person: job.until for person, job in jobs_in(self._connection).items()}

    def _index(self) -> None:
        """Add some rows to the index; when all of the window are there, readers may use it."""
        rows = self._connection.execute(
            """SELECT first, last, place, places FROM blocks
                WHERE first > ? AND first <= ? ORDER BY first LIMIT ?""",
            (self._indexed, self._end, INDEX_STEP),
        ).fetchall()
        entries, indexed = list[tuple[int, int, int]](), self._indexed
        for first, last, place, places in rows:
            if len(entries) >= INDEX_STEP:
                break
            entries += [(each, first, last) for each in places_of(place, places)]
            indexed = first
        with self._write_lock, transaction(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO settled VALUES(?, ?, ?)", entries)
            if not entries:
                self._connection.execute("UPDATE state SET value = ? WHERE name = 'settled'", (self._end,))
        self._indexed = indexed  # not before: a transaction that failed is tried again
        if not entries:
            self._groups = None
