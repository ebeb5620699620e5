"""The files of one history: made for their user alone, watched while a server writes them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from chatroom.errors import HistoryError
from server.file_lock import FileLock

Identity = tuple[int, int]
"""Device and inode: what a file is, whatever its name."""


class HistoryFiles:
    """FILE, FILE.lock and FILE-wal, with the right to write them; all that a start makes can be taken back.

    folders: whether to make the folders that are missing
    Raises HistoryError when there cannot be such a file, or another server has it.
    """

    def __init__(self, path: Path, folders: bool) -> None:
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._folders: list[Path] = []  # those that are made here, the innermost first
        self._made = False
        self._watched: dict[Path, Identity] = {}
        self._check_place(folders)
        try:
            self._lock = FileLock(path)
        except HistoryError:
            self._remove_folders()
            raise
        try:
            self._make()
        except HistoryError:
            self.close(discard=True)
            raise

    def watch(self) -> None:
        """Note what the files are. Called when all of them are there."""
        for path in (self._path, self._wal, self._lock.path):
            self._note(path)

    def trouble(self) -> str:
        """What somebody has done to the names of the files since watch(); "" for nothing.

        A server that went on would store lines in a file without a name, and they would be lost at its end.
        A lock file has nothing in it that could be lost: a new one is taken, unless another server was first.
        """
        for path, identity in self._watched.items():
            try:
                found = _identity(path)
            except OSError:  # the folder cannot be read at the moment: that says nothing about the file
                continue
            if found != identity and path == self._lock.path:
                return self._lock_again()
            if found != identity:
                return f"{path} was {'removed' if found is None else 'replaced'} while the server ran"
        return ""

    def _note(self, path: Path) -> None:
        identity = _identity(path)
        if identity is not None:
            self._watched[path] = identity

    def _lock_again(self) -> str:
        """Take a new lock file; why that is not possible, "" when it was."""
        old = self._lock
        try:
            self._lock = FileLock(self._path)
        except HistoryError as error:
            return str(error)
        old.release()
        self._note(self._lock.path)
        return ""

    def close(self, discard: bool) -> None:
        """Let another server write. discard: nothing was stored, so remove what was made here."""
        if discard:
            if self._made:
                for path in (self._path, self._wal, self._path.with_name(self._path.name + "-shm")):
                    path.unlink(missing_ok=True)
            self._lock.discard()
        self._lock.release()
        if discard:
            self._remove_folders()

    def _check_place(self, folders: bool) -> None:
        """Reports an impossible path in clearer words than SQLite's."""
        path = self._path
        if path.is_dir():
            raise HistoryError(f"cannot open the history {path}: it is a folder")
        if folders:
            missing = [folder for folder in path.parents if not folder.exists()]
            try:
                for folder in reversed(missing):
                    folder.mkdir(mode=0o700)
                    self._folders.insert(0, folder)
            except OSError as error:
                self._remove_folders()
                raise HistoryError(
                    f"cannot make the folder of the history {path}: {error.strerror}"
                ) from error
        if not path.parent.is_dir():
            raise HistoryError(f"cannot open the history {path}: there is no folder {path.parent}")

    def _make(self) -> None:
        """Makes a new file, which only its user can read: SQLite would let all read the conversation."""
        path = self._path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._made = True
        except FileExistsError:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise HistoryError(f"cannot open the history {path}: it is no file") from None
            if not os.access(path, os.R_OK):
                raise HistoryError(
                    f"cannot open the history {path}: it belongs to another user (chown, chmod)"
                ) from None
            # Each name has a lock and a log of its own, so two servers could write, and no name has all.
            if found.st_nlink > 1:
                raise HistoryError(
                    f"cannot open the history {path}: the file has a second name (a hard link); remove one"
                ) from None
        except OSError as error:
            raise HistoryError(f"cannot open the history {path}: {error.strerror}") from error

    def _remove_folders(self) -> None:
        for folder in self._folders:
            try:
                folder.rmdir()
            except OSError:
                return  # somebody else has put something into it


def refuse_foreign_log(path: Path) -> None:
    """Refuse a history beside which the log of another one lies: SQLite would write that log into it.

    So it is when a backup was put in the place of a history whose server was killed. A history has a log only
    while its header says so (https://sqlite.org/fileformat.html, offsets 18 and 19); a backup has none.
    Raises HistoryError.
    """
    wal = path.with_name(path.name + "-wal")
    try:
        if wal.stat().st_size == 0:
            return
        with path.open("rb") as file:
            versions = file.read(20)[18:]
    except OSError:
        return  # one of them is not there, or whoever opens the file finds out
    if versions == b"\x01\x01":
        raise HistoryError(f"{wal} is of another history than {path}: move it away, and {path.name}-shm, too")


def _identity(path: Path) -> Identity | None:
    """What the file of this name is; None when there is none. Raises OSError when nobody can say."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
