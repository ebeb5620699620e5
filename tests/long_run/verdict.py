"""The minutes after the beginning beside the last ones: what has grown, and what may grow."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from chatroom.limits import MAX_AMENDED
from server.limits import GUEST_DESCRIPTORS, HISTORY_READERS, READER_CACHE, RESERVED_DESCRIPTORS, WAL_BYTES
from tests.long_run.samples import Sample

EARLY: Final = (1 / 6, 2 / 6)
"""Shares of the time that are compared: of an hour the minutes 10 to 20 …"""
LATE: Final = (5 / 6, 1.0)
"""… and the last ten."""

MEMORY_SLACK: Final = 3 * 1024
"""KiB that the allocator may have more at the end: it keeps some of what thousands of threads gave back."""
PERSON_BYTES: Final = 4096
"""Bytes of a person who has come, gone, and can come back: MAX_SESSIONS bounds how many there are."""
AMENDED_BYTES: Final = 350
"""Bytes of a line that was edited lately, or reacted to: MAX_AMENDED bounds how many there are."""
PAGES_BYTES: Final = 2 * 2 * 1024 * 1024 + HISTORY_READERS * READER_CACHE
"""Bytes of the pages that SQLite keeps at most: of the forwarder and of the maintenance (2 MiB
each, its own default), and of each reader."""
SPARE: Final = 4
"""Threads and descriptors more than those of connections: of a search, a checkpoint, a reader of metrics."""
EVENT_GROWTH: Final = 1.25
"""The file may grow so many times as fast for each event as before: merging comes in turns."""
SLOWER: Final = 3.0
"""Lines may take so many times as long as before, and NOTICED ms in any case: others use the machine, too."""
NOTICED: Final = 50.0


class Finding(NamedTuple):
    """One thing that was compared. allowed: the most that `late` may be"""

    what: str
    early: float
    late: float
    allowed: float
    unit: str

    @property
    def is_good(self) -> bool:
        return self.late <= self.allowed

    def row(self) -> str:
        verdict = "good" if self.is_good else "GROWS"
        figures = f"{self.early:.6g} | {self.late:.6g} | {self.allowed:.6g} | {self.unit}"
        return f"| {self.what} | {figures} | {verdict} |"


HEAD: Final = "| what | early | late | allowed | unit | verdict |\n|---|---|---|---|---|---|"


def compare(samples: Sequence[Sample], amendments: int = 0) -> list[Finding]:
    """What has grown between the two parts of the time. amendments: in all of it"""
    early, late = _part(samples, EARLY), _part(samples, LATE)
    assert early and late, "too few samples"

    def both(
        what: str, value: Callable[[Sample], float], unit: str, more: float, factor: float = 1.0
    ) -> Finding:
        first, last = median(map(value, early)), median(map(value, late))
        return Finding(what, first, last, first * factor + more, unit)

    def more(value: Callable[[Sample], float]) -> float:
        return median(map(value, late)) - median(map(value, early))

    persons = more(lambda one: one.arrivals)
    amended = min(MAX_AMENDED, amendments * more(lambda one: one.at) / samples[-1].at)
    pages = more(lambda one: min(one.data, PAGES_BYTES))
    memory = MEMORY_SLACK + (persons * PERSON_BYTES + amended * AMENDED_BYTES + pages) / 1024
    growth = [_growth(early), _growth(late)]
    own = both("descriptors beside those of connections", _own_descriptors, "", SPARE)
    return [
        both("memory", lambda one: one.resident, "KiB", memory),
        both("threads beside those of connections", _own_threads, "", SPARE),
        own._replace(allowed=max(own.allowed, RESERVED_DESCRIPTORS)),  # readers are made when they are needed
        both("bytes that wait for readers", lambda one: one.backlog, "bytes", 64 * 1024),
        both("channels", lambda one: one.channels, "", SPARE),
        Finding("file for each event", growth[0], growth[1], growth[0] * EVENT_GROWTH, "bytes"),
        Finding(
            "log beside the file, at most",
            max(s.log for s in early),
            max(s.log for s in samples),
            WAL_BYTES,
            "bytes",
        ),
        Finding("processor for each event", _cost(early), _cost(late), _cost(early) * 1.5, "µs"),
        both("p50 of a line", lambda one: one.p50, "ms", NOTICED, SLOWER),
        both("p99 of a line", lambda one: one.p99, "ms", NOTICED, SLOWER),
    ]


def _part(samples: Sequence[Sample], share: tuple[float, float]) -> list[Sample]:
    end = samples[-1].at if samples else 0.0
    return [one for one in samples if share[0] * end <= one.at <= share[1] * end]


def _own_threads(sample: Sample) -> float:
    return sample.threads - sample.connections - sample.newcomers


def _own_descriptors(sample: Sample) -> float:
    return sample.descriptors - sample.connections - GUEST_DESCRIPTORS * sample.newcomers


def _growth(part: Sequence[Sample]) -> float:
    """Bytes of the file for each event."""
    return (part[-1].data - part[0].data) / max(1, part[-1].events - part[0].events)


def _cost(part: Sequence[Sample]) -> float:
    """Microseconds of the server's processor time for each event, with its deliveries."""
    return 1e6 * (part[-1].processor - part[0].processor) / max(1, part[-1].events - part[0].events)


# --- what must hold at the end, whatever has grown ------------------------------------------------------


def faults(counts: Mapping[str, int], missing: Counter[str], doubled: Counter[str], errors: str) -> list[str]:
    """What went wrong, one sentence each.

    counts:  of the crowd
    missing, doubled: lines that were confirmed, and are not in the file, or are there twice
    errors:  the server's log
    """
    found = []
    for what in ("out of order", "ended by the server", "pending at the end", "exit code"):
        if counts.get(what):
            found.append(f"{what}: {counts[what]}")
    found += [f"{what}: {count}" for what, count in counts.items() if what.startswith("protocol error")]
    if missing:
        found.append(f"{missing.total()} confirmed lines are not in the file, as {next(iter(missing))}")
    if doubled:
        found.append(f"{doubled.total()} lines are in the file twice, as {next(iter(doubled))}")
    if "Traceback" in errors or '"event": "failed"' in errors:
        found.append("the server's log has an error")
    return found


def compare_lines(confirmed: Path, exported: Path) -> tuple[Counter[str], Counter[str]]:
    """Lines that are missing in the export, and that are there twice."""
    wanted = Counter(confirmed.read_text(encoding="utf-8").split())
    there: Counter[str] = Counter()
    with exported.open(encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if event["kind"] == "said":
                there[event["text"].partition(" ")[0]] += 1
    doubled = Counter({text: count - 1 for text, count in there.items() if count > 1 and "/" in text})
    return wanted - there, doubled
