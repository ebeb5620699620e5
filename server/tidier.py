"""Tidying the history in the background: moving the write-ahead log, removing what is not kept."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event as Flag
from threading import Lock

from chatroom.errors import HistoryError
from server.keep import Keep
from server.limits import CHECKPOINT_BYTES, RETENTION_PAUSE, RETENTION_STEP, TEND_SECONDS, WAL_BYTES
from server.schema import SPAN_EVENTS, connect, explained, set_log_limits, transaction

_log = logging.getLogger(__name__)
_DAY = 24 * 3600 * 1000


class Tidier:
    """Keeps the files of a history small, on a connection of its own.

    turn: held by whoever writes, for one transaction (see `SqliteHistory`)
    keep: what is left of old events
    """

    def __init__(self, path: Path, turn: Lock, keep: Keep) -> None:
        self._path = path
        self._log_path = path.with_name(path.name + "-wal")
        self._turn = turn
        self._keep = keep
        self._moved = (0, 0)  # size and time of the log when all of it had been moved
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        set_log_limits(self._connection)

    def tend(self, stopping: Flag) -> None:
        """See `chatroom.history.History.tend`."""
        failing = False
        while not stopping.wait(TEND_SECONDS):
            try:
                self.tidy(stopping)
                failing = False
            except HistoryError as error:  # what was appended is safe; the next try may work
                if not failing:
                    _log.warning("%s", error)
                failing = True

    def tidy(self, stopping: Flag) -> None:
        """One look at what there is to do, and doing it."""
        with explained(self._path, "tidy up"):
            self._checkpoint()
            while self._retire() and not stopping.wait(RETENTION_PAUSE):
                self._checkpoint()  # removing writes to the log, too

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- the write-ahead log ----------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Moves the log into the file, without holding up the writer unless the log gets too long."""
        before = self._log_state()
        if before[0] < CHECKPOINT_BYTES or before == self._moved:
            return
        self._move()
        size, _ = after = self._log_state()
        if after == before:
            self._moved = after
        elif size > WAL_BYTES:
            # A writer that never rests appends behind every checkpoint, and the log could never begin anew.
            # So what came meanwhile is moved, too, and then, while the writer waits, the little that came
            # during that; its next batch goes to the beginning of the log.
            self._move()
            with self._turn:
                self._move()

    def _move(self) -> None:
        """Moves what is in the log now, as far as no reader needs the state before it."""
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def _log_state(self) -> tuple[int, int]:
        """Size of the log and when it was written last: equal twice means that nothing was appended."""
        try:
            state = self._log_path.stat()
        except FileNotFoundError:
            return 0, 0
        return state.st_size, state.st_mtime_ns

    # --- retention --------------------------------------------------------------------------------------

    def _retire(self) -> bool:
        """Removes one step of what is not kept, too small for the forwarder to notice; False: all is done."""
        last = self._expired()
        if not last:
            return False
        with self._turn, transaction(self._connection):
            self._connection.execute("DELETE FROM events WHERE seq <= ?", (last,))
            self._connection.execute("DELETE FROM spans WHERE span < ?", ((last + 1) // SPAN_EVENTS,))
            self._connection.execute("UPDATE state SET value = ? WHERE name = 'removed'", (last,))
        return True

    def _expired(self) -> int:
        """The last seq of the next step of removing, 0 when there is nothing to remove."""
        first, head = self._connection.execute(
            "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)"
        ).fetchone()
        if first is None or not any(self._keep):
            return 0
        end = min(head, first + RETENTION_STEP - 1)
        last = min(end, head - self._keep.events) if self._keep.events else self._last_aged(end)
        return last if last >= first else 0

    def _last_aged(self, end: int) -> int:
        """The seq before the first event, of those up to `end`, that is young enough to stay."""
        youngest = int(time.time() * 1000) - self._keep.days * _DAY
        stays: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM events WHERE seq <= ? AND time >= ? ORDER BY seq LIMIT 1", (end, youngest)
        ).fetchone()
        return stays[0] - 1 if stays else end
