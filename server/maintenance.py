"""Maintenance of the history in the background: checkpoints of the write-ahead log, and retention."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from threading import Lock

from chatroom.errors import HistoryError
from chatroom.events import iso_time
from server.database import checkpoint, connect, limit_wal, transaction, translate_errors
from server.history_files import HistoryFiles
from server.limits import (
    BLOCKED_SECONDS,
    CHECKPOINT_BYTES,
    RETENTION_PAUSE,
    RETENTION_STEP,
    TEND_SECONDS,
    WAL_BYTES,
)
from server.retention import PROOF, ProvenClock, Retention
from server.schema import SPAN_EVENTS

_log = logging.getLogger(__name__)
_DAY = 24 * 3600 * 1000


class Maintenance:
    """Bounds the size of a history's files. It has a connection of its own.

    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    retention:  which events are retained
    files:      are watched: nobody may remove or replace them
    wall:       seconds since 1970
    steady:     seconds that only rise

    trouble: what has happened to the files, "" for nothing. Guarded by write_lock
    """

    def __init__(
        self,
        path: Path,
        write_lock: Lock,
        retention: Retention,
        files: HistoryFiles | None = None,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble = ""
        self._path = path
        self._wal_path = path.with_name(path.name + "-wal")
        self._write_lock = write_lock
        self._retention = retention
        self._files = files
        self._wall = wall
        self._steady = steady
        self._checkpointed = (0, 0)  # state of the WAL when all of it had been copied
        self._blocked: float | None = None  # since when a reader has held the checkpoint back
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        limit_wal(self._connection)
        (latest,) = self._connection.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()
        self._clock = ProvenClock(self._time_of(latest))

    def tend(self, stopping: Flag) -> None:
        """See `chatroom.history.History.tend`."""
        failing = False
        try:
            self._announce()
        except HistoryError as error:
            _log.warning("%s", error)
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
        self._watch()
        with translate_errors(self._path, "maintain"):
            self._checkpoint()
            while self.remove_expired() and not stopping.wait(RETENTION_PAUSE):
                self._checkpoint()  # removing writes to the WAL, too

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    # --- the files --------------------------------------------------------------------------------------

    def _watch(self) -> None:
        """Says when somebody removes or replaces a file, and when it is back."""
        trouble = self._files.trouble() if self._files is not None else ""
        if trouble == self.trouble:
            return
        with self._write_lock:
            self.trouble = trouble
        if trouble:
            _log.error(
                "%s: nothing is stored until it is back. Until the server ends, all is in /proc/%d/fd",
                trouble,
                os.getpid(),
            )
        else:
            _log.warning("all files of %s are back", self._path)

    # --- checkpoints ------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        """Copies a long WAL into the file. The writer has to wait only when the WAL exceeds WAL_BYTES."""
        before = self._wal_state()
        if before[0] < CHECKPOINT_BYTES or before == self._checkpointed:
            self._blocked = None
            return
        complete = checkpoint(self._connection)
        size, _ = after = self._wal_state()
        free = complete or after != before  # else it is no batch of ours that was left out
        if complete and after == before:
            self._checkpointed = after
        elif size > WAL_BYTES:
            # The WAL restarts at its beginning only when all of it was copied, and a writer without pauses
            # appends during every checkpoint. So copy most of it now, and the rest while the writer waits.
            checkpoint(self._connection)
            with self._write_lock:
                free = checkpoint(self._connection)
        self._note_blocked(free, size)

    def _note_blocked(self, free: bool, size: int) -> None:
        """Tells the operator, once, that a reader holds the checkpoint back for long."""
        if free:
            self._blocked = None
        elif self._blocked is None:
            self._blocked = self._steady()
        elif self._steady() - self._blocked > BLOCKED_SECONDS:
            self._blocked = math.inf
            _log.warning(
                "another program has read %s for a long time: the log beside it has %.0f MB and grows",
                self._path,
                size / 1e6,
            )

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
        first, head = self._ends()
        proven = self._clock.read(int(self._wall() * 1000))
        last = self._last_expired(first, head, min(head, first + RETENTION_STEP - 1), proven)
        if not last:
            return False
        with self._write_lock, transaction(self._connection):
            self._connection.execute("DELETE FROM events WHERE seq <= ?", (last,))
            self._connection.execute("DELETE FROM spans WHERE span < ?", ((last + 1) // SPAN_EVENTS,))
            self._connection.execute("UPDATE state SET value = ? WHERE name = 'removed'", (last,))
        return True

    def _announce(self) -> None:
        """Says, before the first round, what it will remove."""
        now, keep = int(self._wall() * 1000), self._retention
        with translate_errors(self._path, "maintain"):
            first, head = self._ends()
            last = self._last_expired(first, head, head, self._clock.read(now))
            later = self._last_expired(first, head, head, now)
            until, until_later = iso_time(self._time_of(last)), iso_time(self._time_of(later))
        count = head - first + 1
        if last:
            _log.warning(
                "--keep %s removes the events up to %s now: %d of %d", keep, until, last - first + 1, count
            )
        if later > last:
            _log.warning(
                "--keep %s removes the events up to %s when the clock has been right for an hour: %d of %d",
                keep,
                until_later,
                later - first + 1,
                count,
            )

    def _ends(self) -> tuple[int, int]:
        """The first and the last seq of all events; the first is greater when there is none."""
        found: tuple[int, int] = self._connection.execute(
            "SELECT coalesce((SELECT min(seq) FROM events), 1), coalesce((SELECT max(seq) FROM events), 0)"
        ).fetchone()
        return found

    def _time_of(self, seq: int) -> int:
        found: tuple[int] | None = self._connection.execute(
            "SELECT time FROM events WHERE seq = ?", (seq,)
        ).fetchone()
        return found[0] if found else 0

    def _last_expired(self, first: int, head: int, end: int, proven: int) -> int:
        """The last expired seq from `first` to `end`, 0 when none has expired."""
        if first > head:
            return 0
        if self._retention.events:
            last = min(end, head - self._retention.events)
        elif self._retention.days:
            last = min(end, self._last_too_old(end, proven - self._retention.days * _DAY))
        else:
            last = 0
        return last if last >= first else 0

    def _last_too_old(self, end: int, oldest: int) -> int:
        """The last event before `oldest` behind which no younger one comes up to `end`; 0 for none.

        The clock was ahead when an event of the future was stored: its time says nothing, and its neighbours
        decide.
        """
        future = int(self._wall() * 1000) + PROOF
        begin: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM events WHERE time <= ? ORDER BY seq LIMIT 1", (future,)
        ).fetchone()
        if begin is None:
            return 0
        end = max(end, begin[0])
        young: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM events WHERE seq BETWEEN ? AND ? AND time BETWEEN ? AND ? ORDER BY seq LIMIT 1",
            (begin[0], end, oldest, future),
        ).fetchone()
        last: tuple[int] | None = self._connection.execute(
            "SELECT seq FROM events WHERE seq BETWEEN ? AND ? AND time < ? ORDER BY seq DESC LIMIT 1",
            (begin[0], young[0] - 1 if young else end, oldest),
        ).fetchone()
        return last[0] if last else 0
