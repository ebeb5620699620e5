"""The lock that keeps a second server away from a history file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from chatroom.errors import HistoryError


class FileLock:
    """The exclusive right to write one history, until release() or the end of the process.

    The lock is on a file of its own: SQLite's locks on the history are POSIX locks, and a process loses those
    when it closes any descriptor of the file (fcntl(2)). The lock file is never removed: that would race.
    Raises HistoryError when another process holds the lock, or when the lock file cannot be opened.
    """

    def __init__(self, history: Path) -> None:
        path = history.with_name(history.name + ".lock")
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise HistoryError(f"cannot open the history {history}: {path}: {error.strerror}") from error
        try:
            _lock(self._descriptor)
        except OSError:
            holder = os.pread(self._descriptor, 20, 0).decode("ascii", "replace").strip()
            self.release()
            by = f" (process {holder})" if holder else ""
            raise HistoryError(f"{history} is in use by another server{by}") from None
        self._write_process_id()

    def release(self) -> None:
        """Let another server write."""
        os.close(self._descriptor)

    def _write_process_id(self) -> None:
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)
        except OSError:
            pass  # on a full disk the error message of a second server lacks the process


if sys.platform == "win32":  # pragma: no cover

    def _lock(descriptor: int) -> None:
        """Windows has no flock: a second server on the same file is not noticed there."""

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
