"""The folder in which the client keeps files for its user. Several programs may change one file at once:
each takes the lock of the folder, reads, changes, writes a new file beside it, and puts that in its place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chatroom.deadline import Deadline
from chatroom.errors import ConfigError
from client.limits import LOCK_SECONDS

_NEW: Final = ".new"  # beside the file, before it takes the file's place
_PAUSE: Final = 0.01  # between two looks at a lock that another program holds


def data_folder() -> Path | None:
    """The client's folder (XDG Base Directory 0.8), which need not exist; None: the user has no home."""
    folder = os.environ.get("XDG_DATA_HOME", "")
    try:
        data = Path(folder) if os.path.isabs(folder) else Path("~/.local/share").expanduser()
    except RuntimeError:
        return None
    return data / "chatroom"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; it is made if it is not there yet.

    Raises OSError, and ConfigError when another program holds the lock for LOCK_SECONDS. Windows has no such
    lock; there the last of two programs that write at once wins.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    deadline = Deadline(LOCK_SECONDS)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if deadline.expired:
                    raise ConfigError(f"another program keeps {folder} locked") from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Put a new file, which only the user can read, in the place of the old one, or of the one that a link
    leads to. Whoever reads it sees the old one or the new one. Requires the lock. Raises OSError.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(target.name + _NEW)
    new.unlink(missing_ok=True)  # of a program that was killed
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(target)
