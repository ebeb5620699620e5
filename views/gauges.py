"""Gauges: the numbers of a picture of the server's inside, as texts whose parts keep their places."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from chatroom.limits import SIZE_STEPS
from chatroom.picture import Lately, Numbers

_GAP: Final = "  "


def about(numbers: Numbers) -> list[str]:
    """Since when the server runs, and who is in: the most important first."""
    return [
        f"up {ago(numbers.up)}",
        *(["the history cannot be written"] if numbers.holding else []),
        f"{numbers.members:,} in",
        f"{numbers.connections:,} connections",
        f"{numbers.newcomers:,} coming in",
    ]


def values_of(now: Numbers, lately: Lately | None) -> list[tuple[str, ...]]:
    """Each a label and its values, the most important first."""
    return [
        (
            "lines",
            _rate(lately and lately.lines),
            f"{_rate(lately and lately.deliveries)} deliveries",
            f"{size(lately.delivered) if lately else '–':>9}/s",
        ),
        (
            "queue",
            f"{now.waiting:>8,}  ",
            f"wait {_ms(lately and lately.waited)}",
            f"{now.blocked:,} wait for room",
        ),
        (
            "batches",
            _rate(lately and lately.rounds),
            f"of {lately.events if lately else 0:>5,.1f}",
            f"stored {_ms(lately and lately.stored)}",
            f"sent {_ms(lately and lately.sent)}",
        ),
        ("reaper", f"{now.joined:>8,}  ", "joined", *_reaped(now)),
        (
            "backlogs",
            f"{size(now.shared + now.own):>9} ",
            f"{now.behind:,} behind",
            f"{now.pauses:,} pauses",
            f"{now.given_up:,} ended",
        ),
    ]


def _reaped(now: Numbers) -> list[str]:
    latest = [f"the last {ago(now.reaped)} ago"] if now.reaped >= 0 else []
    return [f"{now.ended:,} to join", f"{now.owned:,} owned", *latest]


def sizes_of(counts: Sequence[int]) -> list[str]:
    """How many batches of the last second were so large, for each step: always in the same place."""
    bounds = [0, *map(int, SIZE_STEPS)]
    names = [f"{low + 1}" if low + 1 == high else f"{low + 1}-{high}" for low, high in pairwise(bounds)]
    names.append(f"{bounds[-1] + 1}-")
    found = [*counts, *([0] * len(names))][: len(names)]
    return [f"{name}: {count or '–':<4}" for name, count in zip(names, found, strict=True)]


def fitting(values: Sequence[str], room: int) -> str:
    """The first values, as many as fit, at least one."""
    text = values[0] if values else ""
    for value in values[1:]:
        if len(text) + len(_GAP) + len(value) > room:
            break
        text += _GAP + value
    return text


def ago(seconds: float) -> str:
    """A time in its largest unit, in at most 7 columns: `0.4 s`, `12 s`, `3 min`, `5 h`, `12 d`."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f} s"
    for unit, length, until in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800)):
        if seconds < until:
            return f"{seconds / length:.0f} {unit}"
    return f"{min(seconds / 86_400, 99_999):.0f} d"


def size(count: float) -> str:
    """Bytes in the unit that fits, in at most 8 columns: `0 B`, `12 kB`, `3.4 MB`."""
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            number = count / length
            return f"{number:,.1f} {unit}" if number < 100 else f"{min(number, 99_999):,.0f} {unit}"
    return f"{max(0, count):.0f} B"


def _rate(number: float | None) -> str:
    return f"{'–' if number is None else f'{number:,.0f}':>8}/s"


def _ms(seconds: float | None) -> str:
    return f"{'–' if seconds is None else f'{seconds * 1000:,.1f}':>7} ms"
