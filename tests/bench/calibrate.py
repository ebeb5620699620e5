"""Which interpreter this is, and how fast it is: prints one line of JSON.

The interpreter in question runs this file as a script, so it imports nothing but the standard library. Two
interpreters of one version need not be equally fast (PGO, LTO, the compiler), and their build options do not
always tell: only a measurement does. The same measurement tells whether two machines are equally fast.
"""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import struct
import sys
import sysconfig
import time
from collections.abc import Callable

SECONDS = 0.2
"""How long each loop runs."""

HEADER = struct.Struct("!BBBBIQHH")
BODY = bytes(96)
BUFFER = memoryview(bytes(256 * 1024))


def compute() -> int:
    """Pure Python: calls, tuples, a dict and a list, as in the fold of the server."""
    found: list[tuple[int, str, int]] = []
    last: dict[int, int] = {}
    for seq in range(1000):
        talker = seq % 20
        if seq > last.get(talker, -1):
            last[talker] = seq
            found.append(_event(seq, talker))
    return len(found)


def _event(seq: int, talker: int) -> tuple[int, str, int]:
    return seq, "#general", talker


def copy() -> int:
    """The work of C functions: a thousand packets packed, joined and unpacked, and 256 KiB copied."""
    data = b"".join([HEADER.pack(0xC7, 2, 0x20, 0, 96, id, 0, 1) + BODY for id in range(1000)])
    size = HEADER.size + len(BODY)
    ids = [HEADER.unpack_from(data, at)[5] for at in range(0, len(data), size)]
    return len(bytes(BUFFER)) + len(ids)


def fastest(act: Callable[[], int], seconds: float = SECONDS) -> float:
    """Seconds of the fastest call: other work on the machine can only make a call slower."""
    end, best = time.perf_counter() + seconds, float("inf")
    while (begin := time.perf_counter()) < end or best == float("inf"):
        act()
        best = min(best, time.perf_counter() - begin)
    return best


def describe() -> dict[str, str | float]:
    """The interpreter and its speed: microseconds for a thousand steps of each loop."""
    return {
        "path": os.path.realpath(sys.executable),
        "python": platform.python_version(),
        "build": sys.version,
        "options": str(sysconfig.get_config_var("CONFIG_ARGS") or ""),
        "sqlite": sqlite3.sqlite_version,
        "compute_us": fastest(compute) * 1e6,
        "copy_us": fastest(copy) * 1e6,
    }


if __name__ == "__main__":
    print(json.dumps(describe()))
