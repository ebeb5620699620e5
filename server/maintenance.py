"""Maintenance of the history in the background: checkpoints of the write-ahead log, and retention."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from threading import Event as Flag
from threading import Lock

from chatroom.errors import HistoryError
from server.database import checkpoint, connect, limit_wal, transaction, translate_errors
from server.limits import CHECKPOINT_BYTES, RETENTION_PAUSE, RETENTION_STEP, TEND_SECONDS, WAL_BYTES
from server.retention import Retention
from server.schema import SPAN_EVENTS

_log = logging.getLogger(__name__)
_DAY = 24 * 3600 * 1000


class Maintenance:
    """Bounds the size of a history's files. It has a connection of its own.

    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    retention:  which events are retained
    """

    def __init__(self, path: Path, write_lock: Lock, retention: Retention) -> None:
        self._path = path
        self._wal_path = path.with_name(path.name + "-wal")
        self._write_lock = write_lock
        self._retention = retention
        self._checkpointed = (0, 0)  # state of the WAL when all of it had been copied
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        limit_wal(self._connection)

    def tend(self, stopping: Flag) -> None:
        """See `chatroom.history.History.tend`."""
        failing = False
        while not stopping.wait(TEND_SECONDS):
            try:
                self.run(stopping)
                failing = False
            except HistoryError as error:  # no event is lost by it, and the next round may work
                if not failing:
                    _log.warning("%s", error)
                failing = True

    def run(self, stopping: Flag) -> None:
        """One round: a checkpoint if the WAL is long, and the removal of all expired events."""
        with translate_errors(self._path, "maintain"):
            self._checkpoint()
            while self.remove_expired() and not stopping.wait(RETENTION_PAUSE):
                self._checkpoint()  # removing writes to the WAL, too

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- checkpoints ------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Copies a long WAL into the file. The writer has to wait only when the WAL exceeds WAL_BYTES."""
        before = self._wal_state()
        if before[0] < CHECKPOINT_BYTES or before == self._checkpointed:
            return
        checkpoint(self._connection)
        size, _ = after = self._wal_state()
        if after == before:
            self._checkpointed = after
        elif size > WAL_BYTES:
            # The WAL restarts at its beginning only when all of it was copied, and a writer without pauses
            # appends during every checkpoint. So copy most of it now, and the rest while the writer waits.
            checkpoint(self._connection)
            with self._write_lock:
                checkpoint(self._connection)

    def _wal_state(self) -> tuple[int, int]:
        """Size and modification time of the WAL; both are the same as before if nothing was appended."""
        try:
            state = self._wal_path.stat()
        except FileNotFoundError:
            return 0, 0
        return state.st_size, state.st_mtime_ns

    # --- retention --------------------------------------------------------------------------------------

    def remove_expired(self) -> bool:
        """Removes the oldest expired events, at most RETENTION_STEP; False when there were none.

        A step is small, so that the forwarder waits only a few milliseconds for the write lock.
        """
        last = self._last_expired()
        if not last:
            return False
        with self._write_lock, transaction(self._connection):
            self._connection.execute("DELETE FROM events WHERE seq <= ?", (last,))
            self._connection.execute("DELETE FROM spans WHERE span < ?", ((last + 1) // SPAN_EVENTS,))
            self._connection.execute("UPDATE state SET value = ? WHERE name = 'removed'", (last,))
        return True

    def _last_expired(self) -> int:
        """The last seq of the next step, 0 when no event has expired."""
        first, head = self._connection.execute(
            "SELECT (SELECT min(seq) FROM events), (SELECT max(seq) FROM events)"
        ).fetchone()
        if first is None or not any(self._retention):
            return 0
        end = min(head, first + RETENTION_STEP - 1)
        last = min(end, head - self._retention.events) if self._retention.events else self._last_too_old(end)
        return last if last >= first else 0

    def _last_too_old(self, end: int) -> int:
        """The seq before the first event young enough to be retained, `end` when none up to there is."""
        oldest_time = int(time.time() * 1000) - self._retention.days * _DAY
        retained: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM events WHERE seq <= ? AND time >= ? ORDER BY seq LIMIT 1", (end, oldest_time)
        ).fetchone()
        return retained[0] - 1 if retained else end
