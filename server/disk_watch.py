"""Looks after the disk of the history: whoever runs the chatroom hears of it before the disk is full."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from threading import Lock
from typing import NamedTuple, Protocol

from chatroom.event_log import EventLog
from server.limits import DISK_LOOK_SECONDS, DISK_RECOVERED, LOW_DISK_BYTES, LOW_DISK_SHARE

log = EventLog(__name__)


class Usage(Protocol):
    """What `shutil.disk_usage` returns, in bytes. free: for this user, who is perhaps not root"""

    @property
    def total(self) -> int: ...

    @property
    def free(self) -> int: ...


class Room(NamedTuple):
    """The disk when it was last looked at, in bytes.

    is_low: whether operators were told that it is nearly full, and not yet that it has room again
    """

    total: int
    free: int
    is_low: bool


class DiskWatch:
    """Tells once that the disk is nearly full, and once that it has room again.

    path:  of the history
    tell:  tells operators a text; and whether that lasts: who comes in later has to know it, too. Never waits
    usage: looks at the disk of a path
    """

    def __init__(
        self,
        path: Path,
        tell: Callable[[str, bool], None],
        usage: Callable[[Path], Usage] = shutil.disk_usage,
    ) -> None:
        self._path = path
        self._tell = tell
        self._usage = usage
        self._stopping = Flag()
        # Guards _room.
        self._lock = Lock()
        self._room: Room | None = None

    @property
    def path(self) -> Path:
        """Of the history."""
        return self._path

    @property
    def room(self) -> Room | None:
        """What was found last; None before the first look. Any thread."""
        with self._lock:
            return self._room

    def run(self) -> None:
        """The thread: looks at once, and then every DISK_LOOK_SECONDS until stop()."""
        self.look()
        while not self._stopping.wait(DISK_LOOK_SECONDS):
            self.look()

    def stop(self) -> None:
        """End run()."""
        self._stopping.set()

    def look(self) -> None:
        """Look at the disk, and tell what has changed. Called by one thread."""
        try:
            total, free = (usage := self._usage(self._path.parent)).total, usage.free
        except OSError:
            return  # the folder is gone: the maintenance of the history tells that
        before, low = self.room, min(LOW_DISK_BYTES, LOW_DISK_SHARE * total)
        was_low = before is not None and before.is_low
        is_low = free < (low * DISK_RECOVERED if was_low else low)
        with self._lock:
            self._room = Room(total, free, is_low)
        if is_low and not was_low:
            log.error(
                "disk_low",
                "the disk of %(file)s is nearly full: %(free)s are free;"
                " when it is full, no line can be stored",
                file=self._path,
                free=size_words(free),
            )
            self._tell(
                f"the server's disk is nearly full: {size_words(free)} are free. When it is full, no line can"
                " be stored: whoever runs the server should make room",
                True,
            )
        elif was_low and not is_low:
            words = size_words(free)
            log.warning(
                "disk_recovered",
                "the disk of %(file)s has room again: %(free)s are free",
                file=self._path,
                free=words,
            )
            self._tell(f"the server's disk has room again: {size_words(free)} are free", False)


def size_words(size: float) -> str:
    """Bytes for a person: 3.4 MB."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"
