"""Moments and times, as the reader's clock and calendar tell them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

LocalTime = Callable[[int], datetime]
"""Converts milliseconds since 1970 (UTC) to the reader's local time."""

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_DAY: Final = 86400


def local_time(milliseconds: int) -> datetime:
    """`milliseconds` since 1970 in the local time zone, clamped to the years that `datetime` supports."""
    try:
        return datetime.fromtimestamp(milliseconds / 1000).astimezone()
    except (OverflowError, OSError, ValueError):
        return (datetime.max if milliseconds > 0 else datetime.min).replace(tzinfo=UTC)


def seconds_in_words(seconds: int) -> str:
    """A duration as `10 minutes`, or `1 hour 30 minutes`: its two largest units."""
    words = []
    for unit, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            words.append(f"{number} {unit}{'' if number == 1 else 's'}")
    return " ".join(words[:2]) or "0 seconds"


def until_in_words(now: int, until: int, time_of: LocalTime = local_time) -> str:
    """For how long something counts that ends: `for 10 minutes`; from a day on `until 2026-01-31 12:34`.

    now, until: in milliseconds since 1970
    """
    seconds = max(0, -((now - until) // 1000))
    if seconds <= _DAY:
        return f"for {seconds_in_words(seconds)}"
    return f"until {time_of(until):%Y-%m-%d %H:%M}"
