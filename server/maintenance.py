"""Maintenance of the history: checkpoints, retention, erasing, amendments, merging, the index of search."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Event as Flag
from threading import Lock

from chatroom.errors import HistoryError
from chatroom.event_log import EventLog
from chatroom.limits import MAX_NUMBER
from server.amending import Amending
from server.database import checkpoint, connect, limit_wal, overwrite_deleted, translate_errors
from server.erasing import Erasing
from server.history_files import HistoryFiles
from server.limits import (
    BLOCKED_SECONDS,
    CHECKPOINT_BYTES,
    INDEX_REST,
    MAINTENANCE_PAUSE,
    TEND_SECONDS,
    TURN_SECONDS,
    WAL_BYTES,
)
from server.merging import Merging
from server.removal import Removal
from server.retention import Retention
from server.search import Search

_log = EventLog(__name__)


class Maintenance:
    """Bounds the size of a history's files. It has a connection of its own.

    write_lock: the lock of every transaction that writes to the history (see `SqliteHistory`)
    retention:  which events are retained
    files:      are watched: nobody may remove or replace them
    search:     whether the index of the search grows
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
        search: bool = False,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.trouble = ""
        self._path = path
        self._wal_path = path.with_name(path.name + "-wal")
        self._write_lock = write_lock
        self._files = files
        self._steady = steady
        self._checkpointed = (0, 0)  # state of the WAL when all of it had been copied
        self._blocked: float | None = None  # since when a reader has held the checkpoint back
        self._connection = connect(path)
        self._connection.execute("PRAGMA synchronous = NORMAL")
        limit_wal(self._connection)
        self._removal = Removal(self._connection, write_lock, retention, wall)
        self._merging = Merging(self._connection, write_lock)
        overwrite_deleted(self._connection)
        index = Search(self._connection, write_lock)
        self._erasing = Erasing(self._connection, write_lock, index)
        self._search = index if search else None
        indexed = self._search.indexed if self._search is not None else lambda: MAX_NUMBER
        self._amending = Amending(self._connection, write_lock, indexed)

    def tend(self, stopping: Flag) -> None:
        """See `chatroom.history.History.tend`."""
        told = ""
        try:
            with translate_errors(self._path, "maintain"):
                self._removal.announce()
        except HistoryError as error:
            told = str(error)
            _log.warning("maintenance_failed", "%(error)s", error=told)
        while not stopping.wait(TEND_SECONDS):
            try:
                self.run(stopping)
                told = ""
            except HistoryError as error:  # no event is lost by it, and the next round may work
                if str(error) != told:
                    told = str(error)
                    _log.warning("maintenance_failed", "%(error)s", error=told)

    def run(self, stopping: Flag) -> None:
        """One round: a checkpoint if the WAL is long, then removal, erasing, amendments, merging, the index.

        Each has its turn, also when another one has work without end, or fails. Raises the first error.
        """
        failed: list[HistoryError] = []
        self._watch()
        for turn in (
            self._checkpoint,
            partial(self._repeat, self._removal.step, stopping),
            partial(self._repeat, self._erasing.step, stopping),
            partial(self._repeat, self._amending.step, stopping),
            partial(self._repeat, self._merging.step, stopping),
            partial(self._index, stopping),
        ):
            try:
                with translate_errors(self._path, "maintain"):
                    turn()
            except HistoryError as error:
                failed.append(error)
        if failed:
            raise failed[0]

    def _repeat(self, step: Callable[[], bool], stopping: Flag) -> None:
        """Steps until there is nothing to do, but not for longer than TURN_SECONDS."""
        end = self._steady() + TURN_SECONDS
        while step() and not stopping.wait(MAINTENANCE_PAUSE) and self._steady() < end:
            self._watch()
            self._checkpoint()  # each step writes to the WAL, too

    def _index(self, stopping: Flag) -> None:
        """Let the index of the search grow, slowly, and not for longer than until the next round."""
        end = began = self._steady()
        while self._search is not None and self._search.step():
            now, rest = self._steady(), INDEX_REST if self._search.growing else 1.0
            if now > end + TEND_SECONDS or stopping.wait(rest * (now - began)):
                break
            self._watch()
            self._checkpoint()
            began = self._steady()

    def remove_expired(self) -> bool:
        """One step of the removal; False when there was nothing to remove."""
        with translate_errors(self._path, "maintain"):
            return self._removal.step()

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
                "file_gone",
                "%(trouble)s: nothing is stored until it is back. Until the server ends, all is in"
                " /proc/%(process)d/fd",
                trouble=trouble,
                process=os.getpid(),
            )
        else:
            _log.warning("file_back", "all files of %(file)s are back", file=self._path)

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
                "checkpoint_blocked",
                "another program has read %(file)s for a long time: the log beside it has %(megabytes).0f MB"
                " and grows",
                file=self._path,
                megabytes=size / 1e6,
            )

    def _wal_state(self) -> tuple[int, int]:
        """Size and modification time of the WAL; both are the same as before if nothing was appended."""
        try:
            state = self._wal_path.stat()
        except FileNotFoundError:
            return 0, 0
        return state.st_size, state.st_mtime_ns
