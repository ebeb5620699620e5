"""What was amended takes its place in the blocks."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from threading import Lock

from chatroom.blocks import Block, amended, event_in, times_of
from chatroom.events import Extra, extra_number
from chatroom.limits import MAX_NUMBER
from server.database import transaction
from server.limits import AMENDED_BYTES, AMENDED_STEP
from server.rows import blocks_between, replace_block


class Amending:
    """Writes amended packets into their blocks, one block after the other. Until then they are in a table of
    their own, because append() must not rewrite blocks.

    connection: of the maintenance, which uses it in one thread only. It overwrites what was said before
    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    indexed:    the index of the search has all events up to this seq. A line that was edited later stays in
                the table until then: the search looks there for it
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        write_lock: Lock,
        indexed: Callable[[], int] = lambda: MAX_NUMBER,
    ) -> None:
        self._connection = connection
        self._write_lock = write_lock
        self._indexed = indexed

    def step(self) -> bool:
        """One transaction of a few milliseconds; False when there is nothing to do."""
        connection = self._connection
        rows = connection.execute(
            "SELECT seq, packets FROM amended ORDER BY seq LIMIT ?", (AMENDED_STEP,)
        ).fetchall()
        indexed = self._indexed() if rows else 0
        first = next((seq for seq, packets in rows if _edited(seq, packets) <= indexed), None)
        if first is None:
            return False
        with self._write_lock, transaction(connection):
            self._amend(first, indexed)
        return True

    def _amend(self, seq: int, indexed: int) -> None:
        """Amend the block with this event, and more of its events. Requires the transaction."""
        connection = self._connection
        with closing(blocks_between(connection, seq, seq)) as around:
            block = next((block for block in around if seq in times_of(block)), None)
        if block is None:  # retention was faster
            connection.execute("DELETE FROM amended WHERE seq = ?", (seq,))
            return
        rows = connection.execute(
            "SELECT seq, packets FROM amended WHERE seq BETWEEN ? AND ? ORDER BY seq", (seq, block.last)
        ).fetchall()
        times, changed, size = times_of(block), dict[int, bytes](), len(block.packets)
        for each, packets in rows:
            if each not in times or _edited(each, packets) > indexed:
                continue
            if not changed or size + len(packets) <= AMENDED_BYTES:
                changed[each] = packets
                size += len(packets)
        replace_block(connection, block, amended(block, changed))
        connection.executemany("DELETE FROM amended WHERE seq = ?", [(each,) for each in changed])


def _edited(seq: int, packets: bytes) -> int:
    """Seq of the latest EDITED of the line; 0: it is no edited line."""
    event = event_in([Block(seq, seq, 0, 0, 0, (), packets)], seq)
    return extra_number(event.extra, Extra.EDITED) if event is not None else 0
