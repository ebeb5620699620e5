"""What storing costs: `python -m tests.bench.durability [FOLDER]` prints a table for both durabilities.

Each figure is the time that the forwarder spends in append() for one batch, with the background work running
as in the server. FOLDER says which disk is measured; the default is where temporary files are.
"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from chatroom.blocks import Block
from chatroom.events import Talk
from chatroom.records import Record
from server.storage import Durability, SqliteHistory
from tests.support.blocks import blocks_of

TEXT = b"x" * 64
NOW = 1_800_000_000_000
SECONDS = 3.0
"""How long each line of the table is measured."""

LEVELS: tuple[Durability, ...] = ("normal", "full")
BATCHES = (1, 10, 100, 1000)
_BURST = 50
"""Lines that one talker says in a batch."""


class Cost(NamedTuple):
    """Times in seconds of one append()."""

    durability: Durability
    batch: int
    median: float
    p99: float
    longest: float


def measure(folder: Path, durability: Durability, size: int, seconds: float = SECONDS) -> Cost:
    """Appends batches of `size` lines for some seconds."""
    history = SqliteHistory(folder / f"{durability}-{size}.db", durability)
    times: list[float] = []
    try:
        with _tended(history):
            end, head = time.perf_counter() + seconds, 0
            while (start := time.perf_counter()) < end or len(times) < 2:
                batch, records = _batch(head + 1, size)
                start = time.perf_counter()
                history.append(batch, records)
                times.append(time.perf_counter() - start)
                head += size
    finally:
        history.close()
    return Cost(durability, size, median(times), quantiles(times, n=100)[98], max(times))


def fsync_seconds(folder: Path) -> float:
    """The disk's time for one appended page and its fdatasync(2): the lower bound for "full"."""
    times = []
    with open(folder / "probe", "wb", buffering=0) as probe:
        for _ in range(200):
            start = time.perf_counter()
            probe.write(bytes(4096))
            os.fdatasync(probe.fileno())
            times.append(time.perf_counter() - start)
    return median(times)


def _batch(first: int, size: int) -> tuple[list[Block], list[Record]]:
    """Lines of twenty talkers, and once in 50 batches a record of each of them, as with a tick."""
    talks = [
        Talk(ids[0], NOW, "#general", f"talker-{person}", person, 1, ids, [TEXT] * len(ids))
        for start in range(0, size, _BURST)
        for person in [start // _BURST % 20 + 1]
        for ids in [range(first + start, first + min(start + _BURST, size))]
    ]
    records = [
        Record("session", f"{person:032x}", f'{{"person":{person},"confirmed":{first},"seen":{NOW}}}')
        for person in range(1, 21)
    ]
    return blocks_of(talks), records if (first - 1) % (50 * size) == 0 else []


@contextmanager
def _tended(history: SqliteHistory) -> Iterator[None]:
    stopping = threading.Event()
    thread = threading.Thread(target=history.tend, args=(stopping,), name="tend")
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def main(arguments: list[str]) -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory(dir=arguments[0] if arguments else None) as name:
        folder = Path(name)
        print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
        print(f"one page and fdatasync on this disk: {fsync_seconds(folder) * 1e6:.0f} µs\n")
        print("| durability | lines per batch | median per batch | 99th percentile | longest | per line |")
        print("|---|---|---|---|---|---|")
        for size in BATCHES:
            for level in LEVELS:
                cost = measure(folder, level, size)
                print(
                    f"| {level} | {size} | {cost.median * 1e6:.0f} µs | {cost.p99 * 1e6:.0f} µs"
                    f" | {cost.longest * 1e3:.1f} ms | {cost.median / size * 1e6:.2f} µs |",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:])
