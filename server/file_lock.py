"""The lock that keeps a second server away from a history file."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from chatroom.errors import HistoryError

_WRITTEN = 20  # bytes that a lock file has at most: a process id and a line end


class FileLock:
    """The exclusive right to write one history, until release() or the end of the process.

    The lock is on a file of its own: SQLite's locks on the history are POSIX locks, and a process loses those
    when it closes any descriptor of the file (fcntl(2)).
    Raises HistoryError when another process holds the lock, or when the lock file cannot be used: a link is
    none of ours, and what it leads to must not be written.

    path: of the lock file
    """

    def __init__(self, history: Path) -> None:
        self.path = history.with_name(history.name + ".lock")
        self._history = history
        self._descriptor, self._made = self._open()
        try:
            self._check()
            self._take()
        except BaseException:
            self.release()
            raise
        self._write_process_id()

    def release(self) -> None:
        """Let another server write."""
        os.close(self._descriptor)

    def discard(self) -> None:
        """Remove the lock file before release(), if it was not there before. The lock is still held."""
        if self._made:
            self.path.unlink(missing_ok=True)

    def _open(self) -> tuple[int, bool]:
        """The descriptor, and whether the file is new."""
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        try:
            try:
                return os.open(self.path, flags | os.O_CREAT | os.O_EXCL, 0o600), True
            except FileExistsError:
                return os.open(self.path, flags), False
        except OSError as error:
            why = "it is a link" if self.path.is_symlink() else error.strerror
            raise HistoryError(f"cannot open the history {self._history}: {self.path}: {why}") from error

    def _check(self) -> None:
        """The file is to be written, so it must be a lock file: one name, no more than a number in it."""
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink > 1 or found.st_size > _WRITTEN:
            raise HistoryError(f"cannot open the history {self._history}: {self.path} is no lock file")

    def _take(self) -> None:
        try:
            _lock(self._descriptor)
        except OSError:
            holder = os.pread(self._descriptor, _WRITTEN, 0).decode("ascii", "replace").strip()
            by = f" (process {holder})" if holder.isdecimal() else ""
            raise HistoryError(f"{self._history} is in use by another server{by}") from None
        # A server that discards its lock file holds the lock until then: a file without a name is no lock.
        if not os.fstat(self._descriptor).st_nlink:
            raise HistoryError(f"{self._history} was in use by another server just now; try again")

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
