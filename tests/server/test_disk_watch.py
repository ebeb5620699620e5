"""The disk of the history: operators hear of it once, before it is full."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import NamedTuple

import pytest

from server.disk_watch import DiskWatch, Room, size_words
from server.limits import LOW_DISK_BYTES, LOW_DISK_SHARE

TERABYTE = 10**12


class Usage(NamedTuple):
    total: int
    free: int


class Disk:
    """A disk whose room the test sets, and what operators are told of it."""

    def __init__(self, total: int = TERABYTE) -> None:
        self.total, self.free, self.broken = total, total, False
        self.told: list[tuple[str, bool]] = []
        self.watch = DiskWatch(Path("/srv/history.db"), self._tell, self._usage)

    def _tell(self, text: str, lasts: bool) -> None:
        self.told.append((text, lasts))

    def _usage(self, path: Path) -> Usage:
        assert path == Path("/srv")
        if self.broken:
            raise OSError("gone")
        return Usage(self.total, self.free)

    def look(self, free: float) -> list[tuple[str, bool]]:
        """What is told when so much is free."""
        self.free = int(free)
        self.told.clear()
        self.watch.look()
        return self.told


def test_a_disk_with_room() -> None:
    """Nothing is told, and what was found can be read."""
    disk = Disk()
    assert disk.watch.room is None
    assert disk.look(LOW_DISK_BYTES) == []
    assert disk.watch.room == Room(TERABYTE, LOW_DISK_BYTES, False)


def test_told_once_until_it_recovers(caplog: pytest.LogCaptureFixture) -> None:
    """Low is told once, also in the log; not again on the edge; then once that there is room."""
    disk = Disk()
    with caplog.at_level(logging.WARNING):
        ((text, lasts),) = disk.look(LOW_DISK_BYTES - 1)
        assert lasts and "nearly full: 536.9 MB are free" in text
        for free in (0, LOW_DISK_BYTES / 2, LOW_DISK_BYTES + 1, LOW_DISK_BYTES * 1.2):
            assert disk.look(free) == []
        assert disk.watch.room is not None and disk.watch.room.is_low
        ((text, lasts),) = disk.look(LOW_DISK_BYTES * 1.25)
        assert not lasts and "has room again" in text
        assert disk.look(LOW_DISK_BYTES) == []
        ((text, lasts),) = disk.look(LOW_DISK_BYTES - 1)
        assert lasts
    levels = [(record.levelname, "/srv/history.db" in record.getMessage()) for record in caplog.records]
    assert levels == [("ERROR", True), ("WARNING", True), ("ERROR", True)]


def test_a_small_disk() -> None:
    """Of a small disk a share counts: one of a gigabyte is not told of for ever."""
    disk = Disk(total=10**9)
    assert disk.look(LOW_DISK_SHARE * 10**9) == []
    assert len(disk.look(LOW_DISK_SHARE * 10**9 - 1)) == 1


def test_a_disk_that_cannot_be_asked() -> None:
    """Nothing is told, and what was found before stands."""
    disk = Disk()
    disk.look(5)
    disk.broken = True
    assert disk.look(TERABYTE) == []
    assert disk.watch.room == Room(TERABYTE, 5, True)


def test_the_thread_looks_at_once_and_ends() -> None:
    """run() looks before it waits, and stop() ends it."""
    disk = Disk()
    disk.watch.stop()
    disk.watch.run()
    assert disk.watch.room is not None


@pytest.mark.parametrize(
    ("size", "words"), [(0, "0.0 kB"), (1500, "1.5 kB"), (2.5e6, "2.5 MB"), (7e10, "70.0 GB")]
)
def test_sizes_in_words(size: float, words: str) -> None:
    """A size has the unit in which a person reads it."""
    assert size_words(size) == words
